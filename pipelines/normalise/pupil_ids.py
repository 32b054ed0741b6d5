"""Identifiers of pupils and learners: UPN, temporary UPN and ULN."""

from __future__ import annotations

import re

from stdnum.gb import upn

from pipelines.contracts.codes import load_code_map, load_terms
from pipelines.normalise.identifier import NormalisedIdentifier, refused
from pipelines.normalise.modulus_11 import NINE_DIGITS, TEN_DIGITS, is_uln_shape, remainder
from pipelines.normalise.nhs import is_nhs_number
from pipelines.normalise.text import compact

# Letters without I, O and S, which look like digits.
_UPN = re.compile(r"[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]")
_UPN_BODY = re.compile(r"[0-9]{11}[0-9A-HJ-NP-RT-Z]")
_AUTHORITY = slice(1, 4)
_NO_ULN_REMAINDER = 0


def upn_check_letter(twelve_characters: str) -> str | None:
    """Return the letter before a UPN's other twelve characters; None when they cannot be those."""
    if not _UPN_BODY.fullmatch(twelve_characters):
        return None
    return str(upn.calc_check_digit(twelve_characters))


def uln_check_digit(nine_digits: str) -> str | None:
    """Return the tenth digit of a unique learner number; None when these nine start none."""
    if not NINE_DIGITS.fullmatch(nine_digits) or nine_digits[0] == "0":
        return None
    left_over = remainder(nine_digits)
    return None if left_over == _NO_ULN_REMAINDER else str(10 - left_over)


def is_uln(ten_digits: str) -> bool:
    """Whether ten digits meet the rule of the unique learner number."""
    return is_uln_shape(ten_digits)


def parse_upn(raw: str | None) -> NormalisedIdentifier:
    """Return a unique pupil number; UPN_TEMP when it ends in a letter.

    UN1 to UN10 are reasons for having none. The check letter of a temporary number is not in the DfE's
    rules, so a wrong one leaves it UNVERIFIED.
    """
    text = compact(raw)
    reasons = load_code_map("upn_unknown_reason", "dfe")
    if text in reasons:
        return NormalisedIdentifier("UPN", None, "UNKNOWN", reasons[text])
    if not _UPN.fullmatch(text):
        is_other = is_nhs_number(text) or is_uln_shape(text)
        return refused("UPN", "WRONG_TYPE" if is_other else "INVALID_FORMAT")
    is_temporary = text[-1].isalpha()
    identifier_type = "UPN_TEMP" if is_temporary else "UPN"
    if text[_AUTHORITY] not in load_terms("upn_la_codes"):
        return refused(identifier_type, "INVALID_FORMAT")
    if upn_check_letter(text[1:]) == text[0]:
        return NormalisedIdentifier(identifier_type, text, "VALID")
    if is_temporary:
        return NormalisedIdentifier(identifier_type, text, "UNVERIFIED")
    return refused(identifier_type, "INVALID_CHECK")


def parse_uln(raw: str | None) -> NormalisedIdentifier:
    """Return a unique learner number of ten digits; an NHS number in its place is WRONG_TYPE."""
    text = compact(raw)
    if text in load_terms("uln_placeholders"):
        return refused("ULN", "PLACEHOLDER")
    if not TEN_DIGITS.fullmatch(text) or text[0] == "0":
        return refused("ULN", "INVALID_FORMAT")
    if is_uln_shape(text):
        return NormalisedIdentifier("ULN", text, "VALID")
    return refused("ULN", "WRONG_TYPE" if is_nhs_number(text) else "INVALID_CHECK")
