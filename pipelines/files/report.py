"""The report of `joinedup link` as data: `report.json`, from which `report.html` is made.

It holds no personal value.

- format: 1
- settings: engine, objective, target_false_link_rate, as_of, allow_synthetic, trained_here
- sources: for each name, file, rows, records, empty, unique_people, and refused: [{column, rule, values, kept}],
  how many values broke a rule; kept says that they are compared all the same
- records: how many were linked; equal to the rows of all files
- model: name, version, description; comparisons: [{name, kind, field, levels: [{name, when, m, u, weight,
  term_frequency}]}]; priors: [{sources: [a, b], match, household}]; household: its parameters, or null
- training: how the model was trained: records, random_pairs, candidate_pairs, passes, warnings, ...
- blocking: pair_budget, pairs, rules: [{rule, keys, new_pairs, met_pairs, largest_blocks, narrowed_blocks, ...}]
- edges: edges, links, barred
- thresholds: link_probability, link_weight, edge_probability, from_the_given_model, and choice: what the choice
  of the threshold reports
- error_rates: false_link_rate and missed_link_rate, each {estimate, low, high, method}; null where not estimated
- clusters: people, records_in_groups, largest, sizes: [{records, people}], cutting: what was cut and why
- stages: [{stage, seconds, memory_mb}] in order, the memory being the highest so far; seconds: in all
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.files.assemble import SourceAccount
from pipelines.files.quick_values import KEPT_AS_TEXT
from pipelines.link.trained import TrainedModel

FORMAT = 1


def describe_sources(accounts: Sequence[SourceAccount]) -> list[dict[str, Any]]:
    """Return what became of each file's rows."""
    return [
        {
            "name": account.name,
            "file": account.file,
            "rows": account.rows,
            "records": account.rows,
            "empty": account.empty,
            "unique_people": account.unique_people,
            "refused": [
                {"column": column, "rule": rule, "values": count, "kept": rule.endswith(KEPT_AS_TEXT)}
                for column, rules in account.broken.items()
                for rule, count in rules.items()
            ],
        }
        for account in accounts
    ]


def describe_model(trained: TrainedModel) -> dict[str, Any]:
    """Return the model's comparisons with m, u and weight of each level, and its priors."""
    definition, parameters = trained.definition, trained.parameters
    comparisons = []
    for comparison in definition.comparisons:
        m, u = parameters.m[comparison.name], parameters.u[comparison.name]
        levels = [
            {
                "name": level.name,
                "when": level.when,
                "m": m[at],
                "u": u[at],
                "weight": math.log2(m[at] / u[at]) if m[at] > 0 and u[at] > 0 else None,
                "term_frequency": level.term_frequency,
            }
            for at, level in enumerate(comparison.levels)
        ]
        comparisons.append(
            {"name": comparison.name, "kind": comparison.kind, "field": comparison.field, "levels": levels}
        )
    return {
        "name": definition.model,
        "version": trained.version,
        "description": definition.description,
        "comparisons": comparisons,
        "priors": [
            {"sources": pair.split("|"), **as_data(prior)}
            for pair, prior in sorted(parameters.priors.items())
        ],
        "household": as_data(parameters.household) if parameters.household else None,
    }


def describe_blocking(trained: TrainedModel, pairs: int, rules: Sequence[Any]) -> dict[str, Any]:
    """Return the pairs of each rule, with its keys and its largest blocks."""
    keys = {rule.name: list(rule.keys) for rule in trained.definition.blocking}
    return {
        "pair_budget": trained.definition.pair_budget,
        "pairs": pairs,
        "rules": [{**as_data(rule), "keys": keys[rule.rule]} for rule in rules],
    }


def describe_clusters(clusters: pa.Table, cutting: Any) -> dict[str, Any]:
    """Return how many people there are, and of how many records each."""
    counts = pc.value_counts(clusters["cluster_id"]).field("counts").to_numpy(zero_copy_only=False)
    sizes, people = np.unique(counts, return_counts=True)
    return {
        "people": len(counts),
        "records_in_groups": int(counts[counts > 1].sum()),
        "largest": int(counts.max()) if len(counts) else 0,
        "sizes": [{"records": int(n), "people": int(k)} for n, k in zip(sizes, people, strict=True)],
        "cutting": as_data(cutting),
    }


def as_data(value: Any) -> Any:
    """Return dataclasses, tuples and NumPy numbers as what JSON has; infinities and NaN as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return as_data(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): as_data(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_data(each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, np.ndarray):
        return as_data(value.tolist())
    if isinstance(value, np.generic):
        return as_data(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
