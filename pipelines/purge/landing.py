"""What a purge removes from `landing.*`: the rows that became the record's, and all others with its local id.

Record ids are keyed hashes, so nothing leads from one back to the local id. Every distinct local id of the agency
is hashed instead, as it was written: that finds also rows that were set aside and never became a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import landing_table, load_contract
from pipelines.contracts.shared import record_tables
from pipelines.normalise.assemble.local_ids import local_id_column, record_behind
from pipelines.purge.found import Found, Wanted, taken
from pipelines.settings import load_settings
from pipelines.warehouse.metadata import quote


@dataclass(frozen=True)
class _LandedFile:
    """One file of a contract and its landing table."""

    agency: str
    name: str
    file: AgencyFile

    @property
    def table(self) -> str:
        return f"landing.{quote(landing_table(self.agency, self.name))}"


def wait_for_landing(connection: Connection, wanted: Wanted) -> None:
    """Wait until files that are being landed are committed, and let none be landed until the purge is done."""
    tables = ", ".join(landed.table for landed in _files(wanted))
    connection.exec_driver_sql(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")


def remove_landed(connection: Connection, wanted: Wanted) -> Found:
    """Return what was deleted, of all extracts; call it before `remove_normalised`."""
    found = Found()
    for landed in _files(wanted):
        found += _by_origin(connection, wanted, landed) + _by_local_id(connection, wanted, landed)
    return found


def _files(wanted: Wanted) -> Iterator[_LandedFile]:
    for agency in wanted.agencies:
        for name, file in load_contract(agency).files.items():
            yield _LandedFile(agency, name, file)


def _by_origin(connection: Connection, wanted: Wanted, landed: _LandedFile) -> Found:
    """Return the deleted rows that rows of the shared schema say they came from."""
    sources = " UNION ".join(
        f"SELECT n.record_id, n.extract_id, n.row_number FROM normalised.{table} n"  # noqa: S608 - our names
        " JOIN audit.extract e USING (extract_id)"
        " WHERE n.record_id = ANY(CAST(:records AS uuid[])) AND e.agency = :agency AND e.file = :file"
        for table in record_tables()
    )
    statement = f"""
        DELETE FROM {landed.table} l USING ({sources}) AS s
        WHERE l.extract_id = s.extract_id AND l.row_number = s.row_number
        RETURNING s.record_id::text, l.extract_id
    """  # noqa: S608 - names of our own
    values = {"records": sorted(wanted.records), "agency": landed.agency, "file": landed.name}
    return taken(connection, statement, values)


def _by_local_id(connection: Connection, wanted: Wanted, landed: _LandedFile) -> Found:
    """Return the deleted rows that carry a local id of the records, in whatever state they were."""
    column = local_id_column(landed.file)
    if column is None:
        return Found()
    name, key = quote(column), load_settings().key
    ids = connection.scalars(text(f"SELECT DISTINCT {name} FROM {landed.table}"))  # noqa: S608 - names of our own
    behind = {written: record_behind(key, landed.agency, landed.file, written) for written in ids}
    theirs = {written: record for written, record in behind.items() if record in wanted.records}
    if not theirs:
        return Found()
    statement = f"""
        DELETE FROM {landed.table} l
        USING unnest(CAST(:written AS text[]), CAST(:of AS uuid[])) AS w (written, record_id)
        WHERE l.{name} = w.written RETURNING w.record_id::text, l.extract_id
    """  # noqa: S608 - names of our own
    return taken(connection, statement, {"written": list(theirs), "of": list(theirs.values())})
