"""Hostile files on their way into the warehouse: all of a file or nothing, its rows accounted for, its end declared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.hostile.cases import Case
from support.hostile.corpus import corpus
from support.hostile.defects import DEFECTS
from support.hostile.tables import HEADER, ROWS_AT, SECRET, WIDTH, WRITERS
from support.ingest_files import empty, one, rows_of
from support.new_agency import with_agency
from support.warehouse import Server, Warehouse, fresh_warehouse

from pipelines.contracts.columns import Kind
from pipelines.contracts.loader import load_contract
from pipelines.errors import DeliveryRejected
from pipelines.ingest.receive import receive_delivery
from pipelines.warehouse.prepare import prepare_warehouse

pytestmark = pytest.mark.database

AGENCY, PERIOD, TODAY = "corpus", "2026-09", date(2026, 11, 20)
CASES = [case for case in corpus() if case.packing == "plain" and not DEFECTS[case.defect].is_large]
TARGETS = ("person_name.family", "person_identifier.NHS", "person_contact.MOBILE", "person_address.postcode")
# What a least number of rows refuses, and what a file without any is called there.
TOO_FEW = "TOO_FEW_ROWS"


def contract_text() -> str:
    """A contract with one file of each kind."""
    return yaml.safe_dump(
        {
            "agency": AGENCY,
            "title": "Corpus",
            "publisher": "Made up for a test",
            "source_system": "none",
            "owner": "nobody",
            "agreement": {
                "reference": "NS-DSA-098",
                "lawful_basis": "UK GDPR Article 6(1)(e), public task",
                "condition": "UK GDPR Article 9(2)(g)",
                "dpa_part": 2,
                "purposes": ["safeguarding"],
                "starts": date(2026, 1, 1),
                "ends": date(2028, 12, 31),
            },
            "required": False,
            "defaults": {"local_id": "id"},
            "files": {kind: file_of(kind) for kind in WRITERS},
        },
        sort_keys=False,
    )


def file_of(kind: Kind) -> dict[str, Any]:
    columns: dict[str, Any] = {"id": {"required": True}}
    columns |= {name: {"to": target} for name, target in zip(HEADER[1:], TARGETS, strict=True)}
    if kind == "fixed_width":
        for place, name in enumerate(HEADER):
            columns[name]["at"] = [1 + place * WIDTH, WIDTH]
    form = {"kind": kind, **({"rows": ROWS_AT[kind]} if kind in ROWS_AT else {})}
    return {
        "title": f"People, {kind}",
        "pattern": rf"people_{kind}_(?P<period>\d{{6}})\.txt",
        "format": form,
        "holds_people": kind == "delimited",
        "min_rows": 1,
        "required": False,
        "columns": columns,
    }


@pytest.fixture(scope="module")
def corpus_warehouse(
    warehouse_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("corpus")
    with (
        fresh_warehouse(warehouse_server, folder / "home") as warehouse,
        with_agency(folder, AGENCY, contract_text()),
    ):
        prepare_warehouse()
        yield warehouse


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_landed_whole_or_not_at_all(
    case: Case, corpus_warehouse: Warehouse, tmp_path: Path
) -> None:
    empty(corpus_warehouse)
    path = tmp_path / f"people_{case.kind}_202609.txt"
    path.write_bytes(case.make())
    said = ""
    try:
        receive_delivery(load_contract(AGENCY), PERIOD, {case.kind: path}, today=TODAY)
    except DeliveryRejected as rejected:
        said = str(rejected)
        found = {problem.rule for problem in rejected.problems}
        assert found - {TOO_FEW, "WRONG_ENCODING"} == case.outcome.problems or "WRONG_ENCODING" in found
    expected = 0 if said else case.outcome.rows
    (status,) = rows_of("SELECT status FROM audit.extract")[0]
    assert status == ("REJECTED" if said else case.outcome.status.upper().replace(" ", "_"))
    assert bool(said) == bool(case.outcome.problems or not case.outcome.rows)
    assert one(f"SELECT count(*) FROM landing.{AGENCY}_{case.kind}") == expected
    set_aside = [] if said else sorted(case.outcome.set_aside)
    assert sorted(rows_of("SELECT reasons[1] FROM quarantine.row")) == [(reason,) for reason in set_aside]
    assert one("SELECT count(*) FROM pg_tables WHERE schemaname = 'staging'") == 0
    reports = str(rows_of("SELECT details, rows_in, rows_out, quarantined FROM audit.stage_report"))
    assert SECRET not in said + reports
