"""Applying a rule once per distinct value: names, postcodes and dates repeat, so plain Python stays fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Codes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Judged:
    """What a rule returned for each row, held once per distinct row: `results[codes]`, indexed by `index`."""

    codes: Codes
    results: np.ndarray[Any, Any]
    index: pd.Index[Any]

    def rows(self) -> pd.Series[Any]:
        """Return the result of each row, as a column of objects."""
        return pd.Series(self.results[self.codes], index=self.index, dtype=object)


def map_distinct(values: pd.Series[Any], rule: Callable[[Any], Any]) -> pd.Series[Any]:
    """Return `rule(value)` for each value, with one call per distinct value; missing values are given as None."""
    return judge_distinct([values], rule).rows()


def map_distinct_rows(columns: Sequence[pd.Series[Any]], rule: Callable[..., Any]) -> pd.Series[Any]:
    """Return `rule(*row)` for each row of several columns, with one call per distinct row; missing is None."""
    return judge_distinct(columns, rule).rows()


def judge_distinct(columns: Sequence[pd.Series[Any]], rule: Callable[..., Any]) -> Judged:
    """Return what `rule(*row)` returned for each row of some columns; see `map_distinct_rows` and `field`."""
    return judge_together(columns, lambda *distinct: list(map(rule, *distinct)))


def judge_together(columns: Sequence[pd.Series[Any]], rule: Callable[..., Sequence[Any]]) -> Judged:
    """Return what a rule for whole columns returned: it is given the columns of the distinct rows, as lists."""
    coded = [_coded(values) for values in columns]
    codes, count = _combined([codes for codes, _ in coded], [len(values) for _, values in coded])
    places = np.empty(count, dtype=np.int64)
    places[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # the first row of each, since it is written last
    distinct = [values[part[places]].tolist() for part, values in coded]
    results = np.fromiter(rule(*distinct), dtype=object, count=count)
    return Judged(codes, results, columns[0].index)


def _coded(values: pd.Series[Any]) -> tuple[Codes, np.ndarray[Any, Any]]:
    """Return a code for each value and the distinct values by code; what is missing is None, the last of them."""
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    known = np.empty(len(distinct) + 1, dtype=object)
    known[:-1] = distinct
    return np.where(codes < 0, len(distinct), codes), known


def _combined(parts: Sequence[Codes], sizes: Sequence[int]) -> tuple[Codes, int]:
    """Return one code for each combination of codes, in the order in which they first occur, and how many."""
    combined = parts[0]
    size = sizes[0]
    for codes, others in zip(parts[1:], sizes[1:], strict=True):
        combined, found = pd.factorize(combined * others + codes)
        size = len(found)
    if len(parts) == 1:
        combined, found = pd.factorize(combined)
        size = len(found)
    return combined, size


def constant(value: Any, index: pd.Index[Any]) -> pd.Series[Any]:
    """Return one value for every row, as objects: None stays None."""
    return pd.Series(np.full(len(index), value, dtype=object), index=index, dtype=object)


def without_nan(values: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return the values as objects, with None for whatever pandas calls missing."""
    plain = values.to_numpy(dtype=object, copy=True)
    plain[values.isna().to_numpy()] = None
    return plain


def field(results: pd.Series[Any] | Judged, name: str) -> pd.Series[Any]:
    """Return one attribute of each result, as a column of objects."""
    if isinstance(results, Judged):
        each = (getattr(result, name) for result in results.results)
        read = np.fromiter(each, dtype=object, count=len(results.results))
        return pd.Series(read[results.codes], index=results.index, dtype=object)
    return pd.Series([getattr(result, name) for result in results], index=results.index, dtype=object)
