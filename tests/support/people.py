"""Small populations, linked by hand: what each agency holds, what happened, and who is one person."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, text

from pipelines.identity.people import assign_people
from pipelines.identity.protection import record_protections
from pipelines.identity.records import register_records
from pipelines.keys import event_id, person_id, pseudonym, record_id
from pipelines.settings import load_settings
from pipelines.warehouse import tables

CSC, HEALTH, POLICE = "childrens_services", "health", "police"


@dataclass(frozen=True)
class Held:
    """A record that an agency holds about somebody."""

    agency: str
    local_id: str
    sex: str = "U"
    born: str | None = None
    precision: str = "DAY"
    ethnic: str = "NOT_KNOWN"
    basis: str = "UNKNOWN"
    outward: str | None = None
    since: str | None = None
    address_type: str = "HOME"
    postcode_status: str = "LIVE"
    protection: str | None = None

    @property
    def record(self) -> str:
        return record_of(self.agency, self.local_id)


@dataclass(frozen=True)
class Happened:
    """An event that an agency sent about one of its records."""

    agency: str
    local_id: str
    event_type: str
    reference: str
    day: str
    until: str | None = None
    category: str | None = None


@dataclass
class Delivered:
    """What one period's linkage run works on."""

    period: str
    records: Sequence[Held] = ()
    events: Sequence[Happened] = ()
    people: Sequence[Sequence[Held]] = ()
    earlier_extracts: Sequence[int] = ()
    contested: Sequence[Held] = ()
    probability: float | None = 0.995
    links: Sequence[tuple[Held, Held, float]] = ()
    model_version: str = "by hand"
    extract_ids: dict[str, int] = field(default_factory=dict)
    delivery_ids: list[int] = field(default_factory=list)


def record_of(agency: str, local_id: str) -> str:
    return record_id(load_settings().key, agency, local_id)


def pseudonym_of(oldest: Held) -> str:
    """The published name of the person whose oldest record this is."""
    key = load_settings().key
    return pseudonym(key, "person", person_id(key, oldest.record))


def link_by_hand(connection: Connection, delivered: Delivered, assign: bool = True) -> int:
    """Write the delivery and a linkage run that holds together whom `people` says; return the run's id."""
    deliver(connection, delivered)
    run_id = _add_run(connection, delivered)
    _add_clusters(connection, run_id, delivered)
    record_protections(connection, run_id)
    register_records(connection, run_id)
    if assign:
        assign_people(connection, run_id)
    return run_id


def deliver(connection: Connection, delivered: Delivered) -> None:
    """Write one extract and one delivery for each agency, and the normalised rows."""
    agencies = sorted({row.agency for row in [*delivered.records, *delivered.events]})
    for agency in agencies:
        extract_id = _add_extract(connection, agency, delivered.period)
        delivered.extract_ids[agency] = extract_id
        delivered.delivery_ids.append(_add_delivery(connection, agency, delivered.period, extract_id))
    rows = {
        name: [] for name in ("person_record", "person_date_of_birth", "person_address", "person_protection")
    }
    for number, held in enumerate(delivered.records, 1):
        base = {
            "extract_id": delivered.extract_ids[held.agency],
            "row_number": number,
            "record_id": held.record,
        }
        for table, row in _rows_of(held):
            rows[table].append({**base, **row})
    for table, found in rows.items():
        _insert(connection, table, found)
    _insert(
        connection,
        "event",
        [_event_row(event, delivered, number) for number, event in enumerate(delivered.events)],
    )


def _rows_of(held: Held) -> list[tuple[str, dict[str, Any]]]:
    rows: list[tuple[str, dict[str, Any]]] = [
        (
            "person_record",
            {
                "agency": held.agency,
                "source_person_id": held.local_id,
                "record_type": "PERSON",
                "sex": held.sex,
                "ethnicity_16": "UN",
                "ethnicity_5": held.ethnic,
                "ethnicity_basis": held.basis,
            },
        )
    ]
    if held.born:
        rows.append(("person_date_of_birth", {"date_of_birth": _day(held.born), "precision": held.precision}))
    if held.outward or held.postcode_status == "CONFIDENTIAL":
        address = {"address_type": held.address_type, "postcode_status": held.postcode_status}
        rows.append(("person_address", {**address, "outward": held.outward, "valid_from": _day(held.since)}))
    if held.protection:
        rows.append(("person_protection", {"level": held.protection, "reason": "S_FLAG"}))
    return rows


