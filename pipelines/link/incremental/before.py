"""What an earlier run left behind: records with their content, scored pairs, clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.link.features import Bools, Floats
from pipelines.link.fused.arrays import Words


@dataclass(frozen=True)
class BeforeEdges:
    """The scored pairs of an earlier run, by record id; whether each was held as a link."""

    record_a: pa.Array
    record_b: pa.Array
    weight: Floats
    barred: Bools
    is_link: Bools

    def __len__(self) -> int:
        return len(self.weight)


@dataclass(frozen=True)
class Before:
    """An earlier run under the same model version: its records by id, their content, and the cluster of each.

    A cluster is named by the smallest id of its records.
    """

    record_ids: pa.Array
    content: Words
    cluster_ids: pa.Array
    edges: BeforeEdges


def nothing_before() -> Before:
    """Return what a first run goes on from."""
    ids = pa.array([], pa.string())
    no: Bools = np.empty(0, dtype=bool)
    return Before(ids, np.empty(0, np.uint64), ids, BeforeEdges(ids, ids, np.empty(0), no, no))
