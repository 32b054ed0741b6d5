"""Print as JSON how long one DAG file takes to parse beyond importing airflow.sdk, and what it imports."""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

import airflow.sdk  # noqa: F401

if __name__ == "__main__":
    path = Path(sys.argv[1])
    sys.path.insert(0, str(path.parent))
    before = set(sys.modules)
    started = time.perf_counter()
    importlib.import_module(path.stem)
    seconds = time.perf_counter() - started
    roots = sorted({name.split(".")[0] for name in set(sys.modules) - before})
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "imported": roots}))
