"""Take a Splink model file as a model of ours, and say in words what of it could not be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.contracts.model import BlockingRule, Comparison, Deterministic, LinkageModel, load_model
from pipelines.errors import LinkageError
from pipelines.link.splink_bridge.columns import Meaning, key_of, plain_name
from pipelines.link.splink_bridge.parse import Test, parse_condition
from pipelines.link.splink_bridge.reading import Comparisons, free_name, read_comparisons
from pipelines.link.splink_bridge.require import require_splink
from pipelines.link.trained import Parameters, SourcePrior, TrainedModel, TrainingRecord

WANTED = ("comparisons", "blocking_rules_to_generate_predictions", "probability_two_random_records_match")
DEFAULT_DIALECT = "duckdb"
TERMS_NOTE = (
    "term frequencies are not part of a Splink model file: levels with term_frequency use their u until the model"
    " is trained here"
)
AS_SHIPPED = (
    "constants of training, thresholds, the least frequency of a value and the pair budget are those of the shipped"
    " person model; there is no household correction and no hard bar"
)


@dataclass(frozen=True)
class Imported:
    """The model, and in words what it does not have of the Splink model."""

    model: TrainedModel
    notes: tuple[str, ...]


def import_settings(settings: Mapping[str, Any], name: str = "imported") -> Imported:
    """Return the model of a Splink settings dictionary (`linker.misc.save_model_to_json`), and notes.

    Levels: exact, Jaro-Winkler at least, one edit, differences of dates in years, arrays that share a value, null,
    else, and whatever `export_settings` writes. A level that cannot be taken gives its m and u to the next one
    below. Rules: equality of columns or of their parts, joined by AND.

    Raises:
        LinkageError: the settings are no Splink model, no comparison or no rule can be taken, or Splink is missing.
    """
    require_splink()
    missing = [key for key in WANTED if key not in settings]
    if missing:
        raise LinkageError(f"the file is not a Splink model: it lacks {', '.join(missing)}")
    dialect = str(settings.get("sql_dialect", DEFAULT_DIALECT))
    found = read_comparisons(settings["comparisons"], dialect)
    rules = _read_rules(found, settings["blocking_rules_to_generate_predictions"], dialect)
    if not found.comparisons or not rules:
        what = "comparison" if not found.comparisons else "blocking rule"
        raise LinkageError(f"no {what} of the Splink model can be taken: {'; '.join(found.notes)}")
    model = _model(found, rules, float(settings["probability_two_random_records_match"]), name)
    return Imported(model, tuple(found.notes))


def _read_rules(found: Comparisons, rules: Sequence[Any], dialect: str) -> tuple[BlockingRule, ...]:
    fields = {comparison.field for comparison in found.comparisons}
    budget = load_model().pair_budget
    read: list[BlockingRule] = []
    for number, rule in enumerate(rules, start=1):
        sql = rule if isinstance(rule, str) else rule["blocking_rule"]
        keys = _keys(parse_condition(sql, dialect), found.known)
        if keys is None or any("." in key and key not in fields for key in keys):
            found.notes.append(
                f"blocking rule {number}: left out, it is not an equality of columns that are compared here,"
                " or of their parts, joined by AND"
            )
            continue
        name = free_name(plain_name("_".join(keys)), {each.name for each in read})
        read.append(BlockingRule(name=name, keys=keys, maximum_block=budget, train=True))
    return tuple(read)


def _keys(tests: tuple[Test, ...] | None, known: dict[str, Meaning]) -> tuple[str, ...] | None:
    if not tests:
        return None
    keys = [
        key_of(test.column, test.left.part, known) if test.column and test.relation == "equal" else None
        for test in tests
    ]
    return None if any(key is None for key in keys) else tuple(key for key in keys if key)


def _model(found: Comparisons, rules: tuple[BlockingRule, ...], prior: float, name: str) -> TrainedModel:
    """Return the trained model; what Splink has no word for is as shipped."""
    shipped = load_model()
    if any(level.term_frequency for each in found.comparisons for level in each.levels):
        found.notes.append(TERMS_NOTE)
    found.notes.append(AS_SHIPPED)
    definition = shipped.model_copy(
        update={
            "model": plain_name(name),
            "description": "Taken from a Splink model",
            "comparisons": tuple(found.comparisons),
            "blocking": rules,
            "prior": prior,
            "deterministic": _deterministic(shipped, found.comparisons),
            "household": None,
            "hard_bar": None,
            "linkable_by": (),
        }
    )
    whole = LinkageModel.model_validate(definition.model_dump(mode="json"))
    parameters = Parameters(found.m, found.u, {}, SourcePrior(prior, 0.0), None)
    record = TrainingRecord(0, 0, 0, 0, shipped.deterministic.assumed_recall, "trained by Splink", (), ())
    return TrainedModel(whole, parameters, {}, record)


def _deterministic(shipped: LinkageModel, comparisons: list[Comparison]) -> Deterministic:
    """Return the near certain rule for the prior of a later training: every comparison at its best level."""
    rule = {comparison.name: (comparison.levels[0].name,) for comparison in comparisons}
    return Deterministic(assumed_recall=shipped.deterministic.assumed_recall, rules=(rule,))
