"""Driving a delivery again, and what `joinedup status` is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from support.ingest_files import PEOPLE, empty, one, rows_of, write_delivery, write_file
from support.warehouse import Warehouse

from pipelines.contracts.agency import Contract
from pipelines.contracts.loader import load_contract, load_contracts
from pipelines.errors import DeliveryRejected, WarehouseError
from pipelines.ingest.link_requests import request_link
from pipelines.ingest.receive import receive_delivery
from pipelines.ingest.requeue import requeue_delivery
from pipelines.ingest.status import ingest_status

pytestmark = pytest.mark.database

PERIOD = "2026-09"
TODAY = date(2026, 10, 20)


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Warehouse:
    return empty(module_warehouse)


@pytest.fixture
def contract() -> Contract:
    return load_contract("police")


@pytest.fixture
def folder(warehouse: Warehouse) -> Path:
    return write_delivery(warehouse.home / "inbox" / "police", "police", PERIOD)


def test_driven_again_the_rows_are_read_from_the_archive_under_todays_contract(
    contract: Contract, folder: Path
) -> None:
    write_file(folder, "police", "occurrence", PERIOD, change=lambda text: text + "one,too few\n")
    first = receive_delivery(contract, PERIOD, folder, today=TODAY)
    request_link(int(first.delivery_id or 0))
    rows_of("DELETE FROM landing.police_nominal RETURNING 1")
    for path in folder.iterdir():
        path.unlink()
    mended = contract.model_copy(update={"version": 2})

    again = requeue_delivery(mended, PERIOD, today=TODAY)

    assert (again.sequence, again.is_correction, again.status) == (2, True, "ACCEPTED")
    assert again.extract_ids == first.extract_ids
    assert one("SELECT count(*) FROM landing.police_nominal") == PEOPLE
    assert rows_of("SELECT file, reasons FROM quarantine.row") == [("occurrence", ["RAGGED_ROW"])]
    assert rows_of("SELECT DISTINCT contract_version FROM audit.extract") == [("2",)]


def test_a_delivery_that_was_not_normalised_yet_is_not_doubled(contract: Contract, folder: Path) -> None:
    first = receive_delivery(contract, PERIOD, folder, today=TODAY)
    assert requeue_delivery(contract, PERIOD, today=TODAY).delivery_id == first.delivery_id


def test_driven_again_a_delivery_is_announced_again(
    warehouse: Warehouse, contract: Contract, folder: Path
) -> None:
    for agency in (each for each in load_contracts() if each != "police"):
        theirs = write_delivery(warehouse.home / "inbox" / agency, agency, PERIOD)
        request_link(int(receive_delivery(load_contract(agency), PERIOD, theirs).delivery_id or 0))
    first = request_link(int(receive_delivery(contract, PERIOD, folder).delivery_id or 0))
    second = request_link(int(requeue_delivery(contract, PERIOD).delivery_id or 0))
    assert first is not None
    assert second is not None
    assert (first.cause, second.cause) == ("complete", "correction")


def test_without_a_delivery_there_is_nothing_to_drive_again(warehouse: Warehouse, contract: Contract) -> None:
    with pytest.raises(WarehouseError, match="police has not delivered 2026-08"):
        requeue_delivery(contract, "2026-08", today=TODAY)


def test_under_a_contract_that_the_files_do_not_meet_all_stays_as_it_was(
    contract: Contract, folder: Path
) -> None:
    receive_delivery(contract, PERIOD, folder, today=TODAY)
    nominal = contract.files["nominal"].model_copy(update={"min_rows": PEOPLE + 1})
    stricter = contract.model_copy(update={"files": {**contract.files, "nominal": nominal}})
    with pytest.raises(DeliveryRejected, match="TOO_FEW_ROWS"):
        requeue_delivery(stricter, PERIOD, today=TODAY)
    assert one("SELECT count(*) FROM landing.police_nominal") == PEOPLE
    assert one("SELECT count(*) FROM audit.delivery") == 1


def test_an_archived_file_that_was_changed_is_noticed(
    warehouse: Warehouse, contract: Contract, folder: Path
) -> None:
    receive_delivery(contract, PERIOD, folder, today=TODAY)
    path = warehouse.home / "archive" / one("SELECT archive_path FROM audit.extract WHERE file = 'nominal'")
    path.chmod(0o600)
    path.write_text("something else", encoding="utf-8")
    with pytest.raises(WarehouseError, match="was changed"):
        requeue_delivery(contract, PERIOD, today=TODAY)


def test_the_status_tells_who_delivered_who_is_late_and_what_is_set_aside(
    warehouse: Warehouse, contract: Contract, folder: Path
) -> None:
    write_file(folder, "police", "occurrence", PERIOD, change=lambda text: text + "one,too few\n")
    request_link(int(receive_delivery(contract, PERIOD, folder).delivery_id or 0))
    partial = warehouse.home / "inbox" / "health"
    write_file(partial, "health", "demographics", PERIOD)
    receive_delivery(load_contract("health"), PERIOD, partial)
    rows_of("UPDATE audit.delivery SET accepted_at = '2026-10-08 12:00Z' RETURNING 1")

    status = ingest_status(TODAY)

    by_agency = {item.agency: item for item in status.deliveries if item.period == PERIOD}
    police = by_agency["police"]
    assert (police.state, police.due, police.days_late) == ("NORMALISED", date(2026, 10, 5), 3)
    assert (police.rows, police.quarantined) == (3 * PEOPLE + 1, {"RAGGED_ROW": 1})
    assert (by_agency["health"].state, by_agency["health"].waiting_for) == (
        "PARTIAL",
        ("ed_attendances",),
    )
    assert (by_agency["childrens_services"].state, by_agency["childrens_services"].days_late) == ("LATE", 15)
    assert [(period.period, period.cause, period.cut_off) for period in status.periods] == [
        (PERIOD, None, date(2026, 10, 12))
    ]
    assert status.release is None


def test_last_month_is_expected_before_anyone_sends_it(contract: Contract, folder: Path) -> None:
    receive_delivery(contract, PERIOD, folder, today=TODAY)
    status = ingest_status(date(2026, 11, 3))
    assert {item.state for item in status.deliveries if item.period == "2026-10"} == {"EXPECTED"}
