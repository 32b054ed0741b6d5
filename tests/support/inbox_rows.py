"""Changing the files that stand in the inbox: shuffled, or with people of a test's own added."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from pipelines.settings import load_settings
from pipelines.synth.layouts import Layout

# Every byte is a character of this encoding, so what is not changed stays as it was.
BYTES = "latin-1"


def change_rows(path: Path, change: Callable[[list[list[str]]], None]) -> None:
    """Change the rows of a file in place; its header stays."""
    with path.open(encoding=BYTES, newline="") as file:
        header, *rows = csv.reader(file)
    change(rows)
    with path.open("w", encoding=BYTES, newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows([header, *rows])


def add_row(layout: Layout, period: str, **values: str) -> None:
    """Add a row to a file of the inbox: these columns (spaces written as underscores), all others empty."""
    by_column = {name.replace("_", " "): value for name, value in values.items()}
    row = [by_column.pop(column.replace("_", " "), "") for column in layout.header]
    assert not by_column, f"not columns of {layout.file}: {sorted(by_column)}"
    path = load_settings().inbox_dir / layout.agency / layout.file_name(period)
    change_rows(path, lambda rows: rows.append(row))
