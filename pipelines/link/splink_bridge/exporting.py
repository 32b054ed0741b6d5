"""A trained model as settings that Splink loads over plain columns, and in words what they leave out.

The table that the settings want has one row per record: `unique_id`, and columns named after our fields, their text
folded as ours is (upper-case ASCII, single spaces). Null where there is no value; a list where there are several.

    given, family, middle        names; `given_sound` and so on are lists of their double metaphone codes
    full, reversed               GIVEN|FAMILY and FAMILY|GIVEN; `full_phonetic`, `reversed_phonetic` their codes
    date_of_birth                DATE, known to the day; `birth_year`, `birth_month`, `birth_either_order` are keys
    sex, contact                 M or F; e-mail or phone, `contact_local_part` what stands before the @
    postcode, outward, place     place is UPRN, or postcode#number; pseudo postcodes are no place
    nhs_number, identifier       valid numbers as KIND:NUMBER; `_weak` with unverified ones, `_kind` the KIND alone
    extra_<name>                 a field of the file's own

With `aliases` every column that can hold several values is a list with all of them, and Splink cannot adjust for
common values; without, it holds the best one, and it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.contracts.model import Comparison, LinkageModel
from pipelines.link.splink_bridge.comparisons import Frequency, Written, comparison_dict, rule_dict
from pipelines.link.splink_bridge.program import Dated, Tests, compile_tests
from pipelines.link.splink_bridge.sql import DUCKDB, Renderer, calendar_part
from pipelines.link.trained import TrainedModel

SPANS = frozenset({"imprecise", "age_range"})
COLUMNS = {"birth": "date_of_birth"}
# Features that give a record several values even where a field has one.
ALWAYS_LISTS = frozenset(
    f"{name}_{part}"
    for name in ("given", "family", "middle")
    for part in ("variants", "tokens", "sound", "phonetic")
) | {"middle_token"}
ONE_VALUE = frozenset({"sex"})


@dataclass(frozen=True)
class Exported:
    """Settings for Splink, and in words what of the model they leave out."""

    settings: dict[str, Any]
    left_out: tuple[str, ...]


def export_settings(trained: TrainedModel, *, aliases: bool = False) -> Exported:
    """Return the model as a Splink settings dictionary for DuckDB; see the module for the table that it wants."""
    model = trained.definition
    compiled = {each.name: _expressible(each) for each in model.comparisons}
    tests = {name: found for name, (found, _) in compiled.items()}
    lists = _lists(tests, model) if aliases else ALWAYS_LISTS
    renderer = Renderer(DUCKDB, lists, calendar_part, COLUMNS)
    frequencies = {} if aliases else _frequencies(trained)
    written = Written(renderer, tests, frequencies)
    columns = {rule.name: [renderer.column(key) for key in rule.keys] for rule in model.blocking}
    listed = frozenset(renderer.column(feature) for feature in lists)
    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": _prior(trained),
        "comparisons": [comparison_dict(trained, written, each.name) for each in model.comparisons],
        "blocking_rules_to_generate_predictions": [
            rule_dict(columns[rule.name], listed, DUCKDB.name) for rule in model.blocking
        ],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }
    lost = {name: names for name, (_, names) in compiled.items() if names}
    return Exported(settings, tuple(_left_out(trained, lost, frequencies)))


def _expressible(comparison: Comparison) -> tuple[Tests, tuple[str, ...]]:
    """Return the tests that plain columns allow, and the levels that they do not."""
    tests, lost = compile_tests(comparison)
    kept = [
        (at, test)
        for at, test in zip(tests.levels, tests.tests, strict=True)
        if not (isinstance(test, Dated) and test.condition in SPANS)
    ]
    spans = tuple(level.name for level in comparison.levels if level.when in SPANS)
    plain = Tests(
        tests.present, tuple(at for at, _ in kept), tuple(test for _, test in kept), tests.otherwise
    )
    return plain, (*lost, *spans)


def _lists(tests: dict[str, Tests], model: LinkageModel) -> frozenset[str]:
    used = {name for each in tests.values() for test in each.tests for name in test.features}
    used |= {name for each in tests.values() for name in each.present}
    return frozenset(used | {key for rule in model.blocking for key in rule.keys}) - ONE_VALUE | ALWAYS_LISTS


def _frequencies(trained: TrainedModel) -> dict[tuple[str, int], Frequency]:
    """Return the levels whose shared value is one column that Splink can count."""
    found = {}
    for comparison in trained.definition.comparisons:
        for at, level in enumerate(comparison.levels):
            column = {"same_address": "place", "same_postcode": "postcode"}.get(level.when, comparison.field)
            if level.term_frequency and comparison.kind != "date":
                column = column.replace(".", "_")
                found[comparison.name, at] = Frequency(column, trained.definition.minimum_frequency)
    return found


def _prior(trained: TrainedModel) -> float:
    """Return the overall prior; its odds are those against two strangers, as our weight has them."""
    prior = trained.parameters.default_prior
    odds = prior.match / (1.0 - prior.match - prior.household)
    return odds / (1.0 + odds)


def _left_out(
    trained: TrainedModel,
    lost: dict[str, tuple[str, ...]],
    frequencies: dict[tuple[str, int], Frequency],
) -> Iterator[str]:
    model = trained.definition
    if model.household is not None:
        yield "the household correction: twins, siblings and namesakes weigh more than they should"
    if model.hard_bar is not None:
        yield f"the hard bar of {model.hard_bar}: two verified numbers that differ count as evidence only"
    if len(trained.parameters.priors) > 1:
        yield "the prior of each pair of sources: one overall prior stands for all of them"
    narrowed = [rule.name for rule in model.blocking if rule.narrow_with]
    yield "the largest block allowed, and the pair budget: Splink compares every pair that a rule meets"
    if narrowed:
        yield f"the narrowing of large blocks in the rules {', '.join(narrowed)}"
    for name, levels in lost.items():
        yield f"comparison {name}: the levels {', '.join(levels)}, which plain columns do not show"
    silent = [
        f"{comparison.name} at {level.name}"
        for comparison in model.comparisons
        for at, level in enumerate(comparison.levels)
        if level.term_frequency and (comparison.name, at) not in frequencies
    ]
    if silent:
        yield f"term frequencies of {', '.join(silent)}: u stands for every value"
    if frequencies:
        yield "our counts of common values: Splink counts them in the table that it is given"
    yield "thresholds, clustering and its constraints: settings hold comparisons and rules only"
