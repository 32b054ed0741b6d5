"""Fire and rescue: incidents at places, the people hurt or rescued in them, and home fire safety visits.

It draws from dice and numbers of its own: the other agencies' files stay the same bytes with and without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from pipelines.synth.codes import POLICE_SELF_DEFINED
from pipelines.synth.defects import Roughener
from pipelines.synth.dice import Weighted
from pipelines.synth.identities import Registry
from pipelines.synth.layouts import CASUALTIES, INCIDENTS, VISITS
from pipelines.synth.people import Household, Person
from pipelines.synth.places import Address
from pipelines.synth.records import Record, Row
from pipelines.synth.sightings import Eye, see_address, see_birth, see_name, see_postcode, see_sex, see_street

AGENCY = "fire_rescue"
SERVICE = "Northshire"
GROUPS = Weighted({"Fire": 0.35, "False Alarm": 0.45, "Special Service": 0.2})
STOP_CODES = {"Fire": "Primary Fire", "False Alarm": "AFA", "Special Service": "Special Service"}
SEVERITIES = Weighted({"Rescued unhurt": 0.4, "Slight": 0.4, "Serious": 0.17, "Fatal": 0.03})
OUTCOMES = Weighted({"Completed": 0.82, "No answer": 0.1, "Refused": 0.08})
STATIONS = ("Aldersby", "Calderwick", "Eastmoor", "Kirkstead")
AGED = 65


def slashed(day: date | None) -> str:
    """Return a date as DD/MM/YYYY, empty for none."""
    return f"{day:%d/%m/%Y}" if day else ""


@dataclass(slots=True)
class FireRescue:
    """Writes what the service sends about one chunk; visits are kept, since all of them are sent each time."""

    eye: Eye
    registry: Registry
    rough: Roughener
    visits: list[Record] = field(default_factory=list)

    def visit_all(self, households: list[Household], start: date, days: int) -> None:
        """Add the visits of the days from `start` on, mostly to older people."""
        for household in households:
            for person in _at_home(household, start):
                rate = "visited_aged" if person.age(start) >= AGED else "visited_adult"
                if self.eye.dice.chance(self.eye.rates[rate] * days / 365):
                    self.visits.append(self._visit(person, start + timedelta(days=self.eye.dice.below(days))))

    def _visit(self, person: Person, day: date) -> Record:
        eye = self.eye
        dice, rates = eye.dice, eye.rates
        record = Record(AGENCY, f"V{self.registry.local(AGENCY):08d}", person, [])
        name, address = see_name(person, eye), see_address(person, eye)
        premises = " ".join(part for part in (address.flat, address.building) if part)
        street = see_street(address, eye)
        record.row = [
            record.local_id, name.given, name.family, slashed(see_birth(person, eye)), *self._who(person),
            *((premises, street) if premises else (street, "")), address.town, see_postcode(address, eye),
            self._uprn(address), person.landline if dice.chance(rates["phone_known"]) else "",
            person.mobile if dice.chance(rates["phone_known"]) else "",
            person.email if dice.chance(rates["email_known"]) else "", slashed(day), dice.draw(OUTCOMES),
            *("Y" if dice.chance(share) else "N" for share in (0.2, 0.15, 0.1, 0.02, 0.15)), "",
        ]  # fmt: skip
        assert len(record.row) == len(VISITS.header)  # noqa: S101 - a row of another width would be our mistake
        self.rough.text(record.row, (VISITS.at("Forename"), VISITS.at("Surname")))
        self.rough.null(record.row, (VISITS.at("Telephone"), VISITS.at("Email"), VISITS.at("UPRN")))
        return record

    def month(self, households: list[Household], start: date) -> tuple[list[Row], list[Record]]:
        """Return the incidents of a month, and the people hurt or rescued in them."""
        incidents: list[Row] = []
        casualties: list[Record] = []
        for household in households:
            people = _at_home(household, start, youngest=0)
            if not people or people[0].is_nfa or not self.eye.dice.chance(self.eye.rates["incident_at_home"]):
                continue
            incident = self._incident(people[0].address, start + timedelta(days=self.eye.dice.below(28)))
            incidents.append(incident)
            casualties += self._hurt(people, incident)
        return incidents, casualties

    def _incident(self, address: Address, day: date) -> Row:
        dice = self.eye.dice
        group, hour = dice.draw(GROUPS), dice.below(24)
        number = f"{self.registry.local('fire_incident'):08d}-{slashed(day)[3:].replace('/', '')}"
        row = [
            number, slashed(day), str(day.year), f"{hour:02d}:{dice.below(60):02d}:00", str(hour), group,
            STOP_CODES[group], "", "Dwelling", "House - single occupancy", "Correct incident location",
            address.postcode, address.postcode.split(" ")[0], self._uprn(address), "", "", "", str(address.easting),
            str(address.northing), "", "", SERVICE, dice.pick(STATIONS),
        ]  # fmt: skip
        assert len(row) == len(INCIDENTS.header)  # noqa: S101 - as above
        return row

    def _hurt(self, people: list[Person], incident: Row) -> Iterator[Record]:
        """Yield the casualties of an incident, numbered; few false alarms have any."""
        rate = self.eye.rates["hurt_or_rescued"] * (0.02 if incident[5] == "False Alarm" else 1)
        hurt = [person for person in people if self.eye.dice.chance(rate)]
        for sequence, person in enumerate(hurt, 1):
            yield self._casualty(person, incident[0], sequence)

    def _casualty(self, person: Person, incident: str, sequence: int) -> Record:
        eye = self.eye
        dice, rates = eye.dice, eye.rates
        record = Record(AGENCY, f"C{self.registry.local(AGENCY):08d}", person, [])
        name, address = see_name(person, eye), see_address(person, eye)
        born = see_birth(person, eye) if dice.chance(rates["casualty_dob_known"]) else None
        home = see_street(address, eye)
        record.row = [
            record.local_id, incident, str(sequence), name.given, name.family,
            str(max(0, person.age(eye.reference) + dice.pick((-2, -1, 0, 0, 1, 2)))) if born is None else "",
            slashed(born), *self._who(person), home, see_postcode(address, eye), self._uprn(address),
            dice.pick(("Occupier", "Visitor", "Rescued")), dice.draw(SEVERITIES),
        ]  # fmt: skip
        assert len(record.row) == len(CASUALTIES.header)  # noqa: S101 - as above
        return record

    def _who(self, person: Person) -> tuple[str, str]:
        """Return sex and ethnic group as written down."""
        sex, own = see_sex(person, self.eye), person.ethnicity
        asked = not self.eye.dice.chance(self.eye.rates["ethnicity_missing"])
        return "N" if sex == "U" else sex, POLICE_SELF_DEFINED.get(own, own) if asked else ""

    def _uprn(self, address: Address) -> str:
        return "" if self.eye.dice.chance(self.eye.rates["uprn_missing"]) else address.uprn


def _at_home(household: Household, day: date, youngest: int = 18) -> list[Person]:
    """Return the living people of a household who have reached an age, and whom the chunk knows by then."""
    return [
        person
        for person in household.people
        if not person.is_unborn
        and person.born <= day
        and person.age(day) >= youngest
        and (person.died is None or person.died > day)
    ]
