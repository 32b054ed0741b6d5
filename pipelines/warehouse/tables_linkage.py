"""Tables of `linked`: models, and what the runs found with them.

A run that goes on from an earlier one writes only what is new. Runs that follow each other so are a *chain*, named
by its first run. A row holds from the run `run_id` until the run `until_run` of its chain, which no longer has it;
what a run holds in all is told by the functions `linked.edge_of(run)`, `cluster_of`, `cluster_summary_of` and
`record_of`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, text

from pipelines.warehouse.metadata import json_column, metadata, text_column, time_column, uuid_column


def _span() -> tuple[Column[Any], ...]:
    """Return from which run of which chain a row holds, and until which."""
    return (
        Column("run_id", BigInteger, primary_key=True, autoincrement=False),
        Column("chain_run", BigInteger, nullable=False),
        Column("until_run", BigInteger, nullable=True),
    )


model = Table(
    "model",
    metadata,
    text_column("model_version", primary_key=True),
    text_column("name"),
    json_column("definition"),
    json_column("parameters", comment="m, u, prior, and term frequencies: these hold values."),
    json_column("training"),
    time_column("created_at"),
    schema="linked",
    comment="Linkage models, each version with its parameters and how it was trained.",
)

# Edges and clusters are loaded in bulk, a whole run at a time; the stage that writes them checks the run once, so
# these tables do without a foreign key that would check it for every row.
edge = Table(
    "edge",
    metadata,
    *_span(),
    uuid_column("record_a", primary_key=True),
    uuid_column("record_b", primary_key=True),
    text_column("model_version"),
    Column("match_weight", Double, nullable=False),
    Column("match_probability", Double, nullable=False),
    json_column("levels"),
    Column("is_link", Boolean, nullable=False),
    Column(
        "is_barred",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Two verified numbers that differ: never one person, whatever the weight.",
    ),
    Index(None, "record_a"),
    schema="linked",
    comment="Scored pairs above the lowest threshold: weight, probability, comparison levels.",
)

cluster = Table(
    "cluster",
    metadata,
    *_span(),
    uuid_column("record_id", primary_key=True),
    uuid_column("cluster_id", nullable=False),
    Index(None, "record_id"),
    Index(None, "cluster_id"),
    Index(None, "until_run"),
    schema="linked",
    comment="Records held together in one run.",
)

cluster_summary = Table(
    "cluster_summary",
    metadata,
    *_span(),
    uuid_column("cluster_id", primary_key=True),
    Column("records", Integer, nullable=False),
    Column("weakest_link_probability", Double, nullable=True),
    Column("is_contested", Boolean, nullable=False),
    Column(
        "density", Double, nullable=True, comment="Links held over pairs of records; 1 for a record alone."
    ),
    Column("was_cut", Boolean, nullable=True, comment="Whether an accepted link out of the cluster was cut."),
    Column(
        "needs_attention",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Whether judgements about its records contradict each other or the evidence.",
    ),
    Index(None, "cluster_id"),
    schema="linked",
    comment="What holds each cluster of a run together, and whether its evidence contradicts itself.",
)

record_state = Table(
    "record",
    metadata,
    *_span(),
    uuid_column("record_id", primary_key=True),
    Column(
        "content_hash",
        BigInteger,
        nullable=False,
        comment="Of all that linking reads of it; says what changed.",
    ),
    Index(None, "record_id"),
    schema="linked",
    comment="The records that a run linked, as they were then.",
)

lineage = Table(
    "lineage",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("chain_run", BigInteger, nullable=False, comment="The first run of the chain: a full one."),
    Column(
        "base_run",
        BigInteger,
        nullable=True,
        comment="The run that this one went on from; none if it is full.",
    ),
    text_column("model_version"),
    text_column(
        "method", comment="What the weights depend on beside the model version: the code, and settings."
    ),
    json_column("counts"),
    schema="linked",
    comment="What each linkage run stands on: the whole data anew, or an earlier run and what changed since.",
)
