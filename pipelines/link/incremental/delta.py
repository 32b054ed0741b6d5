"""What changed since an earlier run, record by record, and what of that run still holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.features import Bools, Ints
from pipelines.link.fused.arrays import Words
from pipelines.link.incremental.before import Before

GONE = -1


@dataclass(frozen=True)
class Delta:
    """Today's records beside those of an earlier run.

    Args:
        is_new: per record of today, whether the earlier run did not have it.
        is_changed: per record of today, whether its content is another than it was.
        place: per record of the earlier run, where it stands today; -1 when it is gone.
    """

    is_new: Bools
    is_changed: Bools
    place: Ints

    @property
    def touched(self) -> Bools:
        """Which records of today are new or changed: their pairs are compared."""
        return self.is_new | self.is_changed

    @property
    def counts(self) -> dict[str, int]:
        """How many records are new, changed, unchanged, and vanished."""
        new, changed = int(self.is_new.sum()), int(self.is_changed.sum())
        return {
            "new": new,
            "changed": changed,
            "unchanged": len(self.is_new) - new - changed,
            "vanished": int((self.place == GONE).sum()),
        }


def compare_content(before: Before, record_ids: pa.Array, content: Words) -> Delta:
    """Return what changed: `record_ids` and `content` are today's records, in the same order."""
    place = place_of(before.record_ids, record_ids)
    still = np.flatnonzero(place != GONE)
    is_new = np.ones(len(record_ids), dtype=bool)
    is_new[place[still]] = False
    is_changed = np.zeros(len(record_ids), dtype=bool)
    is_changed[place[still]] = before.content[still] != content[place[still]]
    return Delta(is_new, is_changed, place)


def place_of(wanted: pa.Array, record_ids: pa.Array) -> Ints:
    """Return where each id stands among `record_ids`; -1 where it does not."""
    found = pc.index_in(wanted.cast(pa.string()), value_set=record_ids.cast(pa.string()))
    return np.asarray(pc.fill_null(found, GONE).to_numpy(zero_copy_only=False), dtype=np.int64)
