"""A small grammar of British addresses: flat, building number, building name, street, and the rest.

After BS 7666 (part 2): a secondary object (flat) in a primary object (number or name) on a street in a locality.
The parts are read segment by segment, where a segment is a line or what stands between two commas. What is not
understood is `rest`, in its order: no word is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.normalise.addresses.units import read_segment
from pipelines.normalise.addresses.words import (
    CARE_OF,
    Words,
    folded_street,
    is_building,
    is_number,
    street_end,
)


@dataclass(frozen=True)
class AddressParts:
    """The parts of an address, upper-case; `flat` is KIND NUMBER, or a floor; `rest` are segments."""

    flat: str | None = None
    number: str | None = None
    name: str | None = None
    street: str | None = None
    rest: tuple[str, ...] = ()


@dataclass
class _Reading:
    """What has been read so far; `lone` are numbers alone on their line, `names` may be the building's."""

    units: list[str] = field(default_factory=list)
    number: str | None = None
    name: Words = ()
    street: Words = ()
    lone: list[str] = field(default_factory=list)
    names: list[Words] = field(default_factory=list)
    rest: list[Words] = field(default_factory=list)


def parse_segments(segments: Sequence[Words]) -> AddressParts:
    """Return the parts of an address from the words of its segments."""
    reading = _Reading()
    for words in segments:
        segment = read_segment(words)
        reading.units += segment.units
        if segment.care_of:
            reading.rest.append(segment.care_of)
        if segment.words:
            _read_words(reading, segment.words)
    return _finish(reading)


def render_parts(parts: AddressParts) -> list[Words]:
    """Return parts as segments; without `rest` they are read as the same parts again."""
    segments = (parts.flat, parts.name, parts.number, parts.street, *parts.rest)
    return [tuple(segment.split()) for segment in segments if segment]


def _read_words(reading: _Reading, words: Words) -> None:
    """Read a segment without its units: numbers alone, words alone, or a number among words."""
    numbers = [at for at, word in enumerate(words) if is_number(word)]
    if len(numbers) == len(words):
        _read_lone(reading, words)
    elif not numbers:
        _read_plain(reading, words)
    elif reading.number is None:
        _read_numbered(reading, words, numbers)
    else:
        reading.rest.append(words)


def _read_lone(reading: _Reading, words: Words) -> None:
    if reading.number is None:
        reading.lone += words
    else:
        reading.rest.append(words)


def _read_plain(reading: _Reading, words: Words) -> None:
    """Read words alone: the street once its number is known, else what may be a building, a street or a town."""
    if reading.lone:
        _make_way(reading)
    if reading.street:
        reading.rest.append(words)
    elif street_end(words):
        _set_street(reading, words)
    elif reading.lone and not is_building(words):
        _use_lone(reading)
        _set_street(reading, words)
    else:
        reading.names.append(words)


def _read_numbered(reading: _Reading, words: Words, numbers: list[int]) -> None:
    """Read a number among words: name before it, street behind; the first of two numbers that lead is a flat's."""
    first = numbers[0]
    if numbers[:2] == [0, 1]:
        reading.units.append(f"FLAT {words[0]}")
        first = 1
    before, behind = words[: 0 if first in (0, 1) and numbers[0] == 0 else first], words[first + 1 :]
    reading.units += [f"FLAT {number}" for number in reading.lone]
    reading.lone = []
    reading.number = words[first]
    _make_way(reading)
    if _is_street_before(before, behind):
        reading.rest.append(behind)
        before, behind = (), before
    end = next((at for at, word in enumerate(behind) if is_number(word) or word == CARE_OF), len(behind))
    behind, beyond = behind[:end], behind[end:]
    if before:
        reading.names.append(before)
    if reading.street or not behind:
        reading.rest.append(behind)
    elif is_building(behind) and not street_end(behind):
        reading.names.append(behind)
    else:
        _set_street(reading, behind)
    reading.rest.append(beyond)


def _is_street_before(before: Words, behind: Words) -> bool:
    """Return whether the words before a number are its street, and not its building: HIGH STREET 12."""
    if street_end(before):
        return not is_building(before) or not street_end(behind)
    return not behind and not is_building(before)


def _make_way(reading: _Reading) -> None:
    """Take what was read as a street for the building, where a number follows it: LARCH COURT, 17 MILL ROAD."""
    if is_building(reading.street) and not reading.name:
        reading.names.append(reading.street)
        reading.street = ()


def _set_street(reading: _Reading, words: Words) -> None:
    """Take a street, up to its type; what follows is a place. The building's name stood before it."""
    if reading.number is None and reading.lone:
        _use_lone(reading)
    end = street_end(words) or len(words)
    reading.street = words[:end]
    if reading.names:
        reading.name = reading.names.pop()
        reading.rest += reading.names
        reading.names = []
    if words[end:]:
        reading.rest.append(words[end:])


def _use_lone(reading: _Reading) -> None:
    """Take the last number that stood alone as the building's, those before it as a flat's."""
    *flats, reading.number = reading.lone
    reading.units += [f"FLAT {number}" for number in flats]
    reading.lone = []


def _sort_names(reading: _Reading) -> None:
    """Take the first building among words without a street; beside a number the first other is the street."""
    for words in reading.names:
        if is_building(words) and not reading.name:
            reading.name = words
        elif reading.number and not reading.street and not is_building(words):
            reading.street = words
        else:
            reading.rest.append(words)


def _finish(reading: _Reading) -> AddressParts:
    if reading.lone and reading.number is None:
        _use_lone(reading)
    _sort_names(reading)
    # LARCH COURT is a street where a number stands with it and no other street, and else a building.
    if reading.number and not reading.street and street_end(reading.name):
        reading.name, reading.street = (), reading.name
    elif reading.number is None and not reading.name and is_building(reading.street):
        reading.name, reading.street = reading.street, ()
    units = list(dict.fromkeys(reading.units))
    flat = next((unit for unit in units if not unit.endswith(" FLOOR")), units[0] if units else None)
    rest = [tuple(unit.split()) for unit in units if unit != flat] + reading.rest
    return AddressParts(
        flat=flat,
        number=reading.number,
        name=" ".join(reading.name) or None,
        street=folded_street(reading.street) or None,
        rest=tuple(" ".join(words) for words in rest if words),
    )
