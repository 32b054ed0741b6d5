"""Fit a mixture of classes to patterns by expectation maximisation; what is known stays fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.contracts.model import Training
from pipelines.link.features import Floats
from pipelines.link.training.patterns import Patterns
from pipelines.link.training.shrink import shrink

Vectors = Mapping[int, Floats]

# Keeps the share of a class above zero, so that a class can come back.
SHARE_PAIRS = 0.5


@dataclass(frozen=True)
class MixtureClass:
    """One class: its share of the pairs, and P(level | class) for each comparison column that it speaks about."""

    name: str
    share: float
    vectors: dict[int, Floats]


@dataclass(frozen=True)
class Free:
    """A vector to be estimated: the column, the classes that have it in common, and what it is drawn to."""

    column: int
    classes: tuple[str, ...]
    anchor: Floats | None = None


@dataclass(frozen=True)
class Fit:
    """The fitted classes, P(class | pattern) as one column per class, and how the iteration ended.

    `log_likelihood` is the sum over the pairs of log P(pattern), natural logarithm.
    """

    classes: tuple[MixtureClass, ...]
    posterior: Floats
    iterations: int
    last_change: float
    converged: bool
    log_likelihood: float

    def of(self, name: str) -> MixtureClass:
        """Return the class of this name; raises StopIteration when it was not fitted."""
        return next(each for each in self.classes if each.name == name)

    def posterior_of(self, name: str) -> Floats:
        """Return P(class | pattern) for the class of this name; zeros when it was not fitted."""
        for position, each in enumerate(self.classes):
            if each.name == name:
                return np.asarray(self.posterior[:, position])
        return np.zeros(len(self.posterior))


def log_likelihood(patterns: Patterns, vectors: Vectors) -> Floats:
    """Return log P(pattern | class); a null says nothing."""
    total = np.zeros(len(patterns.counts))
    for column, vector in vectors.items():
        total += np.log(np.append(vector, 1.0))[patterns.levels[:, column]]
    return total


def _joint(patterns: Patterns, classes: Sequence[MixtureClass]) -> tuple[Floats, Floats]:
    """Return P(class | pattern), one column per class, and log P(pattern)."""
    logs = np.stack(
        [np.log(max(each.share, 1e-300)) + log_likelihood(patterns, each.vectors) for each in classes], axis=1
    )
    highest = logs.max(axis=1, keepdims=True)
    odds = np.exp(logs - highest)
    total = odds.sum(axis=1, keepdims=True)
    return np.asarray(odds / total), np.asarray((np.log(total) + highest)[:, 0])


def posterior(patterns: Patterns, classes: Sequence[MixtureClass]) -> Floats:
    """Return P(class | pattern), one column per class."""
    return _joint(patterns, classes)[0]


def fit_mixture(
    patterns: Patterns, start: Sequence[MixtureClass], free: Sequence[Free], settings: Training
) -> Fit:
    """Return the classes after EM: shares and the `free` vectors are estimated, all else stays as it started."""
    classes = tuple(start)
    anchored = [_anchored(each, classes) for each in free]
    change, iteration = float("inf"), 0
    weight, logs = _joint(patterns, classes)
    while iteration < settings.iterations and change > settings.tolerance:
        iteration += 1
        updated = _maximise(patterns, classes, weight, anchored, settings)
        change = _largest_change(classes, updated)
        classes = updated
        weight, logs = _joint(patterns, classes)
    total = float(patterns.counts @ logs)
    return Fit(classes, weight, iteration, change, change <= settings.tolerance, total)


def _anchored(free: Free, start: Sequence[MixtureClass]) -> Free:
    """Return a free vector with its anchor: where it starts, unless it says otherwise."""
    members = [each for each in start if each.name in free.classes]
    if free.anchor is not None or not members:
        return free
    return Free(free.column, free.classes, members[0].vectors[free.column])


def _maximise(
    patterns: Patterns,
    classes: tuple[MixtureClass, ...],
    weight: Floats,
    free: Sequence[Free],
    settings: Training,
) -> tuple[MixtureClass, ...]:
    at = {each.name: position for position, each in enumerate(classes)}
    shares = (patterns.counts @ weight + SHARE_PAIRS) / (patterns.pairs + SHARE_PAIRS * len(classes))
    vectors = [dict(each.vectors) for each in classes]
    for group in free:
        members = [at[name] for name in group.classes if name in at]
        if not members or group.anchor is None:
            continue
        counts = patterns.level_counts(group.column, len(group.anchor), weight[:, members].sum(axis=1))
        for member in members:
            vectors[member][group.column] = shrink(counts, group.anchor, settings)
    return tuple(
        MixtureClass(each.name, float(share), vector)
        for each, share, vector in zip(classes, shares, vectors, strict=True)
    )


def _largest_change(before: Sequence[MixtureClass], after: Sequence[MixtureClass]) -> float:
    changes = [abs(old.share - new.share) for old, new in zip(before, after, strict=True)]
    for old, new in zip(before, after, strict=True):
        changes += [float(np.abs(old.vectors[column] - new.vectors[column]).max()) for column in old.vectors]
    return max(changes)
