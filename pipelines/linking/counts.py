"""How many records a run found new, changed, unchanged, vanished and purged."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from pipelines.identity.purges import purged_since
from pipelines.link.incremental.delta import GONE
from pipelines.linking.scores import Linked


def count_records(connection: Connection, linked: Linked) -> dict[str, int]:
    """Return the counts of a run beside the run that it went on from.

    A record that is gone was *purged* when it was deleted for good since then, else it *vanished*: its agency sent
    it no more.
    """
    counts = linked.relinked.delta.counts
    purged = 0
    if linked.base is not None:
        gone = linked.before.ids(np.flatnonzero(linked.relinked.delta.place == GONE))
        purged = len(purged_since(connection, linked.base.run_id).intersection(gone.to_pylist()))
    return {**counts, "vanished": counts["vanished"] - purged, "purged": purged}
