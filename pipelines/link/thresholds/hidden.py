"""Recall without labels: an identifier is hidden, and the pairs that agree on it must be found again.

The identifier is hidden from blocking, training and scoring: its comparison, its blocking rules and its numbers
are taken away, and the model is trained anew. Pairs of records that carry one number are taken to be one person;
records that say nothing of who they are about without it are left out. Pairs with identifiers are not like pairs
without, so recall is weighted to the groups (pair of sources, which of birth date, address and contact both sides
have) in the shares that the expected true pairs of the full model have.

The estimate is of recall without this identifier: with it, the pairs that carry it are found more often.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.model import Comparison, LinkageModel
from pipelines.link.data import LinkData
from pipelines.link.linkable import linkable_rows
from pipelines.link.thresholds.curve import Setting, clusters_at
from pipelines.link.thresholds.edges import Bools, Edges, Fit, Ints
from pipelines.link.thresholds.identifiers import (
    Candidate,
    Carried,
    candidates,
    carried,
    comparable,
    types_of,
)
from pipelines.link.thresholds.intervals import Rate, weighted_sum, wilson_rate
from pipelines.link.thresholds.tables import has_rows, sources, unique_source_codes

FEWEST_PAIRS = 50
MOST_COLLISIONS = 0.05
FEWEST_IN_GROUP = 10
PRESENCE = (("births", "earliest"), ("addresses", "postcode"), ("contacts", "value"))


@dataclass(frozen=True)
class Hidden:
    """A hidden identifier and what the model trained without it found: its edges, and who carries the number.

    `linkable` are the records that can be linked without it.
    """

    kind: str
    collisions: float
    carried: Carried
    edges: Edges
    linkable: Bools


@dataclass(frozen=True)
class GroupRecall:
    """One group: pairs that agree on the identifier, how many were found, the group's share of true pairs."""

    sources: str
    present: str
    pairs: int
    found: int
    share: float


@dataclass(frozen=True)
class HiddenReport:
    """Recall among identifier-bearing pairs at a threshold, plain and reweighted; the groups it is made of.

    `covered` is the share of the expected true pairs that lie in groups where pairs carry the identifier: where it
    is small, the reweighted recall says little about the rest.
    """

    kind: str
    collisions: float
    weight: float
    pairs: int
    found: int
    covered: float
    recall: Rate
    reweighted: Rate
    groups: tuple[GroupRecall, ...]


def choose_identifier(model: LinkageModel, data: LinkData) -> Candidate | None:
    """Return the identifier with the most agreeing pairs of those that hardly collide; None when there is none."""
    for each in candidates(model, data):
        fits = each.agreeing >= FEWEST_PAIRS and each.collisions <= MOST_COLLISIONS
        if fits and without_identifier(model, each.kind) is not None:
            return each
    return None


def without_identifier(model: LinkageModel, kind: str) -> LinkageModel | None:
    """Return the model without a kind of identifier; None when no comparison, rule or blocking would be left."""
    comparisons = [each for each in (_without(kind, each) for each in model.comparisons) if each is not None]
    gone = {each.name for each in model.comparisons} - {each.name for each in comparisons}
    fields = {model.comparison(name).field for name in gone}
    blocking = [rule for rule in model.blocking if not fields & set(rule.keys)]
    rules = [rule for rule in model.deterministic.rules if not gone & set(rule)]
    if not (comparisons and blocking and rules):
        return None
    content = model.model_dump()
    content["comparisons"] = [each.model_dump() for each in comparisons]
    for level in (level for each in content["comparisons"] for level in each["levels"]):
        if level.get("silences") in gone:
            level["silences"] = None
    content["blocking"] = [rule.model_dump() for rule in blocking]
    content["deterministic"]["rules"] = rules
    if content["hard_bar"] in gone:
        content["hard_bar"] = None
    content["linkable_by"] = [name for name in content["linkable_by"] if name not in gone]
    return type(model).model_validate(content)


def _without(kind: str, comparison: Comparison) -> Comparison | None:
    """Return a comparison without the types of one kind; None when it has no other."""
    types = {name: stands_for for name, stands_for in comparison.types.items() if stands_for != kind}
    if comparison.kind != "identifier" or len(types) == len(comparison.types):
        return comparison
    former = comparison.former_types & frozenset(types)
    return comparison.model_copy(update={"types": types, "former_types": former}) if types else None


def hide_identifier(
    model: LinkageModel, data: LinkData, fit: Fit, chosen: Candidate | None = None
) -> Hidden | None:
    """Return what a model trained without an identifier finds; None when there is nothing to hide.

    Args:
        model: the definition of the full model.
        data: the records.
        fit: trains a definition on data.
        chosen: the identifier to hide; by default the most useful one.
    """
    chosen = chosen or choose_identifier(model, data)
    without = without_identifier(model, chosen.kind) if chosen else None
    if chosen is None or without is None:
        return None
    types = pa.array(sorted(types_of(model, chosen.kind)), pa.string())
    table = data.identifiers
    kept = pc.fill_null(pc.invert(pc.is_in(table["identifier_type"], value_set=types)), True)
    stripped = replace(data, identifiers=table.filter(kept))
    edges = fit(without, stripped)(stripped)
    number = carried(model, data, chosen.kind)
    return Hidden(chosen.kind, chosen.collisions, number, edges, linkable_rows(without, stripped))


