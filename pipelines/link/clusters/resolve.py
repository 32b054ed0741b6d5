"""Clusters that hold, from accepted links: every pair of a component is weighed before its records are one person.

Connected components let one weak link join two people. Here a component of three records and more stands only
when no pair inside it objects: none weighs too little, is barred, or is kept apart by a constraint. Otherwise it is
built up again by constrained average linkage, which breaks chains, and hubs that many parts lean on. Two records
are held by their link, unless a constraint keeps them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.errors import LinkageError
from pipelines.link.clusters.facts import Facts, describe_clusters
from pipelines.link.clusters.graph import connected, renumber
from pipelines.link.clusters.inputs import (
    Codes,
    Constraints,
    Cut,
    Flags,
    Keys,
    Links,
    Rules,
    Settings,
    Weigh,
    compile_rules,
)
from pipelines.link.clusters.layout import Layout, lay_out
from pipelines.link.clusters.limit import cut_to_limit
from pipelines.link.clusters.settle import Answers, Outcome, direct_conflicts, pairs_to_weigh, settle
from pipelines.link.features import Bools, Floats, Ints


@dataclass(frozen=True)
class ClusterReport:
    """What became of the connected components of the accepted links.

    Args:
        components: how many there were, records alone included.
        clusters: how many clusters they became.
        components_cut: how many were cut.
        components_over_limit: how many held more records than a cluster may.
        largest_component: records of the largest component.
        largest_cluster: records of the largest cluster.
        links_cut: accepted links that are not held.
        links_cut_by: how many of them for each reason, named as in `Cut`; a link may have several.
        pairs_weighed: pairs that were weighed beyond the links.
    """

    components: int
    clusters: int
    components_cut: int
    components_over_limit: int
    largest_component: int
    largest_cluster: int
    links_cut: int
    links_cut_by: dict[str, int]
    pairs_weighed: int


@dataclass(frozen=True)
class Clusters:
    """The cluster of each record, numbered by first member; facts per cluster; and per link why it is not held.

    `cut` has one value per accepted link, flags of `Cut`: 0 where both records are in one cluster.
    """

    labels: Codes
    facts: Facts
    cut: Flags
    report: ClusterReport


def resolve(
    size: int, order_key: Keys, links: Links, weigh: Weigh, constraints: Constraints, settings: Settings
) -> Clusters:
    """Return the clusters of `size` records that the accepted `links` hold and no constraint forbids.

    The partition depends neither on the order of records nor of links, and a component not on any other.

    Args:
        size: how many records there are.
        order_key: one number per record that does not depend on where it stands, such as a hash of its
            identifier; distinct. It decides among equals.
        links: accepted links.
        weigh: weighs any pairs; asked for pairs inside components that are not links.
        constraints: what must never be together.
        settings: how far to go.

    Raises:
        LinkageError: positions or codes out of range, a weight that is no number.
    """
    links, rules = links.checked(size), compile_rules(constraints, size)
    if len(order_key) != size:
        raise LinkageError("clusters: there is not one order key per record")
    order_key = np.ascontiguousarray(order_key, dtype=np.uint64)
    why = _against_links(links, rules, size)
    whole = connected(size, links.a, links.b, np.ones(len(links.a), dtype=bool))
    labels = connected(size, links.a, links.b, why == 0) if why.any() else whole
    over = int((np.bincount(labels) > settings.maximum_cluster).sum())
    if over:
        labels = _limited(labels, order_key, links, (rules, settings), why)
    layout = lay_out(labels, order_key, links, why == 0, rules)
    parts, weighed = _settled(layout, weigh, settings, why)
    labels = _relabelled(labels, layout, parts)
    facts = describe_clusters(labels, links, why)
    return Clusters(labels, facts, why, _report(whole, facts, (links, why), over, weighed))


def _against_links(links: Links, rules: Rules, size: int) -> Flags:
    """Return why each link can never be held. What it joins could never be one part, so it is left out at once."""
    why = direct_conflicts((links.a, links.b, links.weight), rules.once, rules.scope)
    if len(rules.apart_a):
        apart = np.unique(_pair_key(rules.apart_a, rules.apart_b, size))
        key = _pair_key(links.a, links.b, size)
        at = np.minimum(np.searchsorted(apart, key), len(apart) - 1)
        why[apart[at] == key] |= int(Cut.APART)
    return why


def _pair_key(a: Ints, b: Ints, size: int) -> Ints:
    return np.minimum(a, b) * size + np.maximum(a, b)


def _limited(
    labels: Codes, order_key: Keys, links: Links, bounds: tuple[Rules, Settings], why: Flags
) -> Codes:
    """Return labels with every component within the limit; `why` takes what that cuts."""
    held = np.flatnonzero(why == 0)
    inside = Links(links.a[held], links.b[held], links.weight[held])
    rows, reason = cut_to_limit(labels, order_key, inside, *bounds)
    why[held[rows]] = reason
    return connected(len(labels), links.a, links.b, why == 0)


def _settled(layout: Layout, weigh: Weigh, settings: Settings, why: Flags) -> tuple[Codes, int]:
    """Return the part of each member of the layout, and how many pairs were weighed; `why` takes what is cut."""
    out = Outcome(np.zeros(len(layout.members), np.int32), why)
    weighed = 0
    for span, pairs in _spans(layout.starts, settings.pairs_at_once):
        a, b = np.empty(pairs, np.int64), np.empty(pairs, np.int64)
        count = pairs_to_weigh(layout, span[0], span[1], a, b)
        answers = _asked(weigh, a[:count], b[:count])
        settle(layout, span, answers, settings.least_mean, out)
        weighed += count
    return out.part, weighed


def _spans(starts: Ints, pairs_at_once: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield runs of components with about `pairs_at_once` pairs inside them, each with how many there are."""
    sizes = np.diff(starts)
    until = np.concatenate([[0], np.cumsum(sizes * (sizes - 1) // 2)])
    first = 0
    while first < len(sizes):
        last = int(np.searchsorted(until, until[first] + pairs_at_once, side="right")) - 1
        last = max(last, first + 1)
        yield (first, last), int(until[last] - until[first])
        first = last


def _asked(weigh: Weigh, a: Ints, b: Ints) -> Answers:
    if not len(a):
        return Answers(np.empty(0), np.empty(0, dtype=bool))
    weight, barred = weigh(a, b)
    return _checked(np.ascontiguousarray(weight, dtype=np.float64), np.array(barred, dtype=bool), len(a))


def _checked(weight: Floats, barred: Bools, asked: int) -> Answers:
    if len(weight) != asked or len(barred) != asked:
        raise LinkageError("clusters: not every pair that was asked for has a weight")
    barred |= np.isneginf(weight)
    if not np.isfinite(weight[~barred]).all():
        raise LinkageError("clusters: the weight of a pair is not a finite number")
    return Answers(weight, barred)


def _relabelled(labels: Codes, layout: Layout, parts: Codes) -> Codes:
    """Return labels in which every part but the first of its component has one of its own."""
    moved = np.flatnonzero(parts)
    if not len(moved):
        return labels
    of_component = np.repeat(layout.starts[:-1], np.diff(layout.starts))
    root = layout.members[of_component[moved] + parts[moved]]
    # A record is in one part only, so the place of its part's first record in the layout names the part.
    result, highest = labels.copy(), int(labels.max()) + 1
    name, number = np.unique(root, return_inverse=True)
    result[layout.members[moved]] = (highest + number).astype(np.int32)
    return renumber(result, highest + len(name))


def _report(whole: Codes, facts: Facts, cut: tuple[Links, Flags], over: int, weighed: int) -> ClusterReport:
    links, why = cut
    gone = np.flatnonzero(why)
    sizes = np.bincount(whole)
    return ClusterReport(
        components=len(sizes),
        clusters=len(facts.records),
        components_cut=len(np.unique(whole[links.a[gone]])),
        components_over_limit=over,
        largest_component=int(sizes.max(initial=0)),
        largest_cluster=int(facts.records.max(initial=0)),
        links_cut=len(gone),
        links_cut_by={each.name.lower(): int((why[gone] & each != 0).sum()) for each in Cut if each.name},
        pairs_weighed=weighed,
    )
