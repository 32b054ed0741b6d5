"""An agency that is known by its contract alone: a schemas folder with it, and files of people whom others know."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts.loader import load_contract, load_contracts
from pipelines.ingest.inbox import files_of
from pipelines.settings import load_settings

FIXTURE = Path(__file__).parents[1] / "fixtures" / "new_agency"
CONTRACT = FIXTURE / "youth_justice.yaml"
AGENCY = CONTRACT.stem
SHARED_PEOPLE = 60


@contextmanager
def with_new_agency(folder: Path) -> Iterator[Path]:
    """Give a schemas folder that holds the new agency's contract besides ours; it counts while this lasts."""
    with with_agency(folder, AGENCY, CONTRACT.read_text(encoding="utf-8")) as schemas:
        yield schemas


@contextmanager
def with_agency(folder: Path, agency: str, contract: str) -> Iterator[Path]:
    """Give a schemas folder that holds one more contract; it counts while this lasts."""
    schemas = folder / "schemas"
    shutil.copytree(load_settings().schemas_dir, schemas)
    (schemas / "agencies" / f"{agency}.yaml").write_text(contract, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOINEDUP_SCHEMAS_DIR", str(schemas))
        load_contracts.cache_clear()
        try:
            yield schemas
        finally:
            patch.undo()
            load_contracts.cache_clear()


def write_delivery(inbox: Path, period: str) -> int:
    """Write the sample files with patients of the trust added, each under an order; return how many they are."""
    folder = inbox / AGENCY
    shutil.copytree(FIXTURE, folder, ignore=shutil.ignore_patterns("*.yaml"))
    patients = list(_patients(inbox, period))[:SHARED_PEOPLE]
    for number, patient in enumerate(patients, 100):
        born = patient["DATE_OF_BIRTH"]
        _append(folder / "YJS_PEOPLE_202609.txt", [
            f"Y{number}", patient["GIVEN_NAME"], patient["FAMILY_NAME"], f"{born[6:]}/{born[4:6]}/{born[:4]}",
            patient["GENDER"], patient["NHS_NO"], patient["ADDRESS_LINE2"], patient["POSTCODE"], "", "W3",
        ])  # fmt: skip
        _append(
            folder / "YJS_ORDERS_202609.txt",
            [f"O{number}", f"Y{number}", "YOUTH_CAUTION", "02/09/2026", ""],
        )
    return len(patients)


def _patients(inbox: Path, period: str) -> Iterator[dict[str, Any]]:
    """Yield patients about whom enough is known to be linked."""
    path = files_of(load_contract("health"), period, inbox / "health")["demographics"]
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (
                all(row[name] for name in ("NHS_NO", "GIVEN_NAME", "FAMILY_NAME"))
                and len(row["DATE_OF_BIRTH"]) == 8
            ):
                yield row


def _append(path: Path, cells: list[str]) -> None:
    with path.open("a", encoding="windows-1252", errors="replace") as file:
        file.write(";".join(cell.replace(";", " ") for cell in cells) + "\n")
