"""Unique property reference numbers: 1 to 12 digits, without leading zeros; fillers are refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pipelines.contracts.codes import load_terms
from pipelines.normalise.text import fold

# GeoPlace: a UPRN is an integer of up to 12 digits; it has no check digit.
_UPRN = re.compile(r"0*(\d{1,12})")
# A short number of one digit, such as 7 or 22, was given out; of three and more nobody finds it by chance.
_FILLER = re.compile(r"0+|(\d)\1{2,}")

UprnStatus = Literal["VALID", "MISSING", "INVALID_FORMAT", "PLACEHOLDER"]


@dataclass(frozen=True)
class NormalisedUprn:
    """A UPRN without leading zeros and its status; no value unless it is valid."""

    value: str | None
    status: UprnStatus


def normalise_uprn(raw: str | None) -> NormalisedUprn:
    """Return the UPRN of a text, as digits without leading zeros."""
    text = fold(raw)
    if not text or text in load_terms("missing_values"):
        return NormalisedUprn(None, "MISSING")
    # A spreadsheet writes 100012345 as 100012345.0.
    found = _UPRN.fullmatch(text.replace(" ", "").removesuffix(".0"))
    if found is None:
        return NormalisedUprn(None, "INVALID_FORMAT")
    if _FILLER.fullmatch(found.group(1).lstrip("0") or "0"):
        return NormalisedUprn(None, "PLACEHOLDER")
    return NormalisedUprn(found.group(1).lstrip("0"), "VALID")
