"""A document goes into the landing table as any other file does, its bad rows into the quarantine."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, insert
from support.document_files import NHS, document_file, fixture
from support.ingest_files import empty, rows_of
from support.warehouse import Warehouse

from pipelines.contracts.loader import column_name, landing_table
from pipelines.ingest.landing import FileToLand, land_file
from pipelines.warehouse import landing
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.tables import extract

pytestmark = pytest.mark.database


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Warehouse:
    return empty(module_warehouse)


def test_a_bundle_of_patients_is_landed_and_its_invalid_patient_quarantined(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / "bundle"
    path.write_bytes(fixture("pds_bundle.json"))
    columns = {"NHS number": f"{NHS}/value", "family": "name[use=usual]/family", "born": "birthDate"}
    file = document_file("fhir", "entry/resource", columns)
    table = landing.landing_table(
        landing_table("fire", "patients"), [column_name(name) for name in file.landed_columns]
    )
    with transaction() as connection:
        table.create(connection)
        values = {
            "agency": "fire",
            "file": "patients",
            "period": "2026-09",
            "sha256": "0" * 64,
            "size_bytes": 1,
        }
        extract_id = connection.execute(
            insert(extract)
            .values(
                **values,
                file_name="bundle",
                rows=0,
                status="ACCEPTED",
                contract_version="1",
                received_at=func.now(),
            )
            .returning(extract.c.extract_id)
        ).scalar_one()
        landed = land_file(connection, FileToLand("fire", "2026-09", "patients", file, path, extract_id))
    report = landed.report
    assert (report.rows_in, report.rows_out, report.quarantined) == (3, 2, 1)
    assert rows_of("SELECT nhs_number, family, born FROM landing.fire_patients ORDER BY row_number") == [
        ("9990000018", "Smith", "2010-10-22"),
        ("9990000026", "Adeyemi", "2010-10"),
    ]
    assert rows_of("SELECT row_number, reasons FROM quarantine.row") == [(3, ["FHIR_INVALID:birthDate"])]
