"""Keeping values out of what Great Expectations logs and returns when an expectation cannot be evaluated.

Database errors repeat what they stumbled on ("invalid input syntax for type date: ..."), and Great
Expectations puts their whole text into its results, its log and the pages made from them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ERROR_CLASS = re.compile(r"\(psycopg\.errors\.([A-Za-z]+)\)")
WITHHELD = "The text of the error is withheld: it may repeat values."
_SILENT = logging.CRITICAL + 1


def problem_of(exception_info: dict[str, Any]) -> str | None:
    """Return the class of the error in an expectation's `exception_info`, or None when there was no error."""
    if "raised_exception" not in exception_info:
        found = [problem_of(inner) for inner in exception_info.values() if isinstance(inner, dict)]
        return next((problem for problem in found if problem), None)
    if not exception_info["raised_exception"]:
        return None
    named = _ERROR_CLASS.search(str(exception_info.get("exception_message")))
    return named[1] if named else "error"


def scrubbed(exception_info: dict[str, Any]) -> dict[str, Any]:
    """Return the same information with the class of an error in the place of its text."""
    problem = problem_of(exception_info)
    message = f"This expectation could not be evaluated ({problem})." if problem else None
    return {
        "raised_exception": problem is not None,
        "exception_message": message,
        "exception_traceback": WITHHELD if problem else None,
    }


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Silence Great Expectations' own log, which repeats the text of database errors."""
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(_SILENT)
    try:
        yield
    finally:
        logger.setLevel(before)
