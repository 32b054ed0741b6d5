"""EM passes: m from the pairs of each blocking rule with its fields left out, then combined over the passes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.contracts.conditions import fields_of_key
from pipelines.contracts.model import LinkageModel
from pipelines.link.features import Floats
from pipelines.link.trained import PassRecord
from pipelines.link.training.mixture import Fit, Free, fit_mixture
from pipelines.link.training.patterns import Patterns
from pipelines.link.training.shrink import shrink
from pipelines.link.training.state import (
    MATCH,
    NAMESAKE,
    PLAIN,
    RANDOM,
    TWIN,
    State,
    classes_for,
    household_columns,
)

PASS_SHARES = {MATCH: 0.5, RANDOM: 0.3, PLAIN: 0.1, TWIN: 0.05, NAMESAKE: 0.05}
NOTABLE_SHARE = 0.01


@dataclass(frozen=True)
class Pass:
    """One EM pass: its rule, the columns it leaves out or holds fixed, the patterns it saw and the fit."""

    rule: str
    left_out: frozenset[int]
    held: frozenset[int]
    patterns: Patterns
    fit: Fit

    def informs(self, column: int) -> bool:
        """Return whether the pass estimated the m of this comparison."""
        return column not in self.left_out and column not in self.held

    @property
    def matches(self) -> float:
        """The expected number of matching pairs among those of the rule."""
        return float(self.patterns.counts @ self.fit.posterior_of(MATCH))


def left_out_columns(model: LinkageModel, keys: tuple[str, ...]) -> frozenset[int]:
    """Return the columns of the comparisons that a rule's keys fix."""
    fields = {field for key in keys for field in fields_of_key(key)}
    return frozenset(at for at, comparison in enumerate(model.comparisons) if comparison.field in fields)


def run_passes(model: LinkageModel, state: State, patterns: dict[str, Patterns]) -> list[Pass]:
    """Return one EM pass per training rule that has enough pairs; u and the household's vectors stay fixed."""
    rules = [
        (rule.name, left_out_columns(model, rule.keys))
        for rule in model.blocking
        if rule.train and patterns[rule.name].pairs >= model.training.minimum_pairs
    ]
    passes = []
    for name, left_out in rules:
        held = _held_columns(model, left_out, [columns for _, columns in rules])
        classes = classes_for(model, state, left_out, PASS_SHARES)
        free = [
            Free(column, (MATCH,))
            for column in range(len(model.comparisons))
            if column not in left_out | held
        ]
        fit = fit_mixture(patterns[name], classes, free, model.training)
        passes.append(Pass(name, left_out, held, patterns[name], fit))
    return passes


def _held_columns(
    model: LinkageModel, left_out: frozenset[int], every_pass: list[frozenset[int]]
) -> frozenset[int]:
    """Return the birth date for a pass blocked on the given name, when another pass can estimate it.

    Among pairs with one given name, a namesake of the household and a match with a wrong birth date look alike:
    such a pass would learn fathers and sons as birth dates that differ.
    """
    at = household_columns(model)
    if at.given not in left_out or at.birth in left_out:
        return frozenset()
    others = any(at.given not in columns and at.birth not in columns for columns in every_pass)
    return frozenset({at.birth}) if others else frozenset()


def combine(model: LinkageModel, state: State, passes: list[Pass]) -> State:
    """Return the state with m combined: the mean over passes, weighted by the matches that inform a comparison."""
    m = []
    for column, comparison in enumerate(model.comparisons):
        size = len(comparison.levels)
        total: Floats = np.zeros(size)
        for each in passes:
            if each.informs(column):
                total += each.patterns.level_counts(column, size, each.fit.posterior_of(MATCH))
        if total.sum() >= model.training.minimum_pairs:
            start = np.array([level.m for level in comparison.levels])
            m.append(shrink(total, start / start.sum(), model.training))
        else:
            m.append(state.m[column])
    return replace(state, m=tuple(m))


def describe(model: LinkageModel, state: State, passes: list[Pass]) -> tuple[PassRecord, ...]:
    """Return how each pass ended, and how far its m lies from the combined one (notable levels, in bits)."""
    return tuple(
        PassRecord(
            rule=each.rule,
            pairs=int(each.patterns.pairs),
            matches=round(each.matches, 1),
            iterations=each.fit.iterations,
            last_change=each.fit.last_change,
            converged=each.fit.converged,
            left_out=tuple(model.comparisons[column].name for column in sorted(each.left_out)),
            disagreement=_disagreement(model, state, each),
        )
        for each in passes
    )


def _disagreement(model: LinkageModel, state: State, each: Pass) -> dict[str, float]:
    found = {}
    for column, vector in each.fit.of(MATCH).vectors.items():
        seen = each.patterns.level_counts(column, len(vector), each.fit.posterior_of(MATCH))
        if seen.sum() < model.training.minimum_pairs or not each.informs(column):
            continue
        notable = (seen >= 0.5) & ((state.m[column] >= NOTABLE_SHARE) | (vector >= NOTABLE_SHARE))
        bits = np.abs(np.log2(vector / state.m[column]))[notable]
        found[model.comparisons[column].name] = round(float(bits.max()), 3)
    return found
