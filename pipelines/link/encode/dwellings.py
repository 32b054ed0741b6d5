"""Dwellings: postcode with number or name and flat, as hashes; and which of a record's addresses are current."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.columns import as_mask, code_column
from pipelines.link.features import NONE, Bools, Ints, ragged_range
from pipelines.link.fused.arrays import Words
from pipelines.link.fused.hashing import hash_strings
from pipelines.link.values import fold_hashes

LOCATED = ("LIVE", "VALID_FORMAT")
# A UPRN tells a place even where the postcode is missing or broken, but not where there is none to be told.
WITHOUT_A_PLACE = ("NFA", "CONFIDENTIAL", "PSEUDO")
POSTCODE, NUMBER, UPRN, FLAT, NAME = 1, 2, 3, 4, 5  # seeds, so that equal texts of different kinds differ
FORMER = "PREVIOUS"
# A range of more numbers than this is none.
WIDEST_RANGE = 40
_RANGE = re.compile(r"(\d{1,5})[A-Z]?-(\d{1,5})[A-Z]?")
# A room is in a dwelling that others share.
_ROOM = "^ROOM "


@dataclass(frozen=True)
class Keys:
    """(row, key) pairs: row is a row of the table of addresses."""

    row: Ints
    key: Ints

    def of(self, rows: Bools) -> Keys:
        """Return the keys of these rows."""
        kept = rows[self.row]
        return Keys(self.row[kept], self.key[kept])

    def with_others(self, *others: Keys) -> Keys:
        """Return these keys and others."""
        rows, keys = ([getattr(each, name) for each in (self, *others)] for name in ("row", "key"))
        return Keys(np.concatenate(rows), np.concatenate(keys))


class Dwellings:
    """The addresses of a table as keys: equal keys are equal places."""

    def __init__(self, table: pa.Table) -> None:
        self.table, self.size = table, table.num_rows
        located = as_mask(table["postcode_status"], LOCATED)
        self.postcode, has_postcode = self._hashed("postcode", POSTCODE)
        self.has_postcode = has_postcode & located
        self.flat, self.has_flat = self._hashed("flat", FLAT)
        self.name, self.has_name = self._hashed("building_name", NAME)

    def uprns(self) -> Keys:
        """Return the UPRN of each row that has one."""
        hashes, has_uprn = self._hashed("uprn", UPRN)
        rows = np.flatnonzero(has_uprn & ~as_mask(self.table["postcode_status"], WITHOUT_A_PLACE))
        return Keys(rows, _as_keys(hashes[rows]))

    def postcodes(self) -> Keys:
        """Return the postcode of each row that has one."""
        rows = np.flatnonzero(self.has_postcode)
        return Keys(rows, _as_keys(self.postcode[rows]))

    def own(self) -> Keys:
        """Return the dwellings of each row, with its flat: by number, and by the building's name."""
        number, has_number = self._hashed("building_number", NUMBER)
        numbered = np.flatnonzero(self.has_postcode & has_number)
        return self._keys(numbered, number[numbered], True).with_others(self._by_name(True))

    def covers(self) -> Keys:
        """Return the dwellings that each row may be: numbers inside its range, with its flat and without."""
        row, number = self._covered_numbers()
        found = [self._keys(row, number, with_flat) for with_flat in (True, False)]
        return found[0].with_others(found[1], self._by_name(True), self._by_name(False))

    def shared(self) -> tuple[Keys, Keys]:
        """Return the dwellings where people are counted, by number and by name: a room counts as its house."""
        is_room = self._text_mask("flat", _ROOM)
        number, has_number = self._hashed("building_number", NUMBER)
        rows = np.flatnonzero(self.has_postcode & has_number)
        named = np.flatnonzero(self.has_postcode & self.has_name)
        return (
            self._keys(rows, number[rows], ~is_room[rows]),
            self._keys(named, self.name[named], ~is_room[named]),
        )

    def current(self, record: Ints) -> Bools:
        """Return which rows are their record's current address; `record` is the record of each row.

        Not those of type PREVIOUS, nor any that ended while another did not, or ended later; of those of one type
        that have not ended, with a first day, the youngest. No clock is asked: the last known address is current.
        """
        former = self._text_mask("address_type", f"^{FORMER}$")
        ended = np.where(former, -1, self._days("valid_to", 2**31))
        latest = np.full(int(record.max(initial=-1)) + 1, -1, dtype=np.int64)
        np.maximum.at(latest, record, ended)
        open_end = (ended == latest[record]) & ~former
        began = self._days("valid_from", -(2**31))
        kinds = self._codes("address_type")
        group = record * (int(kinds.max(initial=0)) + 2) + kinds + 1
        _, place = np.unique(group, return_inverse=True)
        youngest = np.full(int(place.max(initial=-1)) + 1, -(2**31), dtype=np.int64)
        np.maximum.at(youngest, place[open_end], began[open_end])
        return np.asarray(open_end & ((began == -(2**31)) | (began == youngest[place])))

    def _by_name(self, with_flat: bool) -> Keys:
        rows = np.flatnonzero(self.has_postcode & self.has_name)
        return self._keys(rows, self.name[rows], with_flat)

    def _keys(self, rows: Ints, premises: Words, with_flat: bool | Bools) -> Keys:
        flat = np.where(self.has_flat[rows] & with_flat, self.flat[rows], np.uint64(0))
        return Keys(rows, _as_keys(fold_hashes(fold_hashes(self.postcode[rows], premises), flat)))

    def _covered_numbers(self) -> tuple[Ints, Words]:
        """Return (row, hash of number) for each number that a row's number stands for."""
        codes, values = code_column(self.table["building_number"])
        covered = [covered_numbers(text) for text in values.to_pylist()]
        lengths = np.array([len(each) for each in covered], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        flat = hash_strings(pa.array([text for each in covered for text in each], pa.string()), NUMBER)
        rows = np.flatnonzero(self.has_postcode & (codes >= 0))
        each = lengths[codes[rows]]
        at = np.repeat(starts[codes[rows]], each) + ragged_range(each)
        return np.repeat(rows, each), flat[at]

    def _hashed(self, name: str, seed: int) -> tuple[Words, Bools]:
        """Return the hash of each row's text, and which rows have one."""
        if name not in self.table.column_names:
            return np.zeros(self.size, np.uint64), np.zeros(self.size, dtype=bool)
        codes, values = code_column(self.table[name])
        return np.append(hash_strings(values, seed), np.uint64(0))[codes], codes != NONE

    def _codes(self, name: str) -> Ints:
        if name not in self.table.column_names:
            return np.full(self.size, NONE, dtype=np.int64)
        return code_column(self.table[name])[0].astype(np.int64)

    def _text_mask(self, name: str, pattern: str) -> Bools:
        """Return where a text meets a pattern; a null never does."""
        if name not in self.table.column_names:
            return np.zeros(self.size, dtype=bool)
        found = pc.fill_null(pc.match_substring_regex(self.table[name].cast(pa.string()), pattern), False)
        return np.asarray(found.to_numpy(), dtype=bool)

    def _days(self, name: str, missing: int) -> Ints:
        if name not in self.table.column_names:
            return np.full(self.size, missing, dtype=np.int64)
        days = pc.fill_null(self.table[name].cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), missing)
        return np.array(days.to_numpy(), dtype=np.int64)


