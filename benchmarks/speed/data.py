"""A population of person records for timing: `python -m benchmarks.speed.data FILE --records N`.

Everything about a record follows from hashes of its number, of its person's and of its household's, so that chunks
are made one by one, in bounded memory, and the same seed gives the same bytes. 70 % of the records are the first of
a person, 25 % a second, 5 % a third, anywhere in the file. Two or three people share a household: address and, most
of them, surname. A later record differs from the first as records do: typing errors, dates with days and months
exchanged or one digit wrong, moves, another e-mail address, missing values. The constants below were fixed before
anything was tuned on the data. Text is folded already (upper-case ASCII): what is timed is linking.
"""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.speed.names import Names, load_names

Ids = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

VERSION = 1
SEED = 20260930
ROWS_AT_ONCE = 2**18
FIRST_SHARE, THIRD_SHARE = 0.70, 0.05
PEOPLE_PER_HOME = 2.4
SURNAME_OF_HOME, UNKNOWN_SEX, NO_FORENAME, NO_BIRTH, NO_ADDRESS, NO_NUMBER = (
    0.8,
    0.02,
    0.005,
    0.01,
    0.03,
    0.10,
)
HAS_EMAIL, MOVED, OTHER_EMAIL, DATE_ERROR, INITIAL_ONLY = 0.65, 0.25, 0.15, 0.03, 0.02
TYPING_ERROR_FIRST, TYPING_ERROR_LATER = 0.01, 0.08
LAST_DAY = 20_454  # 2026-01-01, in days since 1970
DAYS_OF_60, DAYS_OF_35 = 21_915, 12_784
# The areas of British postcodes.
AREAS = re.findall(
    "[A-Z]+",
    """
    AB AL B BA BB BD BH BL BN BR BS CA CB CF CH CM CO CR CT CV CW DA DE DH DL DN DT DY E EC EH EN EX FK FY G GL GU
    HA HD HG HP HR HU HX IG IP KA KT KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO
    PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO
    """,
)
DISTRICTS_OF_AREA = 20
UNITS_OF_DISTRICT = 700
INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
DOMAINS = ("mail.example", "post.example", "inbox.example", "web.example", "uk.example")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SCHEMA = pa.schema(
    [
        ("unique_id", pa.int32()),
        ("first_name", pa.string()),
        ("surname", pa.string()),
        ("dob", pa.date32()),
        ("sex", pa.string()),
        ("house_number", pa.string()),
        ("postcode", pa.string()),
        ("outward", pa.string()),
        ("email", pa.string()),
        ("person", pa.int32()),
    ]
)


