"""A model as Splink settings: Splink loads them, weighs as we do, gives the model back; what is lost is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.link_population import population, trained_on_population
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.contracts.model import Comparison, LinkageModel, load_model
from pipelines.link import TrainedModel
from pipelines.link.encode import Encoded, encode
from pipelines.link.engines.base import score_levels
from pipelines.link.engines.recordlinkage_engine import RecordLinkageEngine
from pipelines.link.model_file import write_model_file
from pipelines.link.splink_bridge.exporting import export_settings
from pipelines.link.splink_bridge.flat import flat_table
from pipelines.link.splink_bridge.importing import import_settings
from pipelines.link.terms import common_terms

pytest.importorskip("splink")
PERSON = Path(__file__).resolve().parents[2] / "schemas/models/person.yaml"


def splink_predictions(encoded: Encoded, trained: TrainedModel, aliases: bool) -> dict[tuple[int, int], Any]:
    """Return what Splink itself makes of the exported settings over the flat table: rows by pair."""
    from splink import DuckDBAPI, Linker

    settings = export_settings(trained, aliases=aliases).settings
    settings["retain_matching_columns"] = True
    table = flat_table(trained.definition, encoded, aliases=aliases)
    linker = Linker(DuckDBAPI().register(table), settings, log_level=None)
    rows = linker.inference.predict(warning_mode="never").as_record_list()
    return {(row["unique_id_l"], row["unique_id_r"]): row for row in rows}


@pytest.fixture(scope="module")
def people() -> Encoded:
    """Return records with one value per field, all dates known to the day."""
    return encode(load_model(), population(60, seed=5)[0].data())


def expected(trained: TrainedModel, encoded: Encoded, pairs: list[tuple[int, int]]) -> Any:
    both = (np.array([a for a, _ in pairs]), np.array([b for _, b in pairs]))
    levels = RecordLinkageEngine().levels(trained.definition, encoded, both)
    return score_levels(trained, encoded, both, levels)


def with_terms(encoded: Encoded) -> TrainedModel:
    """Return the shipped model with its starting values, and how common values are in these records."""
    start = TrainedModel.untrained(load_model())
    terms = common_terms(start.definition, encoded)
    terms.pop("birth_year")  # Splink has no word for a day that is as common as its year
    return TrainedModel(start.definition, start.parameters, terms, start.training)


@pytest.mark.parametrize("aliases", [False, True])
def test_splink_weighs_as_we_do_but_for_what_is_left_out(people: Encoded, aliases: bool) -> None:
    trained = TrainedModel.untrained(load_model()) if aliases else with_terms(people)
    found = splink_predictions(people, trained, aliases)
    scores = expected(trained, people, list(found)).scores
    weights = np.array([row["match_weight"] for row in found.values()])
    assert len(found) > 500
    assert np.abs(weights - (scores.total - scores.household)).max() < 1e-6


def test_splink_finds_the_same_levels(people: Encoded) -> None:
    trained = TrainedModel.untrained(load_model())
    found = splink_predictions(people, trained, aliases=True)
    levels = expected(trained, people, list(found)).levels
    for at, comparison in enumerate(trained.definition.comparisons):
        ours = [weight_of(trained, comparison, level) for level in levels[:, at]]
        theirs = [gamma_weight(trained, comparison, row) for row in found.values()]
        assert theirs == ours, comparison.name


def weight_of(trained: TrainedModel, comparison: Comparison, level: int) -> float | None:
    return None if level < 0 else trained.parameters.m[comparison.name][level]


def gamma_weight(trained: TrainedModel, comparison: Comparison, row: Any) -> float | None:
    """Return the m of the level in a row of Splink's predictions, by counting its exported levels from below."""
    kept = [at for at, level in enumerate(comparison.levels) if level.when not in {"imprecise", "age_range"}]
    gamma = row[f"gamma_{comparison.name}"]
    return None if gamma < 0 else trained.parameters.m[comparison.name][kept[::-1][gamma]]


