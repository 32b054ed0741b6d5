"""Rows of tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def row(cells: Sequence[str]) -> str:
    """Return the cells as one row of a table."""
    return f"| {' | '.join(cells)} |"


def head(cells: Sequence[str], texts: int = 1) -> list[str]:
    """Return the two rows that begin a table; after the first `texts` columns all hold numbers."""
    return [row(cells), row(["---"] * texts + ["---:"] * (len(cells) - texts))]
