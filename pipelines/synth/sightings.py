"""What one agency writes down when it meets a person: the truth passed through that agency's error profile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pipelines.synth.errors as errors
from pipelines.synth.dice import Dice
from pipelines.synth.names import load_traditions, load_variants
from pipelines.synth.people import Person
from pipelines.synth.places import SHORT_KINDS, Address, Region
from pipelines.synth.profiles import Profile

# The rates are shares of all records, but only 132 of 365 dates become another date when swapped.
DATES_PER_SWAPPABLE = 365 / 132


@dataclass(slots=True)
class Eye:
    """An agency's way of seeing: its profile, and the chunk's dice."""

    dice: Dice
    rates: Profile
    region: Region
    reference: date


@dataclass(slots=True)
class SeenName:
    """A name as it was written down."""

    given: str
    middle: str
    family: str


def see_name(person: Person, eye: Eye) -> SeenName:
    """Return the person's name as this agency recorded it."""
    dice, rates = eye.dice, eye.rates
    name = SeenName(_see_given(person.given, eye), person.middle, _see_family(person, eye))
    if dice.chance(rates["middle_missing"]):
        name.middle = ""
    if person.suffix and dice.chance(0.5):
        name.family = f"{name.family} {person.suffix}"
    if dice.chance(rates["names_swapped"]):
        name.given, name.family = name.family, name.given
    _write(name, eye)
    return name


def _see_given(given: str, eye: Eye) -> str:
    """Return a given name after nickname, other spelling and slip."""
    dice, rates, variants = eye.dice, eye.rates, load_variants()
    if dice.chance(rates["given_nickname"]):
        given = errors.nickname(given, variants, dice)
    if given in variants.spellings and dice.chance(rates["given_spelling"]):
        given = errors.other_spelling(given, variants, dice)
    elif dice.chance(rates["phonetic_respelling"]):
        given = errors.respell(given, dice)
    if dice.chance(rates["given_typo"]):
        given = errors.typo(given, dice)
    return given


def _see_family(person: Person, eye: Eye) -> str:
    """Return a family name: present, former or another relative's, then spelling and slip."""
    dice, rates, variants = eye.dice, eye.rates, load_variants()
    family = person.family
    if person.former_family and dice.chance(rates["former_family_kept"]):
        family = person.former_family
    elif person.role == "child" and person.other_family and dice.chance(rates["other_parent_family"]):
        family = person.other_family
    if family in variants.spellings and dice.chance(rates["family_spelling"]):
        family = errors.other_spelling(family, variants, dice)
    elif dice.chance(rates["phonetic_respelling"]):
        family = errors.respell(family, dice)
    if "-" in family and dice.chance(rates["hyphen_dropped"]):
        family = errors.drop_hyphen(family, dice)
    if dice.chance(rates["family_typo"]):
        family = errors.typo(family, dice)
    return family


def _write(name: SeenName, eye: Eye) -> None:
    """Apply the habits of the system itself: letters, capitals, field lengths."""
    dice, rates = eye.dice, eye.rates
    if dice.chance(rates["diacritics_folded"]):
        name.given, name.middle, name.family = map(errors.fold, (name.given, name.middle, name.family))
    if dice.chance(rates["upper_case"]):
        name.given, name.middle, name.family = name.given.upper(), name.middle.upper(), name.family.upper()
    limit = errors.NAME_LIMIT
    name.given, name.middle, name.family = name.given[:limit], name.middle[:limit], name.family[:limit]


def false_name(eye: Eye, person: Person) -> SeenName:
    """Return a name the person made up: often a common one, sometimes with the own first name kept."""
    dice = eye.dice
    tradition = dice.draw(load_traditions()) if dice.chance(0.3) else person.tradition
    given = person.given if dice.chance(0.4) else tradition.given(dice, person.sex, person.born.year)
    name = SeenName(given, "", tradition.family_for(dice.draw(tradition.family), person.sex))
    _write(name, eye)
    return name


def see_birth(person: Person, eye: Eye) -> date | None:
    """Return the birth date this agency recorded, None where it has none."""
    dice, rates = eye.dice, eye.rates
    roll = dice.random()
    edge = rates["dob_missing"]
    if roll < edge:
        return None
    edge += rates["dob_default"]
    if roll < edge:
        return dice.pick(errors.DEFAULT_DATES)
    edge += rates["dob_day_month_swapped"] * DATES_PER_SWAPPABLE
    if roll < edge:
        return errors.swap_day_and_month(person.born)
    edge += rates["dob_typo"]
    if roll < edge:
        return errors.mistype_date(person.born, dice)
    edge += rates["dob_false"]
    if roll < edge:
        return errors.false_date(person.born, dice)
    return person.born


def see_sex(person: Person, eye: Eye) -> str:
    """Return M, F, or U for unknown."""
    roll = eye.dice.random()
    if roll < eye.rates["sex_missing"]:
        return "U"
    if roll < eye.rates["sex_missing"] + eye.rates["sex_wrong"]:
        return "F" if person.sex == "M" else "M"
    return person.sex


def see_address(person: Person, eye: Eye) -> Address:
    """Return the address on this record: the present one, or an earlier one of the person."""
    dice = eye.dice
    if not person.is_nfa and len(person.addresses) > 1 and dice.chance(eye.rates["postcode_not_current"]):
        # The latest former address is the likeliest: half of the stale records carry it.
        place = 1 if dice.chance(0.5) else dice.between(1, len(person.addresses) - 1)
        return person.addresses[place]
    return person.addresses[0]


def see_street(address: Address, eye: Eye) -> str:
    """Return the number and street as written, abbreviated or misspelt."""
    kind, street = address.kind, address.street
    if eye.dice.chance(eye.rates["street_abbreviated"]):
        kind = SHORT_KINDS.get(kind, kind)  # no fixed abode lies in no street
    if eye.dice.chance(eye.rates["street_typo"]):
        street = errors.typo(street, eye.dice)
    return f"{address.number} {street} {kind}".strip()


def see_postcode(address: Address, eye: Eye) -> str:
    """Return the postcode as written, empty where it is missing."""
    if eye.dice.chance(eye.rates["postcode_missing"]):
        return ""
    if eye.dice.chance(eye.rates["postcode_typo"]):
        return errors.mistype_postcode(address.postcode, eye.dice)
    return address.postcode


def see_nhs(person: Person, eye: Eye) -> str:
    """Return the NHS number on this record: right, wrong, a placeholder, or empty."""
    dice, rates = eye.dice, eye.rates
    if not person.nhs or dice.chance(rates["nhs_missing"]):
        return ""
    number, roll = person.nhs, dice.random()
    if roll < rates["nhs_placeholder"]:
        return dice.pick(("9999999999", "9999999999", "0000000000", "1234567890"))
    if roll < rates["nhs_placeholder"] + rates["nhs_wrong"]:
        relative = person.mother.nhs if person.mother else ""
        number = relative if relative and dice.chance(0.4) else errors.mistype_digit(number, dice)
    if dice.chance(rates["nhs_spaced"]):
        number = f"{number[:3]} {number[3:6]} {number[6:]}"
    return number
