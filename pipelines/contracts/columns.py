"""How a file is written, and what each of its columns is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from pipelines.contracts.paths import parse_path, parse_rows
from pipelines.contracts.strict import Strict

Kind = Literal["delimited", "fixed_width", "xlsx", "json", "json_lines", "xml", "fhir"]


class FileFormat(Strict):
    """How a file is written; what a file leaves out comes from the contract's defaults.

    `sheet` is a pattern for the name of a workbook's sheet; `rows` the path to what makes a row in a document
    (JSON, XML, FHIR); `xsd` the schema, beside the contracts, that an XML file is reported against; `expect` what
    has to stand at paths of the document (`/Header/Collection: CIN`), or else it is the wrong file.
    """

    kind: Kind = "delimited"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    null_literals: tuple[str, ...] = ("", "NULL", "null", "N/A", "-")
    sheet: str | None = None
    rows: str | None = None
    xsd: str | None = None
    expect: dict[str, str] = Field(default={})

    @field_validator("rows")
    @classmethod
    def _rows_are_a_path(cls, value: str | None) -> str | None:
        if value is not None:
            parse_rows(value)
        return value

    @field_validator("expect")
    @classmethod
    def _expected_in_the_document(cls, value: dict[str, str]) -> dict[str, str]:
        if not all(parse_path(text).from_document for text in value):
            raise ValueError("expected paths that begin with '/'")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError("expected the name of an encoding, such as utf-8 or windows-1252") from None
        return value


class Column(Strict):
    """What one column is: mapped by an emit, used as a key, or ignored for a stated reason.

    Where it stands in the file: under its own name; under any header that the pattern `header` fits; at the signs
    `at` (the first, counted from 1, and how many) of a line of fixed width; or at the end of `path`, from the
    element that makes the row.
    """

    ignored: str | None = None
    required: bool = False
    date: tuple[str, ...] = ()
    codes: str | None = Field(default=None, pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")
    header: str | None = None
    at: tuple[int, int] | None = None
    path: str | None = None

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, value: str | None) -> str | None:
        if value is not None:
            parse_path(value)
        return value

    @field_validator("date", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value
