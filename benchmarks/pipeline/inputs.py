"""The raw files of three agencies: made once per size, and the same for every contender."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pipeline.task import AGENCIES, PERIOD
from pipelines.settings import load_settings
from pipelines.synth import SynthRequest, generate

SEED = 1
RECORDS_PER_PERSON = 3.05
ABOUT = "inputs.json"


@dataclass(frozen=True)
class Inputs:
    """A folder with inbox and truth, and how many records the agencies hold in it."""

    folder: Path
    records: int

    @property
    def truth(self) -> Path:
        """Who each record is really about."""
        return self.folder / "truth" / f"{PERIOD}.csv"

    def put_into(self, home: Path) -> None:
        """Lay the files into the inbox of a home."""
        shutil.copytree(self.folder / "inbox", home / "inbox")

    @property
    def schemas(self) -> Path:
        """Our schemas, with the contracts of these agencies only."""
        return self.folder / "schemas"


def make_inputs(folder: Path, records: int) -> Inputs:
    """Return files with about so many person records, kept in `folder` and made where they are not there."""
    people = max(1, round(records / RECORDS_PER_PERSON))
    place = folder / f"inputs-{PERIOD}-{SEED}-{people}"
    if not (place / ABOUT).exists():
        partial = place.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        request = SynthRequest(people, SEED, (PERIOD,), partial / "inbox", partial / "truth")
        found = generate(request)
        _leave_out_others(partial)
        records = sum(found.records[agency] for agency in AGENCIES)
        (partial / ABOUT).write_text(json.dumps({"records": records}), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
    about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
    shutil.rmtree(place / "schemas", ignore_errors=True)
    shutil.copytree(load_settings().schemas_dir, place / "schemas")
    for contract in (place / "schemas" / "agencies").glob("*.yaml"):
        if contract.stem not in AGENCIES:
            contract.unlink()
    return Inputs(place, int(about["records"]))


def _leave_out_others(folder: Path) -> None:
    """Delete the files of the agencies that take no part, and what is true about their records."""
    for inbox in (folder / "inbox").iterdir():
        if inbox.name not in AGENCIES:
            shutil.rmtree(inbox)
    truth = folder / "truth" / f"{PERIOD}.csv"
    with truth.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    agency = header.index("agency")
    with truth.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *(row for row in rows if row[agency] in AGENCIES)])
