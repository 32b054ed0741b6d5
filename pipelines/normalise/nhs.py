"""NHS numbers: the check digit, the ranges by country, fillers, and learner numbers in the wrong place."""

from __future__ import annotations

from nhs_number.constants import (
    REGION_ENGLAND_WALES_IOM,
    REGION_NORTHERN_IRELAND,
    REGION_SCOTLAND,
    REGION_SYNTHETIC,
)
from nhs_number.validate import calculate_checksum, is_valid

from pipelines.contracts.codes import load_terms
from pipelines.normalise.identifier import NormalisedIdentifier, refused
from pipelines.normalise.modulus_11 import NINE_DIGITS, TEN_DIGITS, is_uln_shape
from pipelines.normalise.text import compact

_NO_CHECK_DIGIT = 10


def nhs_check_digit(nine_digits: str) -> str | None:
    """Return the tenth digit of an NHS number; None for the one start in eleven that has none."""
    if not NINE_DIGITS.fullmatch(nine_digits):
        return None
    digit = calculate_checksum(nine_digits)
    return None if digit == _NO_CHECK_DIGIT else str(digit)


def is_nhs_number(ten_digits: str) -> bool:
    """Whether ten digits end in the right check digit, whatever range they are in."""
    return TEN_DIGITS.fullmatch(ten_digits) is not None and nhs_check_digit(ten_digits[:9]) == ten_digits[9]


def parse_nhs_number(raw: str | None) -> NormalisedIdentifier:
    """Return an NHS number of ten digits.

    The check digit passes every repeated digit, so fillers are a list. England, Wales and the Isle of Man
    are VALID, the test range is SYNTHETIC; numbers of Scotland and Northern Ireland are UNVERIFIED; ranges
    that are never issued are INVALID_FORMAT. A failing number that meets the rule of the unique learner
    number is WRONG_TYPE.
    """
    text = compact(raw)
    if text in load_terms("nhs_placeholders"):
        return refused("NHS", "PLACEHOLDER")
    if not TEN_DIGITS.fullmatch(text):
        return refused("NHS", "INVALID_FORMAT")
    if not is_nhs_number(text):
        return refused("NHS", "WRONG_TYPE" if is_uln_shape(text) else "INVALID_CHECK")
    return _by_range(text)


def _by_range(text: str) -> NormalisedIdentifier:
    """Return a number with a right check digit, by the range it is in."""
    if is_valid(text, for_region=REGION_ENGLAND_WALES_IOM):
        return NormalisedIdentifier("NHS", text, "VALID")
    if is_valid(text, for_region=REGION_SYNTHETIC):
        return NormalisedIdentifier("NHS", text, "SYNTHETIC")
    for region in (REGION_NORTHERN_IRELAND, REGION_SCOTLAND):
        if is_valid(text, for_region=region):
            return NormalisedIdentifier("NHS", text, "UNVERIFIED")
    return refused("NHS", "INVALID_FORMAT")
