"""Clusters from links: records held together in one run, each named by its smallest record id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from pipelines.errors import LinkageError
from pipelines.link.features import Ints

CLUSTER_SCHEMA = pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())])


def cluster_edges(record_ids: Sequence[str], edges: pa.Table) -> pa.Table:
    """Return (record_id, cluster_id) for every record, sorted: connected components of the accepted `edges`.

    Raises:
        LinkageError: an edge names a record that is not among `record_ids`.
    """
    ids = pd.Index(sorted(set(record_ids)))
    a = ids.get_indexer(pd.Index(edges["record_a"].to_pylist()))
    b = ids.get_indexer(pd.Index(edges["record_b"].to_pylist()))
    if (a < 0).any() or (b < 0).any():
        raise LinkageError("linking: an edge names a record that is not among the records")
    labels = components(len(ids), a.astype(np.int64), b.astype(np.int64))
    names = ids.to_numpy(dtype=object)
    first = pd.Series(names).groupby(labels).transform("min")
    return pa.table({"record_id": pa.array(names, pa.string()), "cluster_id": pa.array(first, pa.string())})


def settle_edges(edges: pa.Table, clusters: pa.Table) -> pa.Table:
    """Return `edges` with `is_link` false wherever the clusters keep the two records apart."""
    frame = clusters.to_pandas().set_index("record_id")["cluster_id"]
    a = frame.reindex(edges["record_a"].to_pylist()).to_numpy(dtype=object)
    b = frame.reindex(edges["record_b"].to_pylist()).to_numpy(dtype=object)
    is_link = edges["is_link"].to_numpy(zero_copy_only=False) & (a == b)
    return edges.set_column(edges.column_names.index("is_link"), "is_link", pa.array(is_link, pa.bool_()))


def components(size: int, a: Ints, b: Ints) -> Ints:
    """Return the label of the connected component of each of `size` nodes."""
    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
