"""What the values of a column look like: the shares that pass the rules of the shared schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from pipelines.contracts.codes import load_schemes
from pipelines.contracts.column_hints import code_list_targets
from pipelines.extracts.drafting.facts import ColumnFacts
from pipelines.link.names import known_names
from pipelines.normalise.addresses.uprns import normalise_uprn
from pipelines.normalise.contacts import normalise_email, normalise_phone
from pipelines.normalise.dates import parse_date
from pipelines.normalise.identifiers import normalise_identifier
from pipelines.normalise.names import normalise_name
from pipelines.normalise.postcodes import normalise_postcode

# The formats of the agencies' layouts: SSD, CIN and 903 returns, school census, PDS-MESH, police.
# Day first stands before month first: where both fit, the first is proposed and the other asked about.
DATE_FORMATS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y",
    "%Y-%b-%d %H:%M:%S", "%d-%b-%Y", "%d %b %Y",
)  # fmt: skip
DATES_FIT = 0.95  # share of values: in any real file a few are impossible
CODES_FIT, CODES_LIKELY = 0.9, 0.5
MOST_CODES = 60
IDENTIFIERS = ("NHS", "UPN", "ULN", "PNC", "CRO", "NINO", "DRIVER")
PASSES = frozenset({"VALID", "SYNTHETIC", "UNVERIFIED"})
_LIKE_A_PHONE = re.compile(r"[0+(][\d ()+-]{8,22}")
OLDEST = timedelta(days=115 * 366)


@dataclass(frozen=True)
class SchemeFit:
    """A scheme of a code list: the share of rows whose code it has, and how many distinct codes it has not."""

    scheme: str
    share: float
    unknown: int


@dataclass(frozen=True)
class Evidence:
    """What a column's values say: date formats, the share that passes each test, schemes that cover them."""

    facts: ColumnFacts
    dates: tuple[str, ...]
    shares: Mapping[str, float]
    schemes: Mapping[str, tuple[SchemeFit, ...]]
    mean_length: float

    def knows_codes(self, target: str) -> bool:
        """Whether nearly all values are codes of one scheme for a target."""
        return target in self.schemes and self.schemes[target][0].share >= CODES_FIT


def look(facts: ColumnFacts, today: date) -> Evidence:
    """Return what the values of a column look like; `today` bounds dates of birth."""
    dates = _date_formats(facts.values)
    tests = {f"person_identifier.{kind}": _identifier_test(kind) for kind in IDENTIFIERS} | _TESTS
    shares = {target: share for target, test in tests.items() if (share := _share(facts.values, test))}
    if dates:
        shares["person_date_of_birth.date_of_birth"] = _share(facts.values, _birth_test(dates[0], today))
    total = sum(facts.values.values())
    length = sum(len(value) * count for value, count in facts.values.items()) / total if total else 0.0
    return Evidence(facts, dates, shares, _schemes(facts), length)


def _share(values: Mapping[str, int], test: Callable[[str], bool]) -> float:
    """Return the share of values that pass a test."""
    total = sum(values.values())
    return sum(count for value, count in values.items() if test(value)) / total if total else 0.0


def _date_formats(values: Mapping[str, int]) -> tuple[str, ...]:
    """Return the formats that fit all values, or else nearly all; the best fit first."""
    fits = {fmt: _share(values, partial(_is_date, fmt)) for fmt in DATE_FORMATS}
    best = max(fits.values())
    return tuple(fmt for fmt, share in fits.items() if share == best >= DATES_FIT)


def _is_date(fmt: str, value: str) -> bool:
    if len(value) > 20 or not value[0].isdigit():
        return False
    parsed = parse_date(value, fmt).value
    return parsed is not None and parsed.year > 1800


def _birth_test(fmt: str, today: date) -> Callable[[str], bool]:
    """Return the test whether a date may be somebody's day of birth."""

    def test(value: str) -> bool:
        parsed = parse_date(value, fmt).value
        return parsed is not None and today - OLDEST < parsed <= today

    return test


def _identifier_test(kind: str) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        return len(value) <= 24 and normalise_identifier(kind, value, allow_synthetic=True).status in PASSES

    return test


def _is_given(value: str) -> bool:
    name = normalise_name(None, value, None, None) if len(value) <= 60 else None
    return name is not None and name.given in known_names("given")


def _is_family(value: str) -> bool:
    name = normalise_name(None, None, None, value) if len(value) <= 60 else None
    return name is not None and name.family in known_names("family")


def _is_age(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 3 and int(value) <= 115


def _is_phone(value: str) -> bool:
    return bool(_LIKE_A_PHONE.fullmatch(value)) and normalise_phone(value).status == "VALID"


def _is_mobile(value: str) -> bool:
    return _is_phone(value) and normalise_phone(value).contact_type == "MOBILE"


_TESTS: dict[str, Callable[[str], bool]] = {
    "person_contact.EMAIL": lambda value: "@" in value and normalise_email(value).status == "VALID",
    "person_contact.MOBILE": _is_mobile,
    "person_contact.HOME": _is_phone,
    "person_contact.WORK": _is_phone,
    "person_address.postcode": lambda value: (
        len(value) <= 10 and normalise_postcode(value).status in ("LIVE", "VALID_FORMAT", "PSEUDO", "NFA")
    ),
    "person_address.uprn": lambda value: len(value) <= 14 and normalise_uprn(value).status == "VALID",
    "person_name.given": _is_given,
    "person_name.middle": _is_given,
    "person_name.family": _is_family,
    "person_date_of_birth.age_from": _is_age,
    "person_date_of_birth.age_to": _is_age,
}


def _schemes(facts: ColumnFacts) -> dict[str, tuple[SchemeFit, ...]]:
    """Return, per target, the schemes whose codes most values are, the best and then the smallest first."""
    if not facts.values or not facts.is_complete or len(facts.values) > MOST_CODES:
        return {}
    found: dict[str, list[tuple[float, int, SchemeFit]]] = {}
    for code_list, target in code_list_targets().items():
        for scheme, codes in load_schemes(code_list).items():
            known = partial(_is_code, frozenset(codes))
            share = _share(facts.values, known)
            if share >= CODES_LIKELY:
                unknown = sum(not known(value) for value in facts.values)
                fit = SchemeFit(f"{code_list}.{scheme}", share, unknown)
                found.setdefault(target, []).append((-share, len(codes), fit))
    return {
        target: tuple(fit for *_, fit in sorted(fits, key=lambda each: each[:2]))
        for target, fits in found.items()
    }


def _is_code(codes: frozenset[str], value: str) -> bool:
    """Whether a value is a code, also one whose last character is open."""
    code = value.upper()
    return code in codes or f"{code[:-1]}?" in codes
