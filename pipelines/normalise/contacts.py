"""Phone numbers and e-mail addresses."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from pipelines.contracts.codes import load_terms
from pipelines.normalise.text import fold

_HOME_REGION = "GB"
_REPEATS_OF_A_FILLER = 7
_CONTACT_TYPES = {PhoneNumberType.MOBILE: "MOBILE", PhoneNumberType.FIXED_LINE: "HOME"}
_MOBILE_PREFIX = "+447"


@dataclass(frozen=True)
class NormalisedContact:
    """A way to reach someone: E.164 or a lower-case e-mail address; no value when it is not one."""

    contact_type: str
    value: str | None
    status: str


def normalise_phone(raw: str | None) -> NormalisedContact:
    """Return a phone number in E.164, read as a British one unless it says otherwise.

    A number of the right length counts, also one in no issued range (the numbers kept for drama are such).
    """
    if raw is None or not fold(raw) or fold(raw) in load_terms("missing_values"):
        return NormalisedContact("OTHER", None, "MISSING")
    try:
        value, number = _settled(raw)
    except NumberParseException:
        return NormalisedContact("OTHER", None, "INVALID")
    contact_type = _CONTACT_TYPES.get(phonenumbers.number_type(number)) or _type_by_prefix(value)
    if _is_phone_filler(value):
        return NormalisedContact(contact_type, None, "PLACEHOLDER")
    if not phonenumbers.is_possible_number(number):
        return NormalisedContact(contact_type, None, "INVALID")
    return NormalisedContact(contact_type, value, "VALID")


def _settled(raw: str) -> tuple[str, PhoneNumber]:
    """Return a number as text that reads as itself, and the number.

    Of some countries' numbers one leading zero is taken off at each reading, so it is read until none is.
    """
    text = raw
    while True:
        number = phonenumbers.parse(text, _HOME_REGION)
        value = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        if value == text:
            return value, number
        text = value


def normalise_email(raw: str | None) -> NormalisedContact:
    """Return an e-mail address in lower case; its domain is not looked up."""
    text = (raw or "").strip().lower()
    if not text or text.upper() in load_terms("missing_values"):
        return NormalisedContact("EMAIL", None, "MISSING")
    try:
        value = validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return NormalisedContact("EMAIL", None, "INVALID")
    if _is_email_filler(value):
        return NormalisedContact("EMAIL", None, "PLACEHOLDER")
    return NormalisedContact("EMAIL", value, "VALID")


def _type_by_prefix(value: str) -> str:
    """Return the type of a number whose range the library does not know."""
    return "MOBILE" if value.startswith(_MOBILE_PREFIX) else "OTHER"


def _is_email_filler(value: str) -> bool:
    """Whether an address, or what stands before its @, is a listed filler."""
    local_part = value.partition("@")[0].upper()
    return local_part in load_terms("email_placeholder_local_parts") or value.upper() in load_terms(
        "email_placeholders"
    )


def _is_phone_filler(value: str) -> bool:
    """Whether a number is a listed filler, or ends in one digit repeated."""
    return value in load_terms("phone_placeholders") or len(set(value[-_REPEATS_OF_A_FILLER:])) == 1
