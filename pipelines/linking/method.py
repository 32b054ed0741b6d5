"""What the weight of a pair depends on beside the model version and the two records: the code, and settings."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pipelines.link
from pipelines.settings import load_settings

LENGTH = 16


def linking_method() -> str:
    """Return a hash of the linking code, the code lists that it reads, and the settings that decide what it sees.

    A run goes on from an earlier one only where both have the same: after an update of the software, the next run
    compares everybody anew, once.
    """
    settings = load_settings()
    parts = [
        _files(Path(pipelines.link.__file__).parent, "*.py"),
        _files(settings.schemas_dir / "codes", "*.csv"),
    ]
    return hashlib.sha256("".join([*parts, str(settings.allow_synthetic)]).encode()).hexdigest()[:LENGTH]


@cache
def _files(folder: Path, pattern: str) -> str:
    """Return a hash of all files of a folder: their names, and what is in them."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob(pattern)):
        total.update(path.relative_to(folder).as_posix().encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def content_seed() -> int:
    """Return a number that only this installation has: content hashes are no help in guessing a content."""
    digest = hashlib.sha256(b"content of records" + load_settings().key).digest()
    return int.from_bytes(digest[:8], "big")
