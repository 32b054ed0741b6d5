"""National and local identifiers: canonical form, and whether the value can be one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from pipelines.contracts.codes import load_terms
from pipelines.normalise.identifier import NormalisedIdentifier, refused
from pipelines.normalise.nhs import is_nhs_number, nhs_check_digit, parse_nhs_number
from pipelines.normalise.police_ids import (
    cro_check_letter,
    parse_cro,
    parse_pnc,
    pnc_check_letter,
    sf_check_letter,
)
from pipelines.normalise.pupil_ids import is_uln, parse_uln, parse_upn, uln_check_digit, upn_check_letter
from pipelines.normalise.text import compact, fold

__all__ = [
    "NormalisedIdentifier",
    "cro_check_letter",
    "is_nhs_number",
    "is_uln",
    "nhs_check_digit",
    "normalise_identifier",
    "parse_cro",
    "parse_driver_number",
    "parse_national_insurance_number",
    "parse_nhs_number",
    "parse_pnc",
    "parse_uln",
    "parse_upn",
    "pnc_check_letter",
    "sf_check_letter",
    "uln_check_digit",
    "upn_check_letter",
]

# No check digit: two letters (never D F I Q U V, the second never O), six digits, A to D.
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")
_NINO_FOR_EXAMPLES = re.compile(r"QQ\d{6}[A-D]")
_DRIVER = re.compile(r"(?=.{5}\d{6})[A-Z]{1,5}9{0,4}\d{6}[A-Z9]{2}[0-9A-Z]{2,3}")
_LOCAL = re.compile(r"[0-9A-Z/_]{1,50}")


def normalise_identifier(
    identifier_type: str, raw: str | None, *, reference_year: int = 2026, allow_synthetic: bool
) -> NormalisedIdentifier:
    """Return an identifier by the rules of its type; a type without public rules is only tidied.

    A type may change where the value says so: a UPN with a letter at its end is a UPN_TEMP. Numbers of the
    test ranges have the status SYNTHETIC, and a value only when they are allowed. An identifier that
    fails its rules has no value: what was received stays in the raw column.
    """
    if not fold(raw) or fold(raw) in load_terms("missing_values"):
        return refused(identifier_type, "UNKNOWN")
    if identifier_type == "PNC":
        return parse_pnc(raw, reference_year=reference_year)
    parse = _PARSERS.get(identifier_type)
    found = parse(raw) if parse else _local_identifier(identifier_type, raw)
    if found.identifier_type == "UPN" and identifier_type == "UPN_FORMER":
        found = replace(found, identifier_type="UPN_FORMER")
    if found.status == "SYNTHETIC" and not allow_synthetic:
        return replace(found, value=None)
    return found


def parse_national_insurance_number(raw: str | None) -> NormalisedIdentifier:
    """Return a national insurance number; QQ is the prefix of examples and never issued."""
    text = compact(raw)
    if _NINO_FOR_EXAMPLES.fullmatch(text):
        return NormalisedIdentifier("NINO", text, "SYNTHETIC")
    if _NINO.fullmatch(text):
        return NormalisedIdentifier("NINO", text, "VALID")
    return refused("NINO", "INVALID_FORMAT")


def parse_driver_number(raw: str | None) -> NormalisedIdentifier:
    """Return a driver number by its shape: five of the family name, six digits of birth, initials, check."""
    text = compact(raw)
    if _DRIVER.fullmatch(text):
        return NormalisedIdentifier("DRIVER", text, "VALID")
    return refused("DRIVER", "INVALID_FORMAT")


def _local_identifier(identifier_type: str, raw: str | None) -> NormalisedIdentifier:
    """Return an identifier that only its issuer can verify."""
    text = compact(raw)
    if not _LOCAL.fullmatch(text):
        return refused(identifier_type, "INVALID_FORMAT")
    if len(text) > 1 and not text.strip("0"):
        return refused(identifier_type, "PLACEHOLDER")
    return NormalisedIdentifier(identifier_type, text, "UNVERIFIED")


_PARSERS: dict[str, Callable[[str | None], NormalisedIdentifier]] = {
    "NHS": parse_nhs_number,
    "UPN": parse_upn,
    "UPN_FORMER": parse_upn,
    "UPN_TEMP": parse_upn,
    "ULN": parse_uln,
    "CRO": parse_cro,
    "NINO": parse_national_insurance_number,
    "DRIVER": parse_driver_number,
}
