"""A file of any size is received in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.ingest_files import as_csv, empty, file_name, header_of, one, plain_rows, write_delivery
from support.warehouse import Warehouse

from pipelines.contracts.loader import load_contract

pytestmark = [pytest.mark.database, pytest.mark.slow]

PERIOD = "2026-09"
BIG = 250_000
ALLOWED_GROWTH_MB = 90  # of a file of 100 MB; as Python objects its rows would take ten times that

# Receives the police's delivery and prints the most memory that the process ever had, in kilobytes.
MEASURED = """
import resource, sys
from pathlib import Path
from pipelines.contracts.loader import load_contract
from pipelines.ingest.receive import receive_delivery

delivery = receive_delivery(load_contract("police"), "2026-09", Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Warehouse:
    return empty(module_warehouse)


def peak_memory_mb(folder: Path) -> float:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", MEASURED, str(folder)], capture_output=True, timeout=300, check=True
    )
    return int(done.stdout) / 1024


def write_big_nominal(folder: Path) -> Path:
    """A nominal file of a quarter of a million rows, every fiftieth of them ragged."""
    path = folder / file_name("police", "nominal", "2026-09")
    header = header_of("police", "nominal")
    block = (
        as_csv(header, plain_rows("police", "nominal", PERIOD, count=49)).split("\n", 1)[1] + "one,too few\n"
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(header) + "\n")
        for _ in range(BIG // 50):
            file.write(block)
    return path


def test_a_big_file_takes_hardly_more_memory_than_a_small_one(warehouse: Warehouse, tmp_path: Path) -> None:
    small = peak_memory_mb(write_delivery(tmp_path, "police", PERIOD))
    empty(warehouse)
    size = write_big_nominal(tmp_path).stat().st_size
    assert size > 90_000_000
    assert "Surname" in load_contract("police").files["nominal"].landed_columns
    big = peak_memory_mb(tmp_path)
    assert one("SELECT count(*) FROM landing.police_nominal") == BIG * 49 // 50
    assert one("SELECT count(*) FROM quarantine.row") == BIG // 50
    assert big - small < ALLOWED_GROWTH_MB
