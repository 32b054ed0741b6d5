"""Which files the agencies send, and how they are read: whole, every column as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

# Per agency the file's name in our tables, and the pattern of its name in the inbox.
FILES: dict[str, dict[str, str]] = {
    "childrens_services": {
        "person": "ssd_person_*.csv",
        "address": "ssd_address_*.csv",
        "linked_identifiers": "ssd_linked_identifiers_*.csv",
        "cin_episodes": "ssd_cin_episodes_*.csv",
        "cp_plans": "ssd_cp_plans_*.csv",
        "missing": "ssd_missing_*.csv",
    },
    "health": {
        "demographics": "PDS_DEMOGRAPHICS_*.csv",
        "ed_attendances": "ED_ATTENDANCES_*.csv",
        "protected": "PROTECTED_*.csv",
    },
    "police": {
        "nominal": "*_NOMINAL_*.csv",
        "occurrence": "*_OCCURRENCE_*.csv",
        "involvement": "*_INVOLVEMENT_*.csv",
    },
}
ENCODINGS = {"childrens_services": "utf-8-sig", "health": "utf-8-sig", "police": "windows-1252"}


def find(folder: Path, agency: str, file: str) -> Path:
    """Return the one file of this kind in an inbox."""
    (path,) = folder.glob(FILES[agency][file])
    return path


def read(path: Path, agency: str) -> pd.DataFrame:
    """Return a file with the columns' names as the landing tables have them, and the number of each row."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding=ENCODINGS[agency])
    frame.columns = frame.columns.str.lower().str.replace(r"\W", "_", regex=True)
    frame.insert(0, "row_number", range(1, len(frame) + 1))
    return frame
