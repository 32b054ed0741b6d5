"""How far two contenders found the same: pairs above a weight, and how the weights of shared pairs differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """Pairs above the threshold: in both, in one of them alone; the largest difference of weights, in bits."""

    both: int
    first_only: int
    second_only: int
    largest_difference: float


@dataclass(frozen=True)
class Truth:
    """Pairs above a weight, against pairs of records of one person."""

    precision: float
    recall: float


def compare_edges(first: Path, second: Path, least: float) -> Agreement:
    """Return how two files of edges agree on the pairs whose weight is `least` at least."""
    (keys_a, weights_a), (keys_b, weights_b) = _edges(first), _edges(second)
    _, in_a, in_b = np.intersect1d(keys_a, keys_b, assume_unique=True, return_indices=True)
    apart = np.abs(weights_a[in_a] - weights_b[in_b])
    above_a, above_b = keys_a[weights_a >= least], keys_b[weights_b >= least]
    both = len(np.intersect1d(above_a, above_b, assume_unique=True))
    return Agreement(both, len(above_a) - both, len(above_b) - both, float(apart.max(initial=0.0)))


def compare_truth(edges: Path, data: Path, least: float) -> Truth:
    """Return precision and recall of the pairs whose weight is `least` at least."""
    person = pq.read_table(data, columns=["person"])["person"].to_numpy()
    keys, weights = _edges(edges)
    keys = keys[weights >= least]
    right = int((person[keys >> 32] == person[keys & (2**32 - 1)]).sum())
    records = np.bincount(person).astype(np.int64)
    there = int((records * (records - 1) // 2).sum())
    return Truth(right / max(len(keys), 1), right / max(there, 1))


def _edges(path: Path) -> tuple[Ints, npt.NDArray[np.float64]]:
    table = pq.read_table(path)
    a, b = (table[name].to_numpy().astype(np.int64) for name in ("a", "b"))
    return a << 32 | b, table["weight"].to_numpy()
