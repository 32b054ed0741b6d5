"""A model as a program for compiled code: predicates as numbers, weights in bits, and how much can still come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.model import LinkageModel
from pipelines.link.encode import Encoded
from pipelines.link.features import Floats, Ints
from pipelines.link.fused.pack import Frequencies, Packed, pack_frequencies
from pipelines.link.predicates import CompiledComparison, Predicate, compile_comparisons
from pipelines.link.trained import TrainedModel

Smalls = npt.NDArray[np.int32]
Table = npt.NDArray[np.int32]

ELSE, SHARE, SIMILAR, ONE_EDIT, VARIANT, DATE = range(6)
OPERATIONS = {
    "else": ELSE, "share": SHARE, "similar": SIMILAR, "one_edit": ONE_EDIT, "variant": VARIANT, "date": DATE,
}  # fmt: skip
EQUAL, SWAPPED, EDITED, IMPRECISE, AGE_RANGE, SAME_MONTH, WITHIN_YEARS = range(7)
CONDITIONS = {
    "": EQUAL, "equal": EQUAL, "day_month_swapped": SWAPPED, "one_edit": EDITED, "imprecise": IMPRECISE,
    "age_range": AGE_RANGE, "same_month": SAME_MONTH, "within_years": WITHIN_YEARS,
}  # fmt: skip
# What a predicate costs beside one that looks at codes alone: the cheapest comparison goes first.
# Looks at codes or dates alone.
CHEAP = ("share", "date", "else")
LETTERS_OF_A_WORD = 8
LITTLE = 0.5
COSTS = {ELSE: 0, SHARE: 1, DATE: 2, VARIANT: 3, ONE_EDIT: 12, SIMILAR: 16}


# Columns of the table of levels, of their numbers in bits, and of the table of comparisons.
OPERATION, LEFT, RIGHT, UNLESS, DETAIL, BASE, TERM, LOG_BASE, IS_CHEAP, SLOT, IS_FOLDED = range(11)
AT_LEAST, WEIGHT, LOG_M, MOST, AFTER, FOLDED = range(6)
COLUMN, START, END, PRESENT_START, PRESENT_END, SILENCE_START, SILENCE_END = range(7)


class Program(NamedTuple):
    """The comparisons in the order in which they are made, one row each, and their levels, one row each.

    Of a level: what is asked of which features, where what is known of the feature's values begins, and the
    feature whose frequencies take the place of u; in bits its weight with its own u, log2 m, the most that it or
    one after it can give, the most that those after it can give, and the most with the last levels, where they
    differ little, taken as one. `lists` holds the features that say whether a comparison can be made, and
    (comparison, level) pairs that silence it. `texts` are the columns whose values are compared letter by letter,
    and where the letters of each begin; `birth` is the column of the date of birth, -1 where none is compared.
    """

    comparisons: Table
    levels: Table
    bits: Floats
    lists: Smalls
    logs: Floats
    prior: Floats
    unique: npt.NDArray[np.bool_]
    texts: Table
    birth: int


def write_program(
    model: LinkageModel,
    packed: Packed,
    encoded: Encoded,
    weights: tuple[TrainedModel, Frequencies] | None = None,
) -> Program:
    """Return the program of a model over packed features; without weights it only finds levels."""
    comparisons, columns = compile_comparisons(model), packed.columns
    order = _order(comparisons, encoded)
    levels = [(at, position) for at in order for position in range(len(comparisons[at].predicates))]
    predicates = [comparisons[at].predicates[position] for at, position in levels]
    m, own, terms, known = _weights(model, levels, columns, weights)
    starts = np.cumsum([0, *(len(comparisons[at].predicates) for at in order)])
    ends = [
        not comparisons[at].predicates or comparisons[at].predicates[-1].operation != "else" for at in order
    ]
    most, after = _most(own, m, terms, known, (starts, ends))
    folded, texts = _folded(most, predicates, starts), _texts(predicates, packed)
    lists, ranges = _lists(
        [[columns[name] for name in comparisons[at].present] for at in order],
        [[value for pair in comparisons[at].silenced_by for value in pair] for at in order],
    )
    sizes = len(encoded.agencies)
    return Program(
        comparisons=np.column_stack([order, starts[:-1], starts[1:], ranges]).astype(np.int32),
        levels=_level_table(predicates, packed, (terms, known), list(texts), ~np.isnan(folded)),
        bits=np.column_stack(
            [
                [each.at_least for each in predicates],
                own,
                m,
                most,
                after,
                np.where(np.isnan(folded), most, folded),
            ]
        ),
        lists=lists,
        logs=known.logs,
        prior=np.zeros((sizes, sizes)) if weights is None else _priors(weights[0], encoded),
        unique=np.array(encoded.unique or [False] * sizes, dtype=np.bool_),
        texts=np.array(list(texts.values()), dtype=np.int32).reshape(-1, 2),
        birth=max([columns[each.left] for each in predicates if each.operation == "date"], default=-1),
    )


def _level_table(
    predicates: list[Predicate],
    packed: Packed,
    frequencies: tuple[Smalls, Frequencies],
    texts: list[str],
    is_folded: npt.NDArray[np.bool_],
) -> Table:
    """Return the table of levels."""
    columns, (terms, known) = packed.columns, frequencies
    return np.array(
        [
            [
                OPERATIONS[each.operation],
                columns.get(each.left, -1),
                columns.get(each.right, -1),
                columns.get(each.unless or "", -1),
                _detail(each),
                packed.base_of(each.operation, each.left),
                term,
                known.base[term] if term >= 0 else -1,
                each.operation in CHEAP,
                texts.index(each.left) if each.left in texts else -1,
                fold,
            ]
            for each, term, fold in zip(predicates, terms.tolist(), is_folded, strict=True)
        ],
        dtype=np.int32,
    )


def _order(comparisons: tuple[CompiledComparison, ...], encoded: Encoded) -> list[int]:
    """Return the comparisons in their order; one that another can silence comes after that one.

    Those of texts come first, the shortest of them before all: what codes and dates say is known by then, from what
    the pair may reach, and texts are what may still turn out to be worth less.
    """
    cost = {
        at: sum(_cost(predicate, encoded) for predicate in comparison.predicates)
        for at, comparison in enumerate(comparisons)
    }
    is_cheap = [all(each.operation in CHEAP for each in comparison.predicates) for comparison in comparisons]
    order: list[int] = []
    while len(order) < len(comparisons):
        ready = [
            at
            for at, comparison in enumerate(comparisons)
            if at not in order and all(other in order for other, _ in comparison.silenced_by)
        ]
        order.append(min(ready, key=lambda at: (is_cheap[at], cost[at], at)))
    return order


def _cost(predicate: Predicate, encoded: Encoded) -> float:
    """Return what a predicate costs: texts beyond a word of letters cost as the square of their length."""
    values = encoded.features[predicate.left].values if predicate.left else None
    length = 0.0
    if isinstance(values, pa.Array) and len(values):
        length = float(pc.mean(pc.binary_length(values)).as_py())
    return COSTS[OPERATIONS[predicate.operation]] * max(1.0, length / LETTERS_OF_A_WORD) ** 2


def _weights(
    model: LinkageModel,
    levels: list[tuple[int, int]],
    columns: Mapping[str, int],
    weights: tuple[TrainedModel, Frequencies] | None,
) -> tuple[Floats, Floats, Smalls, Frequencies]:
    """Return log2 m, the own weight and the column of the term's feature per level, and the frequencies."""
    if weights is None:
        nothing = np.zeros(len(levels))
        none = pack_frequencies({}, columns)
        return nothing, nothing, np.full(len(levels), -1, dtype=np.int32), none
    trained, known = weights
    names = [comparison.name for comparison in model.comparisons]
    m = np.log2([trained.parameters.m[names[at]][position] for at, position in levels])
    u = np.log2([trained.parameters.u[names[at]][position] for at, position in levels])
    comparisons = compile_comparisons(model)
    terms = [columns.get(comparisons[at].term[position] or "", -1) for at, position in levels]
    used = [column if column in known.base else -1 for column in terms]
    return m, m - u, np.array(used, dtype=np.int32), known


