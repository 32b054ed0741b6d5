"""One data set through every contender, scored by the one evaluator."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.accuracy.contender import Contender, Setting
from benchmarks.accuracy.dataset import DataSet
from benchmarks.accuracy.ecm import link_ecm
from benchmarks.accuracy.evaluator import Counts, Curve, Interval, connected, count, f1_difference, trace
from benchmarks.accuracy.ours import EXPECTED_F1, TARGET, Ours, link_ours
from benchmarks.accuracy.splink_contender import link_splink, link_splink_further
from benchmarks.accuracy.synthetic import Population
from benchmarks.accuracy.warehouse import link_whole
from pipelines.link.features import Ints

COMPONENTS, OWN = "connected components", "own clusters"
BEST = "best, with the truth"


@dataclass(frozen=True)
class Row:
    """One line of the table: a contender, how its pairs became clusters, its threshold, and what came of it."""

    data: str
    contender: str
    clusters: str
    setting: str
    threshold: float | None
    precision: float
    recall: float
    f1: float
    seconds: float
    counts: Counts

    @property
    def uses_truth(self) -> bool:
        """Whether the threshold was chosen with the truth in hand."""
        return self.setting == BEST

    def as_json(self) -> dict[str, Any]:
        """Return the row without its counts per person."""
        return {name: value for name, value in vars(self).items() if name != "counts"}


@dataclass(frozen=True)
class Result:
    """All rows of a data set, the curves, and the questions that the table must answer."""

    data: str
    records: int
    rows: tuple[Row, ...]
    curves: dict[str, Curve]

    def row(self, contender: str, clusters: str, setting: str) -> Row:
        """Return the row of this contender, kind of clusters and setting."""
        return next(
            row
            for row in self.rows
            if (row.contender, row.clusters, row.setting) == (contender, clusters, setting)
        )

    @property
    def splinks(self) -> tuple[str, ...]:
        """The configurations of Splink, the documented one first."""
        return tuple(name for name in self.curves if name.startswith("Splink"))

    def splink_recall_at(self, precision: float) -> dict[str, float]:
        """Return the highest recall of each configuration of Splink at this precision or better."""
        return {name: self.curves[name].recall_at(precision) for name in self.splinks}

    def against_splink(self, row: Row) -> dict[str, Interval]:
        """Return how far the row's F1 lies above each Splink's best, people drawn again for both."""
        return {
            name: f1_difference(row.counts, self.row(name, COMPONENTS, BEST).counts) for name in self.splinks
        }

    def as_json(self) -> dict[str, Any]:
        """Return everything but the counts per person."""
        return {
            "data": self.data,
            "records": self.records,
            "rows": [row.as_json() for row in self.rows],
            "curves": {name: curve.points() for name, curve in self.curves.items()},
            "target": [
                {
                    "clusters": row.clusters,
                    "false_link_rate": 1 - row.precision,
                    "recall": row.recall,
                    "splink_recall_at_that_precision": self.splink_recall_at(row.precision),
                }
                for row in self.rows
                if row.setting == TARGET
            ],
            "expected_f1": [
                {
                    "clusters": row.clusters,
                    "f1": row.f1,
                    "below_own_best": self.row(row.contender, row.clusters, BEST).f1 - row.f1,
                    "above_splink_best": {
                        name: asdict(found) for name, found in self.against_splink(row).items()
                    },
                }
                for row in self.rows
                if row.setting == EXPECTED_F1
            ],
        }


def compare(data_set: DataSet, population: Population | None = None) -> Result:
    """Return what every contender makes of a data set; a population is linked as in the warehouse, too."""
    rows, curves = _ours(data_set, link_ours(data_set))
    others = (link_splink(data_set), link_splink_further(data_set), link_ecm(data_set))
    for contender in filter(None, others):
        more, curves[contender.name] = _components(data_set, contender)
        rows += more
    if population is not None:
        rows += _ours(data_set, link_whole(population))[0]
    return Result(data_set.name, data_set.size, tuple(rows), curves)


def _ours(data_set: DataSet, ours: Ours) -> tuple[list[Row], dict[str, Curve]]:
    rows, curve = _components(data_set, ours.contender)
    for setting in ours.thresholds:
        rows.append(_row(data_set, ours.contender, OWN, setting, ours.own[setting.name]))
    tried = [_row(data_set, ours.contender, OWN, None, labels) for labels in ours.tried]
    return [*rows, max(tried, key=lambda row: row.f1)], {ours.contender.name: curve}


def _components(data_set: DataSet, contender: Contender) -> tuple[list[Row], Curve]:
    curve = trace(contender.pairs, data_set.people)
    best = (Setting(BEST, curve.best()),) if len(curve.threshold) else ()
    return [
        _row(
            data_set,
            contender,
            COMPONENTS,
            setting,
            connected(data_set.size, contender.pairs.above(setting.threshold)),
        )
        for setting in (*contender.settings, *best)
    ], curve


def _row(
    data_set: DataSet,
    contender: Contender,
    clusters: str,
    setting: Setting | None,
    labels: Ints,
) -> Row:
    counts = count(labels, data_set.people)
    quality = counts.quality()
    return Row(
        data_set.name, contender.name, clusters, setting.name if setting else BEST,
        setting.threshold if setting else None,
        quality.precision, quality.recall, quality.f1, contender.seconds, counts,
    )  # fmt: skip
