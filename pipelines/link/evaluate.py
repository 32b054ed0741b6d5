"""Quality of a partition against the truth, in pairs inside clusters: overall and per pair of agencies."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from pipelines.errors import LinkageError


@dataclass(frozen=True)
class PairQuality:
    """Counts of pairs: found and true, found and false, missed; and the shares made from them."""

    true_links: int
    false_links: int
    missed_links: int

    @property
    def precision(self) -> float:
        """The share of found pairs that are true; 1 when none was found."""
        found = self.true_links + self.false_links
        return self.true_links / found if found else 1.0

    @property
    def recall(self) -> float:
        """The share of true pairs that were found; 1 when there is none."""
        true = self.true_links + self.missed_links
        return self.true_links / true if true else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class LinkageQuality:
    """Quality over all pairs, over pairs of different agencies, and per pair of agencies (`a|b`)."""

    overall: PairQuality
    across: PairQuality
    by_pair: dict[str, PairQuality]


def evaluate_partition(clusters: pa.Table, truth: pa.Table) -> LinkageQuality:
    """Return the quality of `clusters` (record_id, cluster_id) against `truth` (record_id, agency, person).

    Records without a cluster are singletons; records without truth are left out.
    """
    frame = truth.select(["record_id", "agency", "person"]).to_pandas()
    if frame["record_id"].duplicated().any():
        raise LinkageError("evaluation: a record stands twice in the truth")
    frame = frame.merge(clusters.select(["record_id", "cluster_id"]).to_pandas(), on="record_id", how="left")
    frame["cluster_id"] = frame["cluster_id"].fillna("alone:" + frame["record_id"])
    agencies = sorted(frame["agency"].unique())
    both = _pairs(frame, ["person", "cluster_id"], agencies)
    found, true = _pairs(frame, ["cluster_id"], agencies), _pairs(frame, ["person"], agencies)
    by_pair = {
        pair: PairQuality(both[pair], found[pair] - both[pair], true[pair] - both[pair])
        for pair in sorted(found)
    }
    across = [quality for pair, quality in by_pair.items() if len(set(pair.split("|"))) == 2]
    return LinkageQuality(_sum(list(by_pair.values())), _sum(across), by_pair)


def _pairs(frame: pd.DataFrame, by: list[str], agencies: list[str]) -> dict[str, int]:
    """Return, per pair of agencies, how many pairs of records agree on the columns `by`."""
    counts = frame.groupby([*by, "agency"], sort=False).size().unstack("agency", fill_value=0)
    counts = counts.reindex(columns=agencies, fill_value=0).astype("int64")
    result = {}
    for i, first in enumerate(agencies):
        n = counts[first]
        result[f"{first}|{first}"] = int((n * (n - 1) // 2).sum())
        for second in agencies[i + 1 :]:
            result[f"{first}|{second}"] = int((n * counts[second]).sum())
    return result


def _sum(parts: list[PairQuality]) -> PairQuality:
    return PairQuality(
        sum(part.true_links for part in parts),
        sum(part.false_links for part in parts),
        sum(part.missed_links for part in parts),
    )
