"""recordlinkage's ECM classifier: the comparisons of its documented example, and more blocks than it has.

The example (docs/guides/link_two_dataframes and data_deduplication) blocks on the given name alone; here any of
several fields may agree, so that what is measured is the classifier and not one block.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import recordlinkage

from benchmarks.accuracy.contender import Contender, Pairs, Setting
from benchmarks.accuracy.dataset import DataSet

EXACT, SIMILAR = "exact", "similar"
AT_LEAST = 0.85
FEBRL = {
    "given_name": EXACT, "surname": SIMILAR, "date_of_birth": EXACT, "suburb": EXACT, "state": EXACT,
    "address_1": SIMILAR,
}  # fmt: skip
COMPARED: dict[str, dict[str, str]] = {
    "febrl3": FEBRL,
    "febrl4": FEBRL,
    "fake_1000": {
        "first_name": EXACT,
        "surname": SIMILAR,
        "dob": EXACT,
        "city": EXACT,
        "email": SIMILAR,
    },
    "synthetic": {
        "given": EXACT,
        "family": SIMILAR,
        "date_of_birth": EXACT,
        "postcode": EXACT,
        "sex": EXACT,
        "nhs_number": EXACT,
    },
}
BLOCKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "febrl3": (("given_name",), ("surname",), ("date_of_birth",), ("soc_sec_id",)),
    "febrl4": (("given_name",), ("surname",), ("date_of_birth",), ("soc_sec_id",)),
    "fake_1000": (("first_name",), ("surname",), ("dob",), ("email",)),
    "synthetic": (("given", "family"), ("date_of_birth",), ("nhs_number",), ("postcode", "given")),
}


def link_ecm(data_set: DataSet) -> Contender:
    """Return the answer of ECM: every candidate pair with its log odds; its own threshold is even odds."""
    started = time.monotonic()
    frame = data_set.columns
    candidates = _candidates(data_set, frame)
    compare = recordlinkage.Compare()
    for column, how in COMPARED[data_set.kind].items():
        if how == EXACT:
            compare.exact(column, column, label=column)
        else:
            compare.string(column, column, method="jarowinkler", threshold=AT_LEAST, label=column)
    vectors = compare.compute(candidates, frame)
    classifier = recordlinkage.ECMClassifier()
    classifier.fit(vectors)
    # Rounded, because equal vectors get posteriors that differ in the last digits.
    probability = classifier.prob(vectors).clip(1e-12, 1 - 1e-12).to_numpy()
    weight = np.round(np.log2(probability / (1 - probability)), 6)
    a, b = (candidates.get_level_values(level).to_numpy(dtype=np.int64) for level in (0, 1))
    seconds = time.monotonic() - started
    return Contender("recordlinkage ECM", Pairs(a, b, weight), (Setting("even odds", 0.0),), seconds)


def _candidates(data_set: DataSet, frame: pd.DataFrame) -> pd.MultiIndex:
    indexer = recordlinkage.Index()
    for block in BLOCKS[data_set.kind]:
        indexer.block(list(block))
    pairs: pd.MultiIndex = indexer.index(frame.where(frame.notna(), np.nan))
    if data_set.kind == "febrl4":
        source = frame["source"].to_numpy()
        pairs = pairs[source[pairs.get_level_values(0)] != source[pairs.get_level_values(1)]]
    return pairs
