"""One path that is several files of a contract, packed files, and layouts, from the inbox to the landing tables."""

from __future__ import annotations

import gzip
import io
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook
from support.ingest_files import PEOPLE, as_csv, empty, header_of, one, plain_rows, rows_of, write_delivery
from support.warehouse import Warehouse

from pipelines import stages
from pipelines.contracts.agency import AgencyFile, Contract
from pipelines.contracts.columns import FileFormat
from pipelines.contracts.layouts import Layout
from pipelines.contracts.loader import load_contract
from pipelines.errors import DeliveryRejected
from pipelines.ingest import inbox
from pipelines.ingest.receive import receive_delivery
from pipelines.ingest.requeue import requeue_delivery
from pipelines.purge.archive import delete_marked_files, mark_archived
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

PERIOD = "2026-09"
TODAY = date(2026, 10, 20)
FILES = ("nominal", "occurrence", "involvement")


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Warehouse:
    return empty(module_warehouse)


@pytest.fixture
def folder(warehouse: Warehouse) -> Path:
    return warehouse.home / "inbox" / "police"


@pytest.fixture
def contract(monkeypatch: pytest.MonkeyPatch) -> Contract:
    """The police's contract, were its files the sheets of one workbook."""
    plain = load_contract("police")
    files = {name: as_sheet(name, file) for name, file in plain.files.items()}
    contract = plain.model_copy(update={"files": files})
    monkeypatch.setattr(inbox, "load_contracts", lambda: {"police": contract})
    return contract


def as_sheet(name: str, file: AgencyFile) -> AgencyFile:
    form = FileFormat(kind="xlsx", sheet=name, null_literals=file.format.null_literals)
    changes = {"format": form, "pattern": r"POLICE_(?P<period>\d{8})\.xlsx", "period_format": "%Y%m%d"}
    return file.model_copy(update=changes)


def write_book(folder: Path, salt: str = "", without: str | None = None) -> Path:
    """The delivery as one workbook, perhaps without a sheet."""
    book = Workbook()
    book.active.sheet_state = "hidden"
    for name in FILES:
        if name != without:
            sheet = book.create_sheet(name.title())
            for row in [header_of("police", name), *plain_rows("police", name, PERIOD, salt=salt)]:
                sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "POLICE_20260930.xlsx"
    path.write_bytes(out.getvalue())
    return path


def landed() -> list[int]:
    return [one(f"SELECT count(*) FROM landing.police_{name}") for name in FILES]


def test_a_workbook_is_received_as_each_of_the_files_that_it_holds(contract: Contract, folder: Path) -> None:
    write_book(folder)
    inbox.scan_inbox()
    (ready,) = inbox.scan_inbox().ready
    assert (ready.period, set(ready.files), len(set(ready.files.values()))) == (PERIOD, set(FILES), 1)
    delivery = receive_delivery(contract, PERIOD, folder, today=TODAY)
    assert (delivery.status, set(delivery.extract_ids), len(set(delivery.extract_ids.values()))) == (
        "ACCEPTED",
        set(FILES),
        3,
    )
    assert landed() == [PEOPLE] * 3
    surname = header_of("police", "nominal").index("Surname")
    expected = [row[surname] for row in plain_rows("police", "nominal", PERIOD)]
    assert rows_of("SELECT surname FROM landing.police_nominal ORDER BY row_number") == [
        (name,) for name in expected
    ]


def test_its_bytes_are_archived_once_and_its_re_delivery_is_a_no_op(
    contract: Contract, folder: Path, warehouse: Warehouse
) -> None:
    path = write_book(folder)
    first = receive_delivery(contract, PERIOD, folder, today=TODAY)
    kept = [file for file in (warehouse.home / "archive").rglob("*") if file.is_file()]
    assert [file.read_bytes() for file in kept] == [path.read_bytes()]
    again = receive_delivery(contract, PERIOD, folder, today=TODAY)
    assert (again.is_new, again.delivery_id) == (False, first.delivery_id)
    assert inbox.scan_inbox().ready == ()
    write_book(folder, salt="corrected")
    assert receive_delivery(contract, PERIOD, folder, today=TODAY).sequence == 2


def test_a_sheet_that_is_missing_rejects_the_delivery_until_a_corrected_workbook_comes(
    contract: Contract, folder: Path
) -> None:
    write_book(folder, without="occurrence")
    with pytest.raises(DeliveryRejected) as caught:
        receive_delivery(contract, PERIOD, folder, today=TODAY)
    assert [(problem.file, problem.rule) for problem in caught.value.problems] == [
        ("occurrence", "MISSING_SHEET")
    ]
    assert landed() == [0, 0, 0]
    inbox.scan_inbox()
    assert "waits for a corrected occurrence" in inbox.scan_inbox().waiting["police", PERIOD]
    write_book(folder)
    assert receive_delivery(contract, PERIOD, folder, today=TODAY).sequence == 1


