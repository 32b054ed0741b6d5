"""What happens in children's services: referrals, child protection plans and missing episodes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.synth.childrens_services import stamp
from pipelines.synth.dice import Dice, Weighted
from pipelines.synth.identities import Registry
from pipelines.synth.records import Record, Row

REFERRALS = Weighted({1: 0.62, 2: 0.26, 3: 0.12})
NEEDS = Weighted(
    {"N1": 0.55, "N2": 0.09, "N3": 0.03, "N4": 0.1, "N5": 0.14, "N6": 0.03, "N7": 0.005, "N8": 0.03, "N9": 0.005,
     "N0": 0.02}
)  # fmt: skip
SOURCES = Weighted(
    {"1A": 0.08, "1B": 0.02, "1C": 0.005, "1D": 0.02, "2A": 0.2, "2B": 0.02, "3A": 0.02, "3B": 0.03, "3C": 0.01,
     "3D": 0.05, "3E": 0.05, "3F": 0.02, "4": 0.015, "5A": 0.05, "5B": 0.04, "5C": 0.02, "6": 0.29, "7": 0.02,
     "8": 0.03, "9": 0.02, "10": 0.01}
)  # fmt: skip
SOURCE_LABELS = {
    "1A": "Individual - Family member/relative/carer", "1B": "Individual - Acquaintance", "1C": "Individual - Self",
    "1D": "Individual - Other", "2A": "Schools", "2B": "Education services", "3A": "Health services - GP",
    "3B": "Health services - Health visitor", "3C": "Health services - School nurse",
    "3D": "Health services - Other primary health", "3E": "Health services - A&E", "3F": "Health services - Other",
    "4": "Housing", "5A": "LA services - Social care", "5B": "LA services - Other internal",
    "5C": "LA services - External", "6": "Police", "7": "Other legal agency", "8": "Other", "9": "Anonymous",
    "10": "Unknown",
}  # fmt: skip
CLOSURES = Weighted(
    {"RC3": 0.02, "RC4": 0.02, "RC5": 0.05, "RC6": 0.02, "RC7": 0.28, "RC8": 0.46, "RC9": 0.15}
)
ABUSE = Weighted({"NEG": 0.5, "EMO": 0.36, "PHY": 0.08, "SAB": 0.04, "MUL": 0.02})
OUTCOME_FLAGS = (
    "SINGLE_ASSESSMENT_FLAG", "NFA_FLAG", "STRATEGY_DISCUSSION_FLAG", "CLA_REQUEST_FLAG",
    "NON_AGENCY_ADOPTION_FLAG",
)  # fmt: skip
DAYS_OF_CHILDHOOD = 6570
LONGEST_BEFORE_BIRTH = 200
REFERRED_BEFORE_BIRTH = 0.05
ADOPTED, DIED = "RC1", "RC2"
CIN, CPP, MISSING = "ssd_cin_episodes", "ssd_cp_plans", "ssd_missing"
_CLOSE_REASON, _CLOSE_DATE, _PLAN_END = 8, 9, 4


@dataclass(slots=True)
class SocialCareEvents:
    """Writes and continues the events of a child's record."""

    dice: Dice
    registry: Registry

    def begin(self, record: Record, reference: date) -> None:
        """Give a child's record its history up to the first period."""
        record.further[CIN], record.further[CPP], record.further[MISSING] = [], [], []
        if record.person.role != "child":
            return
        for _ in range(self.dice.draw(REFERRALS)):
            when = reference - timedelta(days=self.dice.between(1, 1800))
            if when < record.person.born:
                when = self._day_since_conception(record.person.born, reference)
            self.refer(record, when, reference)
        if record.person.age(reference) >= 11 and self.dice.chance(0.09):
            for _ in range(self.dice.between(1, 4)):
                self._go_missing(record, reference - timedelta(days=self.dice.between(1, 500)), reference)

    def advance(self, record: Record, start: date, end: date) -> None:
        """Continue a record through one more period: new referrals, plans ended, cases closed."""
        person, dice = record.person, self.dice
        if person.role != "child" or person.born + timedelta(days=DAYS_OF_CHILDHOOD) < start:
            return
        for row in record.further[CIN]:
            if not row[_CLOSE_DATE] and dice.chance(0.1):
                self._close(row, dice.draw(CLOSURES), start + timedelta(days=dice.below(28)))
        for row in record.further[CPP]:
            if not row[_PLAN_END] and dice.chance(0.07):
                row[_PLAN_END] = stamp(start + timedelta(days=dice.below(28)))
        if dice.chance(0.03) and not person.is_sealed:
            self.refer(record, start + timedelta(days=dice.below(28)), end)
        if person.age(end) >= 11 and dice.chance(0.012):
            self._go_missing(record, start + timedelta(days=dice.below(26)), end)

    def refer(self, record: Record, when: date, reference: date) -> None:
        """Add a referral, and a child protection plan to some."""
        person, dice = record.person, self.dice
        grown_up = person.born + timedelta(days=DAYS_OF_CHILDHOOD)
        if when >= grown_up:
            when = grown_up - timedelta(days=dice.between(30, 1500))
        source, is_nfa = dice.draw(SOURCES), dice.chance(0.1)
        referral = f"R{self.registry.local('event'):08d}"
        row = [
            referral, record.local_id, stamp(when), dice.draw(NEEDS), source, SOURCE_LABELS[source],
            _outcome(is_nfa), "Y" if is_nfa else "N", "", "", f"TEAM{dice.between(1, 24):02d}",
            f"SW{dice.between(1000, 1400)}",
        ]  # fmt: skip
        length = 3 if is_nfa else dice.between(20, 700)
        if person.is_sealed:
            self._close(row, ADOPTED, min(when + timedelta(days=300), reference))
        elif min(when + timedelta(days=length), grown_up) < reference:
            closed = min(when + timedelta(days=length), grown_up)
            self._close(row, DIED if person.died and person.died <= closed else dice.draw(CLOSURES), closed)
        record.further[CIN].append(row)
        if not is_nfa and dice.chance(0.16):
            self._plan(record, row, when + timedelta(days=25), reference)

    def _day_since_conception(self, born: date, reference: date) -> date:
        """Return a day in the life of a child so far; a few are referred before birth, the unborn only then."""
        first, last = born, reference
        if born > reference or self.dice.chance(REFERRED_BEFORE_BIRTH):
            first, last = born - timedelta(days=LONGEST_BEFORE_BIRTH), min(born, reference)
        return first + timedelta(days=self.dice.below(max(1, (last - first).days)))

    def _close(self, row: Row, reason: str, when: date) -> None:
        row[_CLOSE_REASON], row[_CLOSE_DATE] = reason, stamp(when)

    def _plan(self, record: Record, referral: Row, start: date, reference: date) -> None:
        if start > reference:
            return
        first = self.dice.draw(ABUSE)
        latest = self.dice.draw(ABUSE) if self.dice.chance(0.2) else first
        end = start + timedelta(days=self.dice.between(60, 600))
        closed = referral[_CLOSE_DATE]
        ended = min(stamp(end), closed) if closed else stamp(end) if end < reference else ""
        if ended and ended < stamp(start):
            return
        record.further[CPP].append(
            [
                f"C{self.registry.local('event'):08d}",
                referral[0],
                record.local_id,
                stamp(start),
                ended,
                first,
                latest,
            ]
        )

    def _go_missing(self, record: Record, start: date, reference: date) -> None:
        end = start + timedelta(days=self.dice.between(0, 4))
        offered = "Y" if self.dice.chance(0.85) else "N"
        accepted = ("Y" if self.dice.chance(0.6) else "N") if offered == "Y" else ""
        record.further[MISSING].append([
            f"M{self.registry.local('event'):08d}", record.local_id, stamp(start),
            "M" if self.dice.chance(0.8) else "A", stamp(end) if end <= reference else "", offered, accepted,
        ])  # fmt: skip


def _outcome(is_nfa: bool) -> str:
    """Return the outcome of a referral as the extract writes it."""
    flags = dict.fromkeys(OUTCOME_FLAGS, "N")
    flags["NFA_FLAG" if is_nfa else "SINGLE_ASSESSMENT_FLAG"] = "Y"
    return json.dumps(flags)
