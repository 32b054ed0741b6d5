"""Police: nominals, one row per name, several nominals per person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pipelines.synth.errors as errors
from pipelines.synth.codes import ETHNICITIES, GUESSES, POLICE_SELF_DEFINED
from pipelines.synth.defects import Roughener
from pipelines.synth.identities import Registry, driver_number
from pipelines.synth.layouts import NOMINAL
from pipelines.synth.names import load_variants
from pipelines.synth.people import Person
from pipelines.synth.places import COUNTY, Address
from pipelines.synth.records import Record, Row
from pipelines.synth.sightings import (
    Eye,
    SeenName,
    false_name,
    see_address,
    see_birth,
    see_name,
    see_postcode,
    see_sex,
    see_street,
)

AGENCY = "police"
ENCODING = NOMINAL.encoding
NO_FIXED_ABODE_POSTCODES = ("NF1 1NF", "NF1 1NF", "NF1 1FA")
TITLES = {"M": ("MR", "Mr", ""), "F": ("MRS", "MISS", "MS", "Miss", ""), "U": ("",)}
PREFIXES = ("MIG_ERROR_", "NO_SHOW_", "DUPLICATE_")
WARNINGS = ("VI", "WE", "DR", "MN", "ES")
AT = {column: place for place, column in enumerate(NOMINAL.header)}
_NAMES = (AT["Surname"], AT["Forename1"])
_OPTIONAL = (AT["Title"], AT["UPRN"], AT["Email"], AT["Forename3"])
_ADDRESS = slice(AT["AddressType"], AT["UPRN"] + 1)


def slashed(day: date | None) -> str:
    """Return a date as DD/MM/YYYY, empty for none."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}" if day else ""


