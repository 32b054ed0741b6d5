"""What the columns of a Splink model are called here: by their usual names, else a field of the file's own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.contracts.conditions import KEY_FIELDS, Kind

USUAL_NAMES: dict[tuple[Kind, str], tuple[str, ...]] = {
    ("name", "given"): ("given", "given_name", "first_name", "firstname", "forename"),
    ("name", "family"): ("family", "family_name", "surname", "last_name", "lastname"),
    ("middle", "middle"): ("middle", "middle_name", "middle_names"),
    ("date", "birth"): ("birth", "date_of_birth", "dob", "birth_date", "dateofbirth"),
    ("code", "sex"): ("sex", "gender"),
    ("address", "address"): ("postcode", "post_code"),
    ("contact", "contact"): ("contact", "email", "email_address", "phone", "telephone", "mobile"),
    ("identifier", "nhs_number"): ("nhs_number", "nhs_no"),
}
# The blocking key for each part of a field's value.
KEYS: dict[str, dict[str, str]] = {
    "given": {"value": "given", "initial": "given_initial"},
    "family": {"value": "family", "initial": "family_initial"},
    "birth": {"value": "date_of_birth", "year": "birth_year", "month": "birth_month"},
    "sex": {"value": "sex"},
    "address": {"value": "postcode", "outward": "outward"},
    "contact": {"value": "contact"},
    "nhs_number": {"value": "nhs_number"},
}


@dataclass(frozen=True)
class Meaning:
    """What a column is here: a kind of comparison and its field."""

    kind: Kind
    field: str


def plain_name(text: str) -> str:
    """Return a name that a model may use: small letters, digits and underscores, a letter first."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if name[:1].isalpha() else f"c_{name}"


def meanings(columns: list[str], taken: set[str]) -> dict[str, Meaning]:
    """Return what each compared column is; of several columns for one field only the first has the field.

    The others, and those whose field is in `taken`, are fields of the file's own (`extra.<column>`): one field must
    not be counted twice.
    """
    found: dict[str, Meaning] = {}
    for column in columns:
        meaning = usual_meaning(column)
        if meaning.field in {*taken, *(each.field for each in found.values())}:
            meaning = own_field(column)
        found[column] = meaning
    return found


def usual_meaning(column: str) -> Meaning:
    """Return what a column of this name is."""
    known = {name: Meaning(*pair) for pair, names in USUAL_NAMES.items() for name in names}
    return known.get(column, own_field(column))


def own_field(column: str) -> Meaning:
    """Return a field of the file's own for a column."""
    return Meaning("text", f"extra.{plain_name(column.removeprefix('extra_'))}")


def key_of(column: str, part: str, known: dict[str, Meaning]) -> str | None:
    """Return the blocking key for a part of a column; None when there is none."""
    if column in KEY_FIELDS and part == "value":
        return column
    meaning = known.get(column) or usual_meaning(column)
    field = meaning.field
    if field.startswith("extra."):
        return field if part == "value" else None
    return KEYS.get(field, {}).get(part)
