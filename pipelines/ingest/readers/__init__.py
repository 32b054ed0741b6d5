"""Readers: one interface over every format in which an agency may send a file."""

from __future__ import annotations

from pathlib import Path

from pipelines.contracts.agency import AgencyFile
from pipelines.ingest.readers.base import Reader
from pipelines.ingest.readers.delimited import DelimitedReader


def open_reader(path: Path, name: str, file: AgencyFile) -> Reader:
    """Return the reader for a file of a contract; delimited text is the one format so far."""
    return DelimitedReader(path, name, file)
