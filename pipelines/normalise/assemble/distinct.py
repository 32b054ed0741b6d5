"""Applying a rule once per distinct value: names, postcodes and dates repeat, so plain Python stays fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd


def map_distinct(values: pd.Series[Any], rule: Callable[[Any], Any]) -> pd.Series[Any]:
    """Return `rule(value)` for each value, with one call per distinct value; missing values are given as None."""
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    results = np.empty(len(distinct) + 1, dtype=object)
    for position, value in enumerate(distinct):
        results[position] = rule(value)
    if (codes == -1).any():
        results[-1] = rule(None)
    return pd.Series(results[codes], index=values.index, dtype=object)


def map_distinct_rows(columns: Sequence[pd.Series[Any]], rule: Callable[..., Any]) -> pd.Series[Any]:
    """Return `rule(*row)` for each row of several columns, with one call per distinct row; missing is None."""
    index = columns[0].index
    rows = np.empty(len(index), dtype=object)
    for position, row in enumerate(zip(*map(without_nan, columns), strict=True)):
        rows[position] = row
    return map_distinct(pd.Series(rows, index=index, dtype=object), lambda row: rule(*row))


def constant(value: Any, index: pd.Index[Any]) -> pd.Series[Any]:
    """Return one value for every row, as objects: None stays None."""
    return pd.Series(np.full(len(index), value, dtype=object), index=index, dtype=object)


def without_nan(values: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return the values as objects, with None for whatever pandas calls missing."""
    plain = values.to_numpy(dtype=object, copy=True)
    plain[values.isna().to_numpy()] = None
    return plain


def field(results: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Return one attribute of each result, as a column of objects."""
    return pd.Series([getattr(result, name) for result in results], index=results.index, dtype=object)
