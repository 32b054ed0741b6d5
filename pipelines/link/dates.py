"""What two dates of birth have in common; a date not known to the day is the span of days it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.features import Bools, Ints

DAYS_IN_A_YEAR = 366
# A span is packed into one number: first day, last day, known to the day; days counted from far before any birth.
_ORIGIN = 2**24
_BITS = 25


@dataclass(frozen=True)
class Spans:
    """Dates as first and last possible day since 1970, both as yyyymmdd, and whether known to the day."""

    first: Ints
    last: Ints
    digits: Ints
    last_digits: Ints
    exact: Bools

    def take(self, rows: Ints) -> Spans:
        """Return the spans at these positions."""
        return Spans(
            self.first[rows], self.last[rows], self.digits[rows], self.last_digits[rows], self.exact[rows]
        )


def pack_spans(first: Ints, last: Ints, exact: Bools) -> Ints:
    """Return spans as one number each, which `unpack_spans` reads; days are counted from 1970."""
    return np.asarray(((first + _ORIGIN) << (_BITS + 1)) | ((last + _ORIGIN) << 1) | exact)


def unpack_spans(packed: Ints) -> Spans:
    """Return the spans that `pack_spans` packed."""
    first = (packed >> (_BITS + 1)) - _ORIGIN
    last = ((packed >> 1) & (2**_BITS - 1)) - _ORIGIN
    return Spans(first, last, _as_digits(first), _as_digits(last), (packed & 1).astype(bool))


def _as_digits(days: Ints) -> Ints:
    """Return days since 1970 as yyyymmdd; a packed nothing comes out as some day, which nobody looks at."""
    day = np.clip(days, -(10**6), 10**6).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    year = day.astype("datetime64[Y]")
    of_month = (day - month).astype(np.int64) + 1
    of_year = (month - year).astype(np.int64) + 1
    return np.asarray((year.astype(np.int64) + 1970) * 10_000 + of_year * 100 + of_month)


def date_condition(condition: str, left: Spans, right: Spans, years: int) -> Bools:
    """Return where two dates meet a condition of the model."""
    both = left.exact & right.exact
    overlap = (left.first <= right.last) & (right.first <= left.last)
    widest = np.maximum(left.last - left.first, right.last - right.first)
    match condition:
        case "equal":
            return np.asarray(both & (left.first == right.first))
        case "day_month_swapped":
            return both & _swapped(left.digits, right.digits)
        case "one_edit":
            return both & _one_edit(left.digits, right.digits)
        case "imprecise":
            return np.asarray(~both & overlap & (widest <= DAYS_IN_A_YEAR))
        case "age_range":
            return np.asarray(~both & overlap & (widest > DAYS_IN_A_YEAR))
        case "same_month":
            return np.asarray(both & (left.digits // 100 == right.digits // 100))
        case "within_years":
            return _within_years(left, right, years)
        case _:
            raise ValueError(condition)


def _swapped(left: Ints, right: Ints) -> Bools:
    crossed = (left // 100 % 100 == right % 100) & (left % 100 == right // 100 % 100)
    return np.asarray((left // 10_000 == right // 10_000) & crossed)


def _one_edit(left: Ints, right: Ints) -> Bools:
    """Return where one digit differs, or two neighbouring digits changed places."""
    digits = [(left // 10**at % 10, right // 10**at % 10) for at in range(8)]
    differs = [x != y for x, y in digits]
    count = np.sum(differs, axis=0)
    result = count == 1
    for at in range(7):
        (x, y), (next_x, next_y) = digits[at], digits[at + 1]
        result |= (count == 2) & differs[at] & differs[at + 1] & (x == next_y) & (next_x == y)
    return np.asarray(result)


def _within_years(left: Spans, right: Spans, years: int) -> Bools:
    """Return where the calendar years are at most `years` apart (0: the same year).

    Spans that overlap do not count: they are consistent, which `imprecise` and `age_range` say.
    """
    first_left, first_right = left.digits // 10_000, right.digits // 10_000
    last_left, last_right = left.last_digits // 10_000, right.last_digits // 10_000
    gap = np.maximum(first_left - last_right, first_right - last_left)
    overlap = (left.first <= right.last) & (right.first <= left.last)
    return np.asarray((gap <= years) & ~(~(left.exact & right.exact) & overlap))
