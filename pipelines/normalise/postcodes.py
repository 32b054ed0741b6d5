"""Postcodes: spacing, O/0 and I/1 by position, pseudo postcodes apart, and whether ONS lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from uk_postcodes_parsing.fix import fix_with_options
from uk_postcodes_parsing.ukpostcode import is_in_ons_postcode_directory

from pipelines.contracts.codes import load_code_map, load_terms
from pipelines.normalise.text import fold

# BS 7666, part 3: the shapes a postcode can have.
_STRICT = re.compile(
    r"GIR 0AA|[A-PR-UWYZ]([0-9]{1,2}|([A-HK-Y][0-9]|[A-HK-Y][0-9]([0-9]|[ABEHMNPRV-Y]))|[0-9][A-HJKS-UW])"
    r" [0-9][ABD-HJLNP-UW-Z]{2}"
)
_FORCES = re.compile(r"BFPO(\d{1,4})")
_PSEUDO_OUTWARD = "ZZ99"
_INWARD_LENGTH = 3


@dataclass(frozen=True)
class NormalisedPostcode:
    """A postcode with one space, its status and its outward part; no value when it is pseudo or invalid."""

    value: str | None
    status: str
    outward: str | None


def normalise_postcode(raw: str | None) -> NormalisedPostcode:
    """Return the postcode of a text; a pseudo postcode tells of a life and not of a place."""
    folded = fold(raw)
    text = "".join(character for character in folded if character.isalnum())
    if not text or folded in load_terms("missing_values"):
        return NormalisedPostcode(None, "MISSING", None)
    pseudo = _pseudo_status(folded, text)
    if pseudo:
        return NormalisedPostcode(None, pseudo, None)
    forces = _FORCES.fullmatch(text)
    if forces:
        return NormalisedPostcode(f"BFPO {forces.group(1)}", "VALID_FORMAT", "BFPO")
    return _geographic(text)


def _pseudo_status(folded: str, text: str) -> str | None:
    """Return the status of a pseudo postcode, or of words in place of one."""
    listed = load_code_map("pseudo_postcode", "gb")
    spaced = f"{text[:-_INWARD_LENGTH]} {text[-_INWARD_LENGTH:]}"
    if folded in listed or spaced in listed:
        return listed.get(folded) or listed[spaced]
    return "PSEUDO" if text.startswith(_PSEUDO_OUTWARD) else None


def _geographic(text: str) -> NormalisedPostcode:
    """Return the postcode as it stands, else the one way to put its letters and digits right, else invalid."""
    spaced = f"{text[:-_INWARD_LENGTH]} {text[-_INWARD_LENGTH:]}"
    readings = [spaced] if _STRICT.fullmatch(spaced) else _put_right(spaced)
    live = [reading for reading in readings if is_in_ons_postcode_directory(reading)]
    for status, found in (("LIVE", live), ("VALID_FORMAT", readings)):
        if len(found) == 1:
            return NormalisedPostcode(found[0], status, found[0].split(" ")[0])
    return NormalisedPostcode(None, "INVALID", None)


def _put_right(spaced: str) -> list[str]:
    """Return the well-formed readings of a postcode with O for 0, I for 1, or the other way round."""
    options = fix_with_options(spaced)
    if isinstance(options, str):  # the library's way to say that it cannot help
        return []
    return sorted({option for option in options if _STRICT.fullmatch(option)})
