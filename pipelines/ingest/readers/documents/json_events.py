"""JSON into a builder: what the parser meets, told as names, beginnings, values and ends."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import ijson

from pipelines.ingest.readers.documents.builder import DEEPEST, Builder
from pipelines.ingest.readers.documents.json_source import CHUNK
from pipelines.ingest.readers.documents.tree import DocumentError, Value

Event = tuple[str, Any]
_BOOLEANS = {True: "true", False: "false"}


def units_of(events: Iterator[Event], builder: Builder) -> Iterator[Value]:
    """Yield the units of one JSON document, or of an array of documents.

    Raises:
        DocumentError: the events end in one, or what is met is no document but a single value.
    """
    open_: list[bool] = []  # what is open, and whether it is an object; else it is an array
    for event, value in events:
        if event == "map_key":
            builder.key(value)
        elif event == "start_map":
            open_.append(True)
            _mind_depth(open_)
            builder.begin()
        elif event == "end_map":
            open_.pop()
            builder.end()
        elif event == "start_array":
            open_.append(False)
            _mind_depth(open_)
        elif event == "end_array":
            open_.pop()
        elif True not in open_:
            raise DocumentError("WRONG_FILE", "the file holds a value where an object is expected")
        else:
            builder.value(_text(event, value))
        if builder.done:
            yield from builder.done
            builder.done.clear()


def events_of(stream: io.IOBase) -> Iterator[Event]:
    """Yield what the parser meets; its own messages repeat the text and are not passed on.

    Raises:
        DocumentError: the bytes are no JSON, break off, or go on behind the document.
    """
    try:
        yield from ijson.basic_parse(stream, buf_size=CHUNK, use_float=False)
    except ijson.IncompleteJSONError as error:
        text = str(error).removeprefix("b'")
        if text.startswith("parse error: premature EOF"):
            raise DocumentError(
                "TRUNCATED", "the document is not complete; the file seems to be cut short"
            ) from None
        if text.startswith("parse error: trailing garbage"):
            raise DocumentError(
                "TRAILING_CONTENT", "something stands behind the end of the document"
            ) from None
        raise DocumentError("BAD_JSON", "the text is not well-formed JSON") from None
    except (ijson.JSONError, ArithmeticError):  # the latter: an exponent beyond all bounds
        raise DocumentError("BAD_JSON", "the text is not well-formed JSON") from None


def _text(event: str, value: Any) -> str | None:
    """Return a value as text: numbers with all their digits, true and false in words, null as None."""
    if event == "string":
        return str(value)
    if event == "boolean":
        return _BOOLEANS[value]
    return None if event == "null" else str(value)


def _mind_depth(open_: list[bool]) -> None:
    if len(open_) > 2 * DEEPEST:
        raise DocumentError(
            "TOO_DEEP", f"objects and arrays stand within each other, more than {2 * DEEPEST} deep"
        )
