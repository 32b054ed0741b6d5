"""What holds for any text at all: no rule raises, and none changes its own output."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.contracts.codes import load_code_map, load_terms
from pipelines.normalise.addresses import normalise_address, normalise_uprn, parse_segments, render_parts
from pipelines.normalise.addresses.lines import parse_lines
from pipelines.normalise.codes import map_code
from pipelines.normalise.contacts import normalise_email, normalise_phone
from pipelines.normalise.dates import age_range, normalise_date_of_birth, parse_date
from pipelines.normalise.identifiers import normalise_identifier
from pipelines.normalise.names import normalise_name, parse_full_name
from pipelines.normalise.postcodes import normalise_postcode

# The first call reads term lists and tables: no single call has a deadline.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

IDENTIFIER_TYPES = [
    "NHS",
    "UPN",
    "UPN_FORMER",
    "UPN_TEMP",
    "ULN",
    "PNC",
    "CRO",
    "NINO",
    "DRIVER",
    "CASE",
    "OTHER",
]
FORMATS = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%b-%d %H:%M:%S",
    ("%Y-%m-%d", "%Y-%m", "%Y"),
]
REFERENCE = date(2026, 10, 5)
EVIDENCE = {"VALID", "SYNTHETIC", "UNVERIFIED"}
NAME_WORDS = [
    *sorted(load_terms("name_titles")),
    *sorted(load_terms("name_noise")),
    *sorted(load_terms("name_placeholders")),
    *sorted(load_terms("name_prefixes")),
    *sorted(load_terms("name_newborn_words")),
    *sorted(load_terms("name_newborn_counts")),
    *sorted(load_code_map("name_suffix", "family")),
    *["OF", "Smith", "Jones", "R", "L", "ME", "KNOWN", "AS", "John", "B/O", "MIG_ERROR_", "'", "-", "1"],
]

anything = st.none() | st.text()
name_fields = anything | st.lists(st.sampled_from(NAME_WORDS), max_size=6).map(" ".join)
digits = st.text("0123456789", max_size=12)
identifiers = anything | digits | st.from_regex(r"[A-Z0-9/ .-]{0,15}", fullmatch=True)


@given(name_fields, name_fields, name_fields, name_fields)
@example(None, "KNOWN " * 3000 + "AS " * 3000, None, "KNOWN " * 3000 + "AS " * 3000)
@example(None, "A B", "II", "DE R SMITH")
@example(None, "TWIN ABIGAIL", None, "DA ME SMITH")
def test_a_name_is_stable_and_plain(
    title: str | None, given_: str | None, middle: str | None, family: str | None
) -> None:
    once = normalise_name(title, given_, middle, family)
    twice = normalise_name(once.title, once.given, once.middle, once.family)
    fields = ("title", "given", "middle", "family")
    assert [getattr(twice, field) for field in fields] == [getattr(once, field) for field in fields]
    for text in (once.title, once.given, once.middle, once.family, once.suffix, once.maternal_name):
        assert text is None or re.fullmatch(r"[A-Z]+( [A-Z]+)*", text)
    assert once.given is None or " " not in once.given


@given(anything)
def test_a_full_name_never_raises_and_never_gives_an_empty_reading(full: str | None) -> None:
    assert all(any(reading) for reading in parse_full_name(full))


@given(st.sampled_from(IDENTIFIER_TYPES), identifiers, st.booleans())
def test_an_identifier_is_stable_and_has_a_value_only_as_evidence(
    identifier_type: str, raw: str | None, allow_synthetic: bool
) -> None:
    once = normalise_identifier(identifier_type, raw, allow_synthetic=allow_synthetic)
    if once.value is None:
        assert once.status not in {"VALID", "UNVERIFIED"}
        return
    assert once.status in EVIDENCE
    assert re.fullmatch(r"[A-Z0-9/_]+", once.value)
    assert normalise_identifier(once.identifier_type, once.value, allow_synthetic=allow_synthetic) == once


@given(anything | st.from_regex(r"[A-Z01]{1,2}[0-9OI][A-Z0-9]? ?[0-9OI][A-Z01]{2}", fullmatch=True))
def test_a_postcode_is_stable(raw: str | None) -> None:
    once = normalise_postcode(raw)
    if once.value is None:
        assert once.outward is None
        assert once.status not in {"LIVE", "VALID_FORMAT"}
    else:
        assert re.fullmatch(r"[A-Z0-9]{2,4} [A-Z0-9]{1,4}", once.value)
        assert once.value.startswith(f"{once.outward} ")
        assert normalise_postcode(once.value) == once


address_lines = st.lists(anything | st.from_regex(r"[A-Z0-9 ,'-]{0,20}", fullmatch=True), max_size=5)


@given(address_lines)
@example(["NFA NO FIXED NFA ABODE"])
def test_an_address_is_stable_and_plain(lines: list[str | None]) -> None:
    once = normalise_address(lines)
    assert normalise_address([once.text]).text == once.text
    assert once.text is None or re.fullmatch(r"[A-Z0-9-]+( [A-Z0-9-]+)*", once.text)


address_words = st.sampled_from(
    [
        "FLAT",
        "APT",
        "ROOM",
        "FLOOR",
        "FIRST",
        "GROUND",
        "TOP",
        "THE",
        "OLD",
        "RECTORY",
        "HOUSE",
        "COURT",
        "MILL",
        "ST",
        "STREET",
        "HIGH",
        "RD",
        "ROAD",
        "NORTH",
        "LEEDS",
        "NO",
        "UNIT",
        "C/O",
        "SMITH",
        "A",
        "B",
        "2",
        "12",
        "12A",
        "14",
        "12-14",
        "2/12",
        "12/14",
        "2F1",
        "GF2",
        "1ST",
        "ALDERSBY",
    ]
)
address_segments = st.lists(st.lists(address_words, min_size=1, max_size=5).map(tuple), max_size=5)
# Words that stand for others, or say nothing beside the number of a flat.
SAID_OTHERWISE = {"APT", "UNIT", "NO", "FLAT", "1ST", "FLOOR", "TOP", "ST", "RD"}


@given(address_segments)
def test_parts_of_an_address_are_read_from_their_own_rendering(segments: list[tuple[str, ...]]) -> None:
    parts = replace(parse_segments(segments), rest=())
    assert parse_segments(render_parts(parts)) == parts


@given(address_segments)
def test_no_word_of_an_address_is_lost(segments: list[tuple[str, ...]]) -> None:
    parts = parse_segments(segments)
    kept = "".join("".join(words) for words in render_parts(parts))
    for word in (word for segment in segments for word in segment):
        for piece in re.split("[/-]", word):
            assert word in SAID_OTHERWISE or piece in kept


@given(address_lines)
def test_lines_and_one_line_with_commas_have_the_same_parts(lines: list[str | None]) -> None:
    assert parse_lines(lines) == parse_lines([",".join(line or "" for line in lines)])


@given(digits | anything)
def test_a_uprn_is_stable(raw: str | None) -> None:
    once = normalise_uprn(raw)
    assert (once.value is None) == (once.status != "VALID")
    if once.value is not None:
        assert re.fullmatch(r"[1-9][0-9]{0,11}", once.value)
        assert normalise_uprn(once.value) == normalise_uprn(f"0{once.value}") == once


@example("+9710000000")
@given(anything | digits | st.from_regex(r"\+?[0-9 ()x]{0,16}", fullmatch=True))
def test_a_phone_number_is_stable(raw: str | None) -> None:
    once = normalise_phone(raw)
    if once.value is not None:
        assert re.fullmatch(r"\+[0-9]+", once.value)
        assert normalise_phone(once.value) == once


@given(anything | st.emails())
def test_an_email_address_is_stable(raw: str | None) -> None:
    once = normalise_email(raw)
    if once.value is not None:
        assert normalise_email(once.value) == once


@pytest.mark.parametrize("fmt", FORMATS)
@given(
    raw=anything | st.dates().map(str) | st.from_regex(r"[0-9/: -]{0,19}", fullmatch=True), peak=st.booleans()
)
def test_a_date_of_birth_lies_within_its_bounds(
    fmt: str | tuple[str, ...], raw: str | None, peak: bool
) -> None:
    found = normalise_date_of_birth(raw, fmt, reference=REFERENCE, is_uasc=peak, has_january_peak=peak)
    parse_date(raw, fmt)
    if found.value is None:
        assert found.precision in {"NONE", "DEFAULT"}
        assert (found.earliest, found.latest) == (None, None)
    else:
        assert found.earliest is not None and found.latest is not None
        assert found.earliest <= found.value <= found.latest
        assert found.value <= REFERENCE
        assert found.problem is None
        again = normalise_date_of_birth(
            str(found.value), "%Y-%m-%d", reference=REFERENCE, is_uasc=peak, has_january_peak=peak
        )
        assert again.value == found.value


@given(st.dates(date(1911, 1, 1), REFERENCE), st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d"]))
def test_a_date_is_read_back_from_its_declared_format(day: date, fmt: str) -> None:
    assert parse_date(day.strftime(fmt), fmt).value == day


@given(anything | digits, anything | digits, st.dates(min_value=date(1950, 1, 1)))
def test_an_age_range_is_ordered(raw_from: str | None, raw_to: str | None, reference: date) -> None:
    found = age_range(raw_from, raw_to, reference=reference)
    if found.precision == "AGE_RANGE":
        assert found.earliest is not None and found.latest is not None
        assert found.earliest <= found.latest <= reference


@given(anything)
def test_a_code_never_raises_and_a_blank_counts_as_mapped(raw: str | None) -> None:
    mapped = map_code(load_code_map("ethnicity_16", "nhs"), raw)
    assert mapped.is_mapped or mapped.value is None


def test_no_rule_writes_to_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for raw in ("CANARY", "ZZ1 1ZZ", "0O1 1lI", "9434765871", "canary@@example", "+44 canary", "31/02/2012"):
        normalise_postcode(raw)
        normalise_phone(raw)
        normalise_email(raw)
        normalise_name(raw, raw, raw, raw)
        parse_full_name(raw)
        normalise_date_of_birth(raw, "%d/%m/%Y", reference=REFERENCE)
        for identifier_type in IDENTIFIER_TYPES:
            normalise_identifier(identifier_type, raw, allow_synthetic=False)
    assert not caplog.records
