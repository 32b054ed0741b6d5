"""What every stage shares: it is logged, timed, and lets no unforeseen error carry a value out."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from pipelines.errors import JoinedupError, StageCrashed

log = logging.getLogger("joinedup")

Args = ParamSpec("Args")
Result = TypeVar("Result")


def stage(function: Callable[Args, Result]) -> Callable[Args, Result]:
    """Return the function with its start and end logged and every unforeseen error made safe to show.

    Our own errors pass: their texts name places and rules. Any other error may quote a row in its text, so only
    its kind and the place in our code are told.
    """

    @wraps(function)
    def run(*args: Args.args, **kwargs: Args.kwargs) -> Result:
        log.info("%s: started", function.__name__)
        started = time.monotonic()
        try:
            result = function(*args, **kwargs)
        except JoinedupError as error:
            log.error("%s: %s", function.__name__, type(error).__name__)
            raise error.with_traceback(None) from None
        except Exception as error:
            problem = crash(function.__name__, error)
        else:
            log.info("%s: done in %.1f s", function.__name__, time.monotonic() - started)
            return result
        raise problem from None

    return run


def crash(what: str, error: Exception) -> StageCrashed:
    """Return an error that tells the kind of an unforeseen one and its place, and nothing of its text."""
    return StageCrashed(f"{what}: {type(error).__name__} at {_place(error)}")


def _place(error: Exception) -> str:
    """Return the innermost place of our own code in the error's traceback, as file and line."""
    package = str(Path(__file__).resolve().parent)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(package)]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def configure_logging(verbose: bool = False) -> None:
    """Send the log to standard error, one short line per message."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    log.handlers[:] = [handler]
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
