"""The predicates of a model as SQL over columns of features."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.link.predicates import CompiledComparison, Predicate
from pipelines.link.splink_bridge.sql import Renderer, first_level


@dataclass(frozen=True)
class Branch:
    """A level as SQL has it: its position in the model, and the condition; `ELSE` for what is left."""

    level: int
    condition: str


@dataclass(frozen=True)
class Tests:
    """A comparison as SQL: where it is missing, and its levels in the order in which they are tried."""

    missing: str
    branches: tuple[Branch, ...]

    @property
    def has_else(self) -> bool:
        """Whether some level takes what is left; without one it is null."""
        return bool(self.branches) and self.branches[-1].condition == "ELSE"

    def silences(self, positions: frozenset[int]) -> str:
        """Return the test that the comparison is at one of these levels; empty when it has none of them."""
        at = frozenset(place for place, branch in enumerate(self.branches) if branch.level in positions)
        if not at:
            return ""
        return f"(NOT {self.missing} AND {first_level([each.condition for each in self.branches], at)})"


def write_tests(comparison: CompiledComparison, renderer: Renderer) -> Tests:
    """Return the tests of a comparison in SQL."""
    branches = tuple(
        Branch(position, predicate_sql(predicate, renderer))
        for position, predicate in enumerate(comparison.predicates)
    )
    return Tests(renderer.missing(comparison.present), branches)


def predicate_sql(predicate: Predicate, renderer: Renderer) -> str:
    """Return the condition of a predicate in SQL."""
    condition = _condition(predicate, renderer)
    if predicate.unless is None:
        return condition
    return f"({condition} AND NOT coalesce({renderer.share(predicate.unless, predicate.unless)}, FALSE))"


def _condition(predicate: Predicate, renderer: Renderer) -> str:
    match predicate.operation:
        case "else":
            return "ELSE"
        case "share":
            return renderer.share(predicate.left, predicate.right)
        case "variant":
            return renderer.share(predicate.left, f"{predicate.left}_variants")
        case "similar":
            return renderer.similar(predicate.left, predicate.at_least)
        case "one_edit":
            return renderer.edited(predicate.left)
        case "date":
            return renderer.date(predicate.left, predicate.condition, predicate.years)
