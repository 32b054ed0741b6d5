"""What a delivered file holds: its own bytes, or those of the one file that was packed into it.

How a file is packed shows in its first bytes, never in its name. Whatever is packed is read as a stream, and
refused as soon as more comes out than out of any honest delivery.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from pathlib import Path
from typing import IO, Literal, cast

from pipelines.ingest.packing import PackingError, UnpackedStream, told_as_packing_error
from pipelines.ingest.zip_file import ZIP_MARKS, open_zip, single_member

Packing = Literal["plain", "gzip", "zip", "workbook", "old_office"]

GZIP_MARK = b"\x1f\x8b"
OLE_MARK = bytes.fromhex("d0cf11e0a1b11ae1")  # of old Office files, and of new ones with a password
WORKBOOK_PART = "[Content_Types].xml"
LONGEST_MARK = len(OLE_MARK)
BLOCK = 1 << 17
PACKED_NAME = re.compile(r"(?P<name>.+)\.(gz|zip)", re.IGNORECASE)


def unpacked_name(file_name: str) -> str:
    """Return a file's name without the `.gz` or `.zip` behind it."""
    packed = PACKED_NAME.fullmatch(file_name)
    return packed["name"] if packed else file_name


def packing_of(path: Path) -> Packing:
    """Return how a file is packed, by its bytes; a workbook is a zip that is not unpacked.

    Raises:
        PackingError: it is a zip that cannot be opened.
    """
    with path.open("rb") as file:
        first = file.read(LONGEST_MARK)
        if first.startswith(GZIP_MARK):
            return "gzip"
        if first.startswith(OLE_MARK):
            return "old_office"
        if not first.startswith(ZIP_MARKS):
            return "plain"
        with open_zip(file) as opened:
            return "workbook" if WORKBOOK_PART in opened.namelist() else "zip"


def open_content(path: Path, *, holds_zip: bool = False) -> IO[bytes]:
    """Return a file's content as a stream of bytes, unpacked when it came packed.

    Args:
        path: the file as it was received.
        holds_zip: whether what is packed may itself be a zip, as a workbook is.

    Raises:
        PackingError: now or at any later read: it cannot be unpacked, grows too much, or is packed twice.
    """
    packing = packing_of(path)
    if packing == "gzip":
        content = _open_gzip(path)
    elif packing == "zip":
        content = _open_zip_member(path)
    else:
        return path.open("rb")
    try:
        _refuse_nested(content.peek(LONGEST_MARK)[:LONGEST_MARK], holds_zip)
    except BaseException:
        content.close()
        raise
    return content


def _refuse_nested(first: bytes, holds_zip: bool) -> None:
    """Raise PackingError when what is packed is packed itself."""
    if first.startswith(GZIP_MARK) or (first.startswith(ZIP_MARKS) and not holds_zip):
        raise PackingError("NESTED_ARCHIVE", "the packed file is packed itself; it is unpacked once only")


def _open_gzip(path: Path) -> io.BufferedReader:
    """Return what is in a gzip file."""
    stream = gzip.GzipFile(path)
    return io.BufferedReader(
        UnpackedStream(cast(IO[bytes], stream), path.stat().st_size, stream.close), BLOCK
    )


def _open_zip_member(path: Path) -> io.BufferedReader:
    """Return the one file in a zip."""
    file = path.open("rb")
    try:
        opened = open_zip(file)
        with told_as_packing_error():
            stream = opened.open(single_member(opened))
    except BaseException:
        file.close()
        raise
    packed = path.stat().st_size
    return io.BufferedReader(UnpackedStream(stream, packed, lambda: _close(stream, opened, file)), BLOCK)


def _close(stream: IO[bytes], opened: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Close a member, its zip and the file behind it."""
    stream.close()
    opened.close()
    file.close()
