"""Columns of text: encoded once, a rule applied once per distinct value, the outcome taken back to rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.files.quick_values import Outcome

Bools = npt.NDArray[np.bool_]
Rule = Callable[[pa.Array], Outcome]
WORKERS = 2
SLICE_ROWS = 1 << 17
# A column whose first rows are nearly all different gains nothing from a table of its distinct values.
SAMPLED_ROWS = 1 << 17
MOSTLY_DIFFERENT = 0.6


@dataclass(frozen=True)
class Applied:
    """The outcome of a rule for every row (dictionary or plain text), and how often each rule was broken."""

    values: dict[str, pa.Array]
    broken: Counter[str]
    rule: pa.Array


def apply_rule(column: pa.ChunkedArray, rule: Rule, *, repeats: bool = False) -> Applied:
    """Return the outcome of `rule` for each row of a text column, per distinct value where they repeat.

    `repeats` says that they do, as a sample of the first rows would not show of millions of postcodes.
    """
    if not repeats and _is_mostly_different(column):
        outcome = _in_slices(column.chunks, rule)
        return Applied(outcome.values, _count(outcome.rule), outcome.rule)
    codes, distinct = encode(column)
    outcome = _in_slices(_slices(distinct), rule)
    values = {name: spread(array, codes) for name, array in outcome.values.items()}
    broken = outcome.rule.dictionary_encode().take(codes)
    return Applied(values, _count(broken), broken)


def encode(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Return a column's codes (null for null) and its distinct values, in the order of their first row."""
    encoded = column.dictionary_encode()
    chunks = encoded.chunks
    if not chunks:
        return pa.array([], pa.int32()), pa.array([], pa.string())
    # The chunks of one column share one dictionary: the last one has all of it.
    return pa.concat_arrays([chunk.indices for chunk in chunks]), chunks[-1].dictionary


def per_value(function: Callable[[str], tuple[str | None, ...]], *names: str) -> Rule:
    """Return a rule made of a plain function on one value, which returns the named values and the broken rule."""

    def rule(distinct: pa.Array) -> Outcome:
        nothing = (None,) * (len(names) + 1)
        found = [function(value) if value is not None else nothing for value in distinct.to_pylist()]
        columns = [pa.array([each[at] for each in found], pa.string()) for at in range(len(names) + 1)]
        return Outcome(dict(zip(names, columns, strict=False)), columns[-1])

    return rule


def present(arrays: Sequence[pa.Array]) -> Bools:
    """Return which rows have a value in at least one of the arrays."""
    found = np.zeros(len(arrays[0]), dtype=bool)
    for array in arrays:
        found |= array.is_valid().to_numpy(zero_copy_only=False)
    return found


def rows_of(mask: Bools, columns: Mapping[str, pa.Array], record: npt.NDArray[np.int32]) -> pa.Table:
    """Return the rows of `columns` where `mask` holds, with the position of their record."""
    table = pa.table({"record": pa.array(record), **columns})
    return table if mask.all() else table.filter(pa.array(mask))


def _is_mostly_different(column: pa.ChunkedArray) -> bool:
    if len(column) <= SAMPLED_ROWS:
        return False
    sample = column.slice(0, SAMPLED_ROWS).drop_null()
    return len(sample) > 0 and pc.count_distinct(sample).as_py() > MOSTLY_DIFFERENT * len(sample)


def _slices(array: pa.Array) -> list[pa.Array]:
    return [array.slice(at, SLICE_ROWS) for at in range(0, len(array), SLICE_ROWS)] or [array]


def _in_slices(slices: Sequence[pa.Array], rule: Rule) -> Outcome:
    """Return the outcome of a rule over slices, worked on side by side: Arrow's functions let go of the lock."""
    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(rule, slices))
    names = list(outcomes[0].values)
    return Outcome(
        {name: pa.concat_arrays([each.values[name] for each in outcomes]) for name in names},
        pa.concat_arrays([each.rule for each in outcomes]),
    )


def constant(text: str, where: pa.Array | int) -> pa.DictionaryArray:
    """Return one text for so many rows, or where an array has a value."""
    valid = (
        np.ones(where, dtype=bool)
        if isinstance(where, int)
        else where.is_valid().to_numpy(zero_copy_only=False)
    )
    codes = pa.array(np.zeros(len(valid), dtype=np.int32), mask=~valid)
    return pa.DictionaryArray.from_arrays(codes, pa.array([text]))


def spread(distinct_values: pa.Array, codes: pa.Array) -> pa.DictionaryArray:
    """Return normalised distinct values by row; raw values that became the same share one code."""
    encoded = distinct_values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(codes), encoded.dictionary)


def _count(rules: pa.Array) -> Counter[str]:
    counted: list[dict[str, Any]] = pc.value_counts(rules.drop_null()).to_pylist()
    return Counter({each["values"]: each["counts"] for each in counted})
