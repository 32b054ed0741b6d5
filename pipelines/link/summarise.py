"""What holds each cluster together, and whether the evidence inside it contradicts itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
from scipy.sparse.csgraph import minimum_spanning_tree  # type: ignore[import-untyped]

from pipelines.link.features import Floats, Ints

SUMMARY_SCHEMA = pa.schema(
    [
        ("cluster_id", pa.string()),
        ("records", pa.int32()),
        ("weakest_link_probability", pa.float64()),
        ("is_contested", pa.bool_()),
    ]
)


def summarise_clusters(clusters: pa.Table, edges: pa.Table) -> pa.Table:
    """Return one row per cluster, columns of `SUMMARY_SCHEMA`, sorted by cluster.

    The weakest link is the one without which the cluster would fall apart first: the least probable edge of the
    spanning tree that keeps the most probable edges. A cluster is contested when two of its records were compared
    and are not linked to each other, or are barred from it.

    Args:
        clusters: record_id, cluster_id.
        edges: every scored edge of the run, with match_weight, match_probability, is_link.
    """
    membership = clusters.select(["record_id", "cluster_id"]).to_pandas()
    names, sizes = np.unique(membership["cluster_id"].to_numpy(dtype=object), return_counts=True)
    position = pd.Index(membership["record_id"])
    number = pd.Index(names).get_indexer(pd.Index(membership["cluster_id"]))
    a = position.get_indexer(pd.Index(edges["record_a"].to_pylist()))
    b = position.get_indexer(pd.Index(edges["record_b"].to_pylist()))
    inside = (a >= 0) & (b >= 0)
    inside[inside] = number[a[inside]] == number[b[inside]]
    links = edges["is_link"].to_numpy(zero_copy_only=False)
    contested = np.zeros(len(names), dtype=bool)
    contested[number[a[inside & ~links]]] = True
    kept = inside & links
    weakest = _weakest(a[kept], b[kept], edges["match_weight"].to_numpy()[kept], number, len(names))
    probability = 1.0 / (1.0 + np.exp2(-weakest))
    return pa.table(
        {
            "cluster_id": pa.array(names, pa.string()),
            "records": pa.array(sizes, pa.int32()),
            "weakest_link_probability": pa.array(probability, pa.float64(), mask=~np.isfinite(weakest)),
            "is_contested": pa.array(contested, pa.bool_()),
        },
        schema=SUMMARY_SCHEMA,
    )


def _weakest(a: Ints, b: Ints, weight: Floats, number: Ints, clusters: int) -> Floats:
    """Return, per cluster, the least weight in its spanning tree of the heaviest edges; infinite without edges."""
    weakest = np.full(clusters, np.inf)
    if len(a):
        heaviest = float(weight.max()) + 1.0
        graph = coo_matrix((heaviest - weight, (a, b)), shape=(len(number), len(number)))
        tree = minimum_spanning_tree(graph).tocoo()
        np.minimum.at(weakest, number[tree.row], heaviest - tree.data)
    return weakest
