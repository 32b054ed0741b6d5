"""Connected components of a graph given by its edges."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from pipelines.link.features import Ints


def components(size: int, a: Ints, b: Ints) -> Ints:
    """Return the label of the connected component of each of `size` nodes."""
    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
