"""The tables of LinkData by position of their record, whichever way a table names it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.data import LinkData
from pipelines.link.thresholds.edges import Bools, Ints

HASH_BYTES = 8


def table_names(data: LinkData) -> tuple[str, ...]:
    """Return the names of the tables that hang on the records."""
    return tuple(
        field.name
        for field in fields(data)
        if field.name != "records" and isinstance(getattr(data, field.name), pa.Table)
    )


def record_ids(data: LinkData) -> list[str]:
    """Return the record ids in the order of the records."""
    return [str(each) for each in data.records["record_id"].to_pylist()]


def positions(data: LinkData, table: pa.Table) -> Ints:
    """Return, for each row of a table or of a part of one, the row of its record in `data.records`."""
    if "record" in table.column_names:
        return np.asarray(table["record"].to_numpy(), dtype=np.int64)
    known = data.records["record_id"].cast(pa.string())
    found = pc.index_in(table["record_id"].cast(pa.string()), value_set=known)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def sources(data: LinkData) -> tuple[tuple[str, ...], Ints]:
    """Return the names of the sources, sorted, and the source of each record as a position among them."""
    codes, names = pd.factorize(np.asarray(data.records["agency"].to_pylist(), dtype=object), sort=True)
    return tuple(str(name) for name in names), codes.astype(np.int64)


def unique_source_codes(data: LinkData) -> Ints:
    """Return, per record, its source where that is unique, else -1."""
    names, codes = sources(data)
    unique = np.array([name in data.unique_sources for name in names], dtype=np.bool_)
    return np.where(unique[codes], codes, -1) if len(codes) else codes


def has_rows(data: LinkData, name: str, needed: str) -> Bools:
    """Return which records have a row in a table with a value in the column `needed`."""
    table = getattr(data, name)
    present = np.zeros(data.records.num_rows, dtype=np.bool_)
    present[positions(data, table)[table[needed].is_valid().to_numpy(zero_copy_only=False)]] = True
    return present


def hash_numbers(texts: list[str], salt: str) -> Ints:
    """Return a number from 0 to 2**62 per text, from a hash: the same whatever the order of rows."""
    key = salt.encode()[: hashlib.blake2b.SALT_SIZE]
    digests = b"".join(
        hashlib.blake2b(text.encode(), digest_size=HASH_BYTES, salt=key).digest() for text in texts
    )
    return (np.frombuffer(digests, dtype=">u8") >> np.uint64(2)).astype(np.int64)


@dataclass(frozen=True)
class Rows:
    """The rows of one table by record: row numbers sorted by record, and where each record's rows begin."""

    rows: Ints
    starts: Ints

    def of(self, records: Ints) -> tuple[Ints, Ints]:
        """Return (which of `records`, row number) for every row of each of them; records below 0 have none."""
        known = np.maximum(records, 0)
        counts = np.where(records < 0, 0, self.starts[known + 1] - self.starts[known])
        which = np.repeat(np.arange(len(records)), counts)
        step = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        return which, self.rows[self.starts[known][which] + step]

    def first(self, records: Ints) -> Ints:
        """Return the first row of each record; -1 where it has none."""
        known = np.maximum(records, 0)
        some = (records >= 0) & (self.starts[known + 1] > self.starts[known])
        result = np.full(len(records), -1, dtype=np.int64)
        result[some] = self.rows[self.starts[known[some]]]
        return result


def rows_by_record(data: LinkData, table: pa.Table) -> Rows:
    """Return the rows of a table by record, in an order that does not depend on the order of rows."""
    at = positions(data, table)
    texts = pd.DataFrame(
        {name: table[name].cast(pa.string()).to_pylist() for name in table.column_names if name != "record"}
    )
    order = texts.assign(**{" at": at}).sort_values([" at", *texts.columns], kind="stable").index
    counts = np.bincount(at, minlength=data.records.num_rows)
    return Rows(order.to_numpy(dtype=np.int64), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
