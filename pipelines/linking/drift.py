"""How far the people of today are from those that linking everybody anew would give; nothing is kept of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import LinkageError
from pipelines.identity.judgements import read_judgements_now
from pipelines.identity.runs import read_link_run
from pipelines.link.features import Ints
from pipelines.linking.scope import read_scope
from pipelines.linking.scores import link_anew
from pipelines.warehouse.bulk import read_arrow
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.runs import latest_link_run


@dataclass(frozen=True)
class Drift:
    """People of the latest run beside those of a full run over the same records.

    Args:
        run_id: the run.
        model_version: of the full run; the run's own, unless a model was trained for it.
        records: how many records both have.
        people: how many people the run has.
        people_anew: how many the full run has.
        people_that_differ: how many of the run's people the full run does not have with the same records.
    """

    run_id: int
    model_version: str
    records: int
    people: int
    people_anew: int
    people_that_differ: int

    @property
    def share(self) -> float:
        """The share of the run's people that differ."""
        return self.people_that_differ / max(self.people, 1)


def measure_drift(retrain: bool = False) -> Drift:
    """Return how far the latest run is from a full one; with `retrain`, from one under a model trained for it.

    Raises:
        LinkageError: nothing was linked yet.
    """
    with transaction() as connection:
        run = latest_link_run(connection)
        inputs = read_link_run(connection, run.run_id)
        judged = read_judgements_now(connection)
    scope = read_scope(run.run_id, inputs.extract_ids)
    anew = link_anew(scope.data, None if retrain else str(run.inputs["model_version"]), judged)
    kept = read_arrow(
        "SELECT record_id, cluster_id FROM linked.cluster_of(:run) JOIN linked.record_of(:run) USING (record_id)"
        " ORDER BY record_id",
        {"run": run.run_id},
    )
    table = anew.relinked.held.table
    if not kept["record_id"].combine_chunks().equals(table["record_id"].combine_chunks()):
        raise LinkageError(f"run {run.run_id} does not stand on the records that are there now")
    one, other = (_labels(each["cluster_id"]) for each in (kept, table))
    return Drift(
        run.run_id,
        anew.model.version,
        len(one),
        int(one.max(initial=-1)) + 1,
        int(other.max(initial=-1)) + 1,
        groups_that_differ(one, other),
    )


def _labels(names: pa.ChunkedArray) -> Ints:
    codes = pc.dictionary_encode(names).combine_chunks().indices
    return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)


def groups_that_differ(one: Ints, other: Ints) -> int:
    """Return how many groups of the first partition are no group of the other; labels from 0, one per member."""
    if not len(one):
        return 0
    pairs, count = np.unique(one * (int(other.max()) + 1) + other, return_counts=True)
    first, second = np.divmod(pairs, int(other.max()) + 1)
    same = (count == np.bincount(one)[first]) & (count == np.bincount(other)[second])
    return int(one.max()) + 1 - int(same.sum())