def covered_numbers(number: str) -> tuple[str, ...]:
    """Return a building number and, of a range, the numbers in it on one side of the street: 12-16 has 14."""
    found = _RANGE.fullmatch(number)
    if found is None:
        return (number,)
    first, last = int(found.group(1)), int(found.group(2))
    if not 0 < last - first <= WIDEST_RANGE:
        return (number,)
    step = 2 if (last - first) % 2 == 0 else 1
    return (number, *(str(each) for each in range(first, last + 1, step)))


def hub_keys(dwellings: Dwellings) -> dict[str, tuple[Ints, ...]]:
    """Return, by kind of hub, the key of each row, -1 for none; of addresses by number, and by name."""
    by_number, by_name = dwellings.shared()
    keys = {
        "uprn": (dwellings.uprns(),),
        "address": (by_number, by_name),
        "postcode": (dwellings.postcodes(),),
    }
    return {kind: tuple(_by_row(each, dwellings.size) for each in found) for kind, found in keys.items()}


def _by_row(keys: Keys, size: int) -> Ints:
    found = np.full(size, NONE, dtype=np.int64)
    found[keys.row] = keys.key
    return found


def _as_keys(hashes: Words) -> Ints:
    """Return hashes as numbers that are not negative."""
    return np.asarray((hashes >> np.uint64(1)).view(np.int64))
