"""What happens to the police in one period: occurrences, and who was involved in which role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.synth.dice import Dice, Weighted
from pipelines.synth.identities import Registry
from pipelines.synth.people import Household, Person
from pipelines.synth.police import slashed
from pipelines.synth.records import Chunk, Row

FAMILY_INCIDENTS = Weighted(
    {"DOMESTIC": 0.5, "MISSING PERSON": 0.1, "BURGLARY": 0.15, "CONCERN FOR SAFETY": 0.25}
)
OTHER_INCIDENTS = Weighted(
    {"THEFT": 0.3, "ASSAULT": 0.25, "ANTI-SOCIAL BEHAVIOUR": 0.2, "DRUGS": 0.1, "CRIMINAL DAMAGE": 0.15}
)
OFFENCES = {
    "DOMESTIC": "00842", "MISSING PERSON": "", "BURGLARY": "02801", "CONCERN FOR SAFETY": "", "THEFT": "04910",
    "ASSAULT": "00801", "ANTI-SOCIAL BEHAVIOUR": "", "DRUGS": "09259", "CRIMINAL DAMAGE": "05801",
}  # fmt: skip
OUTCOMES = Weighted(
    {"0": 0.45, "1": 0.07, "8": 0.04, "14": 0.06, "15": 0.12, "16": 0.12, "18": 0.13, "22": 0.01}
)
SUSPECT_CRIMES = ("THEFT", "ASSAULT", "DRUGS", "CRIMINAL DAMAGE")


@dataclass(slots=True)
class PoliceEvents:
    """Writes occurrences and involvements; each involvement names one nominal of the person."""

    dice: Dice
    registry: Registry
    chunk: Chunk

    def month(self, household: Household, start: date) -> tuple[list[Row], list[Row]]:
        """Return the occurrences of a household in the month that starts at `start`, and the involvements."""
        known = [
            person for person in household.people if person.born < start and self.chunk.of("police", person)
        ]
        if not known or not self.dice.chance(min(0.5, 0.09 * len(known) * household.police_factor)):
            return [], []
        grown = [person for person in known if person.age(start) >= 18]
        if len(grown) > 1 or (grown and len(known) > 1):
            kind = self.dice.draw(FAMILY_INCIDENTS)
        else:
            kind = self.dice.draw(OTHER_INCIDENTS)
        reference = f"NS{start:%Y%m}{self.registry.local('event'):08d}"
        involved = [
            [reference, self.dice.pick(self.chunk.of("police", person)).local_id, role, relation]
            for person, role, relation in self._roles(kind, known, grown, start)
        ]
        return [self._occurrence(reference, kind, known[0], start)], involved

    def _occurrence(self, reference: str, kind: str, person: Person, start: date) -> Row:
        dice, address, crime = self.dice, person.address, OFFENCES[kind]
        day = start + timedelta(days=dice.below(27))
        clock = f"{dice.below(24):02d}:{dice.below(60):02d}"
        outcome = dice.draw(OUTCOMES) if crime else ""
        is_located = not address.is_nfa
        return [
            reference, kind, crime, f"{crime}/{day:%y}/{reference[-6:]}" if crime else "",
            f"{slashed(day)} {clock}", f"{slashed(day)} {clock}" if dice.chance(0.8) else "",
            f"{slashed(day + timedelta(days=1))} 00:30" if dice.chance(0.4) else "",
            address.uprn if is_located and dice.chance(0.6) else "", str(address.easting) if is_located else "",
            str(address.northing) if is_located else "", "Y" if kind == "DOMESTIC" else "N",
            "Y" if dice.chance(0.01) else "N", outcome,
            slashed(day + timedelta(days=dice.between(1, 20))) if outcome not in {"", "0"} else "",
        ]  # fmt: skip

    def _roles(
        self, kind: str, known: list[Person], grown: list[Person], start: date
    ) -> list[tuple[Person, str, str]]:
        """Return who was involved, as what, and how they are related to the other side."""
        if kind == "DOMESTIC":
            return self._domestic(known, grown, start)
        if kind == "MISSING PERSON":
            young = [person for person in known if 11 <= person.age(start) < 18] or known[:1]
            reporter = [
                (person, "PERSON_REPORTING", "PARENT") for person in grown[:1] if person is not young[0]
            ]
            return [(young[0], "MISPER", ""), *reporter]
        if kind == "CONCERN FOR SAFETY":
            children = [(person, "CHILD_PRESENT", "CHILD") for person in known if person.age(start) < 18]
            return [*children, *((person, "WIT", "") for person in grown[:1])] or [(known[0], "WIT", "")]
        person = self.dice.pick(known)
        is_suspect = kind in SUSPECT_CRIMES and person.age(start) >= 10 and self.dice.chance(0.45)
        return [
            (person, "SUS" if is_suspect else self.dice.pick(("VIC", "VIC", "WIT", "PERSON_REPORTING")), "")
        ]

    def _domestic(
        self, known: list[Person], grown: list[Person], start: date
    ) -> list[tuple[Person, str, str]]:
        roles = [(person, "CHILD_PRESENT", "CHILD") for person in known if person.age(start) < 18]
        women = [person for person in grown if person.sex == "F"]
        men = [person for person in grown if person.sex == "M"]
        victim = women[0] if women else grown[0]
        others = [person for person in (men or grown) if person is not victim]
        roles.append((victim, "VIC", "PARTNER" if others else ""))
        if others:
            roles.append((others[0], "SUS", "PARTNER"))
        return roles
