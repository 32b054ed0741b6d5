"""The inbox: one folder per agency; which deliveries stand in it, whole, at rest and not yet received."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from pipelines.contracts.agency import Contract
from pipelines.contracts.loader import load_contracts
from pipelines.errors import DeliveryRejected, Problem
from pipelines.ingest.archive import hash_file
from pipelines.ingest.checks import period_in_name
from pipelines.ingest.register import REJECTED, current_hashes
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.tables import extract

SETTLED_SECONDS = (
    60  # a file that was not touched for so long is at rest, also when it is seen for the first time
)
UNFINISHED = (".part", ".partial", ".tmp", ".filepart")

log = logging.getLogger("joinedup.ingest")


@dataclass(frozen=True)
class InboxDelivery:
    """An agency's files for a period in the inbox; `fingerprint` names exactly this set of files."""

    agency: str
    period: str
    files: Mapping[str, Path]
    fingerprint: str


@dataclass(frozen=True)
class InboxScan:
    """What stands in the inbox.

    `ready` can be received now; `waiting` names, per agency and period, what is missing or why it is left alone;
    `unknown` are paths, relative to the inbox, that fit no contract.
    """

    ready: tuple[InboxDelivery, ...] = ()
    waiting: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass
class _Seen:
    """What is remembered of a file between two scans: size and time of its last change, and its hash."""

    state: tuple[int, int]
    sha256: str | None = None


def files_of(contract: Contract, period: str, folder: Path) -> dict[str, Path]:
    """Return the agency's files of a period in a folder, by the contract's file names.

    One path may be several of the contract's files: the sheets of a workbook, the parts of a document.

    Raises:
        DeliveryRejected: two files in the folder are the same file of the contract.
    """
    found: dict[str, Path] = {}
    problems = []
    for path in _entries(folder):
        for name, of in _files_in(contract, path).items():
            if of != period:
                continue
            if name in found:
                message = f"two files in the inbox are this file of {period}"
                problems.append(Problem(name, "TWO_FILES", message))
            found[name] = path
    if problems:
        raise DeliveryRejected(problems)
    return {name: found[name] for name in contract.files if name in found}


def scan_inbox(now: float | None = None) -> InboxScan:
    """Return what stands in the inbox.

    A file is at rest when it did not change since the last scan, or for a minute.

    Args:
        now: the time in seconds since 1970, for tests.
    """
    settings = load_settings()
    memory = _Memory(settings.home / "inbox-state.json", time.time() if now is None else now)
    ready: list[InboxDelivery] = []
    waiting: dict[tuple[str, str], str] = {}
    unknown: list[str] = []
    contracts = load_contracts()
    for folder in _entries(settings.inbox_dir, folders=True):
        contract = contracts.get(folder.name)
        if contract is None:
            unknown.append(folder.name)
            continue
        unknown += [
            f"{folder.name}/{path.name}" for path in _entries(folder) if not _files_in(contract, path)
        ]
        for period in sorted(_periods(contract, folder)):
            _look_at(contract, period, folder, memory, ready, waiting)
    memory.save()
    if unknown:  # counted, not named: a name that no contract foresees may hold anything
        log.warning("inbox: %d name(s) fit no contract", len(unknown))
    return InboxScan(tuple(ready), waiting, tuple(unknown))


def _look_at(
    contract: Contract,
    period: str,
    folder: Path,
    memory: _Memory,
    ready: list[InboxDelivery],
    waiting: dict[tuple[str, str], str],
) -> None:
    """Add one agency's files of one period to those that are ready or to those that wait."""
    try:
        files = files_of(contract, period, folder)
    except DeliveryRejected as rejected:
        waiting[contract.agency, period] = str(rejected.problems[0])
        return
    if not all([memory.is_at_rest(path) for path in files.values()]):
        waiting[contract.agency, period] = "still arriving"
        return
    hashes = {name: memory.hash_of(path) for name, path in files.items()}
    state = _state_of(contract, period, hashes)
    if state == "ready":
        ready.append(InboxDelivery(contract.agency, period, files, _fingerprint(files, hashes)))
    elif state != "received":
        waiting[contract.agency, period] = state


def _state_of(contract: Contract, period: str, hashes: Mapping[str, str]) -> str:
    """Return `ready`, `received`, or what these files wait for."""
    with transaction() as connection:
        known = current_hashes(connection, contract.agency, period)
        theirs = (
            extract.c.agency == contract.agency,
            extract.c.period == period,
            extract.c.status == REJECTED,
        )
        query = select(extract.c.file, extract.c.sha256).where(*theirs)
        rejected = {(file, sha256) for file, sha256 in connection.execute(query)}
    if all(known.get(name) == sha256 for name, sha256 in hashes.items()):
        return "received"
    refused = [name for name, sha256 in hashes.items() if (name, sha256) in rejected]
    if refused:
        return f"rejected, waits for a corrected {', '.join(refused)}"
    required = (name for name, file in contract.files.items() if file.required)
    missing = [name for name in required if name not in hashes and name not in known]
    return f"waits for {', '.join(missing)}" if missing else "ready"


def _fingerprint(files: Mapping[str, Path], hashes: Mapping[str, str]) -> str:
    """Return a short name for a set of files and their bytes."""
    text = "\n".join(f"{name} {path.name} {hashes[name]}" for name, path in sorted(files.items()))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _periods(contract: Contract, folder: Path) -> set[str]:
    """Return the periods of which a folder holds files."""
    return {period for path in _entries(folder) for period in _files_in(contract, path).values()}


def _files_in(contract: Contract, path: Path) -> dict[str, str]:
    """Return which of the contract's files a path is, by its name, each with its period."""
    periods = {name: period_in_name(file, path.name) for name, file in contract.files.items()}
    return {name: period for name, period in periods.items() if period is not None}


def _entries(folder: Path, folders: bool = False) -> Iterator[Path]:
    """Yield the files of a folder, or its folders, by name; hidden and unfinished ones are passed over."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") or path.suffix.lower() in UNFINISHED
        if not hidden and path.is_dir() == folders:
            yield path


class _Memory:
    """What the last scan saw, kept in a file: paths, sizes, times and hashes."""

    def __init__(self, path: Path, now: float) -> None:
        self._path, self._now = path, now
        self._before = self._load()
        self._seen: dict[str, _Seen] = {}

    def is_at_rest(self, path: Path) -> bool:
        """Return whether a file is as the last scan saw it, or was not touched for a while; remembers it."""
        stat = path.stat()
        state = (stat.st_size, stat.st_mtime_ns)
        before = self._before.get(str(path))
        unchanged = before is not None and before.state == state
        self._seen[str(path)] = before if before is not None and unchanged else _Seen(state)
        return unchanged or self._now - stat.st_mtime >= SETTLED_SECONDS

    def hash_of(self, path: Path) -> str:
        """Return the SHA-256 of a file that was asked about before; computed once for each of its states."""
        seen = self._seen[str(path)]
        seen.sha256 = seen.sha256 or hash_file(path)
        return seen.sha256

    def save(self) -> None:
        """Keep what was seen for the next scan; the file is replaced at once."""
        content = {path: [*seen.state, seen.sha256] for path, seen in self._seen.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".inbox-state-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
        Path(temporary).replace(self._path)

    def _load(self) -> dict[str, _Seen]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {path: _Seen((size, time_ns), sha256) for path, (size, time_ns, sha256) in content.items()}
        except (FileNotFoundError, ValueError):
            return {}
