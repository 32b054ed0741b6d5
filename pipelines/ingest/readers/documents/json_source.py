"""The bytes of a JSON file on their way to the parser: as UTF-8, checked, without a mark, no string without end."""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import IO

from pipelines.ingest.content import open_content
from pipelines.ingest.readers.documents.tree import DocumentError

CHUNK = 1 << 16
# The parser holds a string until its end: so many bytes without a quote that could end it are too many.
LONGEST_STRING = 8_000_000
# Python makes no number of more than 4,300 digits, and the parser stumbles over one.
MOST_DIGITS = 4000
_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_TOO_MANY_DIGITS = b"0" * (MOST_DIGITS + 1)
_QUOTE = re.compile(rb'(?<!\\)(?:\\\\)*"')


class JsonSource(io.RawIOBase):
    """Gives the bytes of a file in UTF-8.

    Raises:
        DocumentError: BAD_BYTES, NUL_BYTES or OVERSIZED_FIELD, where the bytes are not such text. With `is_checked`
            off only what cannot be turned into UTF-8 at all.
    """

    def __init__(self, path: Path, encoding: str, *, is_checked: bool = True) -> None:
        self._stream: IO[bytes] = open_content(path)
        self._encoding, self._is_checked = encoding, is_checked
        name = codecs.lookup(encoding).name
        self._is_utf_8 = name in ("utf-8", "ascii")
        self._decoder = codecs.getincrementaldecoder("utf-8" if self._is_utf_8 else encoding)()
        self._ready = b""
        self._at_start, self._at_end = True, False
        self._without_quote = 0
        self._last_backslashes = self._last_digits = b""

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with the next bytes; 0 at the end."""
        if not self._ready and not self._at_end:
            self._ready = self._next()
        taken = self._ready[: len(buffer)]
        self._ready = self._ready[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _next(self) -> bytes:
        """Return the next bytes that are not empty; empty at the end of the file."""
        while True:
            read = self._stream.read(CHUNK)
            self._at_end = not read
            data = self._as_utf_8(read)
            if self._at_start and data:
                data = data.removeprefix(codecs.BOM_UTF8)
                self._at_start = False
            if data or self._at_end:
                return data

    def _as_utf_8(self, read: bytes) -> bytes:
        if self._is_utf_8 and not self._is_checked:
            return read
        try:
            text = self._decoder.decode(read, final=not read)
        except UnicodeDecodeError:
            raise DocumentError(
                "BAD_BYTES", f"a byte is not {self._encoding}, the first of perhaps several"
            ) from None
        if not self._is_checked:
            return text.encode()
        if "\0" in text:
            raise DocumentError("NUL_BYTES", "a NUL byte stands in the text, the first of perhaps several")
        data = read if self._is_utf_8 else text.encode()
        self._mind_strings(data)
        if has_endless_number(self._last_digits + data):
            raise DocumentError("OVERSIZED_NUMBER", f"a number has more than {MOST_DIGITS} digits")
        self._last_digits = data[-MOST_DIGITS:]
        return data

    def _mind_strings(self, data: bytes) -> None:
        """Count the bytes since the last quote that is not escaped."""
        if _QUOTE.search(self._last_backslashes + data):
            self._without_quote = 0
        self._without_quote += len(data)
        if self._without_quote > LONGEST_STRING:
            raise DocumentError(
                "OVERSIZED_FIELD", f"a string, or a list without any, is longer than {LONGEST_STRING} bytes"
            )
        end = self._last_backslashes + data[-CHUNK:]
        self._last_backslashes = b"\\" * ((len(end) - len(end.rstrip(b"\\"))) % 2)


def has_endless_number(data: bytes) -> bool:
    """Return whether more digits than MOST_DIGITS stand in a row."""
    return _TOO_MANY_DIGITS in data.translate(_AS_ZEROS)


def first_sign(path: Path, encoding: str) -> bytes:
    """Return the first sign of a JSON file that is no white space; raises DocumentError when it holds none."""
    with io.BufferedReader(JsonSource(path, encoding), CHUNK) as source:
        while piece := source.read(CHUNK):
            if text := piece.lstrip(b" \t\r\n"):
                return text[:1]
    raise DocumentError("EMPTY_FILE", "the file holds no document")
