"""Taking a delivery apart: into parts that hold all rows of some persons each, whatever files they are in.

A row belongs to the part of its local person id, as a stable hash of the text has it. What must be known of rows
beyond the part is found out first, from row numbers and hashes only: which rows repeat a key of their file, and
which rows of a file without persons the rows of a part borrow from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

import numpy as np

from pipelines.contracts.agency import AgencyFile, Contract
from pipelines.contracts.loader import column_name
from pipelines.normalise.assemble.columns import parse_columns
from pipelines.normalise.assemble.delivery import with_headers
from pipelines.normalise.assemble.local_ids import leave_out, local_id_column
from pipelines.normalise.assemble.outcomes import SettledKeys, settled_keys
from pipelines.normalising.part import Job, Part
from pipelines.warehouse import landed_parts
from pipelines.warehouse.bulk import ArrowReader
from pipelines.warehouse.normalised import RowNumbers, read_landed

Numbers: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]

ROWS_TO_SETTLE = 50_000  # at a time: rows whose keys may be repeated


@dataclass(frozen=True)
class _Places:
    """The row numbers of a file, sorted by part; those of part p stand from `starts[p]` to `starts[p + 1]`."""

    numbers: RowNumbers
    starts: Numbers

    def of(self, part: int) -> RowNumbers:
        """Return the row numbers of a part."""
        return self.numbers[self.starts[part] : self.starts[part + 1]]


def why_whole(contract: Contract) -> str | None:
    """Return why the contract's deliveries cannot be taken apart; None where they can."""
    for name, file in contract.files.items():
        if file.local_id and local_id_column(file) is None:
            return f"{name} borrows its local person id"
        lender = contract.files[file.lookup.file] if file.lookup else None
        if file.lookup is None or lender is None:
            continue
        if lender.local_id or lender.lookup:
            return f"{name} borrows from {file.lookup.file}, whose rows depend on persons of their own"
        if any(
            each.columns[file.lookup.by].codes or each.columns[file.lookup.by].date for each in (file, lender)
        ):
            return f"{name} borrows by {file.lookup.by}, which is not compared as it was written"
    return None


def take_apart(read: ArrowReader, job: Job, parts: int) -> Sequence[Part]:
    """Return the parts of a delivery, of which some may be empty."""
    contract = job.context.contract
    settled = {
        name: _settled(read, job, name) for name in job.extracts if _is_settled_first(contract.files[name])
    }
    places = {name: _places(read, job, name, parts) for name in job.extracts}
    lent = _lent(read, job, parts)
    return _Taken(parts, places, lent, settled)


@dataclass(frozen=True)
class _Taken(Sequence[Part]):
    """The parts of a delivery, made when they are asked for: row numbers are copied only for those under way."""

    number: int
    places: Mapping[str, _Places]
    lent: Mapping[str, _Places]
    settled: Mapping[str, SettledKeys]

    def __len__(self) -> int:
        return self.number

    @overload
    def __getitem__(self, part: int) -> Part: ...
    @overload
    def __getitem__(self, part: slice) -> list[Part]: ...
    def __getitem__(self, part: int | slice) -> Part | list[Part]:
        if isinstance(part, slice):
            return [self[each] for each in range(*part.indices(self.number))]
        if not 0 <= part < self.number:
            raise IndexError(part)
        rows = {name: each.of(part) for name, each in self.places.items()}
        borrowed = {name: each.of(part) for name, each in self.lent.items()}
        known = {
            name: keys.among(np.concatenate([rows[name], borrowed.get(name, rows[name][:0])]))
            for name, keys in self.settled.items()
        }
        return Part(rows, borrowed, known)


def _is_settled_first(file: AgencyFile) -> bool:
    """Return whether rows with the same key may be in different parts."""
    return bool(file.key) and (local_id_column(file) is None or file.local_id not in file.key)


def _settled(read: ArrowReader, job: Job, name: str) -> SettledKeys:
    """Return which rows of a file repeat a key, found among those whose keys' hashes are the same."""
    file, agency = job.context.contract.files[name], job.context.contract.agency
    columns = tuple(map(column_name, file.key))
    numbers, hashes = landed_parts.rows_with_like_keys(read, agency, name, job.extracts[name], columns)
    found: dict[int, int] = {}
    conflicts: set[int] = set()
    for chunk in _whole_groups(hashes):
        landed = read_landed(read, agency, job.extracts, {name: np.sort(numbers[chunk])})
        kept, _ = leave_out(job.context, landed, job.purged)
        keys = settled_keys(parse_columns(name, file, with_headers(file, kept[name])))
        found |= keys.duplicate_of
        conflicts |= keys.conflicts
    return SettledKeys(found, frozenset(conflicts))


def _whole_groups(hashes: Numbers) -> Iterator[slice]:
    """Yield stretches of sorted hashes that part no two equal ones, each about as long as may be settled."""
    start = 0
    while start < len(hashes):
        last = hashes[min(start + ROWS_TO_SETTLE, len(hashes)) - 1]
        end = int(np.searchsorted(hashes, last, side="right"))
        yield slice(start, end)
        start = end


def _places(read: ArrowReader, job: Job, name: str, parts: int) -> _Places:
    """Return where the rows of a file belong: with their person, else in the order of the file."""
    contract = job.context.contract
    column = local_id_column(contract.files[name])
    numbers, of = landed_parts.rows_by_part(read, contract.agency, name, job.extracts[name], column, parts)
    if column is None:
        of = (np.arange(len(numbers), dtype=np.int64) * parts // max(len(numbers), 1)).astype(np.int16)
    return _sorted(numbers, of, parts)


def _sorted(numbers: RowNumbers, of: np.ndarray[tuple[int], np.dtype[np.int16]], parts: int) -> _Places:
    """Return row numbers sorted by part, within a part as they were."""
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], np.arange(parts + 1)).astype(np.int64)
    return _Places(numbers[order], starts)


def _lent(read: ArrowReader, job: Job, parts: int) -> Mapping[str, _Places]:
    """Return for each file that lends columns which of its rows each part borrows from."""
    contract = job.context.contract
    borrowers: dict[str, list[str]] = {}
    for name in job.extracts:
        lookup = contract.files[name].lookup
        if lookup and lookup.file in job.extracts:
            borrowers.setdefault(lookup.file, []).append(name)
    return {lender: _lent_by(read, job, lender, names, parts) for lender, names in borrowers.items()}


def _lent_by(read: ArrowReader, job: Job, lender: str, borrowers: list[str], parts: int) -> _Places:
    """Return which rows of a lender the parts borrow from, through any of its borrowers; each once a part."""
    found = [_pairs(read, job, lender, name, parts) for name in borrowers]
    both = np.unique(np.concatenate(found))
    return _sorted((both & 0xFFFFFFFF).astype(np.int32), (both >> 32).astype(np.int16), parts)


def _pairs(read: ArrowReader, job: Job, lender: str, name: str, parts: int) -> Numbers:
    """Return pairs of part and lender's row as one number each: part * 2^32 + row."""
    contract = job.context.contract
    lookup, column = contract.files[name].lookup, local_id_column(contract.files[name])
    assert lookup is not None  # noqa: S101 - only borrowers are asked about
    borrower = landed_parts.Side(name, job.extracts[name], column_name(lookup.by))
    side = landed_parts.Side(lender, job.extracts[lender], column_name(lookup.by))
    numbers, of = landed_parts.rows_borrowed(read, contract.agency, borrower, side, column, parts)
    return (of.astype(np.int64) << 32) | numbers.astype(np.int64)
