"""The inbox watcher: what is ready, what waits and why, what nobody knows."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from support.ingest_files import empty, write_delivery, write_file
from support.warehouse import Warehouse

from pipelines.contracts.loader import load_contract
from pipelines.errors import DeliveryRejected
from pipelines.ingest.inbox import InboxScan, scan_inbox
from pipelines.ingest.receive import receive_delivery

pytestmark = pytest.mark.database

PERIOD = "2026-09"


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Warehouse:
    return empty(module_warehouse)


@pytest.fixture
def folder(warehouse: Warehouse) -> Path:
    return warehouse.home / "inbox" / "police"


def scan_twice() -> InboxScan:
    """The second scan finds every file as the first one saw it."""
    scan_inbox()
    return scan_inbox()


def ready(scan: InboxScan) -> list[tuple[str, str]]:
    return [(found.agency, found.period) for found in scan.ready]


def test_a_complete_delivery_is_ready_once_it_stands_still(folder: Path) -> None:
    write_delivery(folder, "police", PERIOD)
    first = scan_inbox()
    assert ready(first) == []
    assert first.waiting == {("police", PERIOD): "still arriving"}
    second = scan_inbox()
    assert ready(second) == [("police", PERIOD)]
    assert set(second.ready[0].files) == {"nominal", "occurrence", "involvement"}
    assert scan_inbox().ready[0].fingerprint == second.ready[0].fingerprint


def test_a_file_that_still_grows_is_left_alone(folder: Path) -> None:
    write_delivery(folder, "police", PERIOD)
    scan_inbox()
    path = folder / "NORTHSHIRE_NOMINAL_20260930.csv"
    path.write_bytes(path.read_bytes() + b"more\n")
    assert ready(scan_inbox()) == []
    assert ready(scan_inbox()) == [("police", PERIOD)]


def test_files_that_were_not_touched_for_a_while_are_ready_at_once(folder: Path) -> None:
    write_delivery(folder, "police", PERIOD)
    assert ready(scan_inbox(now=time.time() + 61)) == [("police", PERIOD)]


def test_an_incomplete_delivery_waits_for_the_named_files(folder: Path) -> None:
    write_file(folder, "police", "nominal", PERIOD)
    scan = scan_twice()
    assert ready(scan) == []
    assert scan.waiting == {("police", PERIOD): "waits for occurrence, involvement"}


def test_the_rest_of_a_delivery_that_came_in_parts_is_ready(folder: Path) -> None:
    write_file(folder, "police", "nominal", PERIOD)
    receive_delivery(load_contract("police"), PERIOD, folder)
    (folder / "NORTHSHIRE_NOMINAL_20260930.csv").unlink()
    write_file(folder, "police", "occurrence", PERIOD)
    write_file(folder, "police", "involvement", PERIOD)
    assert ready(scan_twice()) == [("police", PERIOD)]


def test_what_was_received_is_not_ready_again_until_it_changes(folder: Path) -> None:
    write_delivery(folder, "police", PERIOD)
    receive_delivery(load_contract("police"), PERIOD, folder)
    scan = scan_twice()
    assert (scan.ready, scan.waiting) == ((), {})
    write_file(folder, "police", "occurrence", PERIOD, salt="corrected")
    assert ready(scan_twice()) == [("police", PERIOD)]


def test_what_was_rejected_waits_for_a_corrected_file(folder: Path) -> None:
    write_delivery(folder, "police", PERIOD)
    write_file(folder, "police", "nominal", PERIOD, change=lambda text: "")
    with pytest.raises(DeliveryRejected):
        receive_delivery(load_contract("police"), PERIOD, folder)
    assert scan_twice().waiting == {("police", PERIOD): "rejected, waits for a corrected nominal"}
    write_file(folder, "police", "nominal", PERIOD)
    assert ready(scan_twice()) == [("police", PERIOD)]


def test_each_agency_and_period_is_a_delivery_of_its_own(warehouse: Warehouse) -> None:
    for agency in ("health", "police"):
        for period in (PERIOD, "2026-10"):
            write_delivery(warehouse.home / "inbox" / agency, agency, period)
    scan = scan_twice()
    assert ready(scan) == [
        ("health", PERIOD),
        ("health", "2026-10"),
        ("police", PERIOD),
        ("police", "2026-10"),
    ]
    assert len({found.fingerprint for found in scan.ready}) == 4


def test_unknown_names_are_reported_and_unfinished_ones_passed_over(
    warehouse: Warehouse, folder: Path
) -> None:
    write_delivery(folder, "police", PERIOD)
    for name in ("notes.txt", "NORTHSHIRE_NOMINAL_20261399.csv", "x.csv.part", ".hidden"):
        (folder / name).write_text("x", encoding="utf-8")
    (warehouse.home / "inbox" / "fire").mkdir()
    scan = scan_twice()
    assert scan.unknown == ("fire", "police/NORTHSHIRE_NOMINAL_20261399.csv", "police/notes.txt")
    assert ready(scan) == [("police", PERIOD)]


def test_two_files_for_one_place_wait(folder: Path) -> None:
    write_delivery(folder, "police", PERIOD)
    (folder / "OTHER_NOMINAL_20260930.csv").write_text("x", encoding="utf-8")
    assert "TWO_FILES" in scan_twice().waiting["police", PERIOD]


def test_a_file_is_hashed_once_for_each_of_its_states(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_delivery(folder, "police", PERIOD)
    scan_twice()
    hashed: list[Path] = []
    monkeypatch.setattr("pipelines.ingest.inbox.hash_file", lambda path: hashed.append(path) or "0" * 64)
    scan_inbox()
    assert hashed == []
    os.utime(folder / "NORTHSHIRE_NOMINAL_20260930.csv")
    scan_twice()
    assert [path.name for path in hashed] == ["NORTHSHIRE_NOMINAL_20260930.csv"]


def test_an_empty_or_missing_inbox_is_no_trouble(warehouse: Warehouse) -> None:
    assert scan_inbox() == InboxScan()
