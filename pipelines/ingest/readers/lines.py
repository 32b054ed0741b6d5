"""The physical lines of a text file: decoded, checked, of bounded length, and able to be read a second time."""

from __future__ import annotations

import codecs
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from pipelines.ingest.content import open_content

LONGEST_LINE = 1 << 20
KEPT_OF_LONG_LINE = 10_000

# Bytes that the encoding does not know are decoded to these, which no well-formed text holds.
_UNDECODABLE = re.compile(r"[\udc80-\udcff]")


def flaw_message(rule: str, encoding: str) -> str:
    """Return the words for a flaw of the bytes that `LineSource` found."""
    return {
        "BAD_BYTES": f"a byte is not {encoding}, the first of perhaps several",
        "NUL_BYTES": "a NUL byte stands in the text, the first of perhaps several",
    }[rule]


class OversizedLine(str):
    """The beginning of a line that is longer than any row may be."""

    __slots__ = ()


class OversizedLineError(Exception):
    """The next line is longer than any row may be; it was skipped to its end."""


class LineSource(Iterator[str]):
    """Gives the lines of a file, and remembers those taken since the record began.

    `on_flaw` is called with BAD_BYTES or NUL_BYTES when a line holds what no text file of this encoding can.
    """

    def __init__(self, path: Path, encoding: str, on_flaw: Callable[[str], None]) -> None:
        # newline="": line ends stay as they are, since they may stand inside quotes.
        content = open_content(path)
        name = _encoding_with_mark(encoding, content)
        self._stream = io.TextIOWrapper(content, encoding=name, errors="surrogateescape", newline="")
        self._on_flaw = on_flaw
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.ends_with_newline = True

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self.taken.append(line)
        if isinstance(line, OversizedLine):
            raise OversizedLineError
        return line

    def begin_record(self) -> None:
        """Forget the lines taken so far: they became a record."""
        self.taken.clear()

    def give_back_all_but_first(self) -> str:
        """Return the first line of the record; the others will be read again, as records of their own."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        return first

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _read(self) -> str:
        """Return the next line of the file; raises StopIteration after the last."""
        line = self._read_piece()
        if not line:
            raise StopIteration
        oversized = len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r"))
        if not oversized:
            self.ends_with_newline = line.endswith(("\n", "\r"))
            return line
        piece = line
        while piece and not piece.endswith(("\n", "\r")):
            piece = self._read_piece()
        self.ends_with_newline = bool(piece)
        return OversizedLine(line[:KEPT_OF_LONG_LINE])

    def _read_piece(self) -> str:
        """Return the next line, or a part of it when it is long, checked for what text cannot hold."""
        piece = self._stream.readline(LONGEST_LINE)
        if not piece.isascii() and _UNDECODABLE.search(piece):
            self._on_flaw("BAD_BYTES")
        if "\0" in piece:
            self._on_flaw("NUL_BYTES")
        return piece


def _encoding_with_mark(encoding: str, content: IO[bytes]) -> str:
    """Return the encoding that also takes a byte order mark in front, which then decides the order of bytes."""
    name = codecs.lookup(encoding).name
    if name == "utf-8":
        return "utf-8-sig"
    if name in {"utf-16-le", "utf-16-be"}:
        first = content.peek(2)[:2] if isinstance(content, io.BufferedReader) else b""
        return "utf-16" if first in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else name
    return encoding