def test_it_is_driven_again_from_the_archive(contract: Contract, folder: Path) -> None:
    write_book(folder)
    first = receive_delivery(contract, PERIOD, folder, today=TODAY)
    assert requeue_delivery(contract, PERIOD, today=TODAY).extract_ids == first.extract_ids
    assert landed() == [PEOPLE] * 3


def test_a_purge_of_one_of_its_files_deletes_the_bytes_for_all(
    contract: Contract, folder: Path, warehouse: Warehouse
) -> None:
    write_book(folder)
    delivery = receive_delivery(contract, PERIOD, folder, today=TODAY)
    with transaction() as connection:
        assert mark_archived(connection, [delivery.extract_ids["nominal"]]) == 1
    assert delete_marked_files() == 1
    assert rows_of("SELECT DISTINCT archive_path, archive_purged_at IS NULL FROM audit.extract") == [
        (None, False)
    ]
    assert [file for file in (warehouse.home / "archive").rglob("*") if file.is_file()] == []


def test_packed_files_are_received_and_archived_as_they_came(folder: Path, warehouse: Warehouse) -> None:
    write_delivery(folder, "police", PERIOD)
    for path in list(folder.iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    inbox.scan_inbox()
    assert [ready.period for ready in inbox.scan_inbox().ready] == [PERIOD]
    receive_delivery(load_contract("police"), PERIOD, folder, today=TODAY)
    assert landed() == [PEOPLE] * 3
    kept = {file.read_bytes() for file in (warehouse.home / "archive").rglob("*") if file.is_file()}
    assert kept == {path.read_bytes() for path in folder.iterdir()}


def test_a_bomb_is_registered_as_rejected_and_not_tried_again(folder: Path) -> None:
    write_delivery(folder, "police", PERIOD)
    path = next(folder.glob("*NOMINAL*"))
    path.write_bytes(gzip.compress(bytes(30_000_000)))
    with pytest.raises(DeliveryRejected) as caught:
        receive_delivery(load_contract("police"), PERIOD, folder, today=TODAY)
    assert [(problem.file, problem.rule) for problem in caught.value.problems] == [("nominal", "ZIP_BOMB")]
    assert landed() == [0, 0, 0]
    inbox.scan_inbox()
    assert "waits for a corrected nominal" in inbox.scan_inbox().waiting["police", PERIOD]


def test_rows_land_in_the_columns_of_the_contract_whatever_the_layout_of_the_period(folder: Path) -> None:
    write_delivery(folder, "police", PERIOD)
    plain = load_contract("police")
    nominal = plain.files["nominal"]
    layout = Layout.model_validate(
        {"until": PERIOD, "columns": {"Surname": {"header": "family name"}, "Email": {"absent": True}}}
    )
    changed = nominal.model_copy(update={"layouts": (layout,)})
    contract = plain.model_copy(update={"files": {**plain.files, "nominal": changed}})
    with pytest.raises(DeliveryRejected, match="expected as family name"):
        receive_delivery(contract, PERIOD, folder, today=TODAY)
    path = next(folder.glob("*NOMINAL*"))
    path.write_text(path.read_text().replace("Surname", "FAMILY NAME", 1))
    receive_delivery(contract, PERIOD, folder, today=TODAY)
    (found,) = rows_of("SELECT count(*), count(surname), count(email) FROM landing.police_nominal")
    assert found == (PEOPLE, PEOPLE, 0)


def test_a_delivery_is_normalised_in_the_layout_of_its_period(
    folder: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = load_contract("police")
    layout = Layout.model_validate({"from": PERIOD, "columns": {"DateOfBirth": {"date": "%Y-%m-%d"}}})
    nominal = plain.files["nominal"].model_copy(update={"layouts": (layout,)})
    contract = plain.model_copy(update={"files": {**plain.files, "nominal": nominal}})
    monkeypatch.setattr(stages, "load_contract", lambda agency: contract)
    header, rows = header_of("police", "nominal"), plain_rows("police", "nominal", PERIOD)
    for row in rows:
        row[header.index("NameType")] = "PRIMARY"
        row[header.index("DateOfBirth")] = "2001-02-03"
    write_delivery(folder, "police", PERIOD)
    next(folder.glob("*NOMINAL*")).write_text(as_csv(header, rows), encoding="utf-8")
    delivery = receive_delivery(contract, PERIOD, folder, today=TODAY)
    assert delivery.delivery_id is not None
    stages.normalise_delivery(delivery.delivery_id)
    found = rows_of("SELECT DISTINCT date_of_birth::text FROM normalised.person_date_of_birth")
    assert found == [("2001-02-03",)]
