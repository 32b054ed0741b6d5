"""Compare pairs of records, read plainly: each level's predicate over all pairs that are still undecided.

The reference for every other engine. String similarities come from the recordlinkage package.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelines.contracts.model import LinkageModel
from pipelines.link.dates import date_condition, unpack_spans
from pipelines.link.encode import Adjacency, Encoded
from pipelines.link.features import Bools, Feature, Ints, expand
from pipelines.link.predicates import CompiledComparison, Predicate, compile_comparisons
from pipelines.link.similarity import are_one_edit_apart, similarity

NULL = -1
Levels = npt.NDArray[np.int8]
Pairs = tuple[Ints, Ints]


def compare_pairs(model: LinkageModel, encoded: Encoded, pairs: Pairs) -> Levels:
    """Return the level of each pair (rows) in each comparison (columns): its position in the model, -1 for null."""
    comparisons = compile_comparisons(model)
    levels = np.full((len(pairs[0]), len(comparisons)), NULL, dtype=np.int8)
    for column, comparison in enumerate(comparisons):
        levels[:, column] = _levels(comparison, encoded, pairs)
    heard = levels.copy()
    for column, comparison in enumerate(comparisons):
        for other, position in comparison.silenced_by:
            levels[heard[:, other] == position, column] = NULL
    return levels


def _levels(comparison: CompiledComparison, encoded: Encoded, pairs: Pairs) -> Levels:
    """Return the first level that each pair meets; a predicate sees only the pairs that are still undecided."""
    result = np.full(len(pairs[0]), NULL, dtype=np.int8)
    first, second = (_has_any(encoded, comparison.present, side) for side in pairs)
    undecided = np.flatnonzero(first & second)
    for position, predicate in enumerate(comparison.predicates):
        if not len(undecided):
            break
        met = holds(predicate, encoded, (pairs[0][undecided], pairs[1][undecided]))
        result[undecided[met]] = position
        undecided = undecided[~met]
    return result


def _has_any(encoded: Encoded, features: tuple[str, ...], records: Ints) -> Bools:
    result = np.zeros(len(records), dtype=bool)
    for name in features:
        result |= encoded.features[name].has_value(records)
    return result


def holds(predicate: Predicate, encoded: Encoded, pairs: Pairs) -> Bools:
    """Return for which pairs a predicate holds."""
    if predicate.operation == "else":
        return np.ones(len(pairs[0]), dtype=bool)
    left, right = encoded.features[predicate.left], encoded.features[predicate.right]
    if predicate.operation == "share":
        result = shares(left, right, pairs)
        if predicate.left != predicate.right:
            result |= shares(right, left, pairs)
    else:
        result = _some_values(predicate, encoded, pairs)
    if predicate.unless is not None:
        other = encoded.features[predicate.unless]
        result &= ~shares(other, other, pairs)
    return result


def shares(left: Feature, right: Feature, pairs: Pairs) -> Bools:
    """Return where a value of `left` of the first record is a value of `right` of the second."""
    if left.offsets is None and right.offsets is None:
        codes = left.codes[pairs[0]]
        return np.asarray((codes == right.codes[pairs[1]]) & (codes >= 0))
    rows = expand(left, right, pairs[0], pairs[1])
    result = np.zeros(len(pairs[0]), dtype=bool)
    result[rows.pair[rows.left == rows.right]] = True
    return result


def _some_values(predicate: Predicate, encoded: Encoded, pairs: Pairs) -> Bools:
    """Return where some pair of values meets a condition; each distinct pair of values is judged once."""
    feature = encoded.features[predicate.left]
    rows = expand(feature, feature, pairs[0], pairs[1])
    width = max(feature.size, 1)
    low = np.minimum(rows.left, rows.right).astype(np.int64)
    distinct, which = np.unique(low * width + np.maximum(rows.left, rows.right), return_inverse=True)
    judged = _judge(predicate, encoded, feature, (distinct // width, distinct % width))
    result = np.zeros(len(pairs[0]), dtype=bool)
    result[rows.pair[judged[which]]] = True
    return result


def _judge(predicate: Predicate, encoded: Encoded, feature: Feature, values: tuple[Ints, Ints]) -> Bools:
    match predicate.operation:
        case "date":
            assert isinstance(feature.values, np.ndarray)  # noqa: S101 - dates are kept as packed numbers
            spans = unpack_spans(feature.values)
            left, right = spans.take(values[0]), spans.take(values[1])
            return date_condition(predicate.condition, left, right, predicate.years)
        case "variant":
            return _adjacent(encoded.variants[predicate.left], values)
        case "similar":
            return np.asarray(similarity(feature, values) >= predicate.at_least)
        case "one_edit":
            return are_one_edit_apart(feature, values)
        case _:
            raise AssertionError(predicate.operation)


def _adjacent(variants: Adjacency, values: tuple[Ints, Ints]) -> Bools:
    return np.array(
        [
            right in variants.codes[variants.offsets[left] : variants.offsets[left + 1]]
            for left, right in zip(*values, strict=True)
        ],
        dtype=bool,
    )


def barred_pairs(model: LinkageModel, encoded: Encoded, pairs: Pairs) -> Bools:
    """Return which pairs may never be linked: both have verified current numbers, and none in common."""
    if model.hard_bar is None:
        return np.zeros(len(pairs[0]), dtype=bool)
    verified = encoded.features[f"{model.comparison(model.hard_bar).field}_verified"]
    both = verified.has_value(pairs[0]) & verified.has_value(pairs[1])
    return both & ~shares(verified, verified, pairs)
