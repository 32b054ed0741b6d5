"""What happens in health in one period: emergency attendances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.synth.codes import ETHNICITIES
from pipelines.synth.dice import Dice, Weighted
from pipelines.synth.health import AT, compact
from pipelines.synth.identities import Registry
from pipelines.synth.people import Person
from pipelines.synth.records import Record, Row

PROVIDER, SITES = "RZ9", ("RZ901", "RZ902")
ARRIVAL_MODES = Weighted({"1048061000000105": 0.72, "1048031000000100": 0.24, "1048051000000107": 0.04})
ATTENDANCE_SOURCES = Weighted({"507291000000100": 0.6, "1077191000000103": 0.15, "1065391000000104": 0.25})
COMPLAINTS = Weighted(
    {"21522001": 0.2, "29857009": 0.15, "267036007": 0.13, "386661006": 0.17, "25064002": 0.1, "82271004": 0.1,
     "417163006": 0.15}
)  # fmt: skip
ACUITIES = Weighted(
    {"1064891000000107": 0.02, "1064911000000105": 0.15, "1064901000000103": 0.43, "1077241000000103": 0.35,
     "1077251000000100": 0.05}
)  # fmt: skip
SELF_INFLICTED, UNINTENDED, BY_OTHER = "276853009", "242056005", "303071001"
HOMELESS, HOUSED = "160700001", "160724009"
DISCHARGES = Weighted({"182992009": 0.66, "306706006": 0.3, "1066331000000109": 0.04})
SEX_CODES = {"M": "1", "F": "2"}


@dataclass(slots=True)
class HealthEvents:
    """Writes the attendances of a period; each attaches to one of the person's local ids."""

    dice: Dice
    registry: Registry

    def attendances(self, person: Person, records: list[Record], start: date) -> list[Row]:
        """Return the emergency attendances of a person in the month that starts at `start`."""
        rate = 0.085 if person.is_nfa else 0.05 if person.age(start) < 5 else 0.032
        rows: list[Row] = []
        while self.dice.chance(rate) and len(rows) < 4:
            rows.append(self._attendance(person, self.dice.pick(records), start))
        return rows

    def _attendance(self, person: Person, record: Record, start: date) -> Row:
        dice, row = self.dice, record.row
        arrived = start + timedelta(days=dice.below(28))
        teenage = 12 <= person.age(start) < 25
        roll = dice.random()
        intent = SELF_INFLICTED if roll < (0.08 if teenage else 0.02) else UNINTENDED if roll < 0.35 else ""
        if not intent and dice.chance(0.02):
            intent = BY_OTHER
        return [
            f"E{self.registry.local('event'):08d}", record.local_id, row[AT["NHS_NO"]], row[AT["DATE_OF_BIRTH"]],
            row[AT["POSTCODE"]], PROVIDER, dice.pick(SITES), "01" if dice.chance(0.85) else "03", "1",
            compact(arrived), dice.draw(ARRIVAL_MODES), dice.draw(ATTENDANCE_SOURCES), dice.draw(COMPLAINTS),
            dice.draw(ACUITIES), intent, HOMELESS if person.is_nfa else HOUSED,
            compact(arrived + timedelta(days=1 if dice.chance(0.2) else 0)), dice.draw(DISCHARGES),
            str(max(0, person.age(arrived))), SEX_CODES[person.sex], self._ethnicity(person),
            "1" if dice.chance(0.004) else "0",
        ]  # fmt: skip

    def _ethnicity(self, person: Person) -> str:
        """Return the NHS code: two characters in some places, 99 where nobody asked."""
        if self.dice.chance(0.12):
            return "99"
        code = ETHNICITIES[person.ethnicity][1]
        return f"{code}1" if self.dice.chance(0.1) else code
