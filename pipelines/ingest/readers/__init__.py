"""Readers: one interface over every format in which an agency may send a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.columns import Kind
from pipelines.ingest.readers.base import Reader
from pipelines.ingest.readers.delimited import DelimitedReader
from pipelines.ingest.readers.documents.fhir_reader import FhirReader
from pipelines.ingest.readers.documents.json_reader import JsonLinesReader, JsonReader
from pipelines.ingest.readers.documents.xml_reader import XmlReader
from pipelines.ingest.readers.fixed_width import FixedWidthReader
from pipelines.ingest.readers.guard import GuardedReader
from pipelines.ingest.readers.workbook import WorkbookReader

READERS: dict[Kind, Callable[[Path, str, AgencyFile], Reader]] = {
    "delimited": DelimitedReader,
    "fixed_width": FixedWidthReader,
    "xlsx": WorkbookReader,
    "json": JsonReader,
    "json_lines": JsonLinesReader,
    "xml": XmlReader,
    "fhir": FhirReader,
}


def open_reader(path: Path, name: str, file: AgencyFile) -> Reader:
    """Return the reader for a file of a contract, by the kind of its format."""
    return GuardedReader(READERS[file.format.kind](path, name, file), path, name, file.format.kind)
