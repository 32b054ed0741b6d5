"""Encoded records: what engines, training and clusters work on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import LinkageError
from pipelines.link.features import Codes, Feature, Ints
from pipelines.link.hubs import Hubs


@dataclass(frozen=True)
class Adjacency:
    """For each distinct value those that are variants of it: `codes[offsets[v]:offsets[v + 1]]`, in order."""

    offsets: Ints
    codes: Codes


@dataclass(frozen=True, eq=False)
class Encoded:
    """Records in order of their ids, their agency codes, and the features that comparisons and keys use.

    `variants` are the adjacent values of features whose model asks for variants; `unique` says, per agency code,
    whether that source holds each person once; `source_row[i]` is where record i stood in the data. `hubs` are the
    addresses that were not used, None where the model knows of none, and `at_hubs` how many records carry one.
    """

    record_ids: pa.Array
    agencies: tuple[str, ...]
    agency: Codes
    features: dict[str, Feature]
    source_row: Ints
    variants: dict[str, Adjacency] = field(default_factory=dict)
    unique: tuple[bool, ...] = ()
    hubs: Hubs | None = None
    at_hubs: int = 0

    @property
    def size(self) -> int:
        """How many records there are."""
        return len(self.agency)

    def positions(self, record_ids: list[str]) -> Ints:
        """Return where these records stand; raises LinkageError when one is unknown."""
        found = pc.index_in(pa.array(record_ids, pa.string()), value_set=self.record_ids)
        if found.null_count:
            raise LinkageError("linking: a record id is not among the records")
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)

    def positions_of(self, record_ids: list[str]) -> Ints:
        """Return where those of these records stand that are here."""
        found = pc.index_in(pa.array(record_ids, pa.string()), value_set=self.record_ids).drop_null()
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)

    def ids(self, positions: Ints) -> pa.Array:
        """Return the ids of the records at these positions."""
        return self.record_ids.take(pa.array(positions))
