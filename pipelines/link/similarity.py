"""Similarity of texts, each distinct pair once, by the libraries that the compiled engine is measured against."""

from __future__ import annotations

import numpy as np
import pandas as pd
from rapidfuzz.distance import OSA
from recordlinkage.algorithms.string import jarowinkler_similarity

from pipelines.link.features import Bools, Feature, Floats, Ints


def similarity(feature: Feature, values: tuple[Ints, Ints]) -> Floats:
    """Return the Jaro-Winkler similarity (jellyfish's variant) of pairs of distinct values, 0 to 1."""
    texts = np.array(feature.texts(), dtype=object)
    if not len(values[0]):
        return np.empty(0)
    found = jarowinkler_similarity(pd.Series(texts[values[0]]), pd.Series(texts[values[1]]))
    return np.asarray(found, dtype=np.float64)


def are_one_edit_apart(feature: Feature, values: tuple[Ints, Ints]) -> Bools:
    """Return which pairs of distinct values differ by at most one edit (optimal string alignment)."""
    texts = feature.texts()
    return np.array(
        [
            OSA.distance(texts[left], texts[right], score_cutoff=1) <= 1
            for left, right in zip(*values, strict=True)
        ],
        dtype=bool,
    )