def _event_row(event: Happened, delivered: Delivered, number: int) -> dict[str, Any]:
    record = record_of(event.agency, event.local_id)
    key = load_settings().key
    return {
        "extract_id": delivered.extract_ids[event.agency],
        "row_number": number,
        "record_id": record,
        "event_id": event_id(key, event.agency, event.event_type, event.reference, record),
        "agency": event.agency,
        "event_type": event.event_type,
        "source_event_id": event.reference,
        "event_date": _day(event.day),
        "event_end_date": _day(event.until),
        "category": event.category,
    }


def _insert(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(tables.normalised_table(table)), rows)


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None


def _add_extract(connection: Connection, agency: str, period: str) -> int:
    statement = text("""
        INSERT INTO audit.extract (agency, file, period, sha256, size_bytes, file_name, status, contract_version)
        VALUES (:agency, 'everything', :period, md5(random()::text), 1, 'by hand', 'ACCEPTED', '1')
        RETURNING extract_id
    """)
    return int(connection.scalar(statement, {"agency": agency, "period": period}) or 0)


def _add_delivery(connection: Connection, agency: str, period: str, extract_id: int) -> int:
    statement = text("""
        INSERT INTO audit.delivery (agency, period, sequence, extract_ids, status)
        SELECT :agency, CAST(:period AS text), count(*) + 1, ARRAY[CAST(:extract_id AS bigint)], 'NORMALISED'
        FROM audit.delivery WHERE agency = :agency AND period = :period
        RETURNING delivery_id
    """)
    values = {"agency": agency, "period": period, "extract_id": extract_id}
    return int(connection.scalar(statement, values) or 0)


def _add_run(connection: Connection, delivered: Delivered) -> int:
    inputs = {
        "extract_ids": [*delivered.earlier_extracts, *delivered.extract_ids.values()],
        "delivery_ids": delivered.delivery_ids,
        "period": delivered.period,
        "model_version": delivered.model_version,
    }
    statement = insert(tables.run).values(kind="link", period=delivered.period, inputs=inputs)
    return int(connection.scalar(statement.returning(tables.run.c.run_id)) or 0)


def _linked(delivered: Delivered) -> list[Held]:
    """Every record that the run links, once: those delivered, and those of earlier deliveries in `people`."""
    held = [*delivered.records, *(each for members in delivered.people for each in members)]
    return list({each.record: each for each in held if each.protection != "SEALED"}.values())


def _hash_of(held: Held) -> int:
    digest = hashlib.sha256(repr(held).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _edge_row(
    chain: dict[str, int], delivered: Delivered, one: Held, other: Held, weight: float
) -> dict[str, Any]:
    first, second = sorted((one.record, other.record))
    return {
        **chain,
        "record_a": first,
        "record_b": second,
        "model_version": delivered.model_version,
        "match_weight": weight,
        "match_probability": 1 / (1 + 2**-weight),
        "levels": {},
        "is_link": True,
    }


def _add_clusters(connection: Connection, run_id: int, delivered: Delivered) -> None:
    """One cluster for each of `people`, and one for each record that is in none and is not sealed."""
    together = {held.record for members in delivered.people for held in members}
    alone = [[h] for h in delivered.records if h.record not in together and h.protection != "SEALED"]
    rows, summaries = [], []
    for members in [*delivered.people, *alone]:
        cluster_id = min(held.record for held in members)
        rows += [
            {"run_id": run_id, "chain_run": run_id, "record_id": h.record, "cluster_id": cluster_id}
            for h in set(members)
        ]
        summaries.append(
            {
                "run_id": run_id,
                "chain_run": run_id,
                "cluster_id": cluster_id,
                "records": len(set(members)),
                "weakest_link_probability": delivered.probability if len(members) > 1 else None,
                "is_contested": any(held in delivered.contested for held in members),
            }
        )
    chain = {"run_id": run_id, "chain_run": run_id}
    connection.execute(
        insert(tables.lineage), {**chain, "model_version": delivered.model_version, "method": "by hand"}
    )
    connection.execute(insert(tables.cluster), rows)
    connection.execute(
        insert(tables.record_state),
        [{**chain, "record_id": each.record, "content_hash": _hash_of(each)} for each in _linked(delivered)],
    )
    if delivered.links:
        connection.execute(
            insert(tables.edge), [_edge_row(chain, delivered, *link) for link in delivered.links]
        )
    summary = tables.metadata.tables["linked.cluster_summary"]
    connection.execute(insert(summary), summaries)
