"""The edge that decided a change: the heaviest link between what moved and what it moved to, or away from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.identity.changes import Changes, Kind
from pipelines.identity.succession import Situation, Succession
from pipelines.link.features import NONE, Bools, Floats, Ints


@dataclass(frozen=True)
class Links:
    """E links between records of a situation, by position, with their match weights in bits."""

    a: Ints  # (E,)
    b: Ints  # (E,)
    weight: Floats  # (E,)


@dataclass(frozen=True)
class Deciding:
    """For each of M changes the link that decided it: positions of both records, -1 where there is none."""

    a: Ints  # (M,)
    b: Ints  # (M,)
    weight: Floats  # (M,) not a number where there is none


def deciding_links(
    situation: Situation, succession: Succession, changes: Changes, now: Links, then: Links
) -> Deciding:
    """Return the link that decided each change; of links of one weight, that of the oldest records.

    For who merged or joined it is the heaviest link of this run (`now`) to the rest of the person; for who split
    off or left, the heaviest link of the run before (`then`) to those who were left behind.
    """
    found = [
        *_credit_arrivals(situation, succession, changes, now),
        *_credit_departures(situation, succession, changes, then),
    ]
    change = np.concatenate([each[0] for each in found])
    a, b = (np.concatenate([each[side] for each in found]) for side in (1, 2))
    weight = np.concatenate([each[3] for each in found])
    order = np.lexsort((situation.sequence[b], situation.sequence[a], -weight, change))
    best = order[np.unique(change[order], return_index=True)[1]]
    size = len(changes)
    result = Deciding(np.full(size, NONE), np.full(size, NONE), np.full(size, np.nan))
    result.a[change[best]], result.b[change[best]], result.weight[change[best]] = (
        a[best],
        b[best],
        weight[best],
    )
    return result


_Credit = tuple[Ints, Ints, Ints, Floats]


def _credit_arrivals(
    situation: Situation, succession: Succession, changes: Changes, now: Links
) -> list[_Credit]:
    """Return links inside people as they are after the run, with the change at either end."""
    after, last = succession.after, situation.person
    inside = (after[now.a] == after[now.b]) & (after[now.a] >= 0)
    joined = _number_of(changes, Kind.JOINED, changes.record, len(after))
    merged = _number_of(changes, Kind.MERGED, changes.person, situation.people)
    into = np.append(succession.successor, NONE)
    credits = []
    for end, other in ((now.a, now.b), (now.b, now.a)):
        credits.append(_credit(now, joined[end], inside))
        went = inside & (into[last[end]] == after[end]) & (last[end] != last[other])
        credits.append(_credit(now, merged[last[end]], went))
    return credits


def _credit_departures(
    situation: Situation, succession: Succession, changes: Changes, then: Links
) -> list[_Credit]:
    """Return links inside people as they were whose ends have parted, with the change at either end."""
    before, after = situation.before, succession.after
    parted = (before[then.a] == before[then.b]) & (before[then.a] >= 0) & (after[then.a] != after[then.b])
    left = _number_of(changes, Kind.LEFT, changes.record, len(after))
    people = situation.people + len(succession.founder)
    split = _number_of(changes, Kind.SPLIT, changes.person, people)
    origin = np.concatenate([np.full(situation.people, NONE), succession.origin, [NONE]])
    credits = []
    for end in (then.a, then.b):
        credits.append(_credit(then, left[end], parted))
        credits.append(_credit(then, split[after[end]], parted & (origin[after[end]] == before[end])))
    return credits


def _number_of(changes: Changes, kind: Kind, codes: Ints, size: int) -> Ints:
    """Return the change of this kind under each of `size` codes, and one place more for the code -1."""
    numbers = np.full(size + 1, NONE, dtype=np.int64)
    of_kind = np.flatnonzero(changes.kind == kind)
    numbers[codes[of_kind]] = of_kind
    return numbers


def _credit(links: Links, change: Ints, counts: Bools) -> _Credit:
    """Return the links that count for a change, with it."""
    kept = counts & (change >= 0)
    return change[kept], links.a[kept], links.b[kept], links.weight[kept]
