"""The report of `joinedup link` as data: `report.json`, from which `report.html` is made and nothing else.

It holds no personal value.

- format: 1
- settings: engine, objective, target_false_link_rate, checks (null: by size), as_of, allow_synthetic, trained_here
- sources: for each name, file, rows, records, empty, unique_people, and refused: [{column, rule, values, kept}],
  how many values broke a rule; kept says that they are compared all the same
- records: how many were linked; equal to the rows of all files
- model: name, version, description; comparisons: [{name, kind, field, levels: [{name, when, m, u, weight,
  term_frequency}]}]; priors: [{sources: [a, b], match, household}]; household: its parameters, or null
- training: how the model was trained: records, random_pairs, candidate_pairs, passes, warnings, ...
- blocking: pair_budget, pairs, rules: [{rule, keys, new_pairs, met_pairs, largest_blocks, narrowed_blocks, ...}]
- edges: edges, links, barred
- thresholds: link_probability, link_weight, edge_probability, from_the_given_model
- threshold_report: threshold: {weight, probability, objective, target, attained, estimates, points: the chart},
  held: bounds for the clusters as made, the checks (decoys, false_links, unique, hidden, calibration; null or empty
  where one could not be made), notes, skipped: why no check was made
- error_rates: false_link_rate and missed_link_rate, each {estimate, low, high, method, parts: [{method, estimate,
  low, high, about}]}: the model's estimate, and an interval over the model and all checks
- clusters: people, records_in_groups, largest, sizes: [{records, people}], cutting: what was cut and why
- stages: [{stage, seconds, memory_mb}] in order, the memory being the highest so far; seconds: in all
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.files.assemble import SourceAccount
from pipelines.files.quick_values import KEPT_AS_TEXT
from pipelines.link.report.content import as_data
from pipelines.link.thresholds.edges import weight_of
from pipelines.link.trained import TrainedModel

FORMAT = 1


def describe_sources(accounts: Sequence[SourceAccount]) -> list[dict[str, Any]]:
    """Return what became of each file's rows."""
    return [
        {
            "name": account.name,
            "file": account.file,
            "rows": account.rows,
            "records": account.rows,
            "empty": account.empty,
            "unique_people": account.unique_people,
            "refused": [
                {"column": column, "rule": rule, "values": count, "kept": rule.endswith(KEPT_AS_TEXT)}
                for column, rules in account.broken.items()
                for rule, count in rules.items()
            ],
        }
        for account in accounts
    ]


def describe_clusters(clusters: pa.Table, cutting: Any) -> dict[str, Any]:
    """Return how many people there are, and of how many records each."""
    counts = pc.value_counts(clusters["cluster_id"]).field("counts").to_numpy(zero_copy_only=False)
    sizes, people = np.unique(counts, return_counts=True)
    return {
        "people": len(counts),
        "records_in_groups": int(counts[counts > 1].sum()),
        "largest": int(counts.max()) if len(counts) else 0,
        "sizes": [{"records": int(n), "people": int(k)} for n, k in zip(sizes, people, strict=True)],
        "cutting": as_data(cutting),
    }


def describe_threshold(trained: TrainedModel, is_own: bool) -> dict[str, Any]:
    """Return the threshold in force, as posterior and as match weight."""
    probability = trained.link_probability
    return {
        "link_probability": probability,
        "link_weight": weight_of(probability),
        "edge_probability": trained.definition.edge_probability,
        "from_the_given_model": is_own,
    }
