"""Identifiers of the police: PNC and CRO numbers, both ending in a letter that checks year and serial."""

from __future__ import annotations

import re

from pipelines.contracts.codes import load_terms
from pipelines.normalise.identifier import NormalisedIdentifier, refused
from pipelines.normalise.text import compact

_CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
_PNC_SERIAL_LENGTH = 7
_CRO_SERIAL_LENGTH = 6
_EARLIEST_YEAR = 1900

_PNC_WITH_SLASH = re.compile(r"([0-9]{4}|[0-9]{2})/([0-9]{1,7})([A-Z])")
_PNC_LONG = re.compile(r"([0-9]{4})([0-9]{6,7})([A-Z])")
_PNC_SHORT = re.compile(r"([0-9]{2})([0-9]{1,7})([A-Z])")
_CRO = re.compile(r"([0-9]{1,6})/([0-9]{2})([A-Z])")
_CRO_SMALL_FILE = re.compile(r"SF([0-9]{2})/([0-9]{1,6})([A-Z])")
_DIGITS = re.compile(r"[0-9]+")


def pnc_check_letter(two_digit_year: str, serial: str) -> str | None:
    """Return the last letter of a PNC number; the serial counts with seven digits."""
    return _check_letter(two_digit_year, serial.zfill(_PNC_SERIAL_LENGTH))


def cro_check_letter(two_digit_year: str, serial: str) -> str | None:
    """Return the last letter of a CRO number; the serial counts with six digits."""
    return _check_letter(two_digit_year, serial.zfill(_CRO_SERIAL_LENGTH))


def sf_check_letter(two_digit_year: str, serial: str) -> str | None:
    """Return the last letter of a CRO number of a small file (SF); the serial counts as it is."""
    return _check_letter(two_digit_year, serial.lstrip("0") or "0")


def parse_pnc(raw: str | None, *, reference_year: int = 2026) -> NormalisedIdentifier:
    """Return a PNC number as YYYY/NNNNNNNL; a two-digit year after `reference_year` belongs to the 1900s."""
    text = compact(raw)
    found = _PNC_WITH_SLASH.fullmatch(text) or _PNC_LONG.fullmatch(text) or _PNC_SHORT.fullmatch(text)
    if not found:
        return refused("PNC", "INVALID_FORMAT")
    year, serial, letter = found.groups()
    full_year = int(year) if len(year) == 4 else _century(int(year), reference_year) + int(year)
    canonical = f"{full_year}/{serial.zfill(_PNC_SERIAL_LENGTH)}{letter}"
    if canonical in load_terms("police_placeholders") or not serial.strip("0"):
        return refused("PNC", "PLACEHOLDER")
    if not _EARLIEST_YEAR <= full_year <= reference_year:
        return refused("PNC", "INVALID_FORMAT")
    if pnc_check_letter(canonical[2:4], serial) != letter:
        return refused("PNC", "INVALID_CHECK")
    return NormalisedIdentifier("PNC", canonical, "VALID")


def parse_cro(raw: str | None) -> NormalisedIdentifier:
    """Return a CRO number as NNNNNN/YYL, or SFYY/NL for a small file."""
    text = compact(raw)
    small_file = _CRO_SMALL_FILE.fullmatch(text)
    if small_file:
        year, serial, letter = small_file.groups()
        canonical = f"SF{year}/{serial.lstrip('0') or '0'}{letter}"
        expected = sf_check_letter(year, serial)
    else:
        standard = _CRO.fullmatch(text)
        if not standard:
            return refused("CRO", "INVALID_FORMAT")
        serial, year, letter = standard.groups()
        canonical = f"{serial.zfill(_CRO_SERIAL_LENGTH)}/{year}{letter}"
        expected = cro_check_letter(year, serial)
    if canonical in load_terms("police_placeholders") or not serial.strip("0"):
        return refused("CRO", "PLACEHOLDER")
    if expected != letter:
        return refused("CRO", "INVALID_CHECK")
    return NormalisedIdentifier("CRO", canonical, "VALID")


def _check_letter(two_digit_year: str, serial: str) -> str | None:
    """Return the letter for year and serial written together; None when they are not digits."""
    digits = two_digit_year + serial
    return _CHECK_LETTERS[int(digits) % len(_CHECK_LETTERS)] if _DIGITS.fullmatch(digits) else None


def _century(two_digit_year: int, reference_year: int) -> int:
    """Return 1900 or 2000 (or later): the latest century in which the year is not in the future."""
    century = reference_year // 100 * 100
    return century if century + two_digit_year <= reference_year else century - 100
