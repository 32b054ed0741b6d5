"""What a run adds to what is kept of the run before it, and what it ends: the difference, not the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.features import Ints
from pipelines.link.fused.arrays import Words
from pipelines.link.incremental.before import Before
from pipelines.link.incremental.delta import GONE
from pipelines.link.incremental.relink import Relinked


@dataclass(frozen=True)
class Difference:
    """Rows that begin with a run, and what ends with it.

    Args:
        records: (record_id, content_hash) of records that are new or changed.
        ended_records: ids of records that are gone or changed.
        edges: the pairs that were compared now, with their levels.
        ended_edges: (record_a, record_b) of pairs of records that are gone or changed.
        turned_edges: (record_a, record_b, is_link) of pairs that hold, but are held as links no more, or anew.
        clusters: (record_id, cluster_id) of records that are in a cluster of another name than before, or new.
        ended_clusters: ids of records whose cluster had another name before, or that are gone.
        summaries: of the clusters that were made anew.
        ended_summaries: names of the clusters that were there before in their place.
    """

    records: pa.Table
    ended_records: pa.Array
    edges: pa.Table
    ended_edges: pa.Table
    turned_edges: pa.Table
    clusters: pa.Table
    ended_clusters: pa.Array
    summaries: pa.Table
    ended_summaries: pa.Array


def difference(before: Before, relinked: Relinked, content: Words) -> Difference:
    """Return what a run adds and ends; `content` are the hashes of its records."""
    delta, known = relinked.delta, relinked.known
    ids, touched = relinked.held.encoded.record_ids, np.flatnonzero(delta.touched)
    gone = np.flatnonzero(delta.place == GONE)
    ended = np.flatnonzero(np.append(delta.touched, True)[delta.place])
    turned = np.flatnonzero(relinked.is_link[: known.carried] != known.was_link[: known.carried])
    found = relinked.scored.edges
    at = found.column_names.index("is_link")
    turned_rows = known.row[turned]
    return Difference(
        records=pa.table(
            {"record_id": _take(ids, touched), "content_hash": pa.array(content[touched].view(np.int64))}
        ),
        ended_records=before.ids(ended),
        edges=found.set_column(at, "is_link", pa.array(relinked.is_link[known.carried :])),
        ended_edges=_pairs(before, known.ended),
        turned_edges=_pairs(before, turned_rows).append_column("is_link", pa.array(relinked.is_link[turned])),
        **_clusters(before, relinked, gone),
    )


def _clusters(before: Before, relinked: Relinked, gone: Ints) -> dict[str, pa.Table | pa.Array]:
    held, looked_at, place = relinked.held, relinked.looked_at, relinked.delta.place
    row = np.full(held.encoded.size, GONE)
    row[place[place != GONE]] = np.flatnonzero(place != GONE)
    row = row[looked_at]
    now, ids = held.names.take(pa.array(held.labels[looked_at])), held.encoded.ids(looked_at)
    was = before.record_ids.take(pa.array(np.append(before.first, GONE)[row], mask=row == GONE))
    same = np.asarray(pc.fill_null(pc.equal(now, was), False).to_numpy(zero_copy_only=False))
    moved = np.flatnonzero(~same)
    earlier = np.concatenate([row[row != GONE], gone])
    return {
        "clusters": pa.table({"record_id": _take(ids, moved), "cluster_id": _take(now, moved)}),
        "ended_clusters": before.ids(np.concatenate([row[moved][row[moved] != GONE], gone])),
        "summaries": held.summaries,
        "ended_summaries": before.ids(np.unique(before.first[earlier])),
    }


def _pairs(before: Before, rows: Ints) -> pa.Table:
    a, b = before.edges.a[rows], before.edges.b[rows]
    return pa.table({"record_a": before.ids(a), "record_b": before.ids(b)})


def _take(values: pa.Array, rows: Ints) -> pa.Array:
    return values.take(pa.array(rows, pa.int64()))
