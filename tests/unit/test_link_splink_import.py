"""Taking a Splink model: what its own comparison library writes is read, and what cannot be taken is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.errors import LinkageError
from pipelines.link.engines.splink_engine import SplinkEngine
from pipelines.link.model_file import read_model_file
from pipelines.link.splink_bridge.importing import import_settings

splink = pytest.importorskip("splink")
PRIOR = 0.0002


def settings(*comparisons: Any, rules: tuple[Any, ...] = ()) -> dict[str, Any]:
    """Return the settings that Splink makes of these comparisons, each level with an m and a u."""
    from splink import SettingsCreator, block_on

    made = SettingsCreator(
        link_type="dedupe_only",
        comparisons=list(comparisons),
        blocking_rules_to_generate_predictions=list(rules or (block_on("first_name", "dob"),)),
        probability_two_random_records_match=PRIOR,
    ).create_settings_dict("duckdb")
    for comparison in made["comparisons"]:
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for position, level in enumerate(levels):
            level["m_probability"] = 2.0**-position / (2 - 2.0 ** (1 - len(levels)))
            level["u_probability"] = 2.0 ** (position - len(levels)) / (1 - 2.0 ** -len(levels))
    return made


def library() -> Any:
    import splink.comparison_library as comparisons

    return comparisons


def test_names_dates_postcodes_and_emails_are_read_as_splink_writes_them() -> None:
    cl = library()
    imported = import_settings(
        settings(
            cl.NameComparison("first_name"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode"),
            cl.EmailComparison("email"),
        )
    )
    found = {
        each.name: (each.field, [level.when for level in each.levels])
        for each in imported.model.definition.comparisons
    }
    assert found == {
        "first_name": ("given", ["equal", "similar", "similar", "similar", "else"]),
        "dob": ("birth", ["equal", "one_edit", "within_years", "within_years", "else"]),
        "postcode": ("address", ["same_postcode", "same_outward", "else"]),
        "email": ("contact", ["equal", "same_local_part", "similar", "else"]),
    }
    given = imported.model.definition.comparison("first_name")
    assert [level.at_least for level in given.levels] == [None, 0.92, 0.88, 0.7, None]
    assert given.levels[0].term_frequency
    assert [level.years for level in imported.model.definition.comparison("dob").levels[2:4]] == [1, 10]


def test_m_u_and_prior_are_those_of_splink() -> None:
    made = settings(library().ExactMatch("city"), rules=("l.city = r.city",))
    imported = import_settings(made)
    levels = made["comparisons"][0]["comparison_levels"][1:]
    assert imported.model.parameters.m["city"] == tuple(level["m_probability"] for level in levels)
    assert imported.model.parameters.u["city"] == tuple(level["u_probability"] for level in levels)
    assert imported.model.prior_of("a", "b").match == PRIOR
    assert imported.model.prior_of("a", "b").household == 0


def test_a_level_that_cannot_be_taken_is_named_and_gives_its_m_and_u_to_the_next() -> None:
    made = settings(library().LevenshteinAtThresholds("street", [1, 3]), rules=("l.street = r.street",))
    exact, one, three, other = made["comparisons"][0]["comparison_levels"][1:]
    imported = import_settings(made)
    m, u = imported.model.parameters.m["street"], imported.model.parameters.u["street"]
    assert m == (
        exact["m_probability"],
        one["m_probability"],
        three["m_probability"] + other["m_probability"],
    )
    assert u == (
        exact["u_probability"],
        one["u_probability"],
        three["u_probability"] + other["u_probability"],
    )
    assert any("Levenshtein distance of street <= 3: left out" in note for note in imported.notes)


def test_a_comparison_of_two_columns_at_once_is_named_and_left_out() -> None:
    cl = library()
    imported = import_settings(
        settings(cl.ForenameSurnameComparison("first_name", "surname"), cl.ExactMatch("first_name"))
    )
    assert [each.field for each in imported.model.definition.comparisons] == ["given"]
    assert any(note.startswith("comparison first_name_surname: left out") for note in imported.notes)


def test_arrays_that_share_a_value_are_equal_and_more_than_one_is_not_taken() -> None:
    made = settings(library().ArrayIntersectAtSizes("tags", [2, 1]), rules=("l.tags = r.tags",))
    imported = import_settings(made)
    assert [level.when for level in imported.model.definition.comparisons[0].levels] == ["equal", "else"]
    assert any("Array intersection size >= 2" in note for note in imported.notes)


def test_blocking_rules_become_keys_and_others_are_named() -> None:
    from splink import block_on

    rules = (
        block_on("first_name", "surname"),
        block_on("substr(first_name, 1, 1)", "dob"),
        "l.postcode = r.postcode AND levenshtein(l.dob, r.dob) <= 1",
    )
    imported = import_settings(settings(library().NameComparison("first_name"), rules=rules))
    assert [rule.keys for rule in imported.model.definition.blocking] == [
        ("given", "family"),
        ("given_initial", "date_of_birth"),
    ]
    assert any(note.startswith("blocking rule 3: left out") for note in imported.notes)


def test_a_weighted_or_foreign_term_frequency_is_named() -> None:
    made = settings(library().NameComparison("first_name"))
    exact, similar = made["comparisons"][0]["comparison_levels"][1:3]
    exact["tf_adjustment_weight"] = 0.5
    similar["tf_adjustment_column"] = "first_name"
    imported = import_settings(made)
    levels = imported.model.definition.comparison("first_name").levels
    assert [level.term_frequency for level in levels] == [True, False, False, False, False]
    assert any("full weight" in note for note in imported.notes)
    assert any("is not taken, it is not that of a shared value" in note for note in imported.notes)


def test_two_columns_of_one_field_are_not_counted_twice() -> None:
    cl = library()
    made = settings(cl.ExactMatch("email"), cl.ExactMatch("phone"), rules=("l.email = r.email",))
    imported = import_settings(made)
    assert [each.field for each in imported.model.definition.comparisons] == ["contact", "extra.phone"]
    assert "column phone is the field extra.phone: name it so in the mapping" in imported.notes


@pytest.mark.parametrize("rule", ["1=1", "l.first_name = r.surname", "l.first_name = 'X'", "not sql ((("])
def test_a_model_without_a_rule_that_can_be_taken_is_refused(rule: str) -> None:
    with pytest.raises(LinkageError, match="no blocking rule"):
        import_settings(settings(library().NameComparison("first_name"), rules=(rule,)))


def test_an_untrained_model_and_a_file_that_is_no_model_are_refused() -> None:
    made = settings(library().NameComparison("first_name"))
    for level in made["comparisons"][0]["comparison_levels"]:
        level.pop("m_probability", None)
    with pytest.raises(LinkageError, match="it has no m or no u"):
        import_settings(made)
    with pytest.raises(LinkageError, match="lacks comparisons"):
        import_settings({"anything": 1})


def test_the_command_writes_a_model_file_and_says_what_it_lacks(tmp_path: Any) -> None:
    source, target = tmp_path / "splink.json", tmp_path / "model.yaml"
    source.write_text(json.dumps(settings(library().NameComparison("first_name"))), encoding="utf-8")
    done = CliRunner().invoke(app, ["model", "import", str(source), "--output", str(target)])
    assert done.exit_code == 0, done.output
    assert read_model_file(target).version in done.output
    assert "term frequencies are not part of a Splink model file" in done.output


def test_without_splink_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(library().NameComparison("first_name"))
    monkeypatch.setattr("pipelines.link.splink_bridge.require.find_spec", lambda name: None)
    for use in (lambda: import_settings(made), SplinkEngine):
        with pytest.raises(LinkageError, match=r"pip install 'joinedup\[splink\]'"):
            use()
