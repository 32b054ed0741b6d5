"""Reading what was packed, measured while it is read: how much may come out of a packed file, and how it fails."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from pipelines.settings import Settings, load_settings

# Up to here a ratio says nothing: a small file of blanks packs as well as a bomb.
ALWAYS_ALLOWED = 16 << 20  # bytes

# What gzip, zlib and zipfile raise for bytes that are not what they should be; a zip whose member has no name, for
# one, ends in an IndexError.
DAMAGE = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    LookupError,
    TypeError,
    ValueError,
    OverflowError,
    OSError,
)


class PackingError(Exception):
    """A packed file that cannot be read; `rule` and `message` are safe to show."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{message} [{rule}]")
        self.rule, self.message = rule, message


@contextmanager
def told_as_packing_error() -> Iterator[None]:
    """Turn what the unpacking libraries raise into a PackingError."""
    try:
        yield
    except EOFError:
        raise PackingError("TRUNCATED", "the packed file breaks off; it seems to be cut short") from None
    except DAMAGE:
        raise PackingError(
            "DAMAGED_ARCHIVE", "the packed file is damaged, its checksum does not fit"
        ) from None


def check_growth(packed: int, unpacked: int, settings: Settings) -> None:
    """Refuse what grows too much when it is unpacked; both in bytes.

    Raises:
        PackingError: by the settings it is too much, or too much for the size of the packed file.
    """
    if unpacked > settings.unpacked_bytes:
        limit = f"{settings.unpacked_bytes:,} bytes"
        raise PackingError("ZIP_BOMB", f"unpacked, the file is larger than {limit}, the most that is read")
    if unpacked > max(ALWAYS_ALLOWED, packed * settings.unpacked_ratio):
        ratio = settings.unpacked_ratio
        raise PackingError("ZIP_BOMB", f"unpacked, the file is more than {ratio} times as large as it came")


class UnpackedStream(io.RawIOBase):
    """The bytes that come out of a packed stream; see `check_growth` for when it ends."""

    def __init__(self, source: IO[bytes], packed: int, close: Callable[[], None]) -> None:
        super().__init__()
        self._source, self._packed, self._close = source, packed, close
        self._unpacked, self._settings = 0, load_settings()

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with the next bytes; return how many there were.

        Raises:
            PackingError: the packed file is damaged, breaks off, or grows too much.
        """
        with told_as_packing_error():
            block = self._source.read(len(buffer))
        self._unpacked += len(block)
        check_growth(self._packed, self._unpacked, self._settings)
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close it, and the files behind it."""
        if not self.closed:
            self._close()
        super().close()
