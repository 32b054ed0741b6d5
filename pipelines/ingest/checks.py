"""What is checked about a delivered file before it is read: agreement, name, period, bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from pipelines.contracts.agency import AgencyFile, Contract
from pipelines.errors import DeliveryRejected, Problem
from pipelines.ingest.archive import Copy
from pipelines.ingest.content import unpacked_name
from pipelines.periods import period_end, period_of

# A workbook holds bytes, and an XML document says itself how it is encoded.
_TELLS_ITS_ENCODING = {"xlsx", "xml"}


def require_agreement(contract: Contract, period: str, today: date) -> None:
    """Refuse a delivery that no agreement covers, before any of its files is opened.

    Raises:
        DeliveryRejected: the agreement does not cover the last day of the period, or today.
    """
    days = {f"{period_end(period)}, the end of the period": period_end(period), f"{today}, today": today}
    problems = [
        _outside_agreement(contract, what, day)
        for what, day in days.items()
        if not contract.agreement.is_live(day)
    ]
    if problems:
        raise DeliveryRejected(problems)


def _outside_agreement(contract: Contract, what: str, day: date) -> Problem:
    """Return the problem of a day that the agreement does not cover."""
    agreement = contract.agreement
    rule, word = (
        ("AGREEMENT_NOT_YET_LIVE", f"starts {agreement.starts}")
        if day < agreement.starts
        else ("AGREEMENT_EXPIRED", f"ended {agreement.ends}")
    )
    return Problem(
        f"{contract.agency}.yaml", rule, f"agreement {agreement.reference} {word}; it does not cover {what}"
    )


def check_names(contract: Contract, period: str, files: Mapping[str, Path]) -> Iterator[Problem]:
    """Yield a problem per file that the contract does not know, or whose name is not that of the period."""
    for name, path in files.items():
        if name not in contract.files:
            yield Problem(name, "UNKNOWN_FILE", f"expected one of {', '.join(contract.files)}")
            continue
        named = period_in_name(contract.files[name], path.name)
        if named is None:
            yield Problem(name, "WRONG_NAME", "the file's name does not fit the contract's pattern")
        elif named != period:
            yield Problem(name, "WRONG_PERIOD", f"the file's name is that of {named}, expected {period}")


def period_in_name(file: AgencyFile, file_name: str) -> str | None:
    """Return the period that a file name stands for; None when the name does not fit the contract's pattern.

    A packed file may be called as the contract says, or so with `.gz` or `.zip` behind it.
    """
    match = re.fullmatch(file.pattern, file_name) or re.fullmatch(file.pattern, unpacked_name(file_name))
    return None if match is None else period_of(match["period"], file.period_format)


def check_bytes(copy: Copy, name: str, file: AgencyFile) -> Iterator[Problem]:
    """Yield what the bytes of a file say against it, whatever its columns are."""
    declared = file.format.encoding
    if copy.problem is not None:
        yield replace(copy.problem, file=name)
    elif file.format.kind in _TELLS_ITS_ENCODING:
        return
    elif has_foreign_mark(copy, file):
        yield Problem(
            name, "WRONG_ENCODING", f"the file begins with the mark of {copy.mark}, expected {declared}"
        )
    elif copy.looks_like_utf8 and not _same_family("utf-8", declared):
        yield Problem(name, "WRONG_ENCODING", f"every sign beyond ASCII is UTF-8, expected {declared}")


def can_be_read(copy: Copy, file: AgencyFile) -> bool:
    """Return whether reading the file can find anything more: not when its bytes are not what they should be."""
    return copy.problem is None and not has_foreign_mark(copy, file)


def has_foreign_mark(copy: Copy, file: AgencyFile) -> bool:
    """Return whether a file begins with the mark of another encoding: then nothing in it can be read."""
    if copy.mark is None or file.format.kind in _TELLS_ITS_ENCODING:
        return False
    return not _same_family(copy.mark, file.format.encoding)


def _same_family(found: str, declared: str) -> bool:
    """Return whether two encodings are both UTF-8 or both UTF-16."""
    return codecs.lookup(declared).name.startswith(found)
