"""Small worlds of records and links for the tests of clusters: dictionaries of pairs in, sets of records out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from pipelines.link.clusters import Clusters, Constraints, Links, Settings, resolve
from pipelines.link.forced import Forced, force, in_need_of_attention
from pipelines.link.judged import Judged, each_once, no_pairs

Pair = tuple[int, int]
LIMIT = 500


@dataclass(frozen=True)
class World:
    """Records 0..n-1; what each pair weighs (`strangers` where nothing is said), and what must not be together.

    `same` pairs were judged one person, `apart` pairs two people.
    """

    size: int
    links: dict[Pair, float]
    weights: dict[Pair, float] = field(default_factory=dict)
    barred: frozenset[Pair] = frozenset()
    apart: frozenset[Pair] = frozenset()
    source: tuple[int, ...] | None = None
    unique: tuple[bool, ...] = ()
    scope: tuple[int, ...] | None = None
    strangers: float = -15.0
    limit: int = LIMIT
    pairs_at_once: int = 1000
    pairs_per_component: int = 10**7
    keys: tuple[int, ...] | None = None
    same: frozenset[Pair] = frozenset()

    @property
    def judged(self) -> Judged:
        return Judged(*(each_once(np.array(sorted(each)).reshape(-1, 2)) for each in (self.same, self.apart)))

    def weight(self, pair: Pair) -> float:
        return self.links.get(pair, self.weights.get(pair, self.strangers))

    def resolve(self) -> Clusters:
        forced = self.forced()
        joined = set(zip(*(each.tolist() for each in forced.pairs), strict=True))
        links = {pair: weight for pair, weight in self.links.items() if pair not in joined}
        keys = self.keys or range(self.size)
        return resolve(
            self.size,
            np.array(list(keys), dtype=np.uint64),
            forced.added_to(Links(*columns(links), np.array(list(links.values()), dtype=float))),
            self._weigh,
            Constraints(
                None if self.source is None else np.array(self.source, dtype=np.int32),
                np.array(self.unique, dtype=bool),
                *columns(self.apart),
                None if self.scope is None else np.array(self.scope, dtype=np.int32),
            ),
            Settings(
                self.limit, pairs_at_once=self.pairs_at_once, pairs_per_component=self.pairs_per_component
            ),
        )

    def forced(self) -> Forced:
        source = np.zeros(self.size, np.int32) if self.source is None else np.array(self.source, np.int32)
        unique = np.array(() if self.source is None else self.unique, dtype=bool)
        return force(self.judged, (source, unique), no_pairs(), self._weigh, self.limit)

    def needs_attention(self) -> set[frozenset[int]]:
        found = self.resolve()
        marked = np.flatnonzero(in_need_of_attention(self.judged, self.forced(), found.labels))
        return {frozenset(np.flatnonzero(found.labels == each).tolist()) for each in marked}

    def _weigh(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert (a < b).all()
        pairs = list(zip(a.tolist(), b.tolist(), strict=True))
        return (
            np.array([self.weight(each) for each in pairs]),
            np.array([each in self.barred for each in pairs], dtype=bool),
        )

    def forbids(self, a: int, b: int) -> bool:
        pair = (min(a, b), max(a, b))
        return (
            pair in self.barred
            or pair in self.apart
            or (self.scope is not None and self.scope[a] != self.scope[b])
            or (
                self.source is not None
                and self.source[a] == self.source[b] >= 0
                and self.unique[self.source[a]]
            )
        )

    def moved(self, to: list[int]) -> World:
        """The same records at other positions: record i is now at `to[i]`, and links come in another order."""

        def pair(each: Pair) -> Pair:
            return min(to[each[0]], to[each[1]]), max(to[each[0]], to[each[1]])

        def column(values: tuple[int, ...] | None) -> tuple[int, ...] | None:
            return None if values is None else tuple(values[to.index(at)] for at in range(self.size))

        return replace(
            self,
            links={pair(each): weight for each, weight in reversed(self.links.items())},
            weights={pair(each): weight for each, weight in self.weights.items()},
            barred=frozenset(map(pair, self.barred)),
            apart=frozenset(map(pair, self.apart)),
            same=frozenset(map(pair, self.same)),
            source=column(self.source),
            scope=column(self.scope),
            keys=column(self.keys or tuple(range(self.size))),
        )


def columns(pairs: Iterable[Pair]) -> tuple[np.ndarray, np.ndarray]:
    listed = list(pairs)
    return np.array([a for a, _ in listed], dtype=np.int64), np.array([b for _, b in listed], dtype=np.int64)


def groups(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == each).tolist()) for each in np.unique(labels)}
