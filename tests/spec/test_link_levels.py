"""Comparison levels, as a domain expert would list them: two records, one field, the level expected."""

from __future__ import annotations

import pytest
from support.link_population import Tables

from pipelines.contracts.model import load_model
from pipelines.link import LinkData
from pipelines.link.compare import compare_pairs
from pipelines.link.encode import encode


def level_of(data: LinkData, comparison: str) -> str:
    model = load_model()
    encoded = encode(model, data)
    at = encoded.positions(["a", "b"])
    position = [each.name for each in model.comparisons].index(comparison)
    level = compare_pairs(model, encoded, (at[:1], at[1:]))[0, position]
    return (*model.comparisons[position].level_names(), "null")[level]


def two_records() -> Tables:
    tables = Tables()
    tables.record("a")
    tables.record("b")
    return tables


NAMES = [
    # given a, family a, given b, family b, level of given name, level of family name
    ("JOHN", "SMITH", "JOHN", "SMITH", "exact", "exact"),
    ("JOHN", "SMITH", "SMITH", "JOHN", "swapped", "null"),
    ("SCARLETT", "RUSHFORD", "RUSHFORD", "SCARLITT", "swapped_phonetic", "null"),
    ("MOHAMMED", "KHAN", "MUHAMMAD", "KHAN", "variant", "exact"),
    ("SIOBHAN", "KELLY", "SHIVAUN", "KELLY", "variant", "exact"),
    ("ALFIE", "JONES", "ALFRED", "JONES", "variant", "exact"),
    ("GURPREET", "KAUR", "GURPRIT", "KOUR", "variant", "phonetic"),
    ("ROBERT", "SMITH", "BOB", "SMYTHE", "variant", "phonetic"),
    ("PERSEPHONE", "HENDERSON", "PERSEPHNE", "HENDRSON", "similar", "similar"),
    ("J", "SMITH", "JOHN", "SMITH JONES", "initial", "tokens"),
    ("AMINA", "GREEN", "AMINA", "PATEL GREEN", "exact", "tokens"),
    ("THOMAS", "WALKER", "PRIYA", "ODUYA", "else", "else"),
    (None, "SMITH", "JOHN", "SMITH", "null", "exact"),
    ("JOHN", None, "JOHN", "SMITH", "exact", "null"),
]


@pytest.mark.parametrize(("given_a", "family_a", "given_b", "family_b", "given", "family"), NAMES)
def test_names(given_a, family_a, given_b, family_b, given, family):
    tables = two_records()
    tables.name("a", given_a, family_a)
    tables.name("b", given_b, family_b)
    assert (level_of(tables.data(), "given_name"), level_of(tables.data(), "family_name")) == (given, family)


def test_the_best_level_over_all_aliases_counts():
    tables = two_records()
    tables.name("a", "KATHERINE", "BROWN")
    tables.name("a", "KATE", "OSEI")
    tables.name("b", "ZOFIA", "OSEI")
    tables.name("b", "KATE", "NOWAK")
    assert level_of(tables.data(), "given_name") == "exact"
    assert level_of(tables.data(), "family_name") == "exact"


def test_a_middle_name_used_as_first_name():
    tables = two_records()
    tables.name("a", "WILLIAM", "REID", middle="GORDON JAMES")
    tables.name("b", "GORDON", "REID")
    assert level_of(tables.data(), "given_name") == "middle_used"


MIDDLE = [
    ("ANNE", "ANNE", "exact"),
    ("ANNE MARIE", "MARIE", "shared"),
    ("A", "ANNE", "initial"),
    ("ANNE", "RUTH", "else"),
    (None, "RUTH", "null"),
]


@pytest.mark.parametrize(("middle_a", "middle_b", "level"), MIDDLE)
def test_middle_names(middle_a, middle_b, level):
    tables = two_records()
    tables.name("a", "JO", "REID", middle=middle_a)
    tables.name("b", "JO", "REID", middle=middle_b)
    assert level_of(tables.data(), "middle_name") == level


DATES = [
    ("2001-04-07", "DAY", "2001-04-07", "DAY", "exact"),
    ("2001-04-07", "DAY", "2001-07-04", "DAY", "day_month_swapped"),
    ("2001-04-07", "DAY", "2001-04-01", "DAY", "one_edit"),
    ("2001-04-12", "DAY", "2001-04-21", "DAY", "one_edit"),
    ("2001-04-07", "DAY", "2012-04-07", "DAY", "else"),
    ("2001-04-17", "DAY", "2001-04-29", "DAY", "same_month"),
    ("2001-04-17", "DAY", "2001-12-29", "DAY", "same_year"),
    ("2001-04-17", "DAY", "2001-01-01", "YEAR", "imprecise"),
    ("2001-04-17", "DAY", "2002-01-01", "YEAR", "within_5_years"),
    ("2001-01-01", "YEAR", "2001-01-01", "YEAR", "imprecise"),
    ("2001-04-17", "DAY", "2003-01-01", "AGE_RANGE", "age_range"),
    ("2001-04-17", "DAY", "2006-11-28", "DAY", "within_5_years"),
    ("2001-04-17", "DAY", "2007-11-28", "DAY", "else"),
]


