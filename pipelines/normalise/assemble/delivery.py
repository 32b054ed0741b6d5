"""Normalising a delivery: every landed row of every file ends contributed, quarantined or as a duplicate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.contracts.agency import AgencyFile, Contract
from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.emits import Emit
from pipelines.contracts.loader import column_name
from pipelines.contracts.shared import normalised_tables
from pipelines.keys import record_id
from pipelines.normalise.assemble import events, persons, places
from pipelines.normalise.assemble.columns import meets, parse_columns
from pipelines.normalise.assemble.context import EmitRows, NormaliseContext
from pipelines.normalise.assemble.contradictions import count_contradictions
from pipelines.normalise.assemble.distinct import constant, map_distinct, without_nan
from pipelines.normalise.assemble.outcomes import (
    KEY_CONFLICT,
    ORPHAN,
    FileRows,
    SettledKeys,
    settle_keys,
)
from pipelines.normalise.assemble.unaccompanied import soften_estimated_births

BUILDERS: dict[str, Callable[[EmitRows], pd.DataFrame]] = {
    "person_record": persons.build_person_record,
    "person_name": persons.build_person_name,
    "person_date_of_birth": persons.build_person_date_of_birth,
    "person_identifier": persons.build_person_identifier,
    "person_address": persons.build_person_address,
    "person_contact": persons.build_person_contact,
    "person_protection": persons.build_person_protection,
    "relationship": persons.build_relationship,
    "event": events.build_event,
    "place_event": places.build_place_event,
}


@dataclass(frozen=True)
class SetAsideRow:
    """A quarantined row: where it came from and why; its values stay in landing."""

    extract_id: int
    row_number: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file's rows; the counts balance."""

    file: str
    rows_in: int
    contributed: int
    quarantined: tuple[SetAsideRow, ...]
    duplicate_of: Mapping[int, int]
    issues: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class NormalisedDelivery:
    """The shared tables that a delivery becomes, and what became of each of its rows."""

    tables: Mapping[str, pa.Table]
    files: tuple[FileOutcome, ...]


@dataclass(frozen=True)
class BeyondThePart:
    """What must be known of other rows where only a part of a delivery is at hand: all rows of some persons.

    `settled` says for files which rows repeat a key; keys of other files are whole within the part. `lent` holds,
    for files that lend columns, the rows that are borrowed from; they count elsewhere.
    """

    settled: Mapping[str, SettledKeys] = field(default_factory=dict)
    lent: Mapping[str, pa.Table] = field(default_factory=dict)


NOTHING_BEYOND = BeyondThePart()


@dataclass
class _Progress:
    """What is known after the files so far: their rows, the records, the frames built."""

    beyond: BeyondThePart
    done: dict[str, FileRows] = field(default_factory=dict)
    records: frozenset[str] = frozenset()
    frames: dict[str, list[pd.DataFrame]] = field(default_factory=dict)


def normalise_files(
    context: NormaliseContext, landed: Mapping[str, pa.Table], beyond: BeyondThePart = NOTHING_BEYOND
) -> NormalisedDelivery:
    """Return the shared-schema rows of a delivery and the outcome of each of its rows.

    Args:
        context: the contract and what normalising depends on.
        landed: per file of the contract, its landed rows: extract_id, row_number and the landing columns as text.
        beyond: what is known of the delivery's other rows, when these are not all.

    Files are taken people first, then files that lend columns, then the others, so that a child row whose
    person was set aside is known to be an orphan.
    """
    progress = _Progress(beyond)
    for name in files_in_order(context.contract):
        if name in landed:
            _normalise_file(context, name, landed[name], progress)
    frames = {name: pd.concat(parts, ignore_index=True) for name, parts in progress.frames.items()}
    soften_estimated_births(frames, context.period_end)
    count_contradictions(frames, progress.done.values())
    tables = {name: _as_arrow(name, frames.get(name)) for name in normalised_tables()}
    return NormalisedDelivery(tables, tuple(_outcome(rows) for rows in progress.done.values()))


def files_in_order(contract: Contract) -> Iterator[str]:
    """Yield the contract's files in the order in which they can be normalised.

    Files that lend columns and belong to nobody come before the people, who may borrow from them.
    """
    lenders = {file.lookup.file for file in contract.files.values() if file.lookup}

    def place(name: str) -> int:
        file = contract.files[name]
        if file.holds_people:
            return 1
        if name in lenders:
            return 2 if file.local_id else 0
        return 3

    yield from sorted(contract.files, key=place)


def _normalise_file(context: NormaliseContext, name: str, landed: pa.Table, progress: _Progress) -> None:
    file = context.contract.files[name]
    rows = _read_rows(name, file, landed, progress.beyond.settled)
    if file.lookup:
        _borrow_columns(rows, _lender(context, file.lookup.file, progress), file.lookup.by)
    record_ids = _record_ids(context, rows)
    if file.holds_people:
        progress.records |= _settle_records(rows, record_ids, progress.records)
    if file.local_id:
        known = record_ids.isin(list(progress.records)) | record_ids.isna()
        rows.quarantine(~known.to_numpy(dtype=bool) & rows.contributed(), ORPHAN)
    contributed = rows.contributed()
    for emit in file.emits:
        mask = contributed & _meets(rows, emit)
        if mask.any():
            built = BUILDERS[emit.table](EmitRows(context, rows, emit, mask, record_ids))
            progress.frames.setdefault(emit.table, []).append(built)
    progress.done[name] = rows


