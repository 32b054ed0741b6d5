"""The cells of a workbook as text, written so that the contract can read them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

DIGITS_KEPT = 15  # a workbook keeps no more of a number, and shows no more
LARGEST_WHOLE = 10.0**DIGITS_KEPT
SECONDS_IN_HOUR, SECONDS_IN_MINUTE = 3600, 60

NOT_AVAILABLE = "#N/A"
# Where a formula failed; ECMA-376 Part 1, 18.18.11 (ST_CellType) and the errors of 18.17.3.
ERRORS = frozenset({"#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
# Line ends and tabs that a workbook writes as `_x000D_`; ECMA-376 Part 1, 22.4.2.4 (bstr).
_ESCAPED = re.compile(r"_x000([9AaDd])_")


class CellError(Exception):
    """A formula of this cell failed: there is no value, though one was meant to be there."""


def cell_text(value: Any, date_format: str | None = None) -> str:
    """Return a cell's value as text; empty where there is none.

    Whole numbers come without a fraction; dates as `YYYY-MM-DD`, with the time of day only where there is one, or
    in the format that the contract declares for the column. `#N/A` stands for no value.

    Raises:
        CellError: the cell holds the error of a formula.
    """
    if value is None or value == NOT_AVAILABLE:
        return ""
    if isinstance(value, str):
        if value in ERRORS:
            raise CellError
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, date):
        return _date_text(value, date_format)
    if isinstance(value, timedelta):
        return _length_text(value)
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    return _number_text(value)


def _number_text(value: Any) -> str:
    """Return a number as a workbook shows it when the column is wide enough."""
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WHOLE:
        value = int(value)
    return str(value) if isinstance(value, int) else format(value, f".{DIGITS_KEPT}g")


def _date_text(value: date, date_format: str | None) -> str:
    if date_format is not None:
        return value.strftime(date_format)
    if not isinstance(value, datetime):
        return value.isoformat()
    midnight = value.time() == time(0)
    return value.date().isoformat() if midnight else value.isoformat(" ", timespec="seconds")


def _length_text(value: timedelta) -> str:
    """Return a length of time as hours, minutes and seconds."""
    seconds = abs(round(value.total_seconds()))
    hours, rest = divmod(seconds, SECONDS_IN_HOUR)
    minutes, seconds = divmod(rest, SECONDS_IN_MINUTE)
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}"
