"""What people decided about pairs of records, as linking uses it: who is one person, and who is kept apart.

A judgement names records, so it holds for any run, model and cluster. Here it becomes pairs of positions among the
records of one run; records that the run does not hold are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.clusters.graph import connected
from pipelines.link.compare import Pairs
from pipelines.link.encode import Encoded
from pipelines.link.features import Bools, Codes, Ints

SAME = "SAME"
DIFFERENT = "DIFFERENT"
UNSURE = "UNSURE"


class Ruling(NamedTuple):
    """What counts for one pair of records (record_a < record_b), and the judgement that says so."""

    record_a: str
    record_b: str
    verdict: str
    judgement_id: int


def no_pairs() -> Pairs:
    """Return no pairs."""
    return np.empty(0, np.int64), np.empty(0, np.int64)


@dataclass(frozen=True)
class Judged:
    """Pairs of positions (a < b, each once, sorted) that were judged one person, and such that are two people."""

    same: Pairs
    apart: Pairs

    @classmethod
    def none(cls) -> Judged:
        """Return that nobody decided anything."""
        return cls(no_pairs(), no_pairs())

    @classmethod
    def compiled(cls, rulings: Iterable[Ruling], encoded: Encoded) -> Judged:
        """Return what the rulings say about these records; a pair that people are unsure of is undecided."""
        kept = list(rulings)
        return cls(
            _positions((each for each in kept if each.verdict == SAME), encoded),
            _positions((each for each in kept if each.verdict == DIFFERENT), encoded),
        )

    def placed(self, place: Ints) -> Judged:
        """Return these pairs where `place` puts their records, without those of a record put nowhere (-1)."""
        return Judged(
            *(each_once(_both(np.stack([place[each] for each in pair], axis=1))) for pair in self.pairs)
        )

    @property
    def pairs(self) -> tuple[Pairs, Pairs]:
        """Who is one person, and who is two people."""
        return self.same, self.apart


def _both(places: Ints) -> Ints:
    """Return the rows of an array of shape (n, 2) in which both records have a place."""
    return places[(places >= 0).all(axis=1)]


def _positions(rulings: Iterable[Ruling], encoded: Encoded) -> Pairs:
    pairs = [(each.record_a, each.record_b) for each in rulings]
    if not pairs:
        return no_pairs()
    found = pc.index_in(pa.array([id for pair in pairs for id in pair], pa.string()), encoded.record_ids)
    places = np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64).reshape(-1, 2)
    return each_once(_both(places))


def each_once(places: Ints) -> Pairs:
    """Return the rows of an array of shape (n, 2) as pairs a < b, each once, sorted."""
    unique = np.unique(np.sort(places, axis=1), axis=0).reshape(-1, 2).astype(np.int64)
    return np.ascontiguousarray(unique[:, 0]), np.ascontiguousarray(unique[:, 1])


def forced_pairs(judged: Judged, source: Codes, unique: Bools, most: int) -> Pairs:
    """Return the pairs that judgements join, also those that only follow from others: one person is one person.

    Records that judgements join, through whichever of them, are a *circle*. Where nothing speaks against a circle,
    all of its pairs are joined. Judgements contradict each other in one that holds a pair judged two people, two
    records of a source that holds each person once, or more records than a cluster may: there only what was said
    outright is joined, and as far as the rest allows.

    Args:
        judged: what people decided.
        source: the code of each record's source.
        unique: for each code, whether that source holds each person once.
        most: how many records a cluster may hold.
    """
    if not len(judged.same[0]):
        return no_pairs()
    records, place = np.unique(np.concatenate(judged.same), return_inverse=True)
    a, b = (np.ascontiguousarray(each) for each in place.reshape(2, -1).astype(np.int64))
    circle = connected(len(records), a, b, np.ones(len(a), dtype=bool))
    broken = np.bincount(circle) > most
    broken[_circles_kept_apart(judged.apart, records, circle)] = True
    broken[_circles_sharing_a_source(source[records], unique, circle)] = True
    said = np.stack(judged.same, axis=1)[broken[circle[a]]]
    return each_once(np.concatenate([said, *_within(records, circle, broken)]))


def _circles_kept_apart(apart: Pairs, records: Ints, circle: Codes) -> Ints:
    """Return the circles that hold both records of a pair that is two people."""
    at = np.minimum(np.searchsorted(records, apart), len(records) - 1)
    both = (records[at] == np.asarray(apart)).all(axis=0)
    left, right = circle[at[0][both]], circle[at[1][both]]
    return np.asarray(left[left == right], dtype=np.int64)


def _circles_sharing_a_source(source: Codes, unique: Bools, circle: Codes) -> Ints:
    """Return the circles that hold two records of one source that holds each person once."""
    once = np.flatnonzero(np.append(unique, False)[source]) if len(unique) else np.empty(0, np.int64)
    pairs, count = np.unique(np.stack([circle[once], source[once]]), axis=1, return_counts=True)
    return np.asarray(pairs[0][count > 1], dtype=np.int64)


def _within(records: Ints, circle: Codes, broken: Bools) -> Iterator[Ints]:
    """Yield the pairs inside each circle that is not broken, as an array of shape (n, 2)."""
    order = np.argsort(circle, kind="stable")
    ends = np.cumsum(np.bincount(circle))
    for number in np.flatnonzero(~broken):
        members = records[order[ends[number - 1] if number else 0 : ends[number]]]
        one, other = np.triu_indices(len(members), 1)
        yield np.stack([members[one], members[other]], axis=1)


def joined_with(rulings: Iterable[Ruling], withheld: frozenset[str]) -> frozenset[str]:
    """Return the records that are judged one person with a record that is never compared, and that record."""
    same = [{each.record_a, each.record_b} for each in rulings if each.verdict == SAME]
    return frozenset(record for pair in same if pair & withheld for record in pair)


def needing_attention(summaries: pa.Table, clusters: pa.Table, records: frozenset[str]) -> pa.Table:
    """Return the summaries with a mark, beside those they have, at the clusters of these records."""
    named = clusters.filter(pc.is_in(clusters["record_id"], pa.array(sorted(records), pa.string())))
    marked = pc.is_in(summaries["cluster_id"], named["cluster_id"].combine_chunks())
    at = summaries.column_names.index("needs_attention")
    return summaries.set_column(at, "needs_attention", pc.or_(summaries["needs_attention"], marked))