def _read_rows(name: str, file: AgencyFile, landed: pa.Table, settled: Mapping[str, SettledKeys]) -> FileRows:
    """Return a file's rows parsed, with those marked that repeat a key."""
    rows = parse_columns(name, file, with_headers(file, landed))
    if name in settled:
        settled[name].apply(rows)
    else:
        settle_keys(rows)
    return rows


def _lender(context: NormaliseContext, name: str, progress: _Progress) -> FileRows | None:
    """Return the rows that lend columns; None where the delivery has no such file."""
    lent = progress.beyond.lent.get(name)
    if lent is None:
        return progress.done.get(name)
    return _read_rows(name, context.contract.files[name], lent, progress.beyond.settled)


def with_headers(file: AgencyFile, landed: pa.Table) -> pd.DataFrame:
    """Return the landed rows with the file's own headers; the landing columns are named for the database."""
    headers = {column_name(header): header for header in file.landed_columns}
    frame: pd.DataFrame = landed.to_pandas().rename(columns=headers)
    nulls = list(file.format.null_literals)
    for header in file.landed_columns:
        frame[header] = without_nan(frame[header].mask(frame[header].isin(nulls)))
    return frame


def _record_ids(context: NormaliseContext, rows: FileRows) -> pd.Series[Any]:
    """Return the record id behind each row's local person id; None where there is none."""
    if rows.file.local_id is None:
        return constant(None, rows.raw.index)
    agency = context.contract.agency
    local = rows.values[rows.file.local_id]
    return map_distinct(local, lambda value: record_id(context.key, agency, value) if value else None)


def _settle_records(rows: FileRows, record_ids: pd.Series[Any], before: frozenset[str]) -> frozenset[str]:
    """Return the records that the file establishes; a row that would establish one again is a conflict."""
    establishes = np.zeros(len(rows.raw), dtype=bool)
    for emit in rows.file.emits:
        if emit.table == "person_record":
            establishes |= _meets(rows, emit)
    establishes &= rows.contributed()
    candidates = record_ids[establishes]
    again = candidates.index[candidates.duplicated(keep="first") | candidates.isin(list(before))]
    rows.quarantine(rows.raw.index.isin(again), KEY_CONFLICT)
    return frozenset(candidates.dropna())


def _meets(rows: FileRows, emit: Emit) -> np.ndarray[Any, Any]:
    if emit.when is None:
        return np.ones(len(rows.raw), dtype=bool)
    return meets(rows, emit.when)


def _borrow_columns(rows: FileRows, lender: FileRows | None, by: str) -> None:
    """Add the lender's parsed columns to each row; a row that finds none is an orphan."""
    if lender is None:
        rows.quarantine(np.ones(len(rows.raw), dtype=bool), ORPHAN)
        return
    accepted = lender.contributed()
    keys = lender.values[by][accepted]
    position = {key: place for key, place in zip(keys, keys.index, strict=True) if key is not None}
    places = map_distinct(rows.values[by], lambda key: position.get(key, -1)).to_numpy(dtype=int)
    rows.quarantine(places < 0, ORPHAN)
    for header, values in lender.values.items():
        if header not in rows.values:
            rows.values[header] = _taken(values, places, rows.raw.index)
            rows.raw[header] = _taken(lender.raw[header], places, rows.raw.index)


def _taken(values: pd.Series[Any], places: np.ndarray[Any, Any], index: pd.Index[Any]) -> pd.Series[Any]:
    """Return the values at `places`, None where a place is negative."""
    extended = np.empty(len(values) + 1, dtype=object)
    extended[:-1] = values.to_numpy(dtype=object)
    return pd.Series(extended[places], index=index, dtype=object)


def _outcome(rows: FileRows) -> FileOutcome:
    """Return what became of a file's rows."""
    extracts, numbers = rows.raw["extract_id"].to_numpy(), rows.raw["row_number"].to_numpy()
    set_aside = tuple(
        SetAsideRow(int(extracts[position]), int(numbers[position]), tuple(reasons))
        for position, reasons in sorted(rows.reasons.items())
    )
    duplicates = {int(numbers[position]): of for position, of in sorted(rows.duplicate_of.items())}
    return FileOutcome(
        file=rows.name,
        rows_in=len(rows.raw),
        contributed=int(rows.contributed().sum()),
        quarantined=set_aside,
        duplicate_of=duplicates,
        issues=Counter(rows.issues),
    )


def _as_arrow(name: str, frame: pd.DataFrame | None) -> pa.Table:
    """Return the frame as a table of the shared schema, in its declared columns and types."""
    schema = arrow_schema(normalised_tables()[name])
    if frame is None or frame.empty:
        return schema.empty_table()
    return pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
