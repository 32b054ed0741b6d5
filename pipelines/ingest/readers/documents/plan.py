"""What a contract wants of a document: the known elements, the unit that is held at once, the path of each column.

A *unit* is the outermost element that a column climbs to, else the row's own element. One unit at a time is in
memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.documents import FHIR_RESOURCE, column_path
from pipelines.contracts.loader import load_contracts
from pipelines.contracts.paths import Path, Step, parse_path, parse_rows
from pipelines.ingest.readers.documents.tree import Known


@dataclass(frozen=True)
class Plan:
    """How one file of a contract is read.

    `rows` are the steps to the rows, of which `unit_level` lead to the unit; `columns` the paths of the landed
    columns, None for one that this layout does not have. `head` knows only what columns and `expect` take from the
    document itself; None when they take nothing, or when the unit is the document.
    """

    known: Known
    rows: tuple[Step, ...]
    unit_level: int
    columns: tuple[Path | None, ...]
    expect: tuple[tuple[Path, str], ...]
    head: Known | None


def make_plan(file: AgencyFile, *, whole: bool = False) -> Plan:
    """Return how a file of a contract is read; `whole`: the unit is the document, one of many in the file."""
    rows = _rows(file)
    expected = set(file.expected_columns)
    columns = tuple(
        column_path(name, file.columns[name]) if name in expected else None for name in file.landed_columns
    )
    paths = [path for path in columns if path is not None]
    expect = tuple((parse_path(path), text) for path, text in file.format.expect.items())
    level = 0 if whole else _unit_level(file, rows, paths)
    known = Known()
    for other in (file, *_of_same_pattern(file)):
        _learn(known, other)
    known.spread_ignored()
    known.at(rows.names[:level]).is_unit = True
    if file.format.kind == "fhir":
        known.at(FHIR_RESOURCE).is_checked = True
    taken = [path for path in (*paths, *(path for path, _ in expect)) if path.from_document]
    return Plan(known, rows.steps, level, columns, expect, _head(taken) if taken and level else None)


def _head(paths: list[Path]) -> Known:
    """Return the known elements of the document's head."""
    head = Known(is_unit=True)
    for path in paths:
        _mark(head, (), path)
    return head


def _rows(file: AgencyFile) -> Path:
    return parse_rows(file.format.rows or ".")


def _unit_level(file: AgencyFile, rows: Path, columns: Sequence[Path]) -> int:
    """Return how many steps lead to the unit: not below a filter, nor below what a column climbs to."""
    level = len(rows.steps) - max((path.up for path in columns), default=0)
    filtered = [place for place, step in enumerate(rows.steps, start=1) if step.filters]
    level = min([level, *filtered])
    return min(level, len(FHIR_RESOURCE)) if file.format.kind == "fhir" else level


def _of_same_pattern(file: AgencyFile) -> Iterator[AgencyFile]:
    """Yield the other files of the contract that are read from the same physical file."""
    for contract in load_contracts().values():
        # By what no layout changes: a file as it is in some period is a copy of the contract's.
        fitting = [other for other in contract.files.values() if _source(other) == _source(file)]
        if any(other.title == file.title for other in fitting):
            yield from (other for other in fitting if other.title != file.title)


def _source(file: AgencyFile) -> tuple[str, str]:
    return file.pattern, file.format.kind


def _learn(known: Known, file: AgencyFile) -> None:
    """Make known every element that a path of the file leads to or through."""
    rows = _rows(file)
    known.at(rows.names)
    _mark_filters(known, (), rows.steps)
    for name in file.expected_columns:
        column = file.columns[name]
        path = column_path(name, column)
        start = () if path.from_document else rows.names[: len(rows.names) - path.up]
        if column.ignored:
            known.at(start + path.names).is_ignored = True
        else:
            _mark(known, start, path)
    for text in file.format.expect:
        _mark(known, (), parse_path(text))


def _mark(known: Known, start: tuple[str, ...], path: Path) -> None:
    known.at(start + path.names).is_value = True
    _mark_filters(known, start, path.steps)


def _mark_filters(known: Known, start: tuple[str, ...], steps: tuple[Step, ...]) -> None:
    for place, step in enumerate(steps, start=1):
        below = start + tuple(other.name for other in steps[:place])
        for condition in step.filters:
            _mark(known, below, condition.path)
