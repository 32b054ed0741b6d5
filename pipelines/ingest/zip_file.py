"""Opening a zip without trusting it: its list of members is of bounded size, and what is in it can be read."""

from __future__ import annotations

import os
import struct
import zipfile
from typing import IO

from pipelines.ingest.packing import PackingError, told_as_packing_error

ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# The list of a workbook of a thousand sheets is a tenth of this; zipfile needs twenty times as much memory.
LARGEST_DIRECTORY = 2 << 20  # bytes

_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_END_TAIL = (
    22 + 0xFFFF + 20 + 56
)  # the end record, the longest comment behind it, the two 64-bit records before
_IN_64_BITS = 0xFFFFFFFF
_ENCRYPTED = 0x1
_READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def open_zip(stream: IO[bytes]) -> zipfile.ZipFile:
    """Return a zip opened for reading; `stream` can be sought and stays the caller's to close.

    Raises:
        PackingError: it breaks off, is damaged, or lists far too many members.
    """
    with told_as_packing_error():
        if _directory_size(stream) > LARGEST_DIRECTORY:
            raise PackingError("ZIP_MEMBERS", "the zip holds far too many members")
        return zipfile.ZipFile(stream)


def require_readable(member: zipfile.ZipInfo) -> None:
    """Raise PackingError for a member that is encrypted, or packed by a method other than deflate."""
    if member.flag_bits & _ENCRYPTED:
        raise PackingError("ENCRYPTED", "the zip is protected by a password; send it without")
    if member.compress_type not in _READABLE:
        raise PackingError(
            "DAMAGED_ARCHIVE", "the zip is packed by a method that is not read, expected deflate"
        )


def single_member(packed: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one file in a zip; folders do not count.

    Raises:
        PackingError: it holds no file, or several, or one that cannot be read.
    """
    members = [member for member in packed.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise PackingError("ZIP_MEMBERS", f"the zip holds {len(members)} files, exactly one is expected")
    require_readable(members[0])
    return members[0]


def _directory_size(stream: IO[bytes]) -> int:
    """Return the bytes of the list of members, as the end of the zip states them.

    Raises:
        PackingError: there is no such end.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _END_TAIL))
    tail = stream.read(_END_TAIL)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise PackingError("TRUNCATED", "the zip has no end; it seems to be cut short")
    stated: int = struct.unpack_from("<L", tail, at + 12)[0]
    at_64 = tail.rfind(_END_64, 0, at)
    if stated == _IN_64_BITS and 0 <= at_64 <= len(tail) - 56:
        stated = struct.unpack_from("<Q", tail, at_64 + 40)[0]
    return stated
