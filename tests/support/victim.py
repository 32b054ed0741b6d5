"""Runs one stage in this process, which is killed on the way: `python -m support.victim MOMENT STAGE ARGUMENTS`.

A moment is "before" or "after" the nth call of a function, named by the module that calls it:
`pipelines.linking.save_edges:1:after`. The arguments are JSON. SIGKILL leaves no time to tidy up, like `kill -9`.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]


def killed_at(moment: str, stage: str, *arguments: Any) -> None:
    """Run a stage in a process of its own that is killed at a moment; fails when it came to its end instead."""
    command = [sys.executable, "-m", "support.victim", moment, stage, json.dumps(arguments)]
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    done = subprocess.run(  # noqa: S603
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, timeout=180, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def make_deadly(moment: str) -> None:
    """Replace the function of a moment by one that kills this process."""
    place, calls, when = moment.split(":")
    module_name, _, name = place.rpartition(".")
    module = importlib.import_module(module_name)
    original, left = getattr(module, name), int(calls)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(module, name, deadly)


if __name__ == "__main__":
    from pipelines import stages

    make_deadly(sys.argv[1])
    getattr(stages, sys.argv[2])(*json.loads(sys.argv[3]))
