"""What a run keeps of each cluster: its records, its weakest link, and whether the evidence contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.link.clusters.inputs import Codes
from pipelines.link.clusters.resolve import Clusters
from pipelines.link.features import Bools, Floats, Ints
from pipelines.link.order import are_in_order

SUMMARY_SCHEMA = pa.schema(
    [
        ("cluster_id", pa.string()),
        ("records", pa.int32()),
        ("weakest_link_probability", pa.float64()),
        ("density", pa.float64()),
        ("was_cut", pa.bool_()),
        ("is_contested", pa.bool_()),
        ("needs_attention", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Summary:
    """One value per cluster, by label; the probability of a record alone is NaN."""

    records: Codes
    weakest_link_probability: Floats
    density: Floats
    was_cut: Bools
    is_contested: Bools
    needs_attention: Bools


def summarise(
    clusters: Clusters, refused_a: Ints, refused_b: Ints, needs_attention: Bools | None = None
) -> Summary:
    """Return the summary of each cluster.

    A cluster is contested when two of its records were compared and are not linked to each other. That an accepted
    link out of it was cut says something else: not that strangers are in it, but that kin may be missing.

    Args:
        clusters: what `resolve` returned.
        refused_a: with `refused_b`, positions of the pairs that were compared and are no links.
        refused_b: see `refused_a`.
        needs_attention: by label, whether judgements contradict each other or the evidence; none does unless said.
    """
    facts, labels = clusters.facts, clusters.labels
    contested = np.zeros(len(facts.records), dtype=bool)
    contested[labels[refused_a[labels[refused_a] == labels[refused_b]]]] = True
    weakest = 1.0 / (1.0 + np.exp2(-facts.weakest_link))
    attention = np.zeros(len(facts.records), dtype=bool) if needs_attention is None else needs_attention
    return Summary(facts.records, weakest, facts.density, facts.was_cut, contested, attention)


def summary_table(summary: Summary, names: pa.Array) -> pa.Table:
    """Return `summary` with columns of `SUMMARY_SCHEMA`, sorted by cluster; `names` is by label."""
    probability = summary.weakest_link_probability
    table = pa.table(
        {
            "cluster_id": names,
            "records": pa.array(summary.records, pa.int32()),
            "weakest_link_probability": pa.array(probability, pa.float64(), mask=np.isnan(probability)),
            "density": pa.array(summary.density, pa.float64()),
            "was_cut": pa.array(summary.was_cut, pa.bool_()),
            "is_contested": pa.array(summary.is_contested, pa.bool_()),
            "needs_attention": pa.array(summary.needs_attention, pa.bool_()),
        },
        schema=SUMMARY_SCHEMA,
    )
    return table if are_in_order(names) else table.sort_by("cluster_id")
