"""Chains of linkage runs: which run another may go on from, and what that left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from pipelines.link.columns import whole
from pipelines.link.incremental import Before, BeforeEdges
from pipelines.link.incremental.delta import place_of
from pipelines.warehouse.bulk import read_arrow


@dataclass(frozen=True)
class Base:
    """The run that another goes on from, and the first run of their chain."""

    run_id: int
    chain_run: int


@dataclass(frozen=True)
class Place:
    """Where the rows of a run belong: the run, its chain, the model version and method of all its weights."""

    run_id: int
    base: Base | None
    model_version: str
    method: str

    @property
    def chain_run(self) -> int:
        """The first run of the chain: the run itself, when it goes on from none."""
        return self.run_id if self.base is None else self.base.chain_run


def find_base(connection: Connection, period: str, method: str, model_version: str) -> Base | None:
    """Return the run that a run of a period may go on from: the one where the ledger stands, if any.

    It must not be of a later period, and its weights must depend on nothing but what today's depend on.
    """
    row = connection.execute(
        text("""
            SELECT l.run_id, l.chain_run, l.method, l.model_version, r.period
            FROM audit.run r LEFT JOIN linked.lineage l USING (run_id)
            WHERE r.kind = 'link' AND r.status = 'SUCCEEDED'
            ORDER BY r.period DESC, r.run_id DESC LIMIT 1
        """)
    ).one_or_none()
    if row is None or row.run_id is None or row.period > period:
        return None
    if (row.method, row.model_version) != (method, model_version):
        return None
    return Base(row.run_id, row.chain_run)


def read_before(run_id: int) -> Before:
    """Return what a run left: its records with their content and clusters, its scored pairs."""
    records = read_arrow(
        "SELECT record_id, content_hash, cluster_id FROM linked.record_of(:run)"
        " JOIN linked.cluster_of(:run) USING (record_id) ORDER BY record_id",
        {"run": run_id},
    )
    edges = read_arrow(
        "SELECT record_a, record_b, match_weight, is_barred, is_link FROM linked.edge_of(:run)"
        " ORDER BY record_a, record_b",
        {"run": run_id},
    )
    ids = whole(records["record_id"])
    return Before(
        ids,
        records["content_hash"].to_numpy().view(np.uint64),
        place_of(whole(records["cluster_id"]), ids),
        BeforeEdges(
            place_of(whole(edges["record_a"]), ids),
            place_of(whole(edges["record_b"]), ids),
            edges["match_weight"].to_numpy(),
            edges["is_barred"].to_numpy().astype(bool),
            edges["is_link"].to_numpy().astype(bool),
        ),
    )
