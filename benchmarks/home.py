"""A home and a warehouse that a benchmark has for itself, and that are deleted when it ends."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_home() -> Iterator[Path]:
    """Give the folder of a home whose settings hold for this process from here on."""
    with tempfile.TemporaryDirectory(prefix="joinedup-bench-") as folder:
        os.environ |= {
            "JOINEDUP_HOME": folder,
            "JOINEDUP_ALLOW_SYNTHETIC": "1",
            "JOINEDUP_AUTO_APPROVE": "1",
            "JOINEDUP_KEY": "benchmark-key-known-to-everybody",
        }
        from pipelines.warehouse.server import delete_server

        try:
            yield Path(folder)
        finally:
            delete_server()
