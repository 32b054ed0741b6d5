"""What an earlier run left behind: records with their content, scored pairs, clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.link.features import Bools, Floats, Ints
from pipelines.link.fused.arrays import Words


@dataclass(frozen=True)
class BeforeEdges:
    """The scored pairs of an earlier run, as places among its records; whether each was held as a link."""

    a: Ints
    b: Ints
    weight: Floats
    barred: Bools
    is_link: Bools

    def __len__(self) -> int:
        return len(self.weight)


@dataclass(frozen=True)
class Before:
    """An earlier run under the same model version: its records in the order of their ids, and their content.

    `first` is, per record, the place of the first record of its cluster, whose id names the cluster.
    """

    record_ids: pa.Array
    content: Words
    first: Ints
    edges: BeforeEdges

    def ids(self, places: Ints) -> pa.Array:
        """Return the ids of the records at these places."""
        return self.record_ids.take(pa.array(places, pa.int64()))


def nothing_before() -> Before:
    """Return what a first run goes on from."""
    nobody, no = np.empty(0, np.int64), np.empty(0, dtype=bool)
    edges = BeforeEdges(nobody, nobody, np.empty(0), no, no)
    return Before(pa.array([], pa.string()), np.empty(0, np.uint64), nobody, edges)