@dataclass(slots=True)
class Police:
    """Makes and renews the nominals of the force."""

    eye: Eye
    registry: Registry
    rough: Roughener

    def meet(self, person: Person) -> Record:
        """Return a new nominal of the person, with alias rows where some are known."""
        record = Record(AGENCY, f"N{self.registry.local(AGENCY):08d}", person, [])
        self.renew(record)
        return record

    def renew(self, record: Record) -> None:
        """Write the nominal afresh."""
        eye, person = self.eye, record.person
        name = false_name(eye, person) if eye.dice.chance(eye.rates["false_name"]) else self._name(person)
        record.row = self._row(record, name)
        record.further["alias"] = self._alias_rows(record)

    def move(self, record: Record, when: date) -> None:
        """Write the person's present address over the old one."""
        record.row[_ADDRESS] = self._address_cells(record.person.address)
        record.row[AT["Updated"]] = slashed(when)

    def _name(self, person: Person) -> SeenName:
        dice, rates = self.eye.dice, self.eye.rates
        name = see_name(person, self.eye)
        if name.middle and dice.chance(rates["middle_initial"]):
            name.middle = name.middle[0]
        if person.is_unnamed:
            name.given, name.middle = "BABY", ""
        if dice.chance(rates["placeholder_prefix"]):
            name.family = dice.pick(PREFIXES) + name.family
        return name

    def _row(self, record: Record, name: SeenName) -> Row:
        person, eye = record.person, self.eye
        dice, sex = eye.dice, see_sex(record.person, self.eye)
        forenames = [*name.middle.split(" ", 1), "", ""] if name.middle else ["", "", ""]
        created = eye.reference - timedelta(days=dice.between(5, 4000))
        if created < person.born:
            created = person.born
        row = [
            record.local_id, "PRIMARY", dice.pick(TITLES[sex]), name.family, name.given, forenames[0], forenames[1],
            *self._birth_cells(person), "N" if sex == "U" else sex, *self._ethnicity_cells(person),
            *self._number_cells(person), *self._contact_cells(person),
            *self._address_cells(see_address(person, eye)),
            dice.pick(WARNINGS) if dice.chance(0.06) else "", slashed(created), slashed(created),
        ]  # fmt: skip
        self.rough.text(row, _NAMES)
        self.rough.null(row, _OPTIONAL)
        return [errors.encodable(cell, ENCODING) for cell in row]

    def _birth_cells(self, person: Person) -> Row:
        """Return birth date and age range: one of the two, or neither."""
        eye = self.eye
        if person.is_uasc:
            return [f"01/01/{person.born.year}", "", ""]
        born = see_birth(person, eye)
        if born is None:
            if not eye.dice.chance(eye.rates["age_range_given"]):
                return ["", "", ""]
            low = max(0, person.age(eye.reference) - eye.dice.between(0, 5))
            return ["", str(low), str(low + 5)]
        return [self.rough.date_of_birth(slashed(born), "31/02/1988"), "", ""]

    def _ethnicity_cells(self, person: Person) -> Row:
        """Return what the officer saw and what the person said."""
        dice, rates = self.eye.dice, self.eye.rates
        group = dice.draw(GUESSES) if dice.chance(rates["ethnicity_wrong"]) else person.ethnicity
        appearance = ETHNICITIES[group][3]
        if dice.chance(rates["ethnicity_missing"]):
            return [appearance, ""]
        own = person.ethnicity
        return [appearance, POLICE_SELF_DEFINED.get(own, own)]

    def _number_cells(self, person: Person) -> Row:
        """Return PNC id, CRO number, driver number and national insurance number."""
        dice, rates = self.eye.dice, self.eye.rates
        pnc = person.pnc if person.pnc and dice.chance(rates["pnc_known"]) else ""
        if pnc and dice.chance(rates["pnc_short_form"]):
            pnc = f"{pnc[2:4]}/{pnc[5:12].lstrip('0')}{pnc[12]}"
        cro = person.cro if person.cro and dice.chance(rates["cro_known"]) else ""
        if dice.chance(rates["cro_placeholder"]):
            cro = "000000/00Z"
        driver = ""
        if person.age(self.eye.reference) >= 17 and dice.chance(rates["driver_known"]):
            driver = driver_number(
                errors.fold(person.family), errors.fold(person.given), person.born, person.sex
            )
        return [pnc, cro, driver, person.nino if person.nino and dice.chance(rates["nino_known"]) else ""]

    def _contact_cells(self, person: Person) -> Row:
        dice, rates = self.eye.dice, self.eye.rates
        number = person.mobile or person.landline
        return [
            number if number and dice.chance(rates["mobile_known"]) else "",
            person.email if person.email and dice.chance(rates["email_known"]) else "",
        ]

    def _address_cells(self, address: Address) -> Row:
        """Return address type, lines 1 to 5, postcode and UPRN."""
        eye = self.eye
        dice = eye.dice
        if address.is_nfa:
            return ["NFA", "NO FIXED ABODE", "", "", "", "", dice.pick(NO_FIXED_ABODE_POSTCODES), ""]
        if dice.chance(eye.rates["address_missing"]):
            return [""] * 8
        premises = " ".join(part for part in (address.flat, address.building) if part)
        street = self.rough.newline(see_street(address, eye))
        lines = [premises, street] if premises else [street, ""]
        uprn = "" if dice.chance(eye.rates["uprn_missing"]) else address.uprn
        return ["HOME", *lines, "", address.town, COUNTY, see_postcode(address, eye), uprn]

    def _alias_rows(self, record: Record) -> list[Row]:
        """Return one row per alias: nickname, former name or a name made up."""
        eye, person = self.eye, record.person
        dice, rates = eye.dice, eye.rates
        if person.age(eye.reference) < 10 or not dice.chance(rates["alias_row"]):
            return []
        if dice.chance(rates["alias_is_false_name"]):
            name = false_name(eye, person)
        else:
            family = person.former_family or person.other_family or person.family
            given = errors.nickname(person.given, load_variants(), dice)
            if given == person.given and family == person.family:
                given = errors.respell(given, dice)
            name = SeenName(given.upper(), "", family.upper())
        row = [""] * len(NOMINAL.header)
        row[AT["NominalRef"]], row[AT["NameType"]] = record.local_id, "ALIAS"
        row[AT["Surname"]], row[AT["Forename1"]] = name.family, name.given
        if dice.chance(0.15):
            row[AT["DateOfBirth"]] = slashed(errors.false_date(person.born, dice))
        row[AT["Created"]] = row[AT["Updated"]] = record.row[AT["Created"]]
        return [[errors.encodable(cell, ENCODING) for cell in row]]
