"""Runs one stage in a process of its own, which is killed on the way.

A moment is "before" or "after" the nth call of a function, named by the module that calls it:
`pipelines.linking.run.save_edges:1:after`. SIGKILL leaves no time to tidy up, like `kill -9`. The processes are forked
from a server that has imported the stages and nothing else: they take seconds to import.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from functools import cache
from multiprocessing.context import ForkServerContext
from typing import Any

SECONDS = 180
IMPORTED = (
    "pipelines.stages",
    "pipelines.linking.run",
    "pipelines.quality.checks",
    "pipelines.quality.reports",
)


def killed_at(moment: str, stage: str, *arguments: Any) -> None:
    """Run a stage in a process of its own that is killed at a moment; fails when it came to its end instead."""
    victim = _server().Process(target=_live, args=(dict(os.environ), moment, stage, arguments))
    victim.start()
    victim.join(SECONDS)
    was_running = victim.is_alive()
    victim.kill()
    victim.join()
    assert not was_running, f"{stage} was still running after {SECONDS} s"
    assert victim.exitcode == -signal.SIGKILL, f"{stage} was not killed, but ended with {victim.exitcode}"


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def _live(environment: dict[str, str], moment: str, stage: str, arguments: tuple[Any, ...]) -> None:
    """Run the stage in the environment of the test, which is another one than that of the server."""
    os.environ.clear()
    os.environ.update(environment)
    make_deadly(moment)
    getattr(importlib.import_module("pipelines.stages"), stage)(*arguments)


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
