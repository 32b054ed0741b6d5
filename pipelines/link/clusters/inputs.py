"""What clusters are made of: accepted links, what must never be together, and how far the method goes.

Everything is a position 0..n-1, never an identifier: this package knows nothing of records, models or engines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipelines.errors import LinkageError
from pipelines.link.features import Bools, Floats, Ints

Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.uint8]
Keys = npt.NDArray[np.uint64]

Weigh = Callable[[Ints, Ints], tuple[Floats, Bools]]
"""The total weight in bits, and whether the pair is barred, of any pairs of positions a < b.

It must not depend on what else is asked in the same call. A pair that is barred may have any weight.
"""


class Cut(IntFlag):
    """Why an accepted link is not held: what keeps the clusters of its two records apart."""

    NONE = 0
    EVIDENCE = 1
    """The mean weight between the parts is not high enough."""
    BARRED = 2
    """Some pair between the parts is barred."""
    SOURCE = 4
    """Both parts have a record of the same source, and that source holds each person once."""
    APART = 8
    """Some pair between the parts was declared to be two people."""
    SCOPE = 16
    """The parts belong to different scopes."""
    LIMIT = 32
    """Together the parts would hold more records than a cluster may; the evidence was not asked."""


@dataclass(frozen=True)
class Links:
    """Accepted links: two positions and the weight in bits. Each pair once.

    The weight is the one that `Weigh` gives to that pair. A weight of -inf stands for a barred pair: such a link
    is never held.
    """

    a: Ints
    b: Ints
    weight: Floats

    def checked(self, size: int) -> Links:
        """Return these links with contiguous columns.

        Raises:
            LinkageError: a link leaves the records, joins a record to itself, or has no weight.
        """
        if np.isnan(self.weight).any() or np.isposinf(self.weight).any():
            raise LinkageError("clusters: a link has no finite weight")
        a, b = _positions(self.a, self.b, size, "link")
        return Links(a, b, np.ascontiguousarray(self.weight, dtype=np.float64))


def _no_pairs() -> Ints:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class Constraints:
    """What must never be together in a cluster, whatever the links say and through whichever records.

    Args:
        source: the code of each record's source, -1 where unknown.
        unique_sources: for each code, whether that source holds each person once.
        apart_a: with `apart_b`, pairs of positions that are two people.
        apart_b: see `apart_a`.
        scope: the scope of each record; records of different scopes are never together.
    """

    source: Codes | None = None
    unique_sources: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    apart_a: Ints = field(default_factory=_no_pairs)
    apart_b: Ints = field(default_factory=_no_pairs)
    scope: Codes | None = None


@dataclass(frozen=True)
class Settings:
    """How far the method goes.

    Args:
        maximum_cluster: the most records that a cluster may hold; all pairs of so many are weighed at the most.
        least_mean: two parts are one only when the mean weight between them is above this. 0 bits: one person is
            more likely than not.
        pairs_at_once: how many pairs are weighed in one call, but for a component that has more by itself.
        pairs_per_component: about how many pairs of a component over the limit may be weighed: the larger it is,
            the smaller the parts that it is grown anew to (see `limit.py`).
    """

    maximum_cluster: int
    least_mean: float = 0.0
    pairs_at_once: int = 1_000_000
    pairs_per_component: int = 10_000_000


class Rules(NamedTuple):
    """Constraints in the form that compiled code reads; a column without rows means that there is no such rule."""

    once: Codes
    """The source of each record when that source is unique, else -1."""
    scope: Codes
    apart_a: Ints
    apart_b: Ints
    source_count: int


def compile_rules(constraints: Constraints, size: int) -> Rules:
    """Return `constraints` as compiled code reads them.

    Raises:
        LinkageError: a column does not have one value per record, or a code has no source.
    """
    once = scope = np.empty(0, np.int32)
    unique = np.asarray(constraints.unique_sources, dtype=bool)
    if constraints.source is not None:
        source = _column(constraints.source, size)
        if size and not -1 <= int(source.min()) <= int(source.max()) < len(unique):
            raise LinkageError("clusters: a record has a source that is not among the sources")
        if unique.any():
            once = np.where((source >= 0) & np.append(unique, False)[source], source, -1).astype(np.int32)
    if constraints.scope is not None:
        scope = _column(constraints.scope, size)
    a, b = _positions(constraints.apart_a, constraints.apart_b, size, "pair to keep apart")
    return Rules(once, scope, a, b, len(unique))


def _column(values: Codes, size: int) -> Codes:
    if len(values) != size:
        raise LinkageError("clusters: a constraint needs one value per record")
    return np.ascontiguousarray(values, dtype=np.int32)


def _positions(a: Ints, b: Ints, size: int, what: str) -> tuple[Ints, Ints]:
    left, right = np.ascontiguousarray(a, dtype=np.int64), np.ascontiguousarray(b, dtype=np.int64)
    if len(left) != len(right):
        raise LinkageError(f"clusters: a {what} needs two records")
    if len(left) and (
        min(left.min(), right.min()) < 0 or max(left.max(), right.max()) >= size or (left == right).any()
    ):
        raise LinkageError(f"clusters: a {what} names a record that does not exist, or the same record twice")
    return left, right
