"""Encoded records and a model as the flat arrays that compiled code reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.link.dates import unpack_spans
from pipelines.link.encode import Encoded
from pipelines.link.features import NONE, Codes, Feature, Floats, Ints
from pipelines.link.fused.arrays import Bytes, Words
from pipelines.link.fused.strings import letter_shapes, text_buffers
from pipelines.link.threads import on_all_cores

Matrix = npt.NDArray[np.int32]

# What is known of a date of birth: its first and last day and year, whether it is known to the day, and the digits
# of the first day with four bits each, so that they are compared all at once.
FIRST_DAY, LAST_DAY, YEAR, LAST_YEAR, EXACT, NIBBLES = range(6)

# A record with several values of a feature has -(2 + k) in its cell: its values are the k-th of `several`.
SEVERAL = -2
TEXTS_AT_ONCE = 250_000
ROWS_AT_ONCE = 2**13  # their cells stay in the cache until all columns are filled in


class Cells(NamedTuple):
    """One row per record, one column per feature: its code, -1 for none, or where its several codes stand.

    The first column is the record's agency.
    """

    matrix: Matrix
    several_starts: Ints
    several: Matrix


class Values(NamedTuple):
    """What is known of the distinct values: letters, dates, variants.

    `shapes` are what similarities of many texts are bounded by: see `letter_shapes`.
    """

    letters: Bytes
    letter_starts: Ints
    shapes: Words
    dates: Matrix
    variant_starts: Ints
    variants: Matrix


@dataclass(frozen=True)
class Packed:
    """Cells and values, the column of each feature, and where the letters and variants of its values begin."""

    cells: Cells
    values: Values
    columns: Mapping[str, int]
    letter_base: Mapping[str, int]
    variant_base: Mapping[str, int]

    def base_of(self, operation: str, feature: str) -> int:
        """Return where what an operation has to know of a feature's values begins, -1 when that is nothing."""
        bases = self.variant_base if operation == "variant" else self.letter_base
        return bases[feature] if operation in ("variant", "similar", "one_edit") else NONE


def pack(
    encoded: Encoded,
    features: Sequence[str],
    texts: Sequence[str],
    keys: Sequence[Feature] = (),
    known: Packed | None = None,
) -> Packed:
    """Return the features of these names, and then the keys of rules, as cells; one column each, in order.

    `texts` are those features whose letters are compared. `known` is an earlier packing of these records and
    features, whose values are taken over.
    """
    named = [encoded.features[name] for name in features]
    columns = {name: at for at, name in enumerate(features, start=1)}
    matrix = np.empty((encoded.size, 1 + len(named) + len(keys)), dtype=np.int32)
    filled: list[tuple[int, Codes]] = [(0, encoded.agency)]
    starts, several, count, codes_before = [np.zeros(1, dtype=np.int64)], [], 0, 0
    for at, feature in enumerate([*named, *keys], start=1):
        column, ends, codes = _column(feature, count)
        filled.append((at, column))
        starts.append(codes_before + ends)
        several.append(codes)
        count, codes_before = count + len(ends), codes_before + len(codes)

    def fill(start: int) -> None:
        rows = slice(start, start + ROWS_AT_ONCE)
        for at, column in filled:
            matrix[rows, at] = column[rows]

    list(on_all_cores(fill, range(0, encoded.size, ROWS_AT_ONCE)))
    cells = Cells(
        matrix,
        np.concatenate(starts).astype(np.int64),
        np.concatenate([*several, np.zeros(1, np.int32)]).astype(np.int32),
    )
    if known is not None and known.columns == columns and set(texts) <= set(known.letter_base):
        return replace(known, cells=cells)
    letters, letter_starts, letter_base = _letters(encoded, texts)
    variant_starts, variants, variant_base = _variants(encoded, features)
    shapes = _shapes(letters, letter_starts)
    values = Values(letters, letter_starts, shapes, _dates(encoded), variant_starts, variants)
    return Packed(cells, values, columns, letter_base, variant_base)