def judge_hidden(hidden: Hidden, data: LinkData, weight: float, full: Edges) -> HiddenReport:
    """Return recall among identifier-bearing pairs at a threshold.

    Args:
        hidden: the model without the identifier, and its edges.
        data: the records.
        weight: the join threshold.
        full: the edges of the full model, whose expected true pairs give the groups their shares.
    """
    a, b = comparable(data, *hidden.carried.agreeing())
    can = hidden.linkable[a] & hidden.linkable[b]
    a, b = a[can], b[can]
    clusters = clusters_at(hidden.edges, weight, Setting(unique_source=unique_source_codes(data)))
    found = clusters[a] == clusters[b]
    group = _groups(data, a, b)
    likely = full.allowed()
    kinds, place = np.unique(_groups(data, likely.a, likely.b), return_inverse=True)
    shares = np.bincount(place, weights=likely.probability, minlength=len(kinds))
    share_of = dict(zip(kinds.tolist(), (shares / max(float(shares.sum()), 1e-12)).tolist(), strict=True))
    number = _number_of(hidden.carried, a)
    recall = _clustered(found, number)
    names = _group_names(data)
    groups = tuple(
        GroupRecall(*names[each], int((group == each).sum()), int(found[group == each].sum()), share)
        for each, share in share_of.items()
    )
    reweighted = _reweighted(found, number, group, share_of)
    return HiddenReport(
        hidden.kind,
        hidden.collisions,
        weight,
        len(a),
        int(found.sum()),
        _covered(groups),
        recall,
        reweighted,
        groups,
    )


def _covered(groups: Sequence[GroupRecall]) -> float:
    return sum(each.share for each in groups if each.pairs >= FEWEST_IN_GROUP)


def _number_of(carried_: Carried, a: Ints) -> Ints:
    """Return a number that the first record of each pair carries: pairs of one number are not independent."""
    of = np.full(carried_.size, -1, dtype=np.int64)
    of[carried_.record] = carried_.number
    return of[a]


def _groups(data: LinkData, a: Ints, b: Ints) -> Ints:
    """Return the group of each pair: its pair of sources, and for each field whether both sides have it."""
    names, codes = sources(data)
    low, high = np.minimum(codes[a], codes[b]), np.maximum(codes[a], codes[b])
    group = low * len(names) + high
    for table, column in PRESENCE:
        present = has_rows(data, table, column)
        group = group * 2 + (present[a] & present[b])
    return np.asarray(group, dtype=np.int64)


def _group_names(data: LinkData) -> dict[int, tuple[str, str]]:
    names, _ = sources(data)
    found = {}
    for number in range(len(names) ** 2 * 2 ** len(PRESENCE)):
        pair, present = divmod(number, 2 ** len(PRESENCE))
        fields = [table for bit, (table, _) in enumerate(reversed(PRESENCE)) if present & (1 << bit)]
        both = f"{names[pair // len(names)]}|{names[pair % len(names)]}"
        found[number] = (both, ",".join(reversed(fields)))
    return found


def _clustered(found: Bools, number: Ints) -> Rate:
    """Return the share found with Wilson's interval, the size corrected for pairs that share a number."""
    if not len(found):
        return Rate(0.0, 0.0, 1.0)
    share = float(found.mean())
    sums: dict[int, float] = defaultdict(float)
    for each, hit in zip(number.tolist(), found.tolist(), strict=True):
        sums[each] += hit - share
    spread = sum(value * value for value in sums.values())
    plain = len(found) * share * (1.0 - share)
    excess = max(1.0, spread / plain) if plain > 0 else len(found) / max(len(sums), 1)
    return wilson_rate(share, len(found) / excess)


def _reweighted(found: Bools, number: Ints, group: Ints, shares: dict[int, float]) -> Rate:
    """Return recall weighted by the groups' shares; a group with few pairs takes that of its sources, or of all."""
    overall = _clustered(found, number)
    weights, rates = [], []
    fields = 2 ** len(PRESENCE)
    pooled: dict[int, float] = defaultdict(float)
    for each, share in shares.items():
        mine = group == each
        if mine.sum() >= FEWEST_IN_GROUP:
            weights.append(share)
            rates.append(_clustered(found[mine], number[mine]))
        else:
            pooled[each // fields] += share
    rest = 0.0
    for pair, share in pooled.items():
        mine = group // fields == pair
        if mine.sum() >= FEWEST_IN_GROUP:
            weights.append(share)
            rates.append(_clustered(found[mine], number[mine]))
        else:
            rest += share
    return weighted_sum([*weights, rest], [*rates, overall])
