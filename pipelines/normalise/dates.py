"""Dates: read in the declared format only, with the precision that the value really has."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipelines.contracts.codes import load_terms, remember
from pipelines.normalise.plain_dates import plain_date
from pipelines.normalise.text import fold

OLDEST_AGE = 115
ESTIMATED_DAY = 15  # guidance for unaccompanied minors: the 15th of the month when the day is not known

Format = str | tuple[str, ...]
_ADJACENT_DIRECTIVES = re.compile(r"%[a-zA-Z]%[a-zA-Z]")


@dataclass(frozen=True)
class ParsedDate:
    """A date, or the name of the rule that it broke; neither when nothing was there."""

    value: date | None
    problem: str | None


@dataclass(frozen=True)
class NormalisedDate:
    """A date of birth: what was recorded, how precise it is, and the days between which it lies."""

    value: date | None
    precision: str
    earliest: date | None
    latest: date | None
    problem: str | None


def parse_date(raw: str | None, fmt: Format) -> ParsedDate:
    """Return the date of a text in a declared `strptime` format; a missing day or month is 1."""
    parsed, _, problem = _read(raw, fmt)
    return ParsedDate(parsed, problem)


def normalise_date_of_birth(
    raw: str | None, fmt: Format, *, reference: date, is_uasc: bool = False, has_january_peak: bool = False
) -> NormalisedDate:
    """Return a date of birth with its precision; without a value when it cannot be one on `reference`.

    `has_january_peak` says that the source fills unknown days with 1 January; so do agencies for
    unaccompanied asylum-seeking children (`is_uasc`), who also get the 15th of the month.
    """
    value, precision, problem = _read(raw, fmt)
    if value is not None and value.isoformat() in load_terms("default_dates"):
        return NormalisedDate(None, "DEFAULT", None, None, "default_date")
    if value is not None:
        problem = _implausible(value, reference)
    if value is None or problem is not None:
        return NormalisedDate(None, "NONE", None, None, problem)
    if (value.month, value.day) == (1, 1) and (has_january_peak or is_uasc):
        precision = "YEAR"
    elif is_uasc and value.day == ESTIMATED_DAY and precision == "DAY":
        precision = "MONTH"
    earliest, latest = _bounds(value, precision)
    return NormalisedDate(value, precision, earliest, latest, None)


def age_range(raw_from: str | None, raw_to: str | None, *, reference: date) -> NormalisedDate:
    """Return the days between which someone was born who looked that old on `reference`; one age will do."""
    texts = [text for text in (fold(raw_from), fold(raw_to)) if text]
    if not texts:
        return NormalisedDate(None, "NONE", None, None, None)
    if not all(re.fullmatch(r"\d{1,3}", text) for text in texts):
        return NormalisedDate(None, "NONE", None, None, "unreadable_age")
    youngest, oldest = int(texts[0]), int(texts[-1])
    if youngest > oldest:
        return NormalisedDate(None, "NONE", None, None, "age_range_reversed")
    if oldest > OLDEST_AGE:
        return NormalisedDate(None, "NONE", None, None, "age_over_115")
    earliest = _years_before(reference, oldest + 1) + timedelta(days=1)
    return NormalisedDate(None, "AGE_RANGE", earliest, _years_before(reference, youngest), None)


@remember
def _read(raw: str | None, fmt: Format) -> tuple[date | None, str, str | None]:
    """Return date, precision and broken rule of a text, by the first declared format that fits."""
    text = (raw or "").strip()
    if not text:
        return None, "NONE", None
    formats = (fmt,) if isinstance(fmt, str) else fmt
    for declared in formats:
        value = _strictly(text, declared)
        if value is not None:
            return value, _precision_of(declared), None
    has_shape = any(_has_shape(text, declared) for declared in formats)
    return None, "NONE", "impossible_date" if has_shape else "unreadable_date"


def _strictly(text: str, declared: str) -> date | None:
    """Return the date of a text in one format.

    `strptime` reads 2012111 as %Y%m%d by guessing where the month ends, so a format without separators
    must also give the same text back.
    """
    plain = plain_date(text, declared)
    if plain is not None:
        return plain
    try:
        value = datetime.strptime(text, declared)  # noqa: DTZ007 - a date of birth has no time zone
        if _ADJACENT_DIRECTIVES.search(declared) and value.strftime(declared) != text:
            return None
    except ValueError:
        return None
    return value.date()


def _has_shape(text: str, declared: str) -> bool:
    """Whether a text looks like the format, whatever its numbers say."""
    two_digits = r"\d{2}" if _ADJACENT_DIRECTIVES.search(declared) else r"\d{1,2}"
    widths = {"Y": r"\d{4}", **dict.fromkeys("mdHMS", two_digits)}
    parts = re.split(r"%([a-zA-Z])", declared)
    pattern = "".join(
        widths.get(part, r"\w+") if is_directive else re.escape(part)
        for part, is_directive in zip(parts, _alternating(len(parts)), strict=True)
    )
    return re.fullmatch(pattern, text) is not None


def _alternating(length: int) -> list[bool]:
    """Return False, True, False ...: `re.split` with one group gives text and group in turn."""
    return [index % 2 == 1 for index in range(length)]


def _precision_of(declared: str) -> str:
    """Return what a format can say: a day, a month or a year."""
    if "%d" in declared or "%j" in declared:
        return "DAY"
    return "MONTH" if re.search(r"%[mbB]", declared) else "YEAR"


def _implausible(value: date, reference: date) -> str | None:
    """Return the rule that a date of birth breaks on a given day."""
    if value > reference:
        return "future_date"
    return "age_over_115" if value < _years_before(reference, OLDEST_AGE + 1) + timedelta(days=1) else None


def _bounds(value: date, precision: str) -> tuple[date, date]:
    """Return the first and last day that a date of this precision can mean."""
    if precision == "YEAR":
        return date(value.year, 1, 1), date(value.year, 12, 31)
    if precision == "MONTH":
        return value.replace(day=1), value.replace(day=calendar.monthrange(value.year, value.month)[1])
    return value, value


def _years_before(day: date, years: int) -> date:
    """Return the same day so many years earlier; 29 February becomes the 28th, and no year is below 1."""
    year = max(day.year - years, 1)
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))