@dataclass(frozen=True)
class _Hashes:
    """Numbers that look random, one per id and purpose."""

    seed: int

    def of(self, ids: Ids, purpose: int) -> Ids:
        """Return 64 bits per id (SplitMix64; Steele, Lea and Flood, 2014)."""
        word = (ids + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        word ^= np.uint64((self.seed * 0x9E3779B1 + purpose * 0xD6E8FEB86659FD93) & (2**64 - 1))
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(word ^ (word >> np.uint64(31)))

    def below(self, ids: Ids, purpose: int, limit: int) -> Ints:
        """Return a number below `limit` per id."""
        return ((self.of(ids, purpose) >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32)).astype(np.int64)

    def chance(self, ids: Ids, purpose: int, share: float | npt.NDArray[np.float64]) -> Bools:
        """Return True for about this share of ids."""
        return np.asarray((self.of(ids, purpose) >> np.uint64(11)).astype(np.float64) < share * 2.0**53)


def write_people(path: Path, records: int, seed: int = SEED) -> None:
    """Write `records` person records as Parquet; the same bytes for the same number and seed."""
    names, hashes = load_names(seed), _Hashes(seed)
    unfinished = path.with_suffix(".part")
    with pq.ParquetWriter(unfinished, SCHEMA, compression="zstd", compression_level=1) as writer:
        for start in range(0, records, ROWS_AT_ONCE):
            rows = np.arange(start, min(start + ROWS_AT_ONCE, records), dtype=np.uint64)
            writer.write_table(_records(rows, records, names, hashes), row_group_size=ROWS_AT_ONCE)
    unfinished.rename(path)


def _records(rows: Ids, total: int, names: Names, hashes: _Hashes) -> pa.Table:
    person, later = _people(rows, total)
    given, family, birth, sex = _identity(person, names, hashes)
    home = _homes(rows, person, later, hashes)
    typing = np.where(later, TYPING_ERROR_LATER, TYPING_ERROR_FIRST)
    email = _emails(given, family, person, (rows, later), hashes)
    first_name = _mistyped(given, rows, hashes, 40, typing)
    initial = later & hashes.chance(rows, 46, INITIAL_ONLY)
    first_name = pc.if_else(pa.array(initial), pc.utf8_slice_codeunits(first_name, 0, 1), first_name)
    birth = _misdated(birth, rows, hashes, later)
    no_address = hashes.chance(rows, 50, NO_ADDRESS)
    number, postcode, outward = _addresses(home, hashes)
    return pa.Table.from_arrays(
        [
            pa.array(rows.astype(np.int32)),
            _without(first_name, hashes.chance(rows, 51, NO_FORENAME)),
            _mistyped(family, rows, hashes, 60, typing),
            pa.array(birth.astype("datetime64[D]"), mask=hashes.chance(rows, 52, NO_BIRTH)),
            _without(sex, hashes.chance(rows, 53, UNKNOWN_SEX)),
            _without(number, no_address | hashes.chance(rows, 54, NO_NUMBER)),
            _without(postcode, no_address),
            _without(outward, no_address),
            email,
            pa.array(person.astype(np.int32)),
        ],
        schema=SCHEMA,
    )


def _people(rows: Ids, total: int) -> tuple[Ids, Bools]:
    """Return the person of each record, and whether it is a later record; scattered by a permutation of rows."""
    first, third = round(total * FIRST_SHARE), round(total * THIRD_SHARE)
    step = next(odd for odd in range(int(total * 0.618) | 1, 2 * total + 3, 2) if np.gcd(odd, total) == 1)
    slot = (rows * np.uint64(step) + np.uint64(total // 3)) % np.uint64(total)
    second = np.uint64(max(total - first - third, 1))
    later = slot >= first
    return np.where(later, (slot - np.uint64(first)) % second, slot), later


def _identity(person: Ids, names: Names, hashes: _Hashes) -> tuple[pa.Array, pa.Array, Ints, pa.Array]:
    """Return given name, family name, day of birth and sex of each person."""
    home = _home_of(person)
    shared = np.where(hashes.chance(person, 1, SURNAME_OF_HOME), home, person + np.uint64(2**40))
    tradition = names.traditions[hashes.below(home, 2, len(names.traditions))]
    family = names.family_at[tradition, hashes.below(shared, 3, names.family_at.shape[1])]
    is_male = hashes.chance(person, 4, 0.5)
    age = hashes.of(person, 5).astype(np.float64) / 2.0**64
    young = 60 / (60 + 35 / 2)
    old = DAYS_OF_60 + DAYS_OF_35 * (1 - np.sqrt(np.maximum(1 - age, 0) / (1 - young)))
    birth = LAST_DAY - np.where(age < young, age / young * DAYS_OF_60, old).astype(np.int64)
    year = birth.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    cohort = np.searchsorted(np.array(names.cohorts), year, side="right") - 1
    given = names.given_at[
        tradition, is_male.astype(np.int64), cohort, hashes.below(person, 6, names.given_at.shape[3])
    ]
    sex = pa.array(["F", "M"]).take(pa.array(is_male.astype(np.int8)))
    return names.given.take(pa.array(given)), names.family.take(pa.array(family)), birth, sex


def _home_of(person: Ids) -> Ids:
    return (person * np.uint64(10) // np.uint64(round(PEOPLE_PER_HOME * 10))).astype(np.uint64)


def _homes(rows: Ids, person: Ids, later: Bools, hashes: _Hashes) -> Ids:
    """Return where each record says the person lives: with the household, or, having moved, alone."""
    moved = later & hashes.chance(rows, 10, MOVED)
    return np.where(moved, rows + np.uint64(2**41), _home_of(person))


def _addresses(home: Ids, hashes: _Hashes) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return house number, postcode and outward postcode; some districts have three times the people of others."""
    districts = len(AREAS) * DISTRICTS_OF_AREA
    district = np.minimum(hashes.below(home, 11, districts), hashes.below(home, 12, 3 * districts))
    unit = hashes.below(home, 13, UNITS_OF_DISTRICT)
    table = pa.array([f"{area}{number + 1}" for area in AREAS for number in range(DISTRICTS_OF_AREA)])
    outward = table.take(pa.array(district))
    inward = pa.array(
        [
            f"{n // 400 + 1}{INWARD_LETTERS[n // 20 % 20]}{INWARD_LETTERS[n % 20]}"
            for n in range(UNITS_OF_DISTRICT)
        ]
    )
    postcode = pc.binary_join_element_wise(outward, inward.take(pa.array(unit)), " ")
    return pa.array(hashes.below(home, 14, 90) + 1).cast(pa.string()), postcode, outward


def _emails(
    given: pa.Array, family: pa.Array, person: Ids, record: tuple[Ids, Bools], hashes: _Hashes
) -> pa.Array:
    """Return the e-mail address in each record: the person's, or another of theirs."""
    rows, later = record
    other = later & hashes.chance(rows, 20, OTHER_EMAIL)
    owner = np.where(other, rows + np.uint64(2**42), person)
    number = pa.array(hashes.below(owner, 21, 1000)).cast(pa.string())
    domain = pa.array(DOMAINS).take(pa.array(hashes.below(owner, 22, len(DOMAINS))))
    local = pc.binary_join_element_wise(pc.replace_substring(given, " ", ""), family, ".")
    email = pc.ascii_lower(
        pc.binary_join_element_wise(pc.binary_join_element_wise(local, number, ""), domain, "@")
    )
    return _without(pc.replace_substring(email, " ", ""), ~hashes.chance(person, 23, HAS_EMAIL))


def _without(values: pa.Array, missing: Bools) -> pa.Array:
    return pc.if_else(pa.array(missing), None, values)


def _mistyped(
    names: pa.Array, rows: Ids, hashes: _Hashes, purpose: int, share: npt.NDArray[np.float64]
) -> pa.Array:
    """Return names with a letter left out, doubled, replaced or exchanged with its neighbour in some rows."""
    chosen = hashes.chance(rows, purpose, share)
    ids = rows[chosen]
    how, letter = hashes.below(ids, purpose + 1, 4), hashes.below(ids, purpose + 2, len(LETTERS))
    place = hashes.below(ids, purpose + 3, 2**20)
    texts = names.filter(pa.array(chosen)).to_pylist()
    wrong = [
        _typed(text, int(kind), int(at), LETTERS[which])
        for text, kind, at, which in zip(texts, how, place, letter, strict=True)
    ]
    return pc.replace_with_mask(names, pa.array(chosen), pa.array(wrong, pa.string()))


def _typed(text: str, how: int, place: int, letter: str) -> str:
    if len(text) < 2:
        return letter
    at = 1 + place % (len(text) - 1)
    if how == 0:
        return text[:at] + text[at + 1 :]
    if how == 1:
        return text[:at] + text[at] + text[at:]
    if how == 2:
        return text[:at] + letter + text[at + 1 :]
    return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]


def _misdated(birth: Ints, rows: Ids, hashes: _Hashes, later: Bools) -> Ints:
    """Return dates of birth, some of later records wrong: day and month exchanged, another decade, another day."""
    wrong = later & hashes.chance(rows, 30, DATE_ERROR)
    days = birth.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    month = months.astype(np.int64) % 12
    day = (days - months.astype("datetime64[D]")).astype(np.int64)
    january = days.astype("datetime64[Y]").astype("datetime64[M]")
    exchanged = (january + day).astype("datetime64[D]").astype(np.int64) + month
    decade = (months - 120).astype("datetime64[D]").astype(np.int64) + np.minimum(day, 27)
    next_day = np.where(day % 10 == 8, birth - 1, birth + 1)
    how = hashes.below(rows, 31, 3)
    other = np.choose(how, [np.where(day < 12, exchanged, next_day), decade, next_day])
    return np.where(wrong, other, birth)


def main() -> None:
    """Write a file and say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.data", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    started = time.monotonic()
    write_people(options.file, options.records, options.seed)
    print(f"{options.records:,} records in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
