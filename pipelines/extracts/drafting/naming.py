"""What a file's name says: the pattern of its period, and what the file may be called in the contract."""

from __future__ import annotations

import re

from pipelines.contracts.expand import PERIOD_FORMATS
from pipelines.contracts.loader import column_name
from pipelines.ingest.content import unpacked_name

# Longer forms first: the day of 2026-09-30 is not the month 2026-09.
_PERIODS = sorted(
    PERIOD_FORMATS, key=lambda form: -len(re.sub(r"\\d\{(\d)\}", lambda m: "d" * int(m[1]), form))
)
_LIKELY = re.compile(r"(19|20)\d\d[-_]?(0[1-9]|1[0-2])([-_]?(0[1-9]|[12]\d|3[01]))?")


def pattern_of(file_name: str) -> tuple[str, bool]:
    """Return the pattern of a file's name, and whether a period was found in it."""
    name = unpacked_name(file_name)
    for form in _PERIODS:
        for found in reversed(list(re.finditer(rf"(?<!\d){form}(?!\d)", name))):
            if _LIKELY.fullmatch(found[0]):
                before, after = re.escape(name[: found.start()]), re.escape(name[found.end() :])
                return rf"{before}(?P<period>{form}){after}".replace(r"\-", "-"), True
    stem, dot, ending = name.rpartition(".")
    return (
        rf"{re.escape(stem or ending)}_(?P<period>\d{{4}}-\d{{2}}){re.escape(dot + ending) if stem else ''}",
        False,
    )


def file_key(file_name: str) -> str:
    """Return what a file is called in a contract: its name without the period and the ending."""
    stem = unpacked_name(file_name).rpartition(".")[0] or unpacked_name(file_name)
    words = re.findall(r"[a-z0-9]+", column_name(re.sub(r"\d{4,}([-_]?\d{2})*", " ", stem)))
    key = "_".join(words)
    return key if key and key[0].isalpha() else f"file_{key}".rstrip("_")
