"""The lines of a file of JSON documents: of bounded length, each with what makes it unusable."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.ingest.readers.documents.builder import LARGEST_UNIT
from pipelines.ingest.readers.documents.json_source import has_endless_number
from pipelines.ingest.readers.documents.rows import KEPT_OF_RAW

OVERSIZED_LINE = "OVERSIZED_LINE"


@dataclass(frozen=True)
class JsonLine:
    """One line: its bytes, why it cannot be parsed, and whether the file goes on behind it."""

    data: bytes
    reason: str | None
    is_whole: bool

    @property
    def raw(self) -> str:
        """The beginning of the line as text that a database can hold."""
        text = self.data[: 4 * KEPT_OF_RAW].decode(errors="replace").rstrip("\r\n")
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:KEPT_OF_RAW]


def lines_of(stream: io.BufferedIOBase) -> Iterator[JsonLine]:
    """Yield the lines of UTF-8 text that hold anything but white space."""
    while data := stream.readline(LARGEST_UNIT):
        if len(data) == LARGEST_UNIT and not data.endswith(b"\n"):
            yield JsonLine(data[: 4 * KEPT_OF_RAW], OVERSIZED_LINE, _skip_line(stream))
        elif data.strip():
            yield JsonLine(data, _reason(data), data.endswith(b"\n"))


def _reason(data: bytes) -> str | None:
    if b"\0" in data:
        return "NUL_BYTES"
    if has_endless_number(data):
        return "OVERSIZED_NUMBER"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "BAD_BYTES"
    return None


def _skip_line(stream: io.BufferedIOBase) -> bool:
    """Read on to the end of the line; return whether it has one."""
    while piece := stream.readline(LARGEST_UNIT):
        if piece.endswith(b"\n"):
            return True
    return False
