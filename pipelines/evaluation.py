"""How good the published people are, against the known truth of a synthetic population."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa

from pipelines.keys import record_id
from pipelines.link.evaluate import LinkageQuality, evaluate_partition
from pipelines.settings import load_settings
from pipelines.warehouse.bulk import read_arrow


def evaluate_run(link_run_id: int, truth: Path) -> LinkageQuality:
    """Return precision and recall over pairs of records inside the people of a linkage run.

    Every record of the period counts: one that was quarantined, or withheld because it is sealed, is linked to
    nobody, so its true pairs are missed. A sealed identity that was linked to anybody is a false link.

    Args:
        link_run_id: the linkage run whose people are judged.
        truth: the truth file of its period: agency, source_person_id, true_person_id, is_sealed.
    """
    people = read_arrow(
        "SELECT record_id, cluster_id FROM linked.cluster_of(:run_id)", {"run_id": link_run_id}
    )
    return evaluate_partition(people, read_truth(truth))


def read_truth(path: Path) -> pa.Table:
    """Return the truth as record_id, agency, person; a sealed identity is a person of its own."""
    key = load_settings().key
    records, agencies, people = [], [], []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            records.append(record_id(key, row["agency"], row["source_person_id"]))
            agencies.append(row["agency"])
            sealed = row["is_sealed"].strip().lower() in {"1", "true", "yes"}
            people.append(row["true_person_id"] + ("/sealed" if sealed else ""))
    return pa.table({"record_id": records, "agency": agencies, "person": people})
