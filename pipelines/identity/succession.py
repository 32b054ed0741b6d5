"""Who keeps the id: which person each cluster of a run carries on, who is new, and whom the retired went into.

Pure: codes in, codes out. A person and a cluster *overlap* in the records that the person had and the cluster
holds. Overlaps are taken one after another: the one of most records first, then that of the oldest person, then
that with the oldest record. Each gives its cluster its person, unless either is taken. So on a merge the person
with most records lasts, then the oldest one; on a split the larger part keeps the id, then the part with the
oldest record; and a merge and a split at once need no rule of their own.

Records that come back count only among overlaps of as many records that never left: somebody who is here keeps the
id against somebody who returns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.features import NONE, Bools, Ints


@dataclass(frozen=True)
class Situation:
    """N records before and after a run, and the P people whom they belong to, or belonged to last.

    A person who is given is given with all records that it holds, and a cluster with all of its records; codes of
    people and clusters are dense, from 0 on, and -1 is none.
    """

    person: Ints  # (N,) the record's last person, its successors followed; -1 if it never had one
    is_held: Bools  # (N,) whether that person has it still; a record that comes back is not held
    cluster: Ints  # (N,) -1 if the run does not have the record
    sequence: Ints  # (N,) age of the record, no two alike; the lowest is the oldest
    created_run: Ints  # (P,)
    is_retired: Bools  # (P,) retired without a successor, named because a record of it is back

    @property
    def people(self) -> int:
        """P, how many people there were."""
        return len(self.created_run)

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.cluster.max(initial=NONE)) + 1

    @property
    def before(self) -> Ints:
        """(N,) The person who holds the record before the run; -1 if nobody does."""
        return np.where(self.is_held, self.person, NONE)


@dataclass(frozen=True)
class Succession:
    """What becomes of P people in C clusters; K new ones have the codes from P on, the oldest founder first."""

    person_of_cluster: Ints  # (C,)
    after: Ints  # (N,) the person of each record after the run; -1 if the record is gone
    founder: Ints  # (K,) position of the oldest record of each new person
    origin: Ints  # (K,) the person that most records of the new one came from; -1 if none came from anybody
    successor: Ints  # (P,) the person that one who does not last went into; -1 if all its records are gone
    lasts: Bools  # (P,)


@dataclass(frozen=True)
class _Overlaps:
    """Pairs of a person and a cluster that share records, in the order in which they are taken."""

    person: Ints
    cluster: Ints


def decide(situation: Situation) -> Succession:
    """Return who keeps which id, whatever the order of the records and of the codes."""
    overlaps = _overlaps(situation)
    person_of_cluster = _carry_on(situation, overlaps)
    lasts = np.zeros(situation.people, dtype=bool)
    lasts[person_of_cluster[person_of_cluster >= 0]] = True
    new = np.flatnonzero(person_of_cluster < 0)
    founders = _oldest_of(situation, situation.cluster, situation.clusters)[new]
    by_age = np.argsort(situation.sequence[founders], kind="stable")
    new, founders = new[by_age], founders[by_age]
    person_of_cluster[new] = situation.people + np.arange(len(new))
    present = situation.cluster >= 0
    after = np.full(len(present), NONE, dtype=np.int64)
    after[present] = person_of_cluster[situation.cluster[present]]
    largest = _first_of(overlaps.cluster, overlaps.person, situation.clusters)
    home = _first_of(overlaps.person, overlaps.cluster, situation.people)
    successor = np.where(~lasts & (home >= 0), _at(person_of_cluster, home), NONE)
    return Succession(person_of_cluster, after, founders, largest[new], successor, lasts)


def _overlaps(situation: Situation) -> _Overlaps:
    """Return the overlaps in their order: most records, oldest person, oldest record."""
    shared = np.flatnonzero((situation.person >= 0) & (situation.cluster >= 0))
    shared = shared[np.argsort(situation.sequence[shared], kind="stable")]
    keys = situation.person[shared] * max(situation.clusters, 1) + situation.cluster[shared]
    _, oldest, number, sizes = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    held = np.bincount(number, situation.is_held[shared], len(sizes))
    people, clusters = situation.person[shared[oldest]], situation.cluster[shared[oldest]]
    order = np.lexsort((oldest, _age(situation)[people], -sizes, -held))
    return _Overlaps(people[order], clusters[order])


def _age(situation: Situation) -> Ints:
    """Return each person's place by age: by the run that created it, then by its oldest record."""
    oldest = situation.sequence[_oldest_of(situation, situation.person, situation.people)]
    age = np.empty(situation.people, dtype=np.int64)
    age[np.lexsort((oldest, situation.created_run))] = np.arange(situation.people)
    return age


def _carry_on(situation: Situation, overlaps: _Overlaps) -> Ints:
    """Return the person that each cluster carries on, -1 where it carries on nobody."""
    taken = [False] * situation.people
    found = [NONE] * situation.clusters
    for person, cluster in zip(overlaps.person.tolist(), overlaps.cluster.tolist(), strict=True):
        if not taken[person] and found[cluster] == NONE:
            taken[person], found[cluster] = True, person
    return np.array(found, dtype=np.int64)


def _oldest_of(situation: Situation, codes: Ints, size: int) -> Ints:
    """Return the position of the oldest record under each of `size` codes."""
    oldest_first = np.argsort(situation.sequence, kind="stable")
    return _first_of(codes[oldest_first], oldest_first, size)


def _first_of(codes: Ints, values: Ints, size: int) -> Ints:
    """Return the first value that stands under each of `size` codes; -1 where there is none."""
    found = np.full(size, NONE, dtype=np.int64)
    given = np.flatnonzero(codes >= 0)[::-1]
    found[codes[given]] = values[given]  # the last assignment counts, and the first value comes last
    return found


def _at(values: Ints, places: Ints) -> Ints:
    """Return the value at each place; -1 for the place -1."""
    return np.append(values, NONE)[places]
