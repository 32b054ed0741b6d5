"""Health: the trust's patient demographics in the PDS-MESH trace layout, and the list of protected patients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.synth.defects import Roughener
from pipelines.synth.identities import Registry
from pipelines.synth.layouts import DEMOGRAPHICS
from pipelines.synth.people import Person
from pipelines.synth.places import COUNTY, Address
from pipelines.synth.records import Record, Row
from pipelines.synth.sightings import (
    Eye,
    SeenName,
    see_address,
    see_birth,
    see_name,
    see_nhs,
    see_postcode,
    see_sex,
    see_street,
)

AGENCY = "health"
GENDERS = {"M": "1", "F": "2", "U": "0"}
PRACTICES = tuple(f"B8{number:04d}" for number in range(3001, 3081))
NO_FIXED_ABODE_POSTCODE = "ZZ99 3VZ"
UNKNOWN_ADDRESS_POSTCODE = "ZZ99 3WZ"
WELSH_DEFAULT = "18111111"
AT = {column: place for place, column in enumerate(DEMOGRAPHICS.header)}
_NAMES = (AT["FAMILY_NAME"], AT["GIVEN_NAME"])
_OPTIONAL = (AT["NHAIS_POSTING_ID"], AT["EMAIL_ADDRESS"], AT["ADDRESS_LINE2"], AT["MOBILE_NUMBER"])
_ADDRESS = slice(AT["ADDRESS_LINE1"], AT["POSTCODE"] + 1)


def compact(day: date | None) -> str:
    """Return a date as YYYYMMDD, empty for none."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}" if day else ""


@dataclass(slots=True)
class Health:
    """Makes and renews the patient records of the trust."""

    eye: Eye
    registry: Registry
    rough: Roughener

    def meet(self, person: Person) -> Record:
        """Return a new record of the person under a new local patient id."""
        record = Record(AGENCY, f"P{self.registry.local(AGENCY):08d}", person, [])
        self.renew(record)
        if person.is_restricted or person.is_sealed:
            code = "S" if person.is_sealed else "R"
            record.further["protected"] = [
                [record.local_id, code, compact(self.eye.reference - timedelta(days=90))]
            ]
        elif self.eye.dice.chance(0.001):
            record.further["protected"] = [[record.local_id, "U", compact(self.eye.reference)]]
        return record

    def renew(self, record: Record) -> None:
        """Write the record afresh, as after a new trace."""
        person, eye = record.person, self.eye
        dice = eye.dice
        name = self._name(person)
        nhs = person.former_nhs if person.former_nhs and dice.chance(0.35) else see_nhs(person, eye)
        row = [
            str(self.registry.local("row")), nhs, name.family, name.given, name.middle,
            GENDERS[see_sex(person, eye)], self._birth(person), compact(person.died),
            *self._address_cells(person, see_address(person, eye)),
            self._practice(person), "", "", record.local_id, str(self.registry.local("row")),
            self._unless("phone_missing", person.landline), self._unless("mobile_missing", person.mobile),
            self._unless("email_missing", person.email),
        ]  # fmt: skip
        if person.is_restricted:
            for column in ("TELEPHONE_NUMBER", "MOBILE_NUMBER", "EMAIL_ADDRESS", "GP_PRACTICE_CODE"):
                row[AT[column]] = ""
        self.rough.text(row, _NAMES)
        self.rough.null(row, _OPTIONAL)
        record.row = row

    def move(self, record: Record, when: date) -> None:
        """Write the person's present address over the old one."""
        record.row[_ADDRESS] = self._address_cells(record.person, record.person.address)
        if record.row[AT["ADDRESS_DATE"]]:
            record.row[AT["ADDRESS_DATE"]] = compact(when)

    def _practice(self, person: Person) -> str:
        """Return the practice: one per neighbourhood, as families register together."""
        if self.eye.dice.chance(0.15):
            return self.eye.dice.pick(PRACTICES)
        return PRACTICES[sum(map(ord, person.address.postcode)) % len(PRACTICES)]

    def _unless(self, rate: str, value: str) -> str:
        return "" if not value or self.eye.dice.chance(self.eye.rates[rate]) else value

    def _name(self, person: Person) -> SeenName:
        dice, rates = self.eye.dice, self.eye.rates
        name = see_name(person, self.eye)
        if person.is_unnamed:
            name.given, name.middle = self._placeholder(person), ""
            if person.mother:
                name.family = person.mother.family.upper() if name.family.isupper() else person.mother.family
        elif person.middle and not name.middle and dice.chance(rates["middle_in_given"]):
            middle = person.middle.upper() if name.given.isupper() else person.middle
            name.given = f"{name.given} {middle}"[:35]
        return name

    def _placeholder(self, person: Person) -> str:
        mother = (person.mother.given if person.mother else "").upper()
        if person.birth_order:
            return f"TWIN {person.birth_order} OF {mother}"
        return self.eye.dice.pick(
            ("BABY", "BABY GIRL" if person.sex == "F" else "BABY BOY", f"BABY OF {mother}")
        )

    def _birth(self, person: Person) -> str:
        """Return the birth date; 1 January of a year where it is an estimate."""
        if person.is_uasc:
            return f"{person.born.year - (1 if self.eye.dice.chance(0.2) else 0)}0101"
        born = see_birth(person, self.eye)
        if born == date(1970, 1, 1) and born != person.born:
            return WELSH_DEFAULT
        return self.rough.date_of_birth(compact(born), "19851301")

    def _address_cells(self, person: Person, address: Address) -> Row:
        """Return address lines 1 to 5, address date and postcode."""
        eye = self.eye
        if person.is_restricted:
            return [""] * 7
        if address.is_nfa:
            return [eye.dice.pick(("NO FIXED ABODE", "NFA", "")), "", "", "", "", "", NO_FIXED_ABODE_POSTCODE]
        if eye.dice.chance(eye.rates["postcode_unknown"]):
            return ["ADDRESS NOT KNOWN", "", "", "", "", "", UNKNOWN_ADDRESS_POSTCODE]
        street = see_street(address, eye)
        premises = " ".join(part for part in (address.flat, address.building) if part)
        lines = [premises, street] if premises else [street, ""]
        lines = [self.rough.newline(lines[0]), lines[1], "", address.town, COUNTY]
        if eye.dice.chance(0.7):
            lines = [line.upper() for line in lines]
        since = max(eye.reference - timedelta(days=eye.dice.between(30, 4000)), person.born)
        return [*lines, compact(since), see_postcode(address, eye)]
