"""Children's services: the person, address and identifier tables of the Standard Safeguarding Dataset."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.synth.codes import ETHNICITIES, GUESSES
from pipelines.synth.defects import Roughener
from pipelines.synth.identities import Registry
from pipelines.synth.layouts import SSD_PERSON
from pipelines.synth.people import Person
from pipelines.synth.places import Address
from pipelines.synth.records import Record, Row
from pipelines.synth.sightings import (
    Eye,
    see_address,
    see_birth,
    see_name,
    see_nhs,
    see_postcode,
    see_sex,
    see_street,
)

AGENCY = "childrens_services"
NATIONALITIES = {
    "polish": "PL",
    "east_european": "RO",
    "iberian": "PT",
    "turkish": "TR",
    "irish": "IE",
    "british": "GB",
}
_AT = {column: place for place, column in enumerate(SSD_PERSON.header)}
_NAMES = (_AT["pers_forename"], _AT["pers_surname"])
_OPTIONAL = (
    _AT["pers_legacy_id"],
    _AT["pers_send_flag"],
    _AT["pers_nationality"],
    _AT["pers_common_child_id"],
)


def stamp(day: date | None) -> str:
    """Return a date as children's services exports it, empty for none."""
    return f"{day.isoformat()} 00:00:00" if day else ""


PRESENT_STAY_DAYS = 300


