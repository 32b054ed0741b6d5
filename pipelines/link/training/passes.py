"""EM passes: m from the pairs of each blocking rule, with what the rule fixes left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.contracts.conditions import fields_of_key
from pipelines.contracts.model import LinkageModel
from pipelines.link.training.mixture import Fit, Free, MixtureClass, fit_mixture
from pipelines.link.training.patterns import Patterns
from pipelines.link.training.state import (
    MATCH,
    NAMESAKE,
    PLAIN,
    RANDOM,
    TWIN,
    State,
    classes_for,
    household_columns,
    starting_m,
)

PASS_SHARES = {MATCH: 0.5, RANDOM: 0.3, PLAIN: 0.1, TWIN: 0.05, NAMESAKE: 0.05}


@dataclass(frozen=True)
class PassPlan:
    """What one EM pass works on: its rule, the columns it leaves out, the patterns without those, all its pairs."""

    rule: str
    left_out: frozenset[int]
    patterns: Patterns


@dataclass(frozen=True)
class Pass:
    """One EM pass: its rule, the columns it leaves out or holds fixed, the patterns it saw and the fit.

    `blind` are the levels (column, position) that none of its pairs can have: swapped names among pairs blocked on
    the family name, say, since a swap is the given name's level and makes the family name null.
    """

    rule: str
    left_out: frozenset[int]
    held: frozenset[int]
    blind: frozenset[tuple[int, int]]
    patterns: Patterns
    fit: Fit

    def informs(self, column: int) -> bool:
        """Return whether the pass estimated the m of this comparison."""
        return column not in self.left_out and column not in self.held

    @property
    def matches(self) -> float:
        """The expected number of matching pairs among those of the rule."""
        return float(self.patterns.counts @ self.fit.posterior_of(MATCH))

    @property
    def purity(self) -> float:
        """The expected share of matches among the pairs of the rule."""
        return self.matches / max(self.patterns.pairs, 1.0)


def left_out_columns(model: LinkageModel, keys: tuple[str, ...]) -> frozenset[int]:
    """Return the columns of the comparisons that a rule's keys fix."""
    fields = {field for key in keys for field in fields_of_key(key)}
    return frozenset(at for at, comparison in enumerate(model.comparisons) if comparison.field in fields)


def plan_passes(model: LinkageModel, rules: Mapping[str, Patterns]) -> tuple[PassPlan, ...]:
    """Return a pass for each training rule that has enough pairs."""
    plans = []
    for rule in model.blocking:
        if rule.train and rules[rule.name].pairs >= model.training.minimum_pairs:
            left_out = left_out_columns(model, rule.keys)
            plans.append(PassPlan(rule.name, left_out, rules[rule.name].without(left_out)))
    return tuple(plans)


def run_passes(
    model: LinkageModel, state: State, plans: Sequence[PassPlan], before: Sequence[Pass]
) -> tuple[Pass, ...]:
    """Return one EM pass per plan; u and the household stay fixed. It goes on from the passes `before`."""
    anchors, known = starting_m(model), {each.rule: each.fit for each in before}
    passes = []
    for plan in plans:
        held = _held_columns(model, state, plan.left_out, [each.left_out for each in plans])
        columns = [at for at in range(len(model.comparisons)) if at not in plan.left_out | held]
        classes = classes_for(model, state, plan.left_out, PASS_SHARES)
        if plan.rule in known:
            classes = [_go_on(each, known[plan.rule], columns) for each in classes]
        free = [Free(column, (MATCH,), anchors[column]) for column in columns]
        fit = fit_mixture(plan.patterns, classes, free, model.training)
        blind = _blind_levels(model, plan.left_out)
        passes.append(Pass(plan.rule, plan.left_out, held, blind, plan.patterns, fit))
    return tuple(passes)


def _go_on(start: MixtureClass, before: Fit, columns: Sequence[int]) -> MixtureClass:
    """Return a class with the share, and for matches with the free vectors, that the pass had reached."""
    if start.name not in {each.name for each in before.classes}:
        return start
    reached = before.of(start.name)
    free = {column: reached.vectors[column] for column in columns} if start.name == MATCH else {}
    return replace(start, share=reached.share, vectors={**start.vectors, **free})


def _blind_levels(model: LinkageModel, left_out: frozenset[int]) -> frozenset[tuple[int, int]]:
    names = {model.comparisons[column].name for column in left_out}
    return frozenset(
        (column, position)
        for column, comparison in enumerate(model.comparisons)
        for position, level in enumerate(comparison.levels)
        if level.silences in names and column not in left_out
    )


def _held_columns(
    model: LinkageModel, state: State, left_out: frozenset[int], every_pass: list[frozenset[int]]
) -> frozenset[int]:
    """Return the birth date for a pass blocked on the given name, when another pass can estimate it.

    Among pairs with one given name, a namesake of the household and a match with a wrong birth date look alike:
    such a pass would learn fathers and sons as birth dates that differ.
    """
    at = household_columns(model)
    if not state.household or at.given not in left_out or at.birth in left_out:
        return frozenset()
    others = any(at.given not in columns and at.birth not in columns for columns in every_pass)
    return frozenset({at.birth}) if others else frozenset()