def _texts(predicates: list[Predicate], packed: Packed) -> dict[str, tuple[int, int]]:
    """Return the features that are compared letter by letter: their columns, and where their letters begin."""
    return {
        each.left: (packed.columns[each.left], packed.letter_base[each.left])
        for each in predicates
        if each.operation in ("similar", "one_edit")
    }


def _most(
    own: Floats, m: Floats, terms: Smalls, logs: Frequencies, places: tuple[Ints, list[bool]]
) -> tuple[Floats, Floats]:
    """Return, per level, the most bits that it or a later level of its comparison can give; and a later one alone.

    `places` are where comparisons start, and whether each may end without any level: it is null then, and gives 0.
    """
    most, after = own.copy(), np.empty_like(own)
    for level, column in enumerate(terms):
        if column >= 0:
            most[level] = max(most[level], m[level] - logs.least[column])
    starts, may_be_null = places
    for start, end, is_null in zip(starts[:-1], starts[1:], may_be_null, strict=True):
        left = 0.0 if is_null else -np.inf
        for level in range(end - 1, start - 1, -1):
            after[level] = left
            most[level] = left = max(left, most[level])
    return most, after


def _folded(most: Floats, predicates: list[Predicate], starts: Ints) -> Floats:
    """Return, per level, what all levels from it on may give when they are taken as one; NaN where they are not.

    The last levels of a comparison that differ little are asked together when one record is held against many.
    """
    folded = np.full(len(most), np.nan)
    for start, end in zip(starts[:-1], starts[1:], strict=True):
        last = most[end - 1] if predicates[end - 1].operation == "else" else 0.0
        alike = [level for level in range(start, end) if most[level] - last <= LITTLE]
        folded[alike] = most[alike[0]] if alike else np.nan
    return folded


def _priors(trained: TrainedModel, encoded: Encoded) -> Floats:
    """Return log2 of the prior odds of one person against two strangers, per pair of sources."""
    odds = [[trained.prior_of(first, second) for second in encoded.agencies] for first in encoded.agencies]
    return np.array(
        [[np.log2(each.match / (1.0 - each.match - each.household)) for each in row] for row in odds]
    )


def _detail(predicate: Predicate) -> int:
    """Return what a date is asked: the condition, and above it the years."""
    return CONDITIONS[predicate.condition] + 16 * predicate.years


def _lists(present: list[list[int]], silencers: list[list[int]]) -> tuple[Smalls, Table]:
    """Return both kinds of lists in one, and per comparison where each begins and ends."""
    flat: list[int] = []
    ranges = []
    for first, second in zip(present, silencers, strict=True):
        start = len(flat)
        flat += [*first, *second]
        ranges.append([start, start + len(first), start + len(first), len(flat)])
    return np.array(flat, dtype=np.int32), np.array(ranges, dtype=np.int32)
