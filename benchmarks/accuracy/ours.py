"""Our own contender: `joinedup link` on the files of a data set, with nothing chosen by hand."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.accuracy.contender import Contender, Pairs, Setting, as_bits
from benchmarks.accuracy.dataset import MAPPING, DataSet
from pipelines.files.run import LinkRequest, link_files
from pipelines.files.write import CLUSTERS, EDGES, MODEL
from pipelines.link.features import Ints
from pipelines.link.thresholds.choose import choose_by_expected_f1, choose_by_false_link_rate
from pipelines.link.thresholds.curve import Setting as CurveSetting
from pipelines.link.thresholds.curve import draw_curve
from pipelines.link.thresholds.edges import make_edges

TARGET, EXPECTED_F1 = "target 0.5 %", "expected F1"
ASKED: dict[str, dict[str, Any]] = {
    TARGET: {"objective": "false-link-rate", "target_false_link_rate": 0.005},
    EXPECTED_F1: {"objective": "expected-f1"},
}
# Further targets, only to find our own best setting with the truth in hand.
TARGETS = (0.0001, 0.0005, 0.001, 0.002, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2)


@dataclass(frozen=True)
class Ours:
    """Our answer: the weighed pairs with thresholds for connected components, and our own clusters.

    `own` are the label of each record by setting, `thresholds` what the settings came to, `tried` all labels.
    """

    contender: Contender
    own: dict[str, Ints]
    thresholds: tuple[Setting, ...]
    tried: list[Ints]


def component_settings(size: int, pairs: Pairs) -> tuple[Setting, ...]:
    """Return both settings for clusters that are connected components: what they do to a false link counts."""
    edges = make_edges(size, pairs.a, pairs.b, pairs.weight)
    curve = draw_curve(edges, CurveSetting(refuse=False))
    return (
        Setting(TARGET, choose_by_false_link_rate(curve, 0.005).weight),
        Setting(EXPECTED_F1, choose_by_expected_f1(curve).weight),
    )


def link_ours(data_set: DataSet) -> Ours:
    """Return our answer to a data set: trained once, then clustered at each setting with that model."""
    with tempfile.TemporaryDirectory(prefix="joinedup-accuracy-") as folder:
        home = Path(folder)
        files = data_set.write(home)
        asked: dict[str, dict[str, Any]] = {
            **ASKED, **{f"{target:.2%}": {"target_false_link_rate": target} for target in TARGETS},
        }  # fmt: skip
        settings, own, started, seconds = [], {}, time.monotonic(), 0.0
        model: Path | None = None
        for number, (name, options) in enumerate(asked.items()):
            output = home / f"out{number}"
            report = link_files(
                LinkRequest(files, home / MAPPING, output, model=model, checks=False, **options)
            )
            own[name] = _labels(data_set, output)
            settings.append(Setting(name, as_bits(report["thresholds"]["link_probability"])))
            if model is None:
                model, seconds = output / MODEL, time.monotonic() - started
        pairs = _pairs(data_set, home / "out0")
    contender = Contender("joinedup", pairs, component_settings(data_set.size, pairs), seconds)
    mine = {name: own[name] for name in ASKED}
    return Ours(contender, mine, tuple(settings[: len(ASKED)]), list(own.values()))


def _labels(data_set: DataSet, output: Path) -> Ints:
    table = pq.read_table(output / CLUSTERS)
    at = data_set.positions(table["source"].to_pylist(), table["record_id"].to_pylist())
    labels = np.empty(data_set.size, dtype=np.int64)
    labels[at] = pd.factorize(table["person_id"].to_pandas())[0]
    return labels


def _pairs(data_set: DataSet, output: Path) -> Pairs:
    """Return the weighed pairs of a run; those inside a source that holds each person once are no candidates."""
    table = pq.read_table(output / EDGES)
    sources = [table[f"source_{side}"].to_numpy() for side in "ab"]
    a, b = (
        data_set.positions(table[f"source_{side}"].to_pylist(), table[f"record_id_{side}"].to_pylist())
        for side in "ab"
    )
    kept = (sources[0] != sources[1]) | (not data_set.unique_people)
    return Pairs(a[kept], b[kept], table["match_weight"].to_numpy()[kept])
