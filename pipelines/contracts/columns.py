"""How a file is written, and what each of its columns is."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator

from pipelines.contracts.paths import parse_path, parse_rows
from pipelines.contracts.strict import Strict

Kind = Literal["delimited", "fixed_width", "xlsx", "json", "json_lines", "xml", "fhir"]

# No column name is longer; a longer text in a header is not tried against any pattern.
LONGEST_HEADER = 200


def _pattern(value: str) -> str:
    """Return a regular expression that can be used; for the validation of models."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"expected a regular expression, {error}") from None
    return value


def one_or_many(value: object) -> object:
    """Return a list of texts for one that stands alone; for the validation of models."""
    return (value,) if isinstance(value, str) else value


Pattern = Annotated[str, AfterValidator(_pattern)]
Place = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class FileFormat(Strict):
    """How a file is written; what a file leaves out comes from the contract's defaults.

    `sheet` is a pattern for the name of a workbook's sheet; `rows` the path to what makes a row in a document
    (JSON, XML, FHIR); `xsd` the schema, beside the contracts, that an XML file is reported against. Lines of fixed
    width have no header; `first_line` and `last_line` are patterns for a line that is no row. Where `last_line`
    has a group named `rows`, it holds how many rows there are. `expect` is what has to stand at paths of a document
    (`/Header/Collection: CIN`), or else it is the wrong file.
    """

    kind: Kind = "delimited"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    null_literals: tuple[str, ...] = ("", "NULL", "null", "N/A", "-")
    sheet: Pattern | None = None
    first_line: Pattern | None = None
    last_line: Pattern | None = None
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

    Where it stands in the file: under its own name, or any header that the pattern `header` fits (whole, whatever
    its case); at the signs `at` (the first, counted from 1, and how many) of a line of fixed width; or at the end
    of `path`, from the element that makes the row. `absent` says that a layout does not have it: it is null.
    """

    answers_to_its_name: ClassVar[bool] = True

    ignored: str | None = None
    required: bool = False
    date: tuple[str, ...] = ()
    codes: str | None = Field(default=None, pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")
    header: Pattern | None = None
    at: Place | None = None
    path: str | None = None
    absent: bool = False

    _one_or_many = field_validator("date", mode="before")(one_or_many)

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, value: str | None) -> str | None:
        if value is not None:
            parse_path(value)
        return value

    def fits(self, own_name: str, text: str) -> bool:
        """Return whether a header is this column's, which the contract calls `own_name`."""
        if self.answers_to_its_name and text == own_name:
            return True
        return self.header is not None and fits_whole(self.header, text)

    def expected_as(self, own_name: str) -> str:
        """Return what the header of this column is expected to be, for messages."""
        if self.header is None:
            return own_name
        return f"{own_name} or {self.header}" if self.answers_to_its_name else self.header


class RenamedColumn(Column):
    """A column that a layout gives another header: under its own name the file would mean something else."""

    answers_to_its_name: ClassVar[bool] = False


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def fits_whole(pattern: str, text: str) -> bool:
    """Return whether a pattern fits a whole name, whatever its case and the space around it."""
    shown = text.strip()
    return len(shown) <= LONGEST_HEADER and _compiled(pattern).fullmatch(shown) is not None
