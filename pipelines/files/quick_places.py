"""Postcodes and address lines by the rules of `normalise`, with the short way of `quick_values`."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.codes import load_code_map, load_terms
from pipelines.files.quick_values import KEPT_AS_TEXT, Outcome, Text
from pipelines.normalise.addresses import normalise_address
from pipelines.normalise.postcodes import normalise_postcode
from pipelines.normalise.text import compact

NOT_BRITISH = f"POSTCODE_NOT_UK_{KEPT_AS_TEXT}"
# BS 7666 without its space; the last three characters are the inward part.
_COMPACT = (
    r"^[A-PR-UWY](?:[0-9]{1,2}|[A-HK-Y][0-9]|[A-HK-Y][0-9][0-9ABEHMNPRV-Y]|[0-9][A-HJKS-UW])"
    r"[0-9][ABD-HJLNP-UW-Z]{2}$"
)
_ZIP_PLUS_FOUR = re.compile(r"(\d{5})-\d{4}")
_FEWEST_CHARACTERS = 3
_NULL = pa.scalar(None, pa.string())
# Words that a rule about addresses looks for begin in these ways; the full rules see what merely looks similar too.
# Of several numbers, or a number and a lone letter, the grammar says which is the building's.
_NEEDS_RULES = (
    r"[^ -~]|[-'`/]|\b(?:NFA|OF NO|NO FIXED|ROUGH|SOFA|STREET HOMELESS|CARE OF)\b"
    r"|\b[0-9]+[A-Z]?\b.*\b[0-9]+[A-Z]?\b|[0-9][^A-Z0-9]+[A-H](?:[^A-Z0-9]|$)"
)


def postcodes(raw: Text) -> Outcome:
    """Return postcodes and their outward parts.

    What is no British postcode is kept as it stands, without an outward part: equal codes of another country are
    evidence as well. Words in place of a postcode, pseudo postcodes and no fixed abode are no place.
    """
    text = pc.ascii_upper(pc.replace_substring_regex(raw, r"[^A-Za-z0-9\x80-\x{10FFFF}]+", ""))
    spaced = pc.replace_substring_regex(text, r"^(.+)(...)$", r"\1 \2")
    pseudo = pc.is_in(spaced, value_set=pa.array(sorted(load_code_map("pseudo_postcode", "gb"))))
    plain = pc.fill_null(
        pc.and_(pc.match_substring_regex(text, _COMPACT), pc.invert(pc.fill_null(pseudo, False))), False
    )
    outward = pc.replace_substring_regex(spaced, r" .*$", "")
    open_rows = pc.and_(pc.is_valid(raw), pc.invert(plain))
    found = [_any_postcode(each) for each in raw.filter(open_rows).to_pylist()]
    columns = [pa.array([each[at] for each in found], pa.string()) for at in range(3)]
    return Outcome(
        {
            "postcode": pc.replace_with_mask(pc.if_else(plain, spaced, _NULL), open_rows, columns[0]),
            "outward": pc.replace_with_mask(pc.if_else(plain, outward, _NULL), open_rows, columns[1]),
        },
        pc.replace_with_mask(pa.nulls(len(raw), pa.string()), open_rows, columns[2]),
    )


def _any_postcode(raw: str) -> tuple[str | None, str | None, str | None]:
    """Return postcode, outward part and broken rule of a text that is no plain British postcode."""
    text = compact(raw)
    if any(character.isalpha() for character in text):
        found = normalise_postcode(raw)
        if found.value is not None:
            return found.value, found.outward, None
        if found.status != "INVALID":
            return None, None, None if found.status == "MISSING" else f"POSTCODE_{found.status}"
    if len(text) < _FEWEST_CHARACTERS or not any(character.isdigit() for character in text):
        return None, None, "POSTCODE_INVALID" if text else None
    zip_code = _ZIP_PLUS_FOUR.fullmatch(raw.strip())
    return (zip_code.group(1) if zip_code else text), None, NOT_BRITISH


def address_lines(raw: Text) -> Outcome:
    """Return each line as folded text, with the number that stands before a street's name, or alone on the line."""
    upper = pc.ascii_upper(raw)
    premises = "|".join(sorted({*load_code_map("address_units", "gb"), "FLOOR"}))
    plain = pc.invert(pc.match_substring_regex(upper, rf"{_NEEDS_RULES}|\b(?:{premises})\b"))
    missing = pc.is_in(
        pc.utf8_trim_whitespace(upper), value_set=pa.array(sorted(load_terms("missing_values")))
    )
    plain = pc.fill_null(pc.and_(plain, pc.invert(missing)), False)
    # Replacing costs ten times as much as looking whether there is something to replace.
    untidy = pc.fill_null(pc.match_substring_regex(upper, r"[^A-Z0-9 ]|  "), False)
    tidied = pc.replace_substring_regex(upper.filter(untidy), r"[^A-Z0-9]+", " ")
    text = pc.utf8_trim_whitespace(pc.replace_with_mask(upper, untidy, tidied))
    only_numbers = pc.match_substring_regex(text, r"^[0-9]{1,5}[A-Z]?(?: [0-9]{1,5}[A-Z]?)*$")
    first = pc.struct_field(pc.extract_regex(text, r"(?:^| )(?P<n>[0-9]{1,5}[A-Z]?)(?: |$)"), "n")
    last = pc.struct_field(pc.extract_regex(text, r"(?:^| )(?P<n>[0-9]{1,5}[A-Z]?)$"), "n")
    open_rows = pc.and_(pc.is_valid(raw), pc.invert(plain))
    found = [_any_line(each) for each in raw.filter(open_rows).to_pylist()]
    quick = {
        "lines": pc.if_else(pc.not_equal(text, ""), text, _NULL),
        "before": pc.if_else(only_numbers, _NULL, first),
        "alone": pc.if_else(only_numbers, last, _NULL),
    }
    values = {
        name: pc.replace_with_mask(
            pc.if_else(plain, array, _NULL), open_rows, pa.array([each[at] for each in found], pa.string())
        )
        for at, (name, array) in enumerate(quick.items())
    }
    return Outcome(values, pa.nulls(len(raw), pa.string()))


def _any_line(raw: str) -> tuple[str | None, str | None, str | None]:
    """Return the text of a line, the number before a street's name, and the number that stands alone."""
    found = normalise_address([raw])
    if found.building_number is None:
        return found.text, None, None
    is_named = found.street is not None or found.building_name is not None
    return (
        (found.text, found.building_number, None) if is_named else (found.text, None, found.building_number)
    )
