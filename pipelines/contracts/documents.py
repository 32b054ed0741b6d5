"""What a contract must say of a document (JSON, XML, FHIR): where its rows are, and where each column stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.contracts.columns import Column, FileFormat
from pipelines.contracts.paths import Path, PathError, parse_path, parse_rows

DOCUMENTS = frozenset({"json", "json_lines", "xml", "fhir"})
# A resource that stands alone, as in a bulk export, is read as the one entry of a bundle.
FHIR_RESOURCE = ("entry", "resource")


def column_path(header: str, column: Column) -> Path:
    """Return where a column of a document stands: at its path, or under its own name.

    Raises:
        PathError: the name is no path, and none is given.
    """
    return parse_path(header if column.path is None else column.path)


def document_problems(form: FileFormat, columns: Mapping[str, Column]) -> Iterator[str]:
    """Yield what is wrong with a file's format and columns when read as a document, or with paths in any other."""
    if form.kind not in DOCUMENTS:
        yield from _out_of_place(form, columns)
        return
    if form.xsd is not None and form.kind != "xml":
        yield "format.xsd: expected only where kind is xml"
    if form.rows is None:
        yield f"format.rows: expected where kind is {form.kind}: the path to the element that makes a row"
        return
    rows = parse_rows(form.rows)
    if form.kind == "fhir" and rows.names[:2] != FHIR_RESOURCE:
        yield "format.rows: expected a path that begins with entry/resource where kind is fhir"
    for header, column in columns.items():
        try:
            path = column_path(header, column)
        except PathError as error:
            yield f"columns.{header}.path: {error}"
            continue
        if path.up >= max(len(rows.steps), 1):
            yield f"columns.{header}.path: climbs to the document; expected a path that begins with '/'"


def _out_of_place(form: FileFormat, columns: Mapping[str, Column]) -> Iterator[str]:
    """Yield what is said of a document where the file is none."""
    for key in ("rows", "xsd", "expect"):
        if getattr(form, key):
            yield f"format.{key}: expected only for documents, not where kind is {form.kind}"
    for header, column in columns.items():
        if column.path is not None:
            yield f"columns.{header}.path: expected only for documents, not where kind is {form.kind}"
