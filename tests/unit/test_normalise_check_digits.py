"""Check digits: what we make is valid, and one wrong digit is never accepted."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines.normalise.identifiers import (
    cro_check_letter,
    is_nhs_number,
    is_uln,
    nhs_check_digit,
    normalise_identifier,
    pnc_check_letter,
    sf_check_letter,
    uln_check_digit,
    upn_check_letter,
)

# The first call reads term lists and tables: no single call has a deadline.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

nine_digits = st.text("0123456789", min_size=9, max_size=9)
digit = st.sampled_from("0123456789")


def _status(identifier_type: str, text: str) -> str:
    return normalise_identifier(identifier_type, text, allow_synthetic=True).status


def _with_digit(text: str, position: int, new: str) -> str:
    assume(text[position] != new)
    return text[:position] + new + text[position + 1 :]


@given(nine_digits, st.integers(0, 9), digit)
def test_one_wrong_digit_of_an_nhs_number_is_found(start: str, position: int, new: str) -> None:
    check = nhs_check_digit(start)
    assume(check is not None)
    number = start + str(check)
    assert is_nhs_number(number)
    assert not is_nhs_number(_with_digit(number, position, new))


@given(nine_digits, st.integers(0, 8))
def test_two_swapped_digits_of_an_nhs_number_are_found(start: str, position: int) -> None:
    check = nhs_check_digit(start)
    assume(check is not None)
    number = start + str(check)
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    assume(swapped != number)
    assert not is_nhs_number(swapped)


@given(nine_digits, st.integers(0, 9), digit)
def test_one_wrong_digit_of_a_uln_is_found_and_no_uln_is_an_nhs_number(
    start: str, position: int, new: str
) -> None:
    check = uln_check_digit(start)
    assume(check is not None)
    number = start + str(check)
    assert is_uln(number)
    assert not is_nhs_number(number)
    assert not is_uln(_with_digit(number, position, new))


@given(st.text("0123456789", min_size=9, max_size=9), st.integers(4, 12), digit)
def test_one_wrong_digit_of_a_upn_is_found(rest: str, position: int, new: str) -> None:
    number = f"{upn_check_letter('838' + rest)}838{rest}"
    assert _status("UPN", number) == "VALID"
    assert _status("UPN", _with_digit(number, position, new)) == "INVALID_CHECK"


@given(st.integers(0, 26), st.integers(1, 9_999_999), st.integers(5, 11), digit)
def test_one_wrong_digit_of_a_pnc_number_is_found(year: int, serial: int, position: int, new: str) -> None:
    number = f"20{year:02d}/{serial:07d}{pnc_check_letter(f'{year:02d}', str(serial))}"
    assert _status("PNC", number) == "VALID"
    assert _status("PNC", _with_digit(number, position, new)) in {"INVALID_CHECK", "PLACEHOLDER"}


@given(st.integers(0, 99), st.integers(1, 999_999))
def test_cro_numbers_that_we_make_are_valid(year: int, serial: int) -> None:
    two_digits = f"{year:02d}"
    assert _status("CRO", f"{serial:06d}/{two_digits}{cro_check_letter(two_digits, str(serial))}") == "VALID"
    assert _status("CRO", f"SF{two_digits}/{serial}{sf_check_letter(two_digits, str(serial))}") == "VALID"


@given(st.text())
def test_check_digit_helpers_refuse_what_is_not_a_number(text: str) -> None:
    assume(not (text.isascii() and text.isdigit()))
    assert nhs_check_digit(text) is None
    assert uln_check_digit(text) is None
    assert pnc_check_letter("02", text or "x") is None
    assert cro_check_letter("02", text or "x") is None
    assert sf_check_letter("02", text or "x") is None
