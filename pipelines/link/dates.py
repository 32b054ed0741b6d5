"""What two dates of birth have in common; a date not known to the day is the span of days it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.features import Bools, Ints, Texts

DAYS_IN_A_YEAR = 366


@dataclass(frozen=True)
class Spans:
    """Dates as first and last possible day, their digits (yyyymmdd), and whether known to the day."""

    first: Ints
    last: Ints
    digits: Ints
    exact: Bools

    def take(self, rows: Ints) -> Spans:
        """Return the spans at these positions."""
        return Spans(self.first[rows], self.last[rows], self.digits[rows], self.exact[rows])


def parse_spans(values: Texts) -> Spans:
    """Return the spans written as `DAY|first|last` or `SPAN|first|last`."""
    parts = [str(value).split("|") for value in values]
    first = np.array([part[1] for part in parts], dtype="datetime64[D]")
    last = np.array([part[2] for part in parts], dtype="datetime64[D]")
    digits = np.array([[int(digit) for digit in part[1].replace("-", "")] for part in parts], dtype=np.int64)
    exact = np.array([part[0] == "DAY" for part in parts], dtype=bool)
    return Spans(first.astype(np.int64), last.astype(np.int64), digits.reshape(len(parts), 8), exact)


def date_condition(condition: str, left: Spans, right: Spans, years: int | None) -> Bools:
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
            return np.asarray(both & (left.digits[:, :6] == right.digits[:, :6]).all(axis=1))
        case "within_years":
            return _within_years(left, right, years or 0)
        case _:
            return np.zeros(len(both), dtype=bool)


def _swapped(left: Ints, right: Ints) -> Bools:
    same_year = (left[:, :4] == right[:, :4]).all(axis=1)
    crossed = (left[:, 4:6] == right[:, 6:8]).all(axis=1) & (left[:, 6:8] == right[:, 4:6]).all(axis=1)
    return np.asarray(same_year & crossed)


def _one_edit(left: Ints, right: Ints) -> Bools:
    """Return where one digit differs, or two neighbouring digits changed places."""
    differs = left != right
    count = differs.sum(axis=1)
    result = count == 1
    for at in range(7):
        crossed = (left[:, at] == right[:, at + 1]) & (left[:, at + 1] == right[:, at])
        result |= (count == 2) & differs[:, at] & differs[:, at + 1] & crossed
    return np.asarray(result)


def _within_years(left: Spans, right: Spans, years: int) -> Bools:
    """Return where the calendar years are at most `years` apart (0: the same year).

    Spans that overlap do not count: they are consistent, which `imprecise` and `age_range` say.
    """
    first_left, first_right = _year(left.first), _year(right.first)
    last_left, last_right = _year(left.last), _year(right.last)
    gap = np.maximum(first_left - last_right, first_right - last_left)
    is_span = ~(left.exact & right.exact)
    overlap = (left.first <= right.last) & (right.first <= left.last)
    return np.asarray((gap <= years) & ~(is_span & overlap))


def _year(days: Ints) -> Ints:
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
