"""Every table of the warehouse, by name: the fixed ones, and those made from `schemas/shared/`."""

from __future__ import annotations

from sqlalchemy import MetaData, Table

from pipelines.warehouse.metadata import SCHEMAS, metadata
from pipelines.warehouse.tables_audit import (
    access_grant,
    access_log,
    delivery,
    expectation_result,
    extract,
    issue_count,
    link_request,
    quarantine_row,
    release_manifest,
    run,
    stage_report,
    warehouse_state,
)
from pipelines.warehouse.tables_identity import (
    change,
    identity_record,
    judgement,
    ledger_run,
    membership,
    person,
    protection_notice,
    purge,
    review_pair,
)
from pipelines.warehouse.tables_linkage import cluster, cluster_summary, edge, lineage, model, record_state
from pipelines.warehouse.tables_publication import current_release, release
from pipelines.warehouse.tables_shared import normalised_table, publication_table, shared_tables

FIXED_TABLES: tuple[Table, ...] = (
    *(extract, delivery, run, stage_report, issue_count, expectation_result, link_request),
    *(access_grant, access_log, release_manifest, warehouse_state, quarantine_row),
    *(model, lineage, record_state, edge, cluster, cluster_summary),
    *(identity_record, person, membership, change, ledger_run),
    *(judgement, review_pair, protection_notice, purge),
    *(release, current_release),
)


def all_tables() -> MetaData:
    """Return the MetaData with every table declared: the fixed ones and the shared schema."""
    shared_tables()
    return metadata


__all__ = [
    "FIXED_TABLES",
    "SCHEMAS",
    "access_grant",
    "access_log",
    "all_tables",
    "change",
    "cluster",
    "cluster_summary",
    "current_release",
    "delivery",
    "edge",
    "expectation_result",
    "extract",
    "identity_record",
    "issue_count",
    "judgement",
    "ledger_run",
    "lineage",
    "link_request",
    "membership",
    "metadata",
    "model",
    "normalised_table",
    "person",
    "protection_notice",
    "publication_table",
    "purge",
    "quarantine_row",
    "record_state",
    "release",
    "release_manifest",
    "review_pair",
    "run",
    "shared_tables",
    "stage_report",
    "warehouse_state",
]
