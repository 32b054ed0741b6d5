"""What an XML file breaks of its schema: places, kinds and counts, as warnings, without any value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import xmlschema

from pipelines.errors import Problem
from pipelines.ingest.content import open_content

XSD = "XSD"
XSD_NOT_CHECKED = "XSD_NOT_CHECKED"
# xmlschema needs some 30 bytes of memory for each of the file. Its lazy mode needs less, but its time grows with
# the square of the rows (8,000 rows: 4 seconds whole, 158 lazy).
LARGEST_CHECKED = 10_000_000
MOST_KEPT = 50

_INDEX = re.compile(r"\[\d+\]")
_MESSAGES = {
    "XMLSchemaChildrenValidationError": "an element that the schema does not have here, or one is missing",
    "XMLSchemaDecodeError": "a value that is not of the schema's type",
    "XsdEnumerationFacets": "a value that is not one of those the schema lists",
    "XsdPatternFacets": "a value that is not of the schema's pattern",
}
_OTHER = "something that the schema does not allow"


def schema_report(path: Path, name: str, schema: Path) -> list[Problem]:
    """Return what a well-formed XML file without a document type breaks of a schema.

    One warning per place and kind, with how often and where first; at most MOST_KEPT, then how many more kinds.
    A file above LARGEST_CHECKED bytes is not checked, which is a warning too.
    """
    with open_content(path) as stream:
        content = stream.read(LARGEST_CHECKED + 1)
    if len(content) > LARGEST_CHECKED:
        message = f"the file is larger than {LARGEST_CHECKED} bytes and was not checked against its schema"
        return [Problem(name, XSD_NOT_CHECKED, message)]
    try:
        found = _count(content, schema)
    except xmlschema.XMLSchemaException:
        message = "the schema cannot be used, or the file not be checked against it"
        return [Problem(name, XSD_NOT_CHECKED, message)]
    kept = [
        Problem(name, XSD, f"{message}: {count} times, first in {first}", None, place)
        for (place, message), (count, first) in list(found.items())[:MOST_KEPT]
    ]
    if len(found) > MOST_KEPT:
        kept.append(Problem(name, XSD, f"{len(found) - MOST_KEPT} more kinds of errors against the schema"))
    return kept


def _count(content: bytes, schema: Path) -> dict[tuple[str, str], tuple[int, str]]:
    """Return how often each kind of error occurs at each place, and where first."""
    resource = xmlschema.XMLResource(content, allow="none", defuse="always")
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for error in xmlschema.XMLSchema(str(schema), allow="local", defuse="always").iter_errors(resource):
        place = error.path or "/"
        key = (_INDEX.sub("", place), _message(error))
        count, first = found.get(key, (0, place))
        found[key] = (count + 1, first)
    return found


def _message(error: Any) -> str:
    """Return what an error is, in words that hold nothing of the file."""
    kind = _MESSAGES.get(type(error).__name__) or _MESSAGES.get(type(error.validator).__name__)
    return kind or _OTHER
