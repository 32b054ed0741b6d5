"""A comparison of a model as Splink writes one: a null level, a level per condition, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.link.compare import NULL, Levels
from pipelines.link.predicates import CompiledComparison
from pipelines.link.splink_bridge.program import Branch, Tests, write_tests
from pipelines.link.splink_bridge.sql import Renderer
from pipelines.link.trained import TrainedModel


@dataclass(frozen=True)
class Frequency:
    """The column whose frequency takes the place of u, and the least frequency that counts."""

    column: str
    minimum: float


@dataclass(frozen=True)
class Written:
    """A model as SQL: its compiled comparisons, their tests, and term frequencies by comparison and level."""

    compiled: tuple[CompiledComparison, ...]
    tests: tuple[Tests, ...]
    frequencies: Mapping[tuple[int, int], Frequency] = field(default_factory=dict)


def write_model(compiled: tuple[CompiledComparison, ...], renderer: Renderer) -> Written:
    """Return compiled comparisons as SQL, without term frequencies."""
    return Written(compiled, tuple(write_tests(each, renderer) for each in compiled))


def comparison_dict(trained: TrainedModel, written: Written, at: int) -> dict[str, Any]:
    """Return the comparison at this position of the model as an entry of Splink settings."""
    tests = written.tests[at]
    missing = " OR ".join(filter(None, [tests.missing, _silenced(written, at)]))
    levels = [_level(trained, written, at, branch) for branch in tests.branches]
    rest = [] if tests.has_else else [_null("ELSE")]
    return {
        "output_column_name": written.compiled[at].name,
        "comparison_levels": [_null(missing), *levels, *rest],
    }


def levels_of_gammas(tests: Tests, gammas: np.ndarray[Any, np.dtype[Any]]) -> Levels:
    """Return the model's levels for values of Splink's vector, which counts down to 0; -1 is null."""
    places = [*(branch.level for branch in reversed(tests.branches)), NULL]
    levels: Levels = np.array(places, dtype=np.int8)[gammas]
    return levels


def _silenced(written: Written, at: int) -> str:
    """Return the test that another comparison is at a level that silences this one; empty when none can."""
    by = written.compiled[at].silenced_by
    found = [
        written.tests[other].silences(frozenset(level for column, level in by if column == other))
        for other in sorted({column for column, _ in by})
    ]
    return " OR ".join(filter(None, found))


def _null(condition: str) -> dict[str, Any]:
    return {"sql_condition": condition, "label_for_charts": "null", "is_null_level": True}


def _level(trained: TrainedModel, written: Written, at: int, branch: Branch) -> dict[str, Any]:
    comparison = trained.definition.comparisons[at]
    level: dict[str, Any] = {
        "sql_condition": branch.condition,
        "label_for_charts": comparison.levels[branch.level].name,
        "m_probability": trained.parameters.m[comparison.name][branch.level],
        "u_probability": trained.parameters.u[comparison.name][branch.level],
    }
    frequency = written.frequencies.get((at, branch.level))
    if frequency is not None:
        level |= {
            "tf_adjustment_column": frequency.column,
            "tf_adjustment_weight": 1.0,
            "tf_minimum_u_value": frequency.minimum,
            "disable_tf_exact_match_detection": True,
        }
    return level


def rule_dict(keys: Sequence[str], lists: frozenset[str], dialect: str) -> dict[str, Any]:
    """Return a blocking rule: these columns are equal, or, where they hold lists, share a value."""
    condition = " AND ".join(f"l.{key} = r.{key}" for key in keys)
    rule: dict[str, Any] = {"blocking_rule": condition, "sql_dialect": dialect}
    exploded = [key for key in keys if key in lists]
    return {**rule, "arrays_to_explode": exploded} if exploded else rule
