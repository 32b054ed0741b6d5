"""What every identifier rule returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NormalisedIdentifier:
    """An identifier in canonical form, with what was found out about it.

    `status` is VALID, SYNTHETIC (a test range), UNVERIFIED (cannot be checked here), INVALID_FORMAT,
    INVALID_CHECK, PLACEHOLDER, WRONG_TYPE or UNKNOWN (nothing there). Only the first three have a value.
    """

    identifier_type: str
    value: str | None
    status: str
    unknown_reason: str | None = None


def refused(identifier_type: str, status: str) -> NormalisedIdentifier:
    """Return an identifier that is no evidence, and why."""
    return NormalisedIdentifier(identifier_type, None, status)
