"""Our linking as the warehouse does it, on all names, dates and addresses of each record."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.accuracy.contender import Contender, Pairs, Setting
from benchmarks.accuracy.dataset import DataSet
from benchmarks.accuracy.ours import EXPECTED_F1, TARGET, Ours
from benchmarks.accuracy.synthetic import Population
from pipelines.contracts.model import load_model
from pipelines.link import RecordLinkageEngine, resolve_clusters, train
from pipelines.link.features import Floats, Ints

RATE = 0.005
# Pairs down to this posterior are kept, so that the whole curve can be drawn.
KEPT = 1e-5
# Where our own clusters are tried, in bits, to find our best threshold with the truth in hand.
GRID = (-6.0, -3.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0)


def link_whole(population: Population) -> Ours:
    """Return our answer to a population, every record with all that the agencies hold about it."""
    data, data_set, started = population.whole, population.flat, time.monotonic()
    trained = train(load_model().model_copy(update={"edge_probability": KEPT}), data)
    edges = RecordLinkageEngine().score(trained, data).edges
    edges = edges.filter(~np.asarray(edges["is_barred"].to_numpy(zero_copy_only=False), dtype=bool))
    seconds, weight = time.monotonic() - started, edges["match_weight"].to_numpy()
    a, b = (population.positions(edges[f"record_{side}"].to_pylist()) for side in "ab")
    settings = (Setting(TARGET, threshold_for_rate(weight)), Setting(EXPECTED_F1, threshold_for_f1(weight)))

    def clusters(threshold: float) -> Ints:
        table = resolve_clusters(trained, data, edges.filter(weight >= threshold)).table
        return _labels(data_set, population.positions(table["record_id"].to_pylist()), table["cluster_id"])

    own = {setting.name: clusters(setting.threshold) for setting in settings}
    contender = Contender("joinedup, all names and addresses", Pairs(a, b, weight), settings, seconds)
    return Ours(contender, own, [*own.values(), *map(clusters, GRID)])


def _labels(data_set: DataSet, at: Ints, clusters: pa.ChunkedArray) -> Ints:
    labels = np.empty(data_set.size, dtype=np.int64)
    labels[at] = pd.factorize(clusters.to_pandas())[0]
    return labels


def threshold_for_rate(weight: Floats) -> float:
    """Return the lowest weight, at even odds or above, with the expected share of false pairs within the target."""
    order = np.sort(weight)[::-1]
    false = np.cumsum(1.0 / (1.0 + np.exp2(order))) / np.arange(1, len(order) + 1)
    within = np.flatnonzero((false <= RATE) & (order >= 0))
    return float(order[within[-1]]) if len(within) else float("inf")


def threshold_for_f1(weight: Floats) -> float:
    """Return the weight with the highest expected F1: twice the expected true pairs over found and true pairs."""
    order = np.sort(weight)[::-1]
    right = np.cumsum(1.0 / (1.0 + np.exp2(-order)))
    if not len(order):
        return float("inf")
    return float(order[np.argmax(right / (np.arange(1, len(order) + 1) + right[-1]))])
