"""What a linkage model may say: kinds of comparison, conditions of their levels, keys of blocking rules."""

from __future__ import annotations

from typing import Literal

Kind = Literal["name", "middle", "date", "code", "identifier", "address", "contact", "text"]
Condition = Literal[
    "equal", "swapped", "swapped_phonetic", "middle_used", "variant", "similar", "phonetic", "tokens", "initial",
    "day_month_swapped", "one_edit", "imprecise", "age_range", "same_month", "within_years",
    "equal_unverified", "differ_unverified", "conflict",
    "same_uprn", "same_dwelling", "former_dwelling", "uncertain_dwelling",
    "same_address", "same_lines", "similar_lines", "same_postcode", "same_outward",
    "same_local_part", "else",
]  # fmt: skip

CONDITIONS: dict[str, tuple[str, ...]] = {
    "name": (
        "equal", "swapped", "swapped_phonetic", "middle_used", "variant", "similar", "phonetic", "tokens",
        "initial", "else",
    ),
    "middle": ("equal", "tokens", "initial", "else"),
    "date": (
        "equal", "day_month_swapped", "one_edit", "imprecise", "age_range", "same_month", "within_years", "else",
    ),
    "code": ("equal", "else"),
    "identifier": ("equal", "one_edit", "equal_unverified", "differ_unverified", "conflict"),
    "address": (
        "same_uprn", "same_dwelling", "former_dwelling", "uncertain_dwelling",
        "same_address", "same_lines", "similar_lines", "same_postcode", "same_outward", "else",
    ),
    "contact": ("equal", "same_local_part", "similar", "one_edit", "else"),
    "text": ("equal", "tokens", "similar", "one_edit", "else"),
}  # fmt: skip

# What a level with this condition must say besides.
NEEDS_VALUE: dict[str, str] = {"similar": "at_least", "similar_lines": "at_least", "within_years": "years"}
# The condition of the last level: most comparisons end with everything else, identifiers with a conflict.
LAST_CONDITION: dict[str, str] = {"identifier": "conflict"}

# The conditions of two records that, with hardly an exception, have a place in common (`place`).
AT_ONE_PLACE: tuple[Condition, ...] = (
    "same_uprn", "same_dwelling", "former_dwelling", "uncertain_dwelling", "same_address",
)  # fmt: skip

# The fields of each kind; a field that ends in a dot takes any further name, as in `extra.zipcode`.
FIELDS: dict[str, tuple[str, ...]] = {
    "name": ("family", "given"),
    "middle": ("middle",),
    "date": ("birth",),
    "code": ("sex",),
    "identifier": ("identifier", "identifier.", "nhs_number"),
    "address": ("address",),
    "contact": ("contact",),
    "text": ("extra.",),
}

# The keys of blocking rules, and which field of a comparison each fixes: training on a rule leaves these out.
KEY_FIELDS: dict[str, tuple[str, ...]] = {
    "nhs_number": ("nhs_number",),
    "identifier": ("identifier",),
    "date_of_birth": ("birth",),
    "birth_either_order": ("birth",),
    "birth_year": ("birth",),
    "birth_month": ("birth",),
    "given": ("given",),
    "given_phonetic": ("given",),
    "given_initial": ("given",),
    "family": ("family",),
    "family_phonetic": ("family",),
    "family_initial": ("family",),
    "sorted_names": ("given", "family"),
    "postcode": ("address",),
    "outward": ("address",),
    "place": ("address",),
    "lines": ("address",),
    "contact": ("contact",),
    "sex": ("sex",),
}
OPEN_PREFIXES = ("identifier.", "extra.")


def is_open(name: str) -> bool:
    """Return whether a field or key is one of a file's own: `identifier.ssn`, `extra.zipcode`."""
    return any(name.startswith(prefix) and name != prefix for prefix in OPEN_PREFIXES)


def is_key(name: str) -> bool:
    """Return whether a blocking rule may use this key."""
    return name in KEY_FIELDS or is_open(name)


def fields_of_key(key: str) -> tuple[str, ...]:
    """Return the fields that a key fixes; raises KeyError for what is no key."""
    return (key,) if is_open(key) else KEY_FIELDS[key]


def is_field(kind: str, field: str) -> bool:
    """Return whether a comparison of this kind may have this field."""
    return field in FIELDS[kind] or any(
        allowed.endswith(".") and field.startswith(allowed) and len(field) > len(allowed)
        for allowed in FIELDS[kind]
    )
