"""Fields that contradict each other: each may be well formed, and both cannot be true.

Nobody can tell which of the two is wrong, so nothing is changed: contradictions are counted. The rules are those of
the children-in-need census [CINV], read for every agency that sends the fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.contracts.codes import load_terms

LONGEST_PREGNANCY = timedelta(weeks=40)
EVENT_BEFORE_BIRTH = "EVENT_BEFORE_BIRTH"
EVENT_OVER_40_WEEKS_BEFORE_BIRTH = "EVENT_OVER_40_WEEKS_BEFORE_BIRTH"


@dataclass(frozen=True)
class RecordFacts:
    """What one record says, as far as its parts can contradict each other."""

    born: date | None = None
    """The earliest day that the date of birth can mean."""
    is_birth_stated: bool = False
    """Whether anything stands for a date of birth, readable or not."""
    expected: date | None = None
    is_expected_asked: bool = False
    """Whether the agency's file has a column for the expected date."""
    sex: str = "U"
    died: date | None = None
    has_upn: bool = False
    has_reason_for_no_upn: bool = False


def is_born_and_expected(facts: RecordFacts) -> bool:
    """Return whether a record has a date of birth and still expects one."""
    return facts.is_birth_stated and facts.expected is not None


def is_neither_born_nor_expected(facts: RecordFacts) -> bool:
    """Return whether a record has neither date, where the agency asks for one of them."""
    return facts.is_expected_asked and not facts.is_birth_stated and facts.expected is None


def is_unborn_with_a_sex(facts: RecordFacts) -> bool:
    """Return whether the sex of a child that is not born is told."""
    return facts.expected is not None and not facts.is_birth_stated and facts.sex != "U"


def is_dead_before_birth(facts: RecordFacts) -> bool:
    """Return whether somebody died before the earliest day of birth."""
    return facts.born is not None and facts.died is not None and facts.died < facts.born


def is_upn_held_and_lacking(facts: RecordFacts) -> bool:
    """Return whether a record has a pupil number and a reason for having none."""
    return facts.has_upn and facts.has_reason_for_no_upn


RECORD_RULES: Mapping[str, Callable[[RecordFacts], bool]] = {
    "BORN_AND_EXPECTED": is_born_and_expected,
    "NEITHER_BORN_NOR_EXPECTED": is_neither_born_nor_expected,
    "UNBORN_WITH_A_SEX": is_unborn_with_a_sex,
    "DEATH_BEFORE_BIRTH": is_dead_before_birth,
    "UPN_AND_REASON_FOR_NONE": is_upn_held_and_lacking,
}


def record_contradictions(facts: RecordFacts) -> tuple[str, ...]:
    """Return the rules that a record breaks."""
    return tuple(rule for rule, is_broken in RECORD_RULES.items() if is_broken(facts))


def event_contradiction(event_type: str, day: date, born: date | None) -> str | None:
    """Return the rule that an event breaks by its day; None when it may have happened then.

    `born` is the earliest day that the birth, or the expected birth, can mean. What children's services do for an
    unborn child (`schemas/codes/unborn_event_types.csv`) may lie up to 40 weeks before it.
    """
    if born is None or day >= born:
        return None
    if event_type not in load_terms("unborn_event_types"):
        return EVENT_BEFORE_BIRTH
    return EVENT_OVER_40_WEEKS_BEFORE_BIRTH if day < born - LONGEST_PREGNANCY else None
