"""Small documents (synthetic) and the contract files that read them; tables written out as documents."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.columns import Column, FileFormat, Kind
from pipelines.ingest.readers import open_reader
from pipelines.ingest.readers.base import Findings, SetAsideRow

FOLDER = Path(__file__).parent / "documents"
NHS = "identifier[system=https://fhir.nhs.uk/Id/nhs-number]"
_UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
STATUS = f"{NHS}/extension[url={_UK_CORE}NHSNumberVerificationStatus]/valueCodeableConcept/coding/code"
UPRN = (
    f"extension[url={_UK_CORE}AddressKey][extension[url=type]/valueCoding/code=UPRN]"
    "/extension[url=value]/valueString"
)


def document_file(
    kind: Kind,
    rows: str,
    columns: Mapping[str, str | None],
    *,
    ignored: tuple[str, ...] = (),
    **form: Any,
) -> AgencyFile:
    """A contract's file: column name -> path (None: the name is the path); `ignored` are paths."""
    described = {name: Column(path=path) for name, path in columns.items()}
    described |= {
        f"ignored{place}": Column(ignored="not needed", path=path) for place, path in enumerate(ignored)
    }
    return AgencyFile(
        title="A file",
        pattern=r"file_(?P<period>\d{6})",
        period_format="%Y%m",
        mode="snapshot",
        format=FileFormat(kind=kind, rows=rows, **form),
        columns=described,
    )


def read_document(
    content: bytes | str, file: AgencyFile
) -> tuple[list[tuple[str | None, ...]], list[SetAsideRow], Findings]:
    """The rows without their numbers, the rows set aside and the findings."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "document"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        reader = open_reader(path, "document", file)
        batches = list(reader.batches())
    rows = [tuple(row.values())[1:] for batch in batches for row in batch.rows.to_pylist()]
    numbers = [number for batch in batches for number in batch.rows.column(0).to_pylist()]
    set_aside = [row for batch in batches for row in batch.set_aside]
    if not reader.findings.problems:
        every = sorted([*numbers, *(row.row_number for row in set_aside)])
        assert every == list(range(1, reader.findings.rows + 1))
        assert reader.findings.set_aside == len(set_aside)
    return rows, set_aside, reader.findings


def fixture(name: str) -> bytes:
    """The bytes of a document in tests/support/documents."""
    return (FOLDER / name).read_bytes()


def rules(findings: Findings) -> list[str]:
    """The rules of the problems."""
    return [problem.rule for problem in findings.problems]


def unexpected(findings: Findings) -> list[str | None]:
    """The elements that no path knows."""
    return [warning.column for warning in findings.warnings if warning.rule == "UNEXPECTED_ELEMENT"]


def as_json(value: Any) -> str:
    """A value as JSON text."""
    return json.dumps(value, ensure_ascii=False)
