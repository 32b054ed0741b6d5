"""Why the people changed, in one order of precedence.

A change of which no record was anybody's before the run is NEW_DATA: created, returned, joined for the first time.
Records that are gone (left for nowhere, retired) are a PURGE or a PROTECTION if one names them, else VANISHED_DATA.
For who merged, split off or moved, the first of these that holds:

1. JUDGEMENT, PROTECTION, PURGE: one since the run before names a record of the *company*, that is of all people and
   clusters that hang together by the records that they share;
2. NEW_DATA: the link that decided it leads to a record that is new to the run;
3. CHANGED_DATA: a record that moved, or an end of that link, is not what it was;
4. MODEL_VERSION: another version of the model scored this run;
5. CHANGED_DATA, VANISHED_DATA, NEW_DATA: a record of the company changed, vanished, or is new;
6. MODEL_VERSION: nothing in the data says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from pipelines.identity.changes import Changes, Kind
from pipelines.identity.deciding import Deciding
from pipelines.identity.succession import Situation, Succession
from pipelines.link.components import components
from pipelines.link.features import Bools, Ints


class Cause(IntEnum):
    """Why something changed; the names are those of `identity.change`."""

    NEW_DATA = 0
    CHANGED_DATA = 1
    VANISHED_DATA = 2
    PURGE = 3
    PROTECTION = 4
    JUDGEMENT = 5
    MODEL_VERSION = 6


@dataclass(frozen=True)
class Facts:
    """What is known of each of N records since the run before, and whether the model is another one."""

    changed: Bools  # (N,) not what it was
    judged: Bools  # (N,) a judgement that names it was given, or expired
    protected: Bools  # (N,) a notice sealed it
    purged: Bools  # (N,) it was deleted for good
    is_other_model: bool = False


def find_causes(
    situation: Situation, succession: Succession, changes: Changes, deciding: Deciding, facts: Facts
) -> Ints:
    """Return the cause of each of M changes; both halves of a move have the same."""
    if not len(changes):
        return np.empty(0, dtype=np.int64)
    company = _Company(situation, succession, changes)
    gone, new_record = _is_of_the_gone(succession, changes), ~situation.is_held
    rules: list[tuple[Bools, Cause]] = [
        (changes.is_new, Cause.NEW_DATA),
        (gone & company.own(facts.purged), Cause.PURGE),
        (gone & company.own(facts.protected), Cause.PROTECTION),
        (gone, Cause.VANISHED_DATA),
        (company.any(facts.judged), Cause.JUDGEMENT),
        (company.any(facts.protected), Cause.PROTECTION),
        (company.any(facts.purged), Cause.PURGE),
        (_ends_in(deciding, new_record), Cause.NEW_DATA),
        (_ends_in(deciding, facts.changed) | company.own(facts.changed), Cause.CHANGED_DATA),
        (np.full(len(changes), facts.is_other_model), Cause.MODEL_VERSION),
        (company.any(facts.changed), Cause.CHANGED_DATA),
        (company.any(situation.is_held & (situation.cluster < 0)), Cause.VANISHED_DATA),
        (company.any(new_record), Cause.NEW_DATA),
    ]
    conditions, causes = zip(*rules, strict=True)
    found = np.select(conditions, causes, Cause.MODEL_VERSION).astype(np.int64)
    return _as_the_arrival(situation, changes, found)


def _is_of_the_gone(succession: Succession, changes: Changes) -> Bools:
    """Return which changes are about records that the run does not have."""
    left = (changes.kind == Kind.LEFT) & (np.append(succession.after, 0)[changes.record] < 0)
    gone: Bools = left | (changes.kind == Kind.RETIRED)
    return gone


def _ends_in(deciding: Deciding, flag: Bools) -> Bools:
    """Return which deciding links have an end with this flag."""
    flags = np.append(flag, False)
    ends: Bools = flags[deciding.a] | flags[deciding.b]
    return ends


def _as_the_arrival(situation: Situation, changes: Changes, causes: Ints) -> Ints:
    """Return the causes, that of a record's leaving replaced by that of its joining elsewhere."""
    of_record = np.full(len(situation.person) + 1, -1, dtype=np.int64)
    joined = changes.kind == Kind.JOINED
    of_record[changes.record[joined]] = causes[joined]
    arrival = np.where(changes.kind == Kind.LEFT, of_record[changes.record], -1)
    return np.where(arrival >= 0, arrival, causes)


class _Company:
    """Flags of records, told of the changes that they belong to."""

    def __init__(self, situation: Situation, succession: Succession, changes: Changes) -> None:
        people = situation.people + len(succession.founder)
        ways = [(person, person >= 0) for person in (situation.person, succession.after)]
        first, second = (np.where(known, code, people) for code, known in ways)
        both = (first < people) & (second < people)
        self._label = components(people + 1, first[both], second[both])
        self._of_record = self._label[np.where(first < people, first, second)]
        self._of_change = self._label[changes.person]
        self._moved = _moved_by(situation, succession, changes)

    def any(self, flag: Bools) -> Bools:
        """Return which changes happened in a company where a record has the flag."""
        flagged = np.zeros(len(self._label), dtype=bool)
        flagged[self._of_record[flag]] = True
        return flagged[self._of_change]

    def own(self, flag: Bools) -> Bools:
        """Return which changes are about a record that has the flag."""
        change, record = self._moved
        found = np.zeros(len(self._of_change), dtype=bool)
        found[change[flag[record]]] = True
        return found


def _moved_by(situation: Situation, succession: Succession, changes: Changes) -> tuple[Ints, Ints]:
    """Return pairs of a change and a record that it is about: of one record, or of all that left a person."""
    single = np.flatnonzero(changes.record >= 0)
    whole = {kind: changes.kind == kind for kind in (Kind.MERGED, Kind.RETIRED, Kind.SPLIT)}
    pairs = [(single, changes.record[single])]
    people = situation.people + len(succession.founder) + 1
    for kind, of_kind in whole.items():
        number = np.full(people, -1, dtype=np.int64)
        number[changes.person[of_kind]] = np.flatnonzero(of_kind)
        side = succession.after if kind == Kind.SPLIT else situation.person
        found = number[side]
        record = np.flatnonzero(found >= 0)
        pairs.append((found[record], record))
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])
