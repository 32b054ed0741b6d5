"""Records side by side: what is known of each stands in rows, so that one step of a machine looks at many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipelines.link.compiled import borrowed, inlined
from pipelines.link.fused.arrays import Words
from pipelines.link.fused.pack import Matrix
from pipelines.link.fused.predicates import Known
from pipelines.link.fused.program import Smalls, Table
from pipelines.link.fused.strings import BEGINNING, HIGH, LOW, SIZES

Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.int32]

# How many records stand side by side: their cells stay in the nearest caches.
SIDE = 512
# Sums and similarities are worked out in single precision here: by so much they may lie below the exact ones.
ROUNDING = 1e-3

# Of a text: what its mask leaves out, its length and one over it.
SPARE, LENGTH, INVERSE = range(3)
TOTAL, LIKENESS, COMMON = range(3)
_U = np.uint64


class Tile(NamedTuple):
    """Records side by side: one row per column of the cells, per text that is compared, per fact of a birth date.

    `ceilings` are the most that each comparison may give; `several` says of which columns some record has several
    values; `lanes` and `present` are room to work in.
    """

    cells: Matrix
    masks: Words
    shapes: Singles
    beginnings: npt.NDArray[np.uint32]
    dates: Matrix
    ceilings: Singles
    lanes: Singles
    present: Flags
    several: Flags


@inlined
def empty_tile(columns: int, texts: int, comparisons: int) -> Tile:
    """Return a tile without records."""
    return Tile(
        np.zeros((columns, SIDE), np.int32),
        np.zeros((2 * texts, SIDE), np.uint64),
        np.zeros((3 * texts, SIDE), np.float32),
        np.zeros((texts, SIDE), np.uint32),
        np.zeros((6, SIDE), np.int32),
        np.zeros((comparisons, SIDE), np.float32),
        np.empty((3, SIDE), np.float32),
        np.empty(SIDE, np.int32),
        np.empty(columns, np.int32),
    )


@inlined
def borrowed_tile(tile: Tile) -> Tile:
    """Return the same tile without a share in the memory of its arrays."""
    return Tile(
        borrowed(tile.cells),
        borrowed(tile.masks),
        borrowed(tile.shapes),
        borrowed(tile.beginnings),
        borrowed(tile.dates),
        borrowed(tile.ceilings),
        borrowed(tile.lanes),
        borrowed(tile.present),
        borrowed(tile.several),
    )


@inlined
def fill_tile(
    tile: Tile, known: Known, texts: Table, birth: int, source: tuple[Matrix, int], records: Smalls
) -> None:
    """Put records side by side: the first columns of their cells, and what is known of their values."""
    cells, width = source
    dates, shapes = known[3], known[2]
    for at in range(len(records)):
        row = records[at]
        for column in range(width):
            tile.cells[column, at] = cells[row, column]
    for column in range(width):
        least, codes = -1, tile.cells[column, : len(records)]
        for at in range(len(codes)):
            least = min(least, codes[at])
        tile.several[column] = least < -1
    for text in range(len(texts)):
        column, base = texts[text, 0], texts[text, 1]
        for at in range(len(records)):
            value = base + max(tile.cells[column, at], 0)
            sizes = shapes[value, SIZES]
            tile.masks[2 * text, at], tile.masks[2 * text + 1, at] = shapes[value, LOW], shapes[value, HIGH]
            tile.beginnings[text, at] = np.uint32(shapes[value, BEGINNING])
            length = length_of(sizes)
            tile.shapes[3 * text + SPARE, at] = spare_of(sizes)
            tile.shapes[3 * text + LENGTH, at] = length
            tile.shapes[3 * text + INVERSE, at] = np.float32(1.0) / max(length, np.float32(1.0))
    if birth >= 0:
        for at in range(len(records)):
            value = max(tile.cells[birth, at], 0)
            for fact in range(6):
                tile.dates[fact, at] = dates[value, fact]


@inlined
def length_of(sizes: np.uint64) -> np.float32:
    """Return how long a text is."""
    return np.float32(sizes & _U(0xFFFFFFFF))


@inlined
def spare_of(sizes: np.uint64) -> np.float32:
    """Return how many letters of a text its masks leave out."""
    return np.float32(sizes >> _U(32))