def _column(feature: Feature, count: int) -> tuple[Matrix, Ints, Matrix]:
    """Return the cells of a feature; of records with several values the ends of their codes, and the codes."""
    if feature.offsets is None:
        return feature.codes, np.empty(0, np.int64), np.empty(0, np.int32)
    counts = feature.counts
    cells = np.full(len(counts), NONE, dtype=np.int32)
    one, more = np.flatnonzero(counts == 1), np.flatnonzero(counts > 1)
    cells[one] = feature.codes[feature.offsets[:-1][one]]
    cells[more] = SEVERAL - count - np.arange(len(more), dtype=np.int32)
    return cells, np.cumsum(counts[more]), feature.codes[np.repeat(counts > 1, counts)]


def _dates(encoded: Encoded) -> Matrix:
    """Return what is known of each distinct date of birth, one row each; a last row stands for none."""
    birth = encoded.features.get("birth")
    packed = birth.values if birth is not None and isinstance(birth.values, np.ndarray) else None
    spans = unpack_spans(np.zeros(1, np.int64) if packed is None else packed)
    nibbles = sum((spans.digits // 10**at % 10) << (4 * at) for at in range(8))
    years = spans.digits // 10_000, spans.last_digits // 10_000
    columns = [spans.first, spans.last, *years, spans.exact, nibbles]
    return np.ascontiguousarray(np.stack([np.append(each, 0).astype(np.int32) for each in columns], axis=1))


def _variants(encoded: Encoded, features: Sequence[str]) -> tuple[Ints, Matrix, dict[str, int]]:
    """Return where the variants of each value begin, the variants, and where each feature's values begin."""
    starts, codes, base, rows, total = [np.zeros(1, np.int64)], [], {}, 0, 0
    for name in features:
        if name in encoded.variants:
            adjacency = encoded.variants[name]
            base[name] = rows
            starts.append(total + adjacency.offsets[1:])
            codes.append(adjacency.codes)
            rows, total = rows + len(adjacency.offsets) - 1, total + len(adjacency.codes)
    return (
        np.concatenate(starts).astype(np.int64),
        np.concatenate([*codes, np.zeros(1, np.int32)]).astype(np.int32),
        base,
    )


def _shapes(letters: Bytes, starts: Ints) -> Words:
    """Return the shape of each text, on all cores."""
    shapes = np.zeros((len(starts), 4), dtype=np.uint64)

    def fill(start: int) -> None:
        end = min(start + TEXTS_AT_ONCE, len(starts) - 1)
        shapes[start:end] = letter_shapes(letters, starts[start : end + 1])[:-1]

    list(on_all_cores(fill, range(0, len(starts) - 1, TEXTS_AT_ONCE)))
    return shapes


def _letters(encoded: Encoded, texts: Sequence[str]) -> tuple[Bytes, Ints, dict[str, int]]:
    """Return the letters of some texts, where each begins and ends, and where the texts of each feature begin."""
    base: dict[str, int] = {}
    known: dict[int, int] = {}
    data, starts, total, rows = [], [np.zeros(1, np.int64)], 0, 0
    for name in texts:
        values = encoded.features[name].values
        if not isinstance(values, pa.Array):
            raise TypeError(f"{name} has no letters to be compared")
        if id(values) not in known:
            known[id(values)] = rows
            found, offsets = text_buffers(values)
            data.append(found[offsets[0] : offsets[-1]])
            starts.append(total + offsets[1:] - offsets[0])
            rows, total = rows + len(values), total + int(offsets[-1] - offsets[0])
        base[name] = known[id(values)]
    return np.concatenate([*data, np.zeros(8, np.uint8)]), np.concatenate(starts).astype(np.int64), base


@dataclass(frozen=True)
class Frequencies:
    """log2 of what takes the place of u, per distinct value.

    By column of the feature: where its values begin, and the smallest of them.
    """

    logs: Floats
    base: Mapping[int, int]
    least: Mapping[int, float]


def pack_frequencies(known: Mapping[str, Floats], columns: Mapping[str, int]) -> Frequencies:
    """Return the frequencies of the features that have any."""
    base, least, logs, total = {}, {}, [], 0
    for name, column in columns.items():
        if name in known:
            base[column] = total
            logs.append(np.log2(known[name]))
            total += len(known[name])
            least[column] = float(logs[-1].min(initial=0.0))
    return Frequencies(np.concatenate([*logs, np.zeros(1)]), base, least)
