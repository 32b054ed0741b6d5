"""Explain a link: the terms of one pair's weight, and what holds the records of one person together.

Levels, probabilities and weights only; never the values that were compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.link.block import RuleMet, rules_met
from pipelines.link.compare import NULL, compare_pairs
from pipelines.link.components import components
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded, encode
from pipelines.link.engines.base import ScoredPairs, score_levels
from pipelines.link.features import Ints
from pipelines.link.linkable import linkable
from pipelines.link.trained import TrainedModel


@dataclass(frozen=True)
class Term:
    """One comparison in a waterfall; m and u are None at a null level, whose weight is 0."""

    comparison: str
    level: str
    m: float | None
    u: float | None
    weight: float


@dataclass(frozen=True)
class Waterfall:
    """Why a pair weighs what it weighs: `prior + terms + household = total`, all in bits.

    With `may_stay` two records that an earlier run held together are not parted, though they would not be joined.
    """

    record_a: str
    record_b: str
    model_version: str
    prior: float
    terms: tuple[Term, ...]
    household: float
    total: float
    probability: float
    is_barred: bool
    is_linkable: bool
    is_link: bool
    may_stay: bool
    rules: tuple[str, ...]
    nearest_rule: str | None

    def render(self) -> str:
        """Return the waterfall as plain text."""
        lines = [
            f"{self.record_a}  {self.record_b}  (model {self.model_version})",
            _line("prior", "", self.prior),
        ]
        for term in self.terms:
            odds = "" if term.m is None else f"m {term.m:.3g}, u {term.u:.3g}"
            lines.append(_line(term.comparison, f"{term.level:<18} {odds}", term.weight))
        lines.append(_line("household correction", "two people of one household instead", self.household))
        lines.append(_line("total", f"probability {self.probability:.6f}", self.total))
        lines.append(self._verdict())
        return "\n".join(lines)

    def _verdict(self) -> str:
        if self.is_barred:
            verdict = "never a link: both carry a verified number, and they differ"
        elif not self.is_linkable:
            verdict = "no link by itself: one has neither a name nor a number that says who it is about"
        elif self.may_stay and not self.is_link:
            verdict = "no new link; two records that were one person before stay so"
        else:
            verdict = "a link" if self.is_link else "no link"
        if self.rules:
            return f"{verdict}; meets the blocking rules: {', '.join(self.rules)}"
        return f"{verdict}; never compared: {self.nearest_rule}"


@dataclass(frozen=True)
class PersonEdge:
    """One accepted edge inside a person; a bridge is an edge without which the person would fall apart."""

    record_a: str
    record_b: str
    match_weight: float
    match_probability: float
    is_bridge: bool


@dataclass(frozen=True)
class PersonExplanation:
    """What holds a person's records together: every link, weakest first, and how densely they are linked."""

    record_ids: tuple[str, ...]
    edges: tuple[PersonEdge, ...]
    weakest: PersonEdge | None
    weakest_bridge: PersonEdge | None
    density: float

    def render(self) -> str:
        """Return the explanation as plain text, weakest link first."""
        lines = [f"{len(self.record_ids)} records, {len(self.edges)} links, density {self.density:.2f}"]
        for edge in self.edges:
            mark = "  bridge" if edge.is_bridge else ""
            lines.append(f"  {edge.record_a}  {edge.record_b}  {edge.match_weight:8.2f} bits{mark}")
        if self.weakest_bridge is not None:
            lines.append(
                f"without the bridge of {self.weakest_bridge.match_weight:.2f} bits it would fall apart"
            )
        return "\n".join(lines)


def _line(name: str, detail: str, weight: float) -> str:
    return f"  {name:<22}{detail:<44}{weight:>9.2f}"