@pytest.mark.parametrize("aliases", [False, True])
def test_an_exported_model_comes_back_but_for_what_is_left_out(aliases: bool) -> None:
    model = load_model()
    trained = TrainedModel.untrained(model)
    back = import_settings(export_settings(trained, aliases=aliases).settings).model
    for comparison in model.comparisons:
        kept = [
            at for at, level in enumerate(comparison.levels) if level.when not in {"imprecise", "age_range"}
        ]
        read = back.definition.comparison(comparison.name)
        assert (read.kind, read.field, read.types) == (comparison.kind, comparison.field, comparison.types)
        assert [said(level) for level in read.levels] == [said(comparison.levels[at]) for at in kept]
        for of in ("m", "u"):
            before, after = (getattr(each.parameters, of)[comparison.name] for each in (trained, back))
            assert after == tuple(before[at] for at in kept)
    assert [rule.keys for rule in back.definition.blocking] == [rule.keys for rule in model.blocking]


def said(level: Any) -> tuple[Any, ...]:
    return level.name, level.when, level.at_least, level.years, level.silences


def own_fields() -> LinkageModel:
    """Return a model of fields of a file's own: contacts, lines of an address, a number, a text."""
    start = load_model()
    levels = {
        "address": ["same_lines", "similar_lines", "same_postcode"],
        "contact": ["equal", "same_local_part", "similar", "one_edit"],
        "identifier": ["equal", "one_edit", "equal_unverified", "differ_unverified"],
        "text": ["equal", "tokens", "similar", "one_edit"],
    }
    fields = {"address": "address", "contact": "contact", "identifier": "identifier.ssn", "text": "extra.zip"}
    comparisons = [
        {
            "name": kind,
            "kind": kind,
            "field": fields[kind],
            "types": {"SSN": "SSN"} if kind == "identifier" else {},
            "levels": [
                {
                    "name": when,
                    "when": when,
                    "m": 0.2,
                    "u": 0.1,
                    **({"at_least": 0.9} if "similar" in when else {}),
                }
                for when in [*whens, "conflict" if kind == "identifier" else "else"]
            ],
        }
        for kind, whens in levels.items()
    ]
    content = start.model_dump(mode="json") | {
        "comparisons": comparisons,
        "household": None,
        "hard_bar": None,
        "linkable_by": [],
        "deterministic": {"assumed_recall": 0.5, "rules": [{"text": ["equal"]}]},
        "blocking": [{"name": "zip", "keys": ["extra.zip"], "maximum_block": 100}],
    }
    return LinkageModel.model_validate(content)


@pytest.mark.parametrize("aliases", [False, True])
def test_fields_of_a_file_of_its_own_come_back_too(aliases: bool) -> None:
    model = own_fields()
    back = import_settings(export_settings(TrainedModel.untrained(model), aliases=aliases).settings).model
    for comparison in model.comparisons:
        read = back.definition.comparison(comparison.name)
        assert (read.kind, read.field, read.types) == (comparison.kind, comparison.field, comparison.types)
        assert [said(level) for level in read.levels] == [said(level) for level in comparison.levels]
    assert back.definition.blocking[0].keys == ("extra.zip",)


def test_what_is_left_out_is_said() -> None:
    words = "\n".join(export_settings(trained_on_population()).left_out)
    for part in (
        "household correction",
        "hard bar of nhs_number",
        "each pair of sources",
        "narrowing",
        "age_range",
    ):
        assert part in words
    assert "date_of_birth at exact" in words


def test_the_command_writes_settings_and_says_what_they_lack(tmp_path: Path) -> None:
    from splink import SettingsCreator

    target = tmp_path / "splink.json"
    write_model_file(tmp_path / "model.yaml", trained_on_population())
    for source in (PERSON, tmp_path / "model.yaml"):
        done = CliRunner().invoke(
            app, ["model", "export", "--format", "splink", str(source), "--output", str(target)]
        )
        assert done.exit_code == 0, done.output
        assert "the household correction" in done.output
        made = SettingsCreator.from_path_or_dict(target).get_settings("duckdb")
        assert [each.output_column_name for each in made.comparisons] == [
            each.name for each in load_model().comparisons
        ]
        assert json.loads(target.read_text(encoding="utf-8"))["link_type"] == "dedupe_only"


def test_another_format_is_refused() -> None:
    done = CliRunner().invoke(app, ["model", "export", "--format", "other", str(PERSON)])
    assert done.exit_code != 0
    assert "splink is the only format" in done.output
