"""Where the columns of a fixed-width file stand: every one somewhere, no two at the same place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from pipelines.contracts.columns import Column, FileFormat


def placing_problems(form: FileFormat, columns: Mapping[str, Column], place: str) -> Iterator[str]:
    """Yield what is wrong with the places of a file's columns; `place` is the key that they stand under."""
    if form.kind != "fixed_width":
        for name, column in columns.items():
            if column.at is not None:
                yield f"{place}.{name}.at: is for files of kind fixed_width"
        return
    placed = []
    for name, column in columns.items():
        if column.absent:
            continue
        if column.at is None:
            yield f"{place}.{name}.at: expected, as [first sign from 1, how many signs]"
        else:
            placed.append((column.at[0], column.at[0] + column.at[1], name))
    for (_, end, name), (start, _, other) in pairwise(sorted(placed)):
        if start < end:
            yield f"{place}.{other}.at: overlaps {name}"
