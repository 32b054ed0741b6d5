"""Reading an agency's files as a delivery would be, without a warehouse."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipelines.contracts.agency import Contract
from pipelines.errors import DeliveryRejected, Problem
from pipelines.ingest.checks import period_in_name
from pipelines.ingest.readers import open_reader
from pipelines.ingest.readers.base import SetAsideRow, landed_schema
from pipelines.normalise.assemble.context import NormaliseContext
from pipelines.normalise.assemble.delivery import NormalisedDelivery, normalise_files
from pipelines.periods import period_end


@dataclass(frozen=True)
class ReadFile:
    """One file as read: its rows, those that could not be, and what is wrong with the whole."""

    name: str
    rows: pa.Table
    set_aside: tuple[SetAsideRow, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    rows_in_file: int


@dataclass(frozen=True)
class ReadExtract:
    """The files of an extract as read, and what they become in the shared schema."""

    contract: Contract
    files: Mapping[str, ReadFile]
    normalised: NormalisedDelivery


def read_extract(contract: Contract, paths: Iterable[Path]) -> ReadExtract:
    """Return an agency's files, read and normalised; `paths` are of one period.

    Raises:
        DeliveryRejected: a file's name fits no file of the contract, two are the same, or periods differ.
    """
    named = _named(contract, paths)
    periods = {str(period_in_name(contract.files[name], path.name)) for name, path in named.items()}
    if len(periods) != 1:
        raise DeliveryRejected([Problem("*", "WRONG_PERIOD", "the files are expected to be of one period")])
    files = {
        name: _read(contract, name, path, number) for number, (name, path) in enumerate(named.items(), 1)
    }
    # Record ids must not be those of any warehouse: the key is thrown away with the process.
    context = NormaliseContext(contract, period_end(periods.pop()), secrets.token_bytes(32), True)
    return ReadExtract(
        contract, files, normalise_files(context, {name: file.rows for name, file in files.items()})
    )


def _named(contract: Contract, paths: Iterable[Path]) -> dict[str, Path]:
    """Return the files by their name in the contract, told from the pattern of the file name."""
    found: dict[str, Path] = {}
    for number, path in enumerate(paths, 1):
        fits = [name for name, file in contract.files.items() if period_in_name(file, path.name) is not None]
        if not fits:
            raise DeliveryRejected(
                [Problem(f"file {number}", "WRONG_NAME", "the name fits no pattern of the contract")]
            )
        if fits[0] in found:
            raise DeliveryRejected([Problem(fits[0], "TWO_FILES", "two files are this one of the contract")])
        found[fits[0]] = path
    return found


def _read(contract: Contract, name: str, path: Path, extract_id: int) -> ReadFile:
    file = contract.files[name]
    reader = open_reader(path, name, file)
    batches: list[pa.RecordBatch] = []
    set_aside: list[SetAsideRow] = []
    for batch in reader.batches():
        batches.append(batch.rows)
        set_aside += batch.set_aside
    rows = pa.Table.from_batches(batches, schema=landed_schema(file))
    rows = rows.append_column("extract_id", pa.array([extract_id] * rows.num_rows, pa.int64()))
    findings = reader.findings
    problems = list(findings.problems)
    if not file.min_rows <= findings.rows <= file.max_rows:
        message = f"{findings.rows} rows, expected {file.min_rows} to {file.max_rows}"
        problems.append(Problem(name, "ROW_COUNT", message))
    return ReadFile(name, rows, tuple(set_aside), tuple(problems), tuple(findings.warnings), findings.rows)
