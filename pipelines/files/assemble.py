"""From the columns of files to the tables that linking reads, with an account of every row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import FilesRejected, Problem, RowsDoNotBalance
from pipelines.files.births import ROWS_SHOWN, birth_tables
from pipelines.files.duplicates import repeated_ids
from pipelines.files.mapping import SourceMapping
from pipelines.files.people import (
    SourceColumns,
    Today,
    address_tables,
    contact_tables,
    extra_tables,
    identifier_tables,
    name_tables,
    sex_column,
)
from pipelines.files.read import RawSource

_TEXT, _DATE, _ROW = pa.string(), pa.date32(), pa.int32()
SCHEMAS: dict[str, pa.Schema] = {
    "names": pa.schema([("record", _ROW), ("given", _TEXT), ("middle", _TEXT), ("family", _TEXT)]),
    "births": pa.schema(
        [("record", _ROW), ("date_of_birth", _DATE), ("precision", _TEXT), ("earliest", _DATE), ("latest", _DATE)]
    ),
    "identifiers": pa.schema(
        [
            ("record", _ROW), ("identifier_type", _TEXT), ("value", _TEXT), ("status", _TEXT),
            ("verification", _TEXT), ("valid_to", _DATE),
        ]
    ),
    "addresses": pa.schema(
        [
            ("record", _ROW), ("building_number", _TEXT), ("postcode", _TEXT), ("postcode_status", _TEXT),
            ("outward", _TEXT), ("uprn", _TEXT), ("lines", _TEXT),
        ]
    ),
    "contacts": pa.schema([("record", _ROW), ("contact_type", _TEXT), ("value", _TEXT), ("status", _TEXT)]),
    "extras": pa.schema([("record", _ROW), ("field", _TEXT), ("value", _TEXT)]),
}  # fmt: skip
_BUILDERS: dict[str, Callable[[SourceColumns], list[pa.Table]]] = {
    "names": name_tables,
    "births": birth_tables,
    "identifiers": identifier_tables,
    "addresses": address_tables,
    "contacts": contact_tables,
    "extras": extra_tables,
}


@dataclass(frozen=True)
class SourceAccount:
    """What became of the rows of one source: each is a record; `empty` of them have nothing that can be compared.

    `broken` counts values that a rule refused, by column and rule.
    """

    name: str
    file: str
    rows: int
    empty: int
    unique_people: bool
    broken: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Assembled:
    """The tables of linking: `records` (record_id, agency, sex) and the others, by position in `records`.

    A record_id is `NAME:ID`. Text columns are dictionary-encoded where values repeat.
    """

    records: pa.Table
    tables: dict[str, pa.Table]
    accounts: tuple[SourceAccount, ...]
    today: Today

    @property
    def unique_sources(self) -> frozenset[str]:
        """The sources that hold each person once."""
        return frozenset(account.name for account in self.accounts if account.unique_people)


@dataclass
class _Parts:
    """What the sources have given so far."""

    ids: list[pa.ChunkedArray] = field(default_factory=list)
    sexes: list[pa.Array] = field(default_factory=list)
    tables: dict[str, list[pa.Table]] = field(default_factory=lambda: {name: [] for name in SCHEMAS})
    accounts: list[SourceAccount] = field(default_factory=list)
    rows: int = 0


def today(allow_synthetic: bool = True) -> Today:
    """Return what outcomes depend on besides the files."""
    return Today(datetime.now(UTC).date(), allow_synthetic)


def assemble(
    sources: Sequence[tuple[RawSource, SourceMapping]],
    day: Today,
    watch: Callable[[str], None] = lambda what: None,
) -> Assembled:
    """Return the tables of all sources; a record's `record_id` is `NAME:ID`, its agency the source's name.

    The columns of a source are let go as soon as they are read, so that they never stand in memory beside all
    of the tables.

    Raises:
        FilesRejected: a record id is missing or stands twice, or the dates of a source cannot be read.
        RowsDoNotBalance: a row of a file became no record.
    """
    parts = _Parts()
    for raw, mapping in sources:
        _add_source(parts, SourceColumns(raw, mapping, day), watch)
    records = pa.table(
        {
            "record_id": pa.chunked_array([chunk for ids in parts.ids for chunk in ids.chunks]),
            "agency": _agencies(parts.accounts),
            "sex": _joined(parts.sexes),
        }
    )
    if records.num_rows != sum(account.rows for account in parts.accounts):
        raise RowsDoNotBalance("link: the rows of the files and the records do not add up")
    tables = {name: _table(name, parts.tables[name]) for name in SCHEMAS}
    return Assembled(records, tables, tuple(parts.accounts), day)


def _add_source(parts: _Parts, source: SourceColumns, watch: Callable[[str], None]) -> None:
    raw = source.raw
    ids = record_ids(raw, source.mapping.record_id)
    parts.ids.append(pc.binary_join_element_wise(pa.scalar(raw.name), ids, ":"))
    source.let_go(source.mapping.record_id)
    watch(raw.name)
    sex = sex_column(source)
    parts.sexes.append(sex)
    used = sex.is_valid().to_numpy(zero_copy_only=False)
    for name, build in _BUILDERS.items():
        for table in build(source):
            used[table["record"].to_numpy()] = True
            parts.tables[name].append(_moved(table, parts.rows))
        pa.default_memory_pool().release_unused()
    broken: dict[str, dict[str, int]] = {}
    for (column, rule), count in sorted(source.broken.items()):
        broken.setdefault(column, {})[rule] = count
    parts.accounts.append(
        SourceAccount(
            raw.name, raw.path.name, raw.rows, int((~used).sum()), source.mapping.unique_people, broken
        )
    )
    parts.rows += raw.rows


def record_ids(raw: RawSource, column: str | None) -> pa.ChunkedArray:
    """Return the records' ids in their own file; the row number where the mapping names no column.

    Raises:
        FilesRejected: an id is missing, or stands twice.
    """
    if column is None:
        return pa.chunked_array([pa.array(np.arange(1, raw.rows + 1)).cast(pa.string())])
    ids = raw.columns[column]
    blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(ids), ""), True)
    _refuse_rows(raw, column, blank, "NO_RECORD_ID", "no record id")
    twice = repeated_ids(ids)
    if len(twice):
        wrong = pc.is_in(ids, value_set=twice)
        _refuse_rows(raw, column, wrong, "RECORD_ID_TWICE", "a record id that stands twice")
    return ids


def _refuse_rows(raw: RawSource, column: str, wrong: pa.ChunkedArray, rule: str, message: str) -> None:
    rows = np.flatnonzero(wrong.to_numpy())
    if not len(rows):
        return
    shown = [Problem(raw.path.name, rule, message, int(row) + 1, column) for row in rows[:ROWS_SHOWN]]
    if len(rows) > ROWS_SHOWN:
        shown.append(Problem(raw.path.name, rule, f"{message}, in {len(rows):,} rows in all", column=column))
    raise FilesRejected(shown)


def _agencies(accounts: Sequence[SourceAccount]) -> pa.Array:
    codes = np.repeat(np.arange(len(accounts), dtype=np.int32), [account.rows for account in accounts])
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([account.name for account in accounts]))


def _joined(arrays: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Return arrays of text as one column, dictionary-encoded only where all of them are."""
    if all(pa.types.is_dictionary(array.type) for array in arrays):
        return pa.chunked_array(arrays).unify_dictionaries()
    return pa.chunked_array([array.cast(pa.string()) for array in arrays])


def _moved(table: pa.Table, by: int) -> pa.Table:
    """Return the rows with their records further down, behind those of the sources before."""
    return table.set_column(0, "record", pc.add(table["record"], pa.scalar(by, pa.int32()))) if by else table


def _table(name: str, parts: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of all sources as one table; a table that nobody filled is empty."""
    schema, filled = SCHEMAS[name], [part for part in parts if part.num_rows]
    if not filled:
        return schema.empty_table()
    columns = {}
    for column in schema.names:
        chunks = [chunk for part in filled for chunk in part[column].chunks]
        columns[column] = _joined(chunks) if schema.field(column).type == _TEXT else pa.chunked_array(chunks)
    return pa.table(columns)
