"""Keeping what was found: model, edges, clusters, and a person for each cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4

import pandas as pd
from sqlalchemy import Connection, text

from benchmarks.pipeline.rival.copying import copy_in, copy_out
from benchmarks.pipeline.rival.deliveries import Delivery, insert
from benchmarks.pipeline.task import PERIOD
from pipelines.warehouse.engine import transaction

MODEL = "rival-1"

_REGISTER = text(
    "INSERT INTO identity.record (record_id, agency, first_period, last_period, sequence)"
    " SELECT record_id, agency, :period, :period, row_number() OVER (ORDER BY record_id)"
    " FROM (SELECT DISTINCT record_id, agency FROM normalised.person_record) AS seen"
)
_NOTICES = text(
    "INSERT INTO identity.protection_notice (record_id, level, scope, effective_from, reason, extract_id)"
    " SELECT record_id, level, scope, effective_from, reason, extract_id FROM normalised.person_protection"
)


@dataclass(frozen=True)
class Found:
    """What Splink found.

    `edges` has record_id_l, record_id_r, match_weight and match_probability; `clusters` record_id and cluster_id;
    `model` is its settings as JSON, `threshold` the probability of a link.
    """

    edges: pd.DataFrame
    clusters: pd.DataFrame
    model: str
    threshold: float


def keep(deliveries: list[Delivery], found: Found) -> int:
    """Return the linkage run under which everything was kept, in one transaction."""
    with transaction() as connection:
        run_id = _open_run(connection, deliveries)
        _model(connection, found, run_id)
        connection.execute(_NOTICES)
        connection.execute(_REGISTER, {"period": PERIOD})
        span = {"run_id": run_id, "chain_run": run_id}
        copy_in(connection, "linked.edge", _edges(found).assign(**span))
        copy_in(connection, "linked.cluster", found.clusters[["record_id", "cluster_id"]].assign(**span))
        copy_in(connection, "linked.cluster_summary", summaries(found).assign(**span))
        _people(connection, found.clusters, run_id)
    return run_id


def _open_run(connection: Connection, deliveries: list[Delivery]) -> int:
    inputs = {
        "period": PERIOD,
        "delivery_ids": [each.delivery_id for each in deliveries],
        "extract_ids": [extract for each in deliveries for extract in each.extracts.values()],
        "model_version": MODEL,
    }
    return insert(
        connection,
        "INSERT INTO audit.run (kind, period, status, finished_at, inputs)"
        " VALUES ('link', :period, 'SUCCEEDED', now(), CAST(:inputs AS jsonb)) RETURNING run_id",
        period=PERIOD,
        inputs=json.dumps(inputs),
    )


def _model(connection: Connection, found: Found, run_id: int) -> None:
    connection.execute(
        text(
            "INSERT INTO linked.model (model_version, name, definition, parameters)"
            " VALUES (:version, 'Splink', CAST(:definition AS jsonb), CAST(:parameters AS jsonb))"
        ),
        {
            "version": MODEL,
            "definition": json.dumps({"link_probability": found.threshold}),
            "parameters": found.model,
        },
    )
    connection.execute(
        text(
            "INSERT INTO linked.lineage (run_id, chain_run, model_version, method)"
            " VALUES (:run, :run, :version, 'Splink')"
        ),
        {"run": run_id, "version": MODEL},
    )


def _edges(found: Found) -> pd.DataFrame:
    left, right = found.edges["record_id_l"], found.edges["record_id_r"]
    return pd.DataFrame(
        {
            "record_a": left.where(left < right, right),
            "record_b": right.where(left < right, left),
            "model_version": MODEL,
            "match_weight": found.edges["match_weight"],
            "match_probability": found.edges["match_probability"],
            "is_link": True,
        }
    )


def summaries(found: Found) -> pd.DataFrame:
    """Return per cluster its size, its weakest link and how dense its links are."""
    sizes = found.clusters.groupby("cluster_id").size()
    inside = found.edges.merge(found.clusters, left_on="record_id_l", right_on="record_id")
    links = inside.groupby("cluster_id")["match_probability"].agg(["min", "size"]).reindex(sizes.index)
    pairs = sizes * (sizes - 1) / 2
    return pd.DataFrame(
        {
            "cluster_id": sizes.index,
            "records": sizes.to_numpy(),
            "weakest_link_probability": links["min"].to_numpy(),
            "is_contested": False,
            "density": (links["size"] / pairs).fillna(1.0).to_numpy(),
            "was_cut": False,
        }
    )


def _people(connection: Connection, clusters: pd.DataFrame, run_id: int) -> None:
    """Give each cluster a person, a new one in every run."""
    names = clusters["cluster_id"].unique()
    people = pd.Series([str(uuid4()) for _ in names], index=names)
    copy_in(
        connection, "identity.person", pd.DataFrame({"person_id": people.to_numpy(), "created_run": run_id})
    )
    members = pd.DataFrame(
        {"record_id": clusters["record_id"], "person_id": clusters["cluster_id"].map(people)}
    )
    copy_in(connection, "identity.membership", members.assign(valid_from_run=run_id))
    connection.execute(text("INSERT INTO identity.ledger_run (run_id) VALUES (:run)"), {"run": run_id})


def read_people(connection: Connection, run_id: int) -> pd.DataFrame:
    """Return record_id, person_id, agency and cluster_id of everybody in a run."""
    return copy_out(
        connection,
        "SELECT m.record_id, m.person_id, r.agency, c.cluster_id FROM identity.membership m"  # noqa: S608 - an integer
        " JOIN identity.record r USING (record_id) JOIN linked.cluster c USING (record_id)"
        f" WHERE c.run_id = {int(run_id)}",
    )
