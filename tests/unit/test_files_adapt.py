"""The person model adapted to a file: for any set of fields a valid model that compares what is there."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.conditions import fields_of_key
from pipelines.contracts.model import LinkageModel, load_model
from pipelines.files.adapt import adapt_model
from pipelines.files.facts import Facts
from pipelines.files.mapping import FieldMapping

SHARES = {
    "given": 0.005, "family": 0.002, "date_of_birth": 0.00003, "sex": 0.5, "postcode": 0.0002, "lines": 0.00001,
    "contact": 0.00001, "extra.town": 0.05, "extra.job": 0.01, "identifier.ssn": 1e-6,
}  # fmt: skip
DERIVED = {
    "given": ("given_phonetic", "given_initial"), "family": ("family_phonetic", "family_initial"),
    "date_of_birth": ("birth_year", "birth_month", "birth_either_order"), "postcode": ("outward", "place"),
}  # fmt: skip
EXTRAS = {
    "town": FieldMapping(column=("t",), compare="jaro_winkler", term_frequency=True),
    "job": FieldMapping(column=("j",), compare="levenshtein", term_frequency=False),
}


def facts_of(present: frozenset[str], records: int = 10_000, types: frozenset[str] = frozenset()) -> Facts:
    names = present & SHARES.keys()
    shares = {name: SHARES[name] for name in names}
    shares |= {key: SHARES[name] for name in names for key in DERIVED.get(name, ())}
    if {"given", "family"} <= names:
        shares["sorted_names"] = 1e-5
    fields = present | {key for name in names for key in DERIVED.get(name, ()) if key in ("outward", "place")}
    kinds = types | ({"SSN"} if "identifier.ssn" in present else set())
    return Facts(records, fields, frozenset(kinds), shares)


def adapted(*present: str, records: int = 10_000, types: frozenset[str] = frozenset()) -> LinkageModel:
    return adapt_model(load_model(), facts_of(frozenset(present), records, types), EXTRAS)


def names_of(model: LinkageModel) -> set[str]:
    return {comparison.name for comparison in model.comparisons}


@given(
    st.frozensets(st.sampled_from(sorted({*SHARES, "middle", "email"})), min_size=1), st.integers(2, 10**7)
)
def test_any_fields_make_a_valid_model_that_uses_nothing_else(present: frozenset[str], records: int) -> None:
    if not present & SHARES.keys():
        present = present | {"given"}
    facts = facts_of(present, records)
    model = adapt_model(load_model(), facts, EXTRAS)
    keys = {key for rule in model.blocking for key in (*rule.keys, rule.narrow_with) if key}
    assert keys <= facts.shares.keys()
    assert {comparison.field for comparison in model.comparisons} <= present | {"birth", "address", "contact"}
    assert model.deterministic.rules


def test_the_parts_of_a_full_file_keep_the_shipped_model_whole() -> None:
    shipped = load_model()
    model = adapted(*SHARES, "middle", "email", types=frozenset({"NHS", "UPN", "PNC"}))
    assert {comparison.name for comparison in shipped.comparisons} <= names_of(model)
    assert model.household is not None and model.hard_bar == "nhs_number"
    assert model.comparison("identifier").types == {"UPN": "UPN", "PNC": "PNC"}


def test_own_fields_are_compared_as_the_mapping_says() -> None:
    model = adapted("given", "family", "extra.town", "extra.job", "identifier.ssn")
    assert [level.when for level in model.comparison("town").levels] == [
        "equal",
        "similar",
        "similar",
        "else",
    ]
    assert [level.when for level in model.comparison("job").levels] == ["equal", "one_edit", "else"]
    assert [level.when for level in model.comparison("ssn").levels] == ["equal", "one_edit", "conflict"]
    assert (
        model.comparison("town").levels[0].term_frequency
        and not model.comparison("job").levels[0].term_frequency
    )


def test_a_name_that_the_model_has_is_told_apart() -> None:
    facts = facts_of(frozenset({"given", "family"}))
    facts = Facts(
        facts.records, facts.fields | {"extra.sex"}, facts.identifier_types, facts.shares | {"extra.sex": 0.5}
    )
    model = adapt_model(load_model(), facts, {"sex": FieldMapping(column=("s",), compare="exact")})
    assert "extra_sex" in names_of(model)


def test_swapped_names_need_both_names() -> None:
    conditions = {level.when for level in adapted("given", "date_of_birth").comparison("given_name").levels}
    assert not conditions & {"swapped", "swapped_phonetic", "middle_used"}


@pytest.mark.parametrize("missing", ["given", "date_of_birth", "postcode"])
def test_without_who_lives_where_there_is_no_household_class(missing: str) -> None:
    whole = {"given", "family", "date_of_birth", "postcode"}
    assert adapted(*whole).household is not None
    assert adapted(*whole - {missing}).household is None


def test_without_a_postcode_households_are_known_by_their_address_lines() -> None:
    model = adapted("given", "family", "date_of_birth", "lines")
    assert model.household is not None
    (rule,) = [rule for rule in model.blocking if rule.name == model.household.rule]
    assert rule.keys == ("lines",)


def test_few_records_are_compared_widely_and_many_narrowly() -> None:
    few, many = (
        {rule.keys for rule in adapted("given", "family", "date_of_birth", records=n).blocking}
        for n in (1_000, 10**7)
    )
    assert ("family_phonetic",) in few and ("family_phonetic",) not in many
    assert many < few


def test_the_pair_budget_grows_with_the_records() -> None:
    assert adapted("given", records=10**7).pair_budget > adapted("given", records=10**4).pair_budget


def test_every_comparison_is_left_free_by_a_rule_that_training_uses() -> None:
    for fields in combinations(
        ("given", "family", "date_of_birth", "contact", "extra.town", "identifier.ssn"), 3
    ):
        model = adapted(*fields)
        trained = [rule for rule in model.blocking if rule.train]
        for comparison in model.comparisons:
            fixed_by_all = all(
                comparison.field in {f for key in rule.keys for f in fields_of_key(key)} for rule in trained
            )
            assert not fixed_by_all, (fields, comparison.name)