def explain_pair(trained: TrainedModel, data: LinkData, a: str, b: str) -> Waterfall:
    """Return the waterfall of two records, whether or not they were ever compared.

    `data` needs to hold these two records only. Raises LinkageError when it does not.
    """
    first, second = sorted((a, b))
    encoded = encode(trained.definition, data.only(frozenset((first, second))), trained.hubs)
    at = encoded.positions([first, second])
    pairs = (at[:1], at[1:])
    levels = compare_pairs(trained.definition, encoded, pairs)
    found = score_levels(trained, encoded, pairs, levels)
    met = rules_met(trained.definition, encoded, int(at[0]), int(at[1]))
    rules = tuple(_in_words(name, each) for name, each in met.items() if each.is_met)
    return _waterfall(trained, encoded, found, rules, None if rules else _nearest(met))


def _in_words(name: str, met: RuleMet) -> str:
    """Return a rule that two records meet; two records alone cannot tell whether their block was too large."""
    return name if met.narrowed_too else f"{name} (unless its block was narrowed)"


def _nearest(met: dict[str, RuleMet]) -> str:
    """Return which rule the pair came closest to, in words."""
    name = max(met, key=lambda rule: (met[rule].shared / met[rule].keys, met[rule].shared))
    return f"the nearest rule is {name}, {met[name].shared} of its {met[name].keys} keys agree"


def _waterfall(
    trained: TrainedModel, encoded: Encoded, found: ScoredPairs, rules: tuple[str, ...], nearest: str | None
) -> Waterfall:
    scores = found.scores
    total, probability = float(scores.total[0]), float(scores.probability[0])
    barred, may = bool(found.barred[0]), bool(linkable(trained.definition, encoded).all())
    return Waterfall(
        record_a=str(encoded.record_ids[0].as_py()),
        record_b=str(encoded.record_ids[1].as_py()),
        model_version=trained.version,
        prior=float(scores.prior[0]),
        terms=_terms(trained, found),
        household=float(scores.household[0]),
        total=total,
        probability=probability,
        is_barred=barred,
        is_linkable=may,
        may_stay=total >= trained.fracture_weight and may and not barred,
        is_link=probability >= trained.link_probability and may and not barred,
        rules=rules,
        nearest_rule=nearest,
    )


def _terms(trained: TrainedModel, found: ScoredPairs) -> tuple[Term, ...]:
    terms = []
    for column, comparison in enumerate(trained.definition.comparisons):
        position = int(found.levels[0, column])
        weight = float(found.scores.weights[0, column])
        if position == NULL:
            terms.append(Term(comparison.name, "null", None, None, 0.0))
            continue
        m = trained.parameters.m[comparison.name][position]
        # u as it was used: for a shared value with a known frequency that is not the level's own u.
        terms.append(Term(comparison.name, comparison.levels[position].name, m, m / 2.0**weight, weight))
    return tuple(terms)


def explain_person(record_ids: list[str], edges: pa.Table) -> PersonExplanation:
    """Return what holds these records together, from the edges of the run that made them one person."""
    members = sorted(set(record_ids))
    at = {record: position for position, record in enumerate(members)}
    rows = [
        row
        for row in edges.select(
            ["record_a", "record_b", "match_weight", "match_probability", "is_link"]
        ).to_pylist()
        if row["is_link"] and row["record_a"] in at and row["record_b"] in at
    ]
    a = np.array([at[row["record_a"]] for row in rows], dtype=np.int64)
    b = np.array([at[row["record_b"]] for row in rows], dtype=np.int64)
    whole = _parts(len(members), a, b)
    found = []
    for position, row in enumerate(rows):
        others = np.arange(len(rows)) != position
        is_bridge = _parts(len(members), a[others], b[others]) > whole
        found.append(
            PersonEdge(
                row["record_a"], row["record_b"], row["match_weight"], row["match_probability"], is_bridge
            )
        )
    found.sort(key=lambda edge: (edge.match_weight, edge.record_a, edge.record_b))
    possible = len(members) * (len(members) - 1) / 2
    return PersonExplanation(
        tuple(members),
        tuple(found),
        found[0] if found else None,
        next((edge for edge in found if edge.is_bridge), None),
        len(found) / possible if possible else 1.0,
    )


def _parts(size: int, a: Ints, b: Ints) -> int:
    return int(components(size, a, b).max()) + 1 if size else 0
