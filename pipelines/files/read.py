"""Reading CSV and Parquet files as text: only the mapped columns, in batches, whatever is wrong told by place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from pipelines.errors import ContractError
from pipelines.files.csv_text import csv_shape, explain_unreadable, looks_like_header, rejected
from pipelines.files.mapping import SourceMapping, did_you_mean

BLOCK_BYTES = 1 << 23
PARQUET_ROWS = 1 << 17
PARQUET_MAGIC = b"PAR1"

Watch = Callable[[int], None]


@dataclass(frozen=True)
class RawSource:
    """The mapped columns of one file as text; null where a cell is empty. Rows count from 1, without the header.

    `iso_dates` are the columns that hold dates by their type (Parquet): their text is yyyy-mm-dd.
    """

    name: str
    path: Path
    rows: int
    columns: dict[str, pa.ChunkedArray]
    iso_dates: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """A source to be read: its name, its file, what the mapping says about it, and the mapping's own file."""

    name: str
    path: Path
    mapping: SourceMapping
    mapping_file: Path


def read_source(wanted: Wanted, watch: Watch = lambda rows: None) -> RawSource:
    """Return the mapped columns of a file; `watch` is told how many rows are read so far.

    Raises:
        ContractError: the file lacks a column of the mapping.
        FilesRejected: the file is missing, empty, not in UTF-8, or its rows have different widths.
    """
    if not wanted.path.is_file():
        raise rejected(wanted.path, "NO_FILE", "there is no such file")
    with wanted.path.open("rb") as file:
        is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    return _read_parquet(wanted, watch) if is_parquet else _read_csv(wanted, watch)


def _read_csv(wanted: Wanted, watch: Watch) -> RawSource:
    shape = csv_shape(wanted.path)
    columns = wanted.mapping.columns()
    _check_columns(wanted, shape.header)
    if not shape.has_rows:
        raise rejected(wanted.path, "NO_ROWS", "there is a header and no row")
    uneven = 0

    def skip_uneven(_: Any) -> str:
        nonlocal uneven
        uneven += 1
        return "skip"

    try:
        reader = pyarrow.csv.open_csv(
            wanted.path,
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=shape.delimiter, newlines_in_values=True, invalid_row_handler=skip_uneven
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        batches = list(_watched(reader, watch))
    except pa.ArrowInvalid:  # its text shows the row
        raise explain_unreadable(wanted.path, shape) from None
    if uneven:
        raise explain_unreadable(wanted.path, shape)
    table = pa.Table.from_batches(batches, reader.schema)
    return RawSource(wanted.name, wanted.path, table.num_rows, {name: table[name] for name in columns})


def _read_parquet(wanted: Wanted, watch: Watch) -> RawSource:
    columns = wanted.mapping.columns()
    try:
        file = pyarrow.parquet.ParquetFile(wanted.path)
    except pa.ArrowInvalid:
        raise rejected(wanted.path, "NOT_PARQUET", "it begins like Parquet, but cannot be read") from None
    schema = file.schema_arrow
    _check_columns(wanted, tuple(schema.names))
    for name in columns:
        if not _has_text(schema.field(name).type):
            raise rejected(wanted.path, "NOT_TEXT", f"a column of type {schema.field(name).type}", name)
    if not file.metadata.num_rows:
        raise rejected(wanted.path, "NO_ROWS", "there is no row")
    batches = list(_watched(file.iter_batches(PARQUET_ROWS, columns=list(columns)), watch))
    texts = {
        name: pa.chunked_array([as_text(batch.column(name)) for batch in batches], pa.string())
        for name in columns
    }
    dates = frozenset(name for name in columns if pa.types.is_temporal(schema.field(name).type))
    return RawSource(wanted.name, wanted.path, file.metadata.num_rows, texts, dates)


def _watched(batches: Iterable[pa.RecordBatch], watch: Watch) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        watch(rows)
        yield batch


def _has_text(kind: pa.DataType) -> bool:
    """Whether the values of a column of this type can be read as text."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer,
        pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_date, pa.types.is_timestamp,
        pa.types.is_null,
    )  # fmt: skip
    return any(test(plain) for test in tests)


def as_text(values: pa.Array) -> pa.Array:
    """Return values of a Parquet column as text: dates as yyyy-mm-dd, whole numbers without decimals."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.date32(), safe=False)
    if pa.types.is_floating(values.type):
        return _numbers_as_text(values)
    text = values.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _numbers_as_text(values: pa.Array) -> pa.Array:
    """Return floating-point numbers as text: a column of identifiers with a gap has become such in some tools."""
    values = values.cast(pa.float64())
    whole = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), 2.0**53))
    whole = pc.fill_null(whole, False)
    as_integer = pc.if_else(whole, values, 0.0).cast(pa.int64()).cast(pa.string())
    text = pc.if_else(whole, as_integer, values.cast(pa.string()))
    return pc.if_else(pc.fill_null(pc.is_nan(values), True), pa.scalar(None, pa.string()), text)


def _check_columns(wanted: Wanted, header: Sequence[str]) -> None:
    """Raise ContractError for a column of the mapping that the file lacks, or has twice."""
    named = [("record_id", wanted.mapping.record_id)] if wanted.mapping.record_id else []
    named += [
        (f"fields.{key}", each) for key, field in wanted.mapping.fields.items() for each in field.column
    ]
    for key, column in named:
        count = list(header).count(str(column))
        if count == 1:
            continue
        if count:
            expected = f"{count} columns of {wanted.path.name} are called {column}; a name must stand once"
        elif looks_like_header(tuple(header)):
            close = did_you_mean(str(column), header)
            expected = f"{wanted.path.name} has no column {column} among its {len(header)}{close}"
        else:
            expected = (
                f"{wanted.path.name} has no column {column}; its first line does not look like a header"
            )
        raise ContractError(str(wanted.mapping_file), f"sources.{wanted.name}.{key}", expected)
