"""Encoded records and a model as Splink takes them: one table of records, settings, and tables of frequencies.

Splink adjusts for how common a record's value is, not the value that two records share. So a column holds each
record's rarest value: the weight is exact where records have one value, and never too small where they have more.
The prior of each pair of sources is a comparison of its own, whose m / u are the odds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.link.block import RulePlan
from pipelines.link.encode import Encoded
from pipelines.link.features import Floats
from pipelines.link.predicates import CompiledComparison, Predicate, comparison_features, compile_comparisons
from pipelines.link.splink_bridge.comparisons import (
    Frequency,
    Written,
    comparison_dict,
    rule_dict,
    write_model,
)
from pipelines.link.splink_bridge.sql import Dialect, Renderer
from pipelines.link.splink_bridge.tables import (
    code_column,
    date_column,
    rarest_column,
    text_column,
    variant_feature,
)
from pipelines.link.trained import TrainedModel

ID, SOURCE, UNIQUE, PRIOR = "unique_id", "source", "is_unique", "source_pair"
TERM, TEXT, VARIANTS, BLOCK = "term_", "_text", "_variants", "block_"
TEXT_OPERATIONS = frozenset({"similar", "one_edit"})


@dataclass(frozen=True)
class Prepared:
    """What Splink is given, and the comparisons as they were written, to read its vectors back.

    `rule_tests` say, rule by rule, whether records `l` and `r` share a block.
    """

    records: pa.Table
    settings: dict[str, Any]
    frequencies: Mapping[str, pa.Table]
    written: Written
    rule_tests: tuple[str, ...]


def prepare(trained: TrainedModel, encoded: Encoded, plans: Sequence[RulePlan], dialect: Dialect) -> Prepared:
    """Return records, settings and frequencies for the blocks of `plans`; without any, settings have no rule."""
    compiled = compile_comparisons(trained.definition)
    columns, lists = _feature_columns(trained, encoded, compiled, dialect)
    written = write_model(compiled, Renderer(dialect, lists, texts=TEXT))
    known = trained.frequencies(encoded)
    written = replace(written, frequencies=_frequencies(compiled, known))
    blocks = {f"{BLOCK}{at}": code_column(plan.keys) for at, plan in enumerate(plans)}
    several = frozenset(f"{BLOCK}{at}" for at, plan in enumerate(plans) if plan.keys.offsets is not None)
    unique = np.array(encoded.unique or [False] * len(encoded.agencies), dtype=bool)
    records = {
        ID: pa.array(np.arange(encoded.size, dtype=np.int32)),
        SOURCE: pa.array(encoded.agency.astype(np.int32)),
        UNIQUE: pa.array(unique[encoded.agency]),
        **columns,
        **{TERM + _plain(name): rarest_column(encoded.features[name], known[name]) for name in known},
        **blocks,
    }
    comparisons = [comparison_dict(trained, written, at) for at in range(len(compiled))]
    _bound_unshared(trained, compiled, known, comparisons)
    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": ID,
        "probability_two_random_records_match": 0.5,
        "comparisons": [*comparisons, _prior_comparison(trained, encoded)],
        "blocking_rules_to_generate_predictions": [
            _outside_unique(rule_dict([name], several, dialect.name), bool(unique.any())) for name in blocks
        ],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": False,
    }
    tests = tuple(
        dialect.overlap.format(a=f"l.{name}", b=f"r.{name}") if name in several else f"l.{name} = r.{name}"
        for name in blocks
    )
    return Prepared(pa.table(records), settings, _term_tables(known), written, tests)


def _plain(feature: str) -> str:
    return feature.replace(".", "_")


def _feature_columns(
    trained: TrainedModel, encoded: Encoded, compiled: tuple[CompiledComparison, ...], dialect: Dialect
) -> tuple[dict[str, pa.Array], frozenset[str]]:
    """Return the columns that comparisons look at, and which features have columns of lists."""
    predicates = [predicate for each in compiled for predicate in each.predicates]
    dates = {each.left for each in predicates if each.operation == "date"}
    features = {name: encoded.features[name] for name in comparison_features(trained.definition)}
    for each in predicates:
        if each.operation == "variant":
            adjacent = encoded.variants[each.left]
            features[each.left + VARIANTS] = variant_feature(features[each.left], adjacent)
    columns = {
        _plain(name): date_column(feature, dialect.dates_in_lists or None)
        if name in dates
        else code_column(feature)
        for name, feature in features.items()
    }
    for each in predicates:
        if each.operation in TEXT_OPERATIONS:
            columns[_plain(each.left) + TEXT] = text_column(features[each.left])
    lists = {name for name, feature in features.items() if feature.offsets is not None}
    return columns, frozenset(lists | (dates if dialect.dates_in_lists else set()))


def _frequencies(
    compiled: tuple[CompiledComparison, ...], known: Mapping[str, Floats]
) -> dict[tuple[int, int], Frequency]:
    """Return the levels that share a value of known frequency by their very condition."""
    return {
        (at, level): Frequency(TERM + _plain(name), 0.0)
        for at, comparison in enumerate(compiled)
        for level, name in enumerate(comparison.term)
        if name is not None and name in known and _implies_shared(comparison.predicates[level], name)
    }


def _implies_shared(predicate: Predicate, term: str) -> bool:
    if predicate.operation == "date":
        return predicate.condition == "equal" and term == "birth_year"
    return predicate.operation == "share" and predicate.left == predicate.right == term


def _bound_unshared(
    trained: TrainedModel,
    compiled: tuple[CompiledComparison, ...],
    known: Mapping[str, Floats],
    comparisons: Sequence[dict[str, Any]],
) -> None:
    """Lower u where a level may, but need not, share a value of known frequency: its weight is never too small."""
    for at, comparison in enumerate(compiled):
        conditional = {
            trained.definition.comparisons[at].levels[level].name: name
            for level, name in enumerate(comparison.term)
            if name is not None and name in known and not _implies_shared(comparison.predicates[level], name)
        }
        for level in comparisons[at]["comparison_levels"]:
            name = conditional.get(level["label_for_charts"])
            if name is not None and len(known[name]):
                level["u_probability"] = min(level["u_probability"], float(known[name].min()))


def _prior_comparison(trained: TrainedModel, encoded: Encoded) -> dict[str, Any]:
    """Return a comparison whose levels are pairs of sources of one prior; it adds the prior's weight."""
    by_odds: dict[float, list[int]] = {}
    width = len(encoded.agencies)
    for i, first in enumerate(encoded.agencies):
        for j in range(i, width):
            prior = trained.prior_of(first, encoded.agencies[j])
            odds = prior.match / (1.0 - prior.match - prior.household)
            by_odds.setdefault(odds, []).append(i * width + j)
    low, high = (f"{name}({SOURCE}_l, {SOURCE}_r)" for name in ("least", "greatest"))
    levels = [
        {
            "sql_condition": f"{low} * {width} + {high} IN ({', '.join(str(code) for code in codes)})",
            "label_for_charts": f"{log2(odds):.1f} bits",
            "m_probability": odds,
            "u_probability": 1.0,
        }
        for odds, codes in by_odds.items()
    ]
    null = {"sql_condition": f"{SOURCE}_l IS NULL", "label_for_charts": "null", "is_null_level": True}
    rest = {"sql_condition": "ELSE", "label_for_charts": "none", "m_probability": 0.5, "u_probability": 0.5}
    return {"output_column_name": PRIOR, "comparison_levels": [null, *levels, rest]}


def _outside_unique(rule: dict[str, Any], has_unique: bool) -> dict[str, Any]:
    """Return the rule, without pairs inside a source that holds each person once."""
    if not has_unique:
        return rule
    apart = f"NOT (l.{SOURCE} = r.{SOURCE} AND l.{UNIQUE})"
    return {**rule, "blocking_rule": f"{rule['blocking_rule']} AND {apart}"}


def _term_tables(known: Mapping[str, Floats]) -> dict[str, pa.Table]:
    return {
        TERM + _plain(name): pa.table(
            {
                TERM + _plain(name): pa.array(np.arange(len(frequency), dtype=np.int32)),
                f"tf_{TERM}{_plain(name)}": pa.array(frequency),
            }
        )
        for name, frequency in known.items()
    }
