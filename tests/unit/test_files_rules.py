"""The short ways of reading files end where the full rules of `normalise` end, for every value."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.codes import load_terms
from pipelines.files.quick_codes import births, extras, identifiers, sexes
from pipelines.files.quick_names import Name, family_name, full_names, given_name, middle_names
from pipelines.files.quick_places import address_lines, postcodes
from pipelines.files.quick_values import KEPT_AS_TEXT, emails, phones
from pipelines.normalise.addresses import normalise_address
from pipelines.normalise.contacts import normalise_email, normalise_phone
from pipelines.normalise.names import normalise_name, parse_full_name
from pipelines.normalise.plain_names import LISTS
from pipelines.normalise.postcodes import normalise_postcode

TODAY = date(2026, 7, 1)
special = st.sampled_from(
    sorted({word for name in LISTS for term in load_terms(name) for word in term.split()})
)
letters = st.text("abcdeIVXOz", min_size=1, max_size=6)
word = st.one_of(
    letters, special, st.sampled_from(["O'Neil", "Zoë", "Anne-Marie", "II", "Jnr", "B/O", "van", "de"])
)
phrase = st.lists(word, min_size=1, max_size=4).map(" ".join)


@given(phrase)
def test_names_in_fields_of_their_own(text: str) -> None:
    given_, middle, family = (
        normalise_name(None, *parts) for parts in ((text, None, None), (None, text, None), (None, None, text))
    )
    found = given_name(text)
    assert (found.given, found.middle) == (given_.given, given_.middle)
    assert (found.rule is not None) == given_.is_placeholder
    assert middle_names(text).middle == middle.middle
    assert family_name(text).family == family.family


@given(st.lists(word, min_size=1, max_size=4).map(" ".join))
def test_names_in_one_field(text: str) -> None:
    readings = [normalise_name(None, *reading) for reading in parse_full_name(text)[:1]]
    likeliest = full_names(text)[:1]
    assert [(each.given, each.middle, each.family) for each in likeliest] == [
        (each.given, each.middle, each.family) for each in readings
    ]


def test_a_record_does_not_share_both_names_with_a_stranger_by_being_read_backwards() -> None:
    assert full_names("James Thomas") == (Name("JAMES", None, "THOMAS"),)


digits = st.text("0123456789", min_size=6, max_size=11)
phone = st.tuples(
    st.sampled_from(["0", "+44", "0044", "", "44", "+1", "+44 (0)", "(0", "+44 0", "ext "]),
    digits,
    st.text(" -()", max_size=2),
).map(lambda parts: parts[0] + parts[1][:4] + parts[2] + parts[1][4:])


@given(st.lists(st.one_of(phone, st.sampled_from(["07123456789", "0" + "1" * 10, "n/a"])), min_size=1))
def test_phones(texts: list[str]) -> None:
    found = phones(pa.array(texts))
    for text, value, rule in zip(
        texts, found.values["value"].to_pylist(), found.rule.to_pylist(), strict=True
    ):
        full = normalise_phone(text)
        assert value == full.value or (full.status == "INVALID" and rule == f"PHONE_{KEPT_AS_TEXT}")


email = st.tuples(
    st.text("abXY01._+-!'", min_size=1, max_size=8),
    st.sampled_from(["@", "@@", "", "@ "]),
    st.sampled_from(
        [
            "example.com",
            "x.test",
            "a-b.co.uk",
            "-a.com",
            "x..y",
            "localhost",
            "münchen.de",
            "foo.c",
            "FOO.ORG",
        ]
    ),
).map("".join)


@given(
    st.lists(st.one_of(email, st.sampled_from(["noreply@gmail.com", "test@test.com", "none"])), min_size=1)
)
def test_emails(texts: list[str]) -> None:
    found = emails(pa.array(texts))
    for text, value, rule in zip(
        texts, found.values["value"].to_pylist(), found.rule.to_pylist(), strict=True
    ):
        full = normalise_email(text)
        assert value == full.value or (full.status == "INVALID" and rule == f"EMAIL_{KEPT_AS_TEXT}")


postcode = st.tuples(
    st.text("ABEHMNWZ", min_size=1, max_size=2), st.text("019AO", min_size=1, max_size=2), st.sampled_from(["", " ", "-"]),
    st.sampled_from("019O"), st.text("ABDIO", min_size=2, max_size=2),
).map("".join)  # fmt: skip


@given(
    st.lists(
        st.one_of(postcode, st.sampled_from(["ZZ99 3VZ", "NFA", "bfpo 12", "GIR 0AA", "n/a"])), min_size=1
    )
)
def test_british_postcodes(texts: list[str]) -> None:
    found = postcodes(pa.array(texts)).values
    for text, value, outward in zip(
        texts, found["postcode"].to_pylist(), found["outward"].to_pylist(), strict=True
    ):
        full = normalise_postcode(text)
        assert outward == full.outward
        assert full.value is None or value == full.value


@pytest.mark.parametrize(
    ("raw", "kept"),
    [("2612", "2612"), ("02134", "02134"), ("12345-6789", "12345"), ("none", None), ("ZZ99 3VZ", None)],
)
def test_codes_of_other_countries_are_kept_without_an_outward_part(raw: str, kept: str | None) -> None:
    found = postcodes(pa.array([raw]))
    assert (found.values["postcode"].to_pylist(), found.values["outward"].to_pylist()) == ([kept], [None])
    assert (found.rule.to_pylist()[0] == f"POSTCODE_NOT_UK_{KEPT_AS_TEXT}") == (kept is not None)


line = st.lists(
    st.sampled_from(
        [
            "12",
            "12A",
            "HIGH",
            "Street",
            "flat",
            "3",
            "12-14",
            "no fixed abode",
            "NFA",
            "O'Neil",
            "St.",
            "1/2",
            "N/A",
            "Stoke-on-Trent",
            "Ü",
        ]
    ),
    min_size=1,
    max_size=5,
).map(" ".join)


@given(st.lists(line, min_size=1))
def test_address_lines(texts: list[str]) -> None:
    found = address_lines(pa.array(texts)).values
    for text, lines, before, alone in zip(texts, *(found[name].to_pylist() for name in found), strict=True):
        full = normalise_address([text])
        assert (lines, before or alone) == (full.text, full.building_number)


def test_only_known_types_of_identifier_are_validated() -> None:
    nhs = identifiers(pa.array(["943 476 5919", "9434765917", None]), "nhs_number", 2026, True)
    assert nhs.values["value"].to_pylist() == ["9434765919", None, None]
    assert nhs.rule.to_pylist() == [None, "IDENTIFIER_INVALID_CHECK", None]
    own = identifiers(pa.array(["530-42 18", "000-00", "n/a", "AB/1é", "12.0"]), "ssn", 2026, True)
    assert own.values["value"].to_pylist() == ["5304218", None, None, "AB/1E", "12"]
    assert set(own.values["identifier_type"].to_pylist()) == {"SSN"}


def test_sex_by_the_usual_words_or_by_the_mapping_alone() -> None:
    usual = sexes(pa.array(["male", "F", "2", "9", "odd"]), None)
    assert usual.values["sex"].to_pylist() == ["M", "F", "F", None, None]
    assert usual.rule.to_pylist() == [None, None, None, None, "SEX_UNMAPPED"]
    assert sexes(pa.array(["männlich", "F"]), {"Männlich": "M"}).values["sex"].to_pylist() == ["M", None]


def test_own_fields_are_folded() -> None:
    assert extras(pa.array(["  new   york", "Zürich", "O'Hare", "n/a", " ", None])).values["value"].to_pylist() == [
        "NEW YORK", "ZURICH", "OHARE", None, None, None,
    ]  # fmt: skip


class TestBirths:
    def test_declared_formats_only_and_people_of_any_century(self) -> None:
        found = births(
            pa.array(["1843-02-28", "28/02/1843", "2043-01-01", "1900-01-01"]), ["%Y-%m-%d"], TODAY
        )
        assert found.values["date_of_birth"].to_pylist() == [date(1843, 2, 28), None, None, None]
        assert found.rule.to_pylist() == [
            None,
            "DATE_UNREADABLE_DATE",
            "DATE_FUTURE_DATE",
            "DATE_DEFAULT_DATE",
        ]

    def test_a_year_is_the_days_in_which_it_may_lie(self) -> None:
        found = births(pa.array(["1950"]), ["%Y"], TODAY).values
        assert (found["precision"][0].as_py(), found["latest"][0].as_py()) == ("YEAR", date(1950, 12, 31))

    def test_what_two_formats_read_as_two_dates_is_ambiguous_and_what_both_read_alike_is_not(self) -> None:
        found = births(pa.array(["03/04/1980", "04/04/1980", "13/04/1980"]), ["%d/%m/%Y", "%m/%d/%Y"], TODAY)
        assert found.rule.to_pylist() == ["AMBIGUOUS_DATE:%d/%m/%Y and %m/%d/%Y", None, None]
