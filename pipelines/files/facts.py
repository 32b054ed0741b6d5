"""What there is to compare in assembled files: which fields have values, and how often two records share one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.files.assemble import Assembled

SAMPLED_ROWS = 200_000
# A phonetic code, or an initial, is shared more often than the name itself.
PHONETIC_FACTOR = 2.0
INITIAL_SHARE = 0.08


@dataclass(frozen=True)
class Facts:
    """How many records there are, which fields have values at all, and the chance that two records share a key.

    `shares` has the blocking keys that may be used; the chance takes in that a record may have no value.
    """

    records: int
    fields: frozenset[str]
    identifier_types: frozenset[str]
    shares: dict[str, float]

    def expected_pairs(self, keys: tuple[str, ...]) -> float:
        """Return how many pairs share all keys, as if the keys had nothing to do with each other.

        Identifiers, which next to nobody shares with a stranger, have no share and count as none.
        """
        chance = float(np.prod([self.shares.get(key, 0.0) for key in keys]))
        return self.records * (self.records - 1) / 2 * chance


def gather_facts(assembled: Assembled) -> Facts:
    """Return the facts about assembled files that a model is adapted to."""
    count = assembled.records.num_rows
    columns = dict(_columns(assembled))
    filled = {name: column for name, column in columns.items() if column.null_count < len(column)}
    shares = {
        name: share_of(column, count) for name, column in filled.items() if name not in {"middle", "email"}
    }
    for name in ("given", "family"):
        if name in shares:
            shares[f"{name}_phonetic"] = min(1.0, shares[name] * PHONETIC_FACTOR)
            shares[f"{name}_initial"] = INITIAL_SHARE
    if {"given", "family"} <= shares.keys():
        shares["sorted_names"] = 2 * shares["given_phonetic"] * shares["family_phonetic"]
    types = assembled.tables["identifiers"]["identifier_type"]
    return Facts(
        count,
        frozenset(filled),
        frozenset(pc.unique(types.cast(pa.string())).drop_null().to_pylist()),
        shares,
    )


def share_of(column: pa.ChunkedArray, records: int) -> float:
    """Return the chance that two records share a value, from the counts of (a sample of) the column's values."""
    size = len(column)
    if size > SAMPLED_ROWS:
        column = column.take(pa.array(np.linspace(0, size - 1, SAMPLED_ROWS).astype(np.int64)))
    counts = pc.value_counts(column.drop_null()).field("counts").to_numpy(zero_copy_only=False).astype(float)
    total = counts.sum()
    if total < 2:
        return 0.0
    holders = min(1.0, total / len(column) * size / records)
    return float((counts * (counts - 1)).sum() / (total * (total - 1)) * holders**2)


def _columns(assembled: Assembled) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Return each field of a comparison and each plain blocking key, with its values."""
    tables = assembled.tables
    for part in ("given", "middle", "family"):
        yield part, tables["names"][part]
    births = tables["births"]["date_of_birth"]
    yield "date_of_birth", births
    years = pc.year(births)
    yield "birth_year", years
    yield "birth_month", pc.add(pc.multiply(years, 12), pc.month(births))
    yield "birth_either_order", births
    yield "sex", assembled.records["sex"]
    places = tables["addresses"]
    for name in ("postcode", "outward", "lines"):
        yield name, places[name]
    numbered = pc.and_(pc.is_valid(places["building_number"]), pc.is_valid(places["postcode"]))
    yield "place", pc.if_else(numbered, places["postcode"].cast(pa.string()), pa.scalar(None, pa.string()))
    contacts = tables["contacts"]
    yield "contact", contacts["value"]
    yield "email", contacts["value"].filter(pc.equal(contacts["contact_type"], "EMAIL"))
    for table, prefix, kind in (
        ("identifiers", "identifier.", "identifier_type"),
        ("extras", "extra.", "field"),
    ):
        rows = tables[table]
        for name in pc.unique(rows[kind].cast(pa.string())).drop_null().to_pylist():
            values = rows["value"].filter(pc.equal(rows[kind], name))
            yield f"{prefix}{name.lower()}", values
