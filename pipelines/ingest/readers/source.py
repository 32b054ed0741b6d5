"""The bytes of a file: the one place from which every reader of bytes takes them."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO


def open_bytes(path: Path) -> BinaryIO:
    """Return the file's content as a stream of bytes, to be closed by the caller."""
    return path.open("rb")
