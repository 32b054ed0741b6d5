"""Dates of birth of one source, in the declared formats only; what the formats cannot settle is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import FilesRejected, Problem
from pipelines.files.columns import encode, present, spread
from pipelines.files.csv_text import rejected
from pipelines.files.mapping import ISO_DATE
from pipelines.files.people import SourceColumns
from pipelines.files.quick_codes import AMBIGUOUS, births
from pipelines.normalise.dates import parse_date

USUAL_FORMATS = (
    ISO_DATE, "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%d %b %Y", "%d-%b-%Y",
    "%d%m%Y", "%Y-%m-%d %H:%M:%S", "%Y",
)  # fmt: skip
UNREADABLE = "DATE_UNREADABLE_DATE"
TRIED_VALUES = 200
# A handful of values in no format at all may be what somebody scribbled; more of them are another format.
FEW_VALUES = 10
FITS = 0.9
ROWS_SHOWN = 5


def birth_tables(source: SourceColumns) -> list[pa.Table]:
    """Return dates of birth with the days between which they lie.

    Raises:
        FilesRejected: two declared formats read a value as two dates, or no value is in any of the formats.
    """
    mapped = source.mapping.fields.get("date_of_birth")
    if mapped is None:
        return []
    column = mapped.column[0]
    formats = (ISO_DATE,) if column in source.raw.iso_dates else mapped.format
    # Dates are few even where rows are many, so they are always read once per distinct value.
    codes, distinct = encode(source.raw.columns[column])
    outcome = births(distinct, formats, source.today.day)
    broken = outcome.rule.take(codes)
    _refuse_ambiguous(source, column, broken)
    if (
        outcome.rule.unique().drop_null().to_pylist() == [UNREADABLE]
        and not outcome.values["earliest"].drop_null()
    ):
        _refuse_unread(source, column, formats, distinct)
    for each in pc.value_counts(broken.drop_null()).to_pylist():
        source.broken[column, each["values"]] += each["counts"]
    source.let_go(column)
    columns = {
        name: spread(array, codes) if name == "precision" else array.take(codes)
        for name, array in outcome.values.items()
    }
    mask = present([columns["earliest"]])
    return [source.rows(columns, ("earliest",))] if mask.any() else []


def _refuse_ambiguous(source: SourceColumns, column: str, broken: pa.Array) -> None:
    """Raise for values that two formats read differently: by row, with the formats, never with the value."""
    clashes = pc.fill_null(pc.starts_with(broken, AMBIGUOUS), False)
    rows = np.flatnonzero(clashes.to_numpy(zero_copy_only=False))
    if not len(rows):
        return
    problems = [
        Problem(
            source.raw.path.name,
            AMBIGUOUS,
            f"both {broken[int(row)].as_py().removeprefix(f'{AMBIGUOUS}:')} read this value, as two different"
            " dates; declare one of them, or split the file",
            row=int(row) + 1,
            column=column,
        )
        for row in rows[:ROWS_SHOWN]
    ]
    if len(rows) > ROWS_SHOWN:
        problems.append(
            Problem(
                source.raw.path.name, AMBIGUOUS, f"and {len(rows) - ROWS_SHOWN:,} further rows", column=column
            )
        )
    raise FilesRejected(problems)


def _refuse_unread(source: SourceColumns, column: str, formats: tuple[str, ...], distinct: pa.Array) -> None:
    """Raise where not one value is in a declared format, with the usual formats that most values are in."""
    values = [value for value in distinct.slice(0, TRIED_VALUES).to_pylist() if value]
    fitting = [each for each in USUAL_FORMATS if _fitting(each, values) >= FITS * len(values)]
    if not fitting and len(values) < FEW_VALUES:
        return
    hint = f"; most are in {' or '.join(fitting)}" if fitting else ""
    message = f"no value is a date in {' or '.join(formats)}{hint}"
    raise rejected(source.raw.path, "NO_DATES", message, column)


def _fitting(fmt: str, values: list[str]) -> int:
    """Return how many values are in a format."""
    return sum(parse_date(value, fmt).value is not None for value in values)
