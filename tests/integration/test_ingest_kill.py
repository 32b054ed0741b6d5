"""Killed at any moment, receiving the same files again gives the state of a run that was never disturbed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.ingest_files import empty, rows_of, write_delivery, write_file
from support.warehouse import Warehouse

from pipelines.contracts.loader import load_contract
from pipelines.ingest.receive import receive_delivery
from pipelines.warehouse.staging import sweep_staging

pytestmark = pytest.mark.database

PERIOD = "2026-09"

# Receives a delivery in a process of its own, which kills itself on the nth call of one function.
VICTIM = """
import importlib, os, signal, sys
from pathlib import Path
from pipelines.contracts.loader import load_contract
from pipelines.ingest import receive

module, name, calls, moment, folder = sys.argv[1:]
module = importlib.import_module(module)
original, left = getattr(module, name), [int(calls)]

def deadly(*args, **kwargs):
    left[0] -= 1
    if left[0] == 0 and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*args, **kwargs)
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(module, name, deadly)
receive.receive_delivery(load_contract("childrens_services"), "2026-09", Path(folder))
"""

MOMENTS = {
    "before any file is copied": ("pipelines.ingest.archive", "copy_in", 1, "before"),
    "after some files are copied": ("pipelines.ingest.archive", "copy_in", 3, "after"),
    "after the first extract is registered": ("pipelines.ingest.receive", "register_extract", 1, "after"),
    "while rows are on their way": ("pipelines.ingest.landing", "open_reader", 2, "after"),
    "after rows were copied": ("pipelines.ingest.landing", "copy_rows", 2, "after"),
    "after some files have landed": ("pipelines.ingest.receive", "land_file", 4, "after"),
    "after some files are archived": ("pipelines.ingest.archive", "keep", 2, "after"),
    "before the delivery is accepted": ("pipelines.ingest.receive", "accept_delivery", 1, "before"),
    "before the commit": ("pipelines.ingest.receive", "accept_delivery", 1, "after"),
}


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Warehouse:
    return empty(module_warehouse)


def state(warehouse: Warehouse) -> dict[str, list]:
    """Everything that ingest writes, without ids and times."""
    tables = rows_of("SELECT tablename FROM pg_tables WHERE schemaname = 'landing' ORDER BY 1")
    archive = warehouse.home / "archive"
    return {
        "landing": [
            (name, rows_of(f"SELECT row_number, to_jsonb(t) - 'extract_id' FROM landing.{name} t ORDER BY 1"))
            for (name,) in tables
        ],
        "quarantine": rows_of("SELECT file, row_number, reasons, raw FROM quarantine.row ORDER BY 1, 2"),
        "extracts": rows_of("SELECT file, sha256, rows, status, archive_path FROM audit.extract ORDER BY 1"),
        "deliveries": rows_of("SELECT sequence, cardinality(extract_ids), status FROM audit.delivery"),
        "reports": rows_of("SELECT file, rows_in, rows_out, quarantined FROM audit.stage_report ORDER BY 1"),
        "archive": sorted(
            path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file()
        ),
        "staging": rows_of("SELECT tablename FROM pg_tables WHERE schemaname = 'staging'"),
    }


def write_files(folder: Path) -> None:
    write_delivery(folder, "childrens_services", PERIOD)
    write_file(folder, "childrens_services", "address", PERIOD, change=lambda text: text + "one,too few\n")


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda name: name.replace(" ", "_"))
def test_receiving_again_after_a_kill_gives_the_undisturbed_state(
    moment: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    contract = load_contract("childrens_services")
    write_files(tmp_path)
    receive_delivery(contract, PERIOD, tmp_path)
    undisturbed = state(warehouse)
    empty(warehouse)

    module, name, calls, when = MOMENTS[moment]
    command = [sys.executable, "-c", VICTIM, module, name, str(calls), when, str(tmp_path)]
    killed = subprocess.run(command, capture_output=True, timeout=120, check=False)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert rows_of("SELECT 1 FROM audit.extract") == []
    assert rows_of("SELECT 1 FROM audit.delivery") == []

    receive_delivery(contract, PERIOD, tmp_path)
    sweep_staging()
    assert state(warehouse) == undisturbed
    assert not receive_delivery(contract, PERIOD, tmp_path).is_new