@pytest.mark.parametrize(("birth_a", "precision_a", "birth_b", "precision_b", "level"), DATES)
def test_dates_of_birth(birth_a, precision_a, birth_b, precision_b, level):
    tables = two_records()
    tables.birth("a", birth_a, precision_a)
    tables.birth("b", birth_b, precision_b)
    assert level_of(tables.data(), "date_of_birth") == level


def test_any_of_several_birth_dates_may_agree_and_none_is_null():
    tables = two_records()
    tables.birth("a", "1990-01-05")
    assert level_of(tables.data(), "date_of_birth") == "null"
    tables.birth("b", "1981-10-30")
    tables.birth("b", "1990-01-05")
    assert level_of(tables.data(), "date_of_birth") == "exact"


SEX = [("M", "M", "equal"), ("M", "F", "else"), ("M", "U", "null"), ("I", "M", "null"), (None, "F", "null")]


@pytest.mark.parametrize(("sex_a", "sex_b", "level"), SEX)
def test_sex(sex_a, sex_b, level):
    tables = Tables()
    tables.record("a", sex=sex_a)
    tables.record("b", sex=sex_b)
    assert level_of(tables.data(), "sex") == level


IDENTIFIERS = [
    # type a, value a, status a, type b, value b, status b, comparison, level
    ("NHS", "1", "VALID", "NHS", "1", "VALID", "nhs_number", "equal"),
    ("NHS", "1", "SYNTHETIC", "NHS", "1", "VALID", "nhs_number", "equal"),
    ("NHS", "1", "VALID", "NHS", "2", "VALID", "nhs_number", "conflict"),
    ("NHS", "1", "UNVERIFIED", "NHS", "1", "VALID", "nhs_number", "equal_unverified"),
    ("NHS", "1", "UNVERIFIED", "NHS", "2", "VALID", "nhs_number", "differ_unverified"),
    ("NHS", "1", "INVALID_CHECK", "NHS", "1", "VALID", "nhs_number", "null"),
    ("NHS", "1", "PLACEHOLDER", "NHS", "1", "PLACEHOLDER", "nhs_number", "null"),
    ("UPN", "1", "VALID", "UPN", "1", "VALID", "identifier", "equal"),
    ("UPN", "1", "VALID", "UPN_FORMER", "1", "VALID", "identifier", "equal"),
    ("UPN", "1", "VALID", "UPN_FORMER", "2", "VALID", "identifier", "null"),
    ("UPN", "1", "VALID", "UPN", "2", "VALID", "identifier", "conflict"),
    ("PNC", "1", "VALID", "CRO", "1", "VALID", "identifier", "null"),
    ("PNC", "1", "UNVERIFIED", "PNC", "1", "VALID", "identifier", "equal_unverified"),
]


@pytest.mark.parametrize(
    ("type_a", "value_a", "status_a", "type_b", "value_b", "status_b", "comparison", "level"), IDENTIFIERS
)
def test_identifiers(type_a, value_a, status_a, type_b, value_b, status_b, comparison, level):
    tables = two_records()
    tables.identifier("a", type_a, value_a, status_a)
    tables.identifier("b", type_b, value_b, status_b)
    assert level_of(tables.data(), comparison) == level


def test_one_shared_number_outweighs_a_second_that_differs():
    tables = two_records()
    for record, second in (("a", "7"), ("b", "8")):
        tables.identifier(record, "CRO", "5")
        tables.identifier(record, "PNC", second)
    assert level_of(tables.data(), "identifier") == "equal"


ADDRESSES = [
    ("12", "BD1 1AA", "LIVE", "12", "BD1 1AA", "LIVE", "same_dwelling"),
    ("12", "BD1 1AA", "LIVE", "14", "BD1 1AA", "LIVE", "same_postcode"),
    (None, "BD1 1AA", "LIVE", "14", "BD1 1AA", "VALID_FORMAT", "same_postcode"),
    ("12", "BD1 1AA", "LIVE", "12", "BD1 9ZZ", "LIVE", "same_outward"),
    ("12", "BD1 1AA", "LIVE", "12", "LS2 9ZZ", "LIVE", "else"),
    ("12", "ZZ99 3VZ", "NFA", "12", "ZZ99 3VZ", "NFA", "null"),
    ("12", "ZZ99 3CZ", "PSEUDO", "12", "BD1 1AA", "LIVE", "null"),
    ("12", "BD1 1AA", "CONFIDENTIAL", "12", "BD1 1AA", "LIVE", "null"),
]


@pytest.mark.parametrize(
    ("number_a", "code_a", "status_a", "number_b", "code_b", "status_b", "level"), ADDRESSES
)
def test_addresses(number_a, code_a, status_a, number_b, code_b, status_b, level):
    tables = two_records()
    tables.address("a", number_a, code_a, status_a)
    tables.address("b", number_b, code_b, status_b)
    assert level_of(tables.data(), "address") == level


def test_an_old_address_counts_and_any_shared_contact():
    tables = two_records()
    tables.address("a", "1", "BD1 1AA")
    tables.address("a", "2", "BD2 2BB")
    tables.address("b", "2", "BD2 2BB")
    tables.contact("a", "+447700900001")
    tables.contact("a", "one@example.org", "EMAIL")
    tables.contact("b", "one@example.org", "EMAIL")
    assert level_of(tables.data(), "address") == "same_dwelling"
    assert level_of(tables.data(), "contact") == "equal"
