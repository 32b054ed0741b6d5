"""A trained model as settings that Splink loads over plain columns, and in words what they leave out.

The table that the settings want has one row per record: `unique_id`, and columns named after our features, their
text folded as ours is (upper-case ASCII, single spaces); null where there is no value. `flat_table` makes it.

    given, family, middle        names; `given_variants` the names that are variants of it, `given_token` its words,
                                 `given_sound` its double metaphone codes, `given_initial` its first letter and
                                 `given_single` the name where it is one letter; the same for the others
    full, reversed               GIVEN|FAMILY and FAMILY|GIVEN; `full_phonetic`, `reversed_phonetic` by first code
    middle_token, middle_word    the middle names one by one, and without initials
    date_of_birth                DATE, known to the day; keys `birth_year`, `birth_month`, `birth_either_order`
    sex, contact                 M or F; e-mail or phone, `contact_email`, `contact_local` what stands before the @
    postcode, outward, place     place is UPRN, or postcode#number; pseudo postcodes are no place
    lines                        the address without its postcode
    nhs_number, identifier_...   valid numbers as KIND:NUMBER; `_weak` with unverified ones, `_kind` the KIND of
                                 current ones, `_weak_kind` the KIND of any
    extra_<name>                 a field of the file's own

With `aliases` every column that can hold several values is a list with all of them, and Splink cannot adjust for
common values; without, it holds one, and Splink can. Words, variants and codes are lists either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipelines.contracts.model import LinkageModel
from pipelines.link.predicates import CompiledComparison, Predicate, comparison_features, compile_comparisons
from pipelines.link.splink_bridge.comparisons import (
    Frequency,
    Written,
    comparison_dict,
    rule_dict,
    write_model,
)
from pipelines.link.splink_bridge.sql import DUCKDB, Renderer, calendar_part
from pipelines.link.trained import TrainedModel

SPANS = frozenset({"imprecise", "age_range"})
COLUMNS = {"birth": "date_of_birth"}
ONE_VALUE = frozenset({"sex"})
DIGITS_OF_A_THRESHOLD = 6


@dataclass(frozen=True)
class Exported:
    """Settings for Splink, and in words what of the model they leave out."""

    settings: dict[str, Any]
    left_out: tuple[str, ...]


def export_settings(trained: TrainedModel, *, aliases: bool = False) -> Exported:
    """Return the model as a Splink settings dictionary for DuckDB; see the module for the table that it wants."""
    model = trained.definition
    renderer = export_renderer(model, aliases)
    written = write_plain(compile_comparisons(model), renderer)
    frequencies = {} if aliases else _frequencies(model, written, renderer)
    written = replace(written, frequencies=frequencies)
    lists = frozenset(renderer.column(feature) for feature in renderer.lists)
    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": _prior(trained),
        "comparisons": [comparison_dict(trained, written, at) for at in range(len(written.compiled))],
        "blocking_rules_to_generate_predictions": [
            rule_dict([renderer.column(key) for key in rule.keys], lists, DUCKDB.name)
            for rule in model.blocking
        ],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }
    return Exported(settings, tuple(_left_out(trained, frequencies)))


def export_renderer(model: LinkageModel, aliases: bool) -> Renderer:
    """Return how the features of a model are columns of the exported table."""
    features = {*comparison_features(model), *(key for rule in model.blocking for key in rule.keys)}
    features |= {f"{name}_variants" for name in ("given", "family")}
    lists = {name for name in features if name not in ONE_VALUE and (aliases or is_always_list(name))}
    return Renderer(DUCKDB, frozenset(lists), calendar_part, COLUMNS)


def is_always_list(feature: str) -> bool:
    """Return whether a feature gives a record several values even where its field has one."""
    ends = ("_variants", "_token", "_word", "_sound")
    return feature.endswith(ends) or feature in {"given_phonetic", "family_phonetic"}


def write_plain(compiled: tuple[CompiledComparison, ...], renderer: Renderer) -> Written:
    """Return comparisons as SQL over plain columns: thresholds as written, no level that only spans can reach."""
    whole = write_model(tuple(replace(each, predicates=_rounded(each)) for each in compiled), renderer)
    tests = tuple(
        replace(
            each, branches=tuple(branch for branch in each.branches if not _is_span(comparison, branch.level))
        )
        for comparison, each in zip(compiled, whole.tests, strict=True)
    )
    return replace(whole, tests=tests)


def _rounded(comparison: CompiledComparison) -> tuple[Predicate, ...]:
    return tuple(
        replace(each, at_least=round(each.at_least, DIGITS_OF_A_THRESHOLD)) for each in comparison.predicates
    )


def _is_span(comparison: CompiledComparison, level: int) -> bool:
    return comparison.predicates[level].condition in SPANS


def _frequencies(
    model: LinkageModel, written: Written, renderer: Renderer
) -> dict[tuple[int, int], Frequency]:
    """Return the levels that are a shared value in a column which Splink can count."""
    return {
        (at, level): Frequency(renderer.column(name), model.minimum_frequency)
        for at, comparison in enumerate(written.compiled)
        for level, name in enumerate(comparison.term)
        if name is not None
        and _is_equality(comparison.predicates[level], name)
        and name not in renderer.lists
    }


def _is_equality(predicate: Predicate, feature: str) -> bool:
    return predicate.operation == "share" and predicate.left == predicate.right == feature


def _prior(trained: TrainedModel) -> float:
    """Return the overall prior; its odds are those against two strangers, as our weight has them."""
    prior = trained.parameters.default_prior
    odds = prior.match / (1.0 - prior.match - prior.household)
    return odds / (1.0 + odds)


def _left_out(trained: TrainedModel, frequencies: dict[tuple[int, int], Frequency]) -> Iterator[str]:
    model = trained.definition
    if model.household is not None:
        yield "the household correction: twins, siblings and namesakes weigh more than they should"
    if model.hard_bar is not None:
        yield f"the hard bar of {model.hard_bar}: two verified numbers that differ count as evidence only"
    if model.linkable_by:
        yield f"who is linked at all: records without {', '.join(model.linkable_by)} are linked by weight alone"
    if len(trained.parameters.priors) > 1:
        yield "the prior of each pair of sources: one overall prior stands for all of them"
    yield "sources that hold each person once: pairs inside them are compared"
    yield "the largest block allowed, and the pair budget: Splink compares every pair that a rule meets"
    narrowed = [rule.name for rule in model.blocking if rule.narrow_with]
    if narrowed:
        yield f"the narrowing of large blocks in the rules {', '.join(narrowed)}"
    for comparison in model.comparisons:
        spans = [level.name for level in comparison.levels if level.when in SPANS]
        if spans:
            yield f"comparison {comparison.name}: the levels {', '.join(spans)}, for dates not known to the day"
    silent = [
        f"{comparison.name} at {level.name}"
        for at, comparison in enumerate(model.comparisons)
        for position, level in enumerate(comparison.levels)
        if level.term_frequency and (at, position) not in frequencies
    ]
    if silent:
        yield f"how common a value is, of {', '.join(silent)}: u stands for every value"
    if frequencies:
        yield "our counts of common values: Splink counts them in the table that it is given"
    yield "thresholds, clustering and its constraints: settings hold comparisons and rules only"
