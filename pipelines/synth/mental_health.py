"""Mental health: the trust's patient index (MHS001MPI), which carries no name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.synth.codes import ETHNICITIES
from pipelines.synth.defects import Roughener
from pipelines.synth.dice import Weighted
from pipelines.synth.health import NO_FIXED_ABODE_POSTCODE, UNKNOWN_ADDRESS_POSTCODE
from pipelines.synth.identities import Registry
from pipelines.synth.layouts import MHS001_MPI
from pipelines.synth.people import Person
from pipelines.synth.records import Record
from pipelines.synth.sightings import Eye, see_address, see_birth, see_nhs, see_postcode, see_sex

AGENCY = "mental_health"
ORGANISATION = "RNM"
VERIFIED = "01"
# Without a number: none and none wanted, a trace still to be made, a trace that found nobody.
WITHOUT_NUMBER = Weighted({"07": 0.5, "03": 0.3, "04": 0.2})
UNVERIFIED = Weighted({"02": 0.5, "03": 0.2, "04": 0.12, "05": 0.08, "06": 0.1})
OVERSEAS_POSTCODE = "ZZ99 6CZ"
GENDERS = {"M": ("1", "Male"), "F": ("2", "Female"), "U": ("X", "Not known")}
MARITAL = Weighted({"S": 0.55, "M": 0.2, "D": 0.1, "8": 0.15})
AT = {column: place for place, column in enumerate(MHS001_MPI.header)}
_OPTIONAL = tuple(AT[column] for column in ("OrgIDEduEstab", "EthnicCategory2021", "LanguageCodePreferred"))


def iso(day: date | None) -> str:
    """Return a date as YYYY-MM-DD, empty for none."""
    return day.isoformat() if day else ""


@dataclass(slots=True)
class MentalHealth:
    """Makes and renews the patient records of the mental health trust."""

    eye: Eye
    registry: Registry
    rough: Roughener

    def knows(self, person: Person) -> bool:
        """Return whether the trust has seen the person; the identity before an adoption is never asked for."""
        age = person.age(self.eye.reference)
        if person.is_sealed or age < 5:
            return False
        if age < 12:
            return self.eye.dice.chance(self.eye.rates["known_5_to_11"])
        return self.eye.dice.chance(self.eye.rates["known_12_to_24" if age < 25 else "known_25_up"])

    def meet(self, person: Person) -> Record:
        """Return a new record of the person under a new local patient id."""
        record = Record(AGENCY, f"M{self.registry.local(AGENCY):07d}", person, [])
        self.renew(record)
        return record

    def renew(self, record: Record) -> None:
        """Write the record afresh, as after a new trace."""
        person, dice = record.person, self.eye.dice
        number, status = self._number(person)
        gender, label = GENDERS[see_sex(person, self.eye)]
        ethnicity = self._ethnicity(person)
        row = [
            record.local_id, ORGANISATION, "", "", number, status, self._birth(person), self._postcode(person),
            gender, "Y" if dice.chance(0.6) else "", self.rough.labelled(gender, label), dice.draw(MARITAL),
            ethnicity, "", "en" if dice.chance(0.4) else "", iso(person.died),
        ]  # fmt: skip
        self.rough.null(row, _OPTIONAL)
        record.row = row

    def move(self, record: Record, when: date) -> None:
        """Write the postcode of the person's present address over the old one."""
        record.row[AT["Postcode"]] = self._postcode(record.person, is_fresh=True)

    def _number(self, person: Person) -> tuple[str, str]:
        """Return the NHS number and its status; a number that is wrong is seldom one that was verified."""
        dice, rates = self.eye.dice, self.eye.rates
        number = person.former_nhs if person.former_nhs and dice.chance(0.2) else see_nhs(person, self.eye)
        if not number:
            return "", self._written(dice.draw(WITHOUT_NUMBER))
        is_right = number.replace(" ", "") in (person.nhs, person.former_nhs)
        rate = rates["right_number_verified" if is_right else "wrong_number_verified"]
        return number, self._written(VERIFIED if dice.chance(rate) else dice.draw(UNVERIFIED))

    def _written(self, status: str) -> str:
        """Return the status as exported: now and then without its zero, or not at all."""
        roll, rates = self.eye.dice.random(), self.eye.rates
        if roll < rates["status_blank"]:
            return ""
        return status.lstrip("0") if roll < rates["status_blank"] + rates["status_zero_lost"] else status

    def _birth(self, person: Person) -> str:
        """Return the birth date; 1 January of a year where it is an estimate."""
        if person.is_uasc:
            return f"{person.born.year}-01-01"
        return self.rough.date_of_birth(iso(see_birth(person, self.eye)), "1985-13-01")

    def _ethnicity(self, person: Person) -> str:
        dice = self.eye.dice
        if dice.chance(self.eye.rates["ethnicity_missing"]):
            return dice.pick(("Z", "99", ""))
        code = ETHNICITIES[person.ethnicity][1]
        return f"{code}1" if dice.chance(0.1) else code

    def _postcode(self, person: Person, *, is_fresh: bool = False) -> str:
        dice, rates = self.eye.dice, self.eye.rates
        if person.is_restricted:
            return ""
        if person.is_nfa:
            return NO_FIXED_ABODE_POSTCODE
        if dice.chance(rates["postcode_unknown"]):
            return UNKNOWN_ADDRESS_POSTCODE if dice.chance(0.8) else OVERSEAS_POSTCODE
        return see_postcode(person.address if is_fresh else see_address(person, self.eye), self.eye)
