"""A trained model and its blocking as plain data, the same in `report.json` and on the page of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from pipelines.link.trained import TrainedModel


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
