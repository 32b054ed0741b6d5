"""Records put together from the fields of others."""

from __future__ import annotations

import string
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.link.data import LinkData
from pipelines.link.thresholds.edges import Bools, Ints
from pipelines.link.thresholds.tables import Rows, hash_numbers, record_ids, rows_by_record, table_names

PREFIX = "decoy:"
DIGITS = string.digits
LETTERS = string.ascii_uppercase
EXTRAS = "extras"


@dataclass(frozen=True)
class Donors:
    """Per decoy of one type, the record that each part comes from: `frame` gives source and identifiers."""

    kind: str
    home: Ints
    frame: Ints
    given: Ints
    family: Ints
    born: Ints
    address: Ints
    contact: Ints
    other: Ints

    def where(self, rows: Bools) -> Donors:
        """Return these decoys only."""
        return replace(self, **{name: getattr(self, name)[rows] for name in PARTS})

    def matrix(self) -> Ints:
        """Return one row per decoy with the records of all its parts."""
        return np.stack([getattr(self, name) for name in PARTS], axis=1)


PARTS = tuple(field.name for field in fields(Donors) if field.name != "kind")


def build(data: LinkData, drawn: list[Donors], shared_extras: frozenset[str]) -> LinkData:
    """Return the records of the drawn decoys, in their order."""
    everyone = together(drawn)
    ids = record_ids(data)
    kinds = [each.kind for each in drawn for _ in each.home]
    names = [f"{PREFIX}{kind}:{ids[home]}" for kind, home in zip(kinds, everyone.home.tolist(), strict=True)]
    return replace(
        data, records=_records(data, everyone, names), **_tables(data, everyone, names, shared_extras)
    )


def append(data: LinkData, more: LinkData) -> LinkData:
    """Return the data with the records of `more` after its own."""
    offset = data.records.num_rows
    changed: dict[str, pa.Table] = {"records": pa.concat_tables([data.records, more.records])}
    for name in table_names(data):
        added = getattr(more, name)
        if "record" in added.column_names:
            moved = pa.array(added["record"].to_numpy() + offset, added.schema.field("record").type)
            added = added.set_column(added.column_names.index("record"), added.schema.field("record"), moved)
        changed[name] = pa.concat_tables([getattr(data, name), added])
    return replace(data, **changed)


def together(drawn: list[Donors]) -> Donors:
    """Return the donors of all types, one after the other."""
    none = np.empty(0, np.int64)
    joined = {
        name: np.concatenate([getattr(each, name) for each in drawn]) if drawn else none for name in PARTS
    }
    return Donors("", **joined)


def _records(data: LinkData, donors: Donors, names: list[str]) -> pa.Table:
    """Return the records: the source of the frame, the sex of whoever gave the first name."""
    taken = data.records.take(pa.array(donors.frame))
    sex = data.records["sex"].take(pa.array(donors.given))
    schema = data.records.schema
    columns = {"record_id": pa.array(names, schema.field("record_id").type), "sex": sex}
    return pa.table([columns.get(name, taken[name]) for name in schema.names], schema=schema)


def _tables(
    data: LinkData, donors: Donors, names: list[str], shared_extras: frozenset[str]
) -> dict[str, pa.Table]:
    sources = {
        "births": donors.born,
        "identifiers": donors.frame,
        "addresses": donors.address,
        "contacts": donors.contact,
    }
    made = {name: _copy(data, name, donor, names) for name, donor in sources.items()}
    made["names"] = _names(data, donors, names)
    made["identifiers"] = _renumbered(data.identifiers, made["identifiers"])
    if EXTRAS in table_names(data):
        shared = _copy(data, EXTRAS, donors.address, names)
        own = _copy(data, EXTRAS, donors.other, names)
        inside = [field in shared_extras for field in shared["field"].to_pylist()]
        outside = [field not in shared_extras for field in own["field"].to_pylist()]
        made[EXTRAS] = pa.concat_tables(
            [shared.filter(pa.array(inside, pa.bool_())), own.filter(pa.array(outside, pa.bool_()))]
        )
    return made


def _copy(data: LinkData, name: str, donor: Ints, names: list[str]) -> pa.Table:
    """Return the rows of each donor as rows of its decoy."""
    table = getattr(data, name)
    which, rows = rows_by_record(data, table).of(donor)
    return _owned(table.take(pa.array(rows)), which, names)


def _owned(table: pa.Table, which: Ints, names: list[str]) -> pa.Table:
    """Return the rows with the decoys as their owners."""
    for key, owner in (("record", which), ("record_id", [names[each] for each in which.tolist()])):
        if key in table.column_names:
            field = table.schema.field(key)
            table = table.set_column(table.column_names.index(key), field, pa.array(owner, field.type))
    return table


def _names(data: LinkData, donors: Donors, names: list[str]) -> pa.Table:
    """Return the names: every name of the family's donor, with first and middle name of the other donor's first."""
    index: Rows = rows_by_record(data, data.names)
    which, rows = index.of(donors.family)
    taken = data.names.take(pa.array(rows))
    replaced = donors.given[which] != donors.family[which]
    first = index.first(donors.given)[which]
    for column in ("given", "middle"):
        field = data.names.schema.field(column)
        values: list[Any] = taken[column].to_pylist()
        others = data.names[column].take(pa.array(first, mask=first < 0)).to_pylist()
        chosen = [new if swap else old for old, new, swap in zip(values, others, replaced, strict=True)]
        taken = taken.set_column(taken.column_names.index(column), field, pa.array(chosen, field.type))
    return _owned(taken, which, names)


def _renumbered(known: pa.Table, made: pa.Table) -> pa.Table:
    """Return identifiers with digits and letters exchanged by hash, until nobody has the number."""
    taken = set(known["value"].to_pylist())
    owner = made["record_id"] if "record_id" in made.column_names else made["record"]
    values = [
        None if value is None else _exchanged(str(value), f"{key}:{value}", taken)
        for key, value in zip(owner.to_pylist(), made["value"].to_pylist(), strict=True)
    ]
    field = made.schema.field("value")
    return made.set_column(made.column_names.index("value"), field, pa.array(values, field.type))


def _exchanged(value: str, seed: str, taken: set[str]) -> str:
    for attempt in range(20):
        steps = hash_numbers(
            [f"{seed}:{attempt}:{place}" for place in range(len(value))], "exchange"
        ).tolist()
        made = "".join(_other(letter, step) for letter, step in zip(value, steps, strict=True))
        if made not in taken:
            return made
    return f"{PREFIX}{value}"


def _other(letter: str, step: int) -> str:
    for alphabet in (DIGITS, LETTERS):
        if letter in alphabet:
            return alphabet[step % len(alphabet)]
    return letter