@dataclass(slots=True)
class ChildrensServices:
    """Makes and renews the records of children's services."""

    eye: Eye
    registry: Registry
    rough: Roughener

    def meet(self, person: Person) -> Record:
        """Return a new record of the person under a new id."""
        local_id = str(1_000_000 + self.registry.local(AGENCY))
        record = Record(AGENCY, local_id, person, [])
        self.renew(record)
        addresses = record.further["ssd_address"] = []
        seen = see_address(person, self.eye)
        if seen is not person.addresses[0] and not seen.is_nfa and self.eye.dice.chance(0.5):
            addresses.append(self._address_row(record, person.addresses[0], PRESENT_STAY_DAYS))
        if seen.is_nfa:
            return record
        # A former stay began before the present one did.
        shortest = PRESENT_STAY_DAYS if addresses else 100
        addresses.insert(0, self._address_row(record, seen, self.eye.dice.between(shortest, 2500)))
        if len(addresses) > 1:
            addresses[0][4] = addresses[1][3]
        return record

    def renew(self, record: Record) -> None:
        """Write the record's person row and identifiers afresh, as after a correction."""
        record.row = self._person_row(record)
        record.further["ssd_linked_identifiers"] = self._identifier_rows(record)

    def move(self, record: Record, when: date) -> None:
        """Close the record's last address and open the person's present one."""
        rows = record.further["ssd_address"]
        if rows:
            rows[-1] = list(rows[-1])
            rows[-1][4] = stamp(when)
        if not record.person.is_nfa:
            rows.append(self._address_row(record, record.person.address, 0))

    def _person_row(self, record: Record) -> Row:
        person, eye = record.person, self.eye
        dice, rates = eye.dice, eye.rates
        name = see_name(person, eye)
        given = " ".join(part for part in (name.given, name.middle) if part)
        if person.is_unnamed:
            given = self._placeholder(person)
        sex = "U" if person.is_unborn else see_sex(person, eye)
        nhs = see_nhs(person, eye)
        if nhs and dice.chance(rates["nhs_linked_only"]):
            nhs = ""
        upn = self._upn(person)
        row = [
            str(dice.between(10_000, 99_999)) if dice.chance(0.3) else "", record.local_id, upn, given, name.family,
            sex, {"M": "01", "F": "02", "U": "00"}[sex], self._ethnicity(person), self._birth(person), nhs,
            person.upn_unknown if not upn else "", "Y" if dice.chance(0.15) else "N",
            stamp(person.expected) if person.is_unborn else "", stamp(person.died),
            "Y" if person.role == "mother" else "N", self._nationality(person),
        ]  # fmt: skip
        if dice.chance(self.rough.rates["duplicate_in_name"]):
            row[_AT["pers_surname"]] += " DUPLICATE"
        self.rough.text(row, _NAMES)
        self.rough.null(row, _OPTIONAL)
        return row

    def _placeholder(self, person: Person) -> str:
        """Return what stands for the first name of a child that has none yet."""
        if person.is_unborn:
            return self.eye.dice.pick(("Unborn", "Unborn Baby", "UNBORN", "Baby"))
        mother = person.mother.given if person.mother else "Mother"
        if person.birth_order:
            return f"Twin {person.birth_order} of {mother}"
        return self.eye.dice.pick(
            ("Baby", f"Baby of {mother}", "Baby Girl" if person.sex == "F" else "Baby Boy")
        )

    def _birth(self, person: Person) -> str:
        """Return the birth date: none before birth, the 15th of a month for an estimated one."""
        eye = self.eye
        if person.is_unborn:
            return ""
        if person.is_uasc:
            estimate = person.born + timedelta(days=eye.dice.between(-200, 200))
            return stamp(estimate.replace(day=15))
        if person.role != "child" and eye.dice.chance(eye.rates["adult_dob_missing"]):
            return ""
        return self.rough.date_of_birth(stamp(see_birth(person, eye)), "2015-02-30 00:00:00")

    def _upn(self, person: Person) -> str:
        dice, rates = self.eye.dice, self.eye.rates
        if not person.upn or dice.chance(rates["upn_missing"]):
            return ""
        roll = dice.random()
        if roll < rates["upn_wrong_check"]:
            return ("A" if person.upn[0] != "A" else "B") + person.upn[1:]
        if roll < rates["upn_wrong_check"] + rates["upn_temporary"]:
            return self.registry.upn(person.born.year + 4, is_temporary=True)
        if roll < rates["upn_wrong_check"] + rates["upn_temporary"] + rates["upn_shared"] and person.mother:
            return person.upn[:-1] + str((int(person.upn[-1]) + 1) % 10)
        return person.upn

    def _ethnicity(self, person: Person) -> str:
        dice, rates = self.eye.dice, self.eye.rates
        if person.is_unborn or dice.chance(rates["ethnicity_missing"]):
            return "NOBT"
        group = dice.draw(GUESSES) if dice.chance(rates["ethnicity_wrong"]) else person.ethnicity
        code, _, label, _ = ETHNICITIES[group]
        if code == "CHNE" and dice.chance(self.rough.rates["ethnicity_typo_cnhe"]):
            code = "CNHE"
        return self.rough.labelled(code, label)

    def _nationality(self, person: Person) -> str:
        if person.is_uasc:
            return self.eye.dice.pick(("AF", "SD", "ER", "IR", "VN"))
        if self.eye.dice.chance(0.6):
            return ""
        return NATIONALITIES.get(person.tradition.name, "GB")

    def _identifier_rows(self, record: Record) -> list[Row]:
        person, eye = record.person, self.eye
        dice, rates = eye.dice, eye.rates
        held: list[tuple[str, str]] = []
        if (
            not record.row[_AT["pers_common_child_id"]]
            and person.nhs
            and dice.chance(rates["nhs_linked_only"])
        ):
            number = see_nhs(person, eye)
            held += [("NHS Number", number)] if number else []
        if person.upn and dice.chance(rates["former_upn_held"]):
            person.former_upn = person.former_upn or self.registry.upn(person.born.year + 4)
            held.append(("Former Unique Pupil Number", person.former_upn))
        if person.home_office:
            held.append(("Home Office Registration", person.home_office))
        if person.nino and dice.chance(0.05):
            held.append(("National Insurance Number", person.nino))
        if dice.chance(0.05):
            held.append(("Case Number", f"CN{dice.between(100_000, 999_999)}"))
        return [
            [str(self.registry.local("row")), record.local_id, kind, value, stamp(eye.reference), ""]
            for kind, value in held
        ]

    def _address_row(self, record: Record, address: Address, days_ago: int) -> Row:
        eye = self.eye
        postcode = see_postcode(address, eye).replace(" ", "")
        started = max(eye.reference - timedelta(days=days_ago), record.person.born)
        street = self.rough.newline(see_street(address, eye).removeprefix(address.number).strip())
        parts = {
            "ROOM": address.flat if address.flat.startswith("Room") else "", "FLOOR": "",
            "FLAT": address.flat if address.flat.startswith("Flat") else "", "BUILDING": address.building,
            "HOUSE": address.number, "STREET": street, "TOWN": address.town,
            "UPRN": address.uprn if eye.dice.chance(0.7) else None,
            "EASTING": str(address.easting), "NORTHING": str(address.northing),
        }  # fmt: skip
        kind = "PLACEMENT" if record.person.is_uasc else "HOME"
        text = json.dumps(parts, ensure_ascii=False)
        return [
            str(self.registry.local("row")), record.local_id, kind, stamp(started), "", postcode, text,
        ]  # fmt: skip
