"""Plain words for numbers and names, the same on every page."""

from __future__ import annotations

_ABBREVIATIONS = {word.lower(): word for word in ("NHS", "UPN", "JSON", "ID")}


def title(name: str) -> str:
    """Return an identifier as a title: words, the first one with a capital."""
    words = " ".join(_ABBREVIATIONS.get(word, word) for word in name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def number(value: int | float | None) -> str:
    """Return a count with thousands set apart, or a dash where nothing was counted."""
    return "–" if value is None else f"{value:,.0f}"


def percent(share: float) -> str:
    """Return a share as a percentage, with as many decimals as it needs to be told from 0 and from 100."""
    points = share * 100
    if points in (0, 100):
        return f"{points:.0f}\u00a0%"
    decimals = 1 if 1 <= points <= 99 else 2
    shown = f"{points:.{decimals}f}"
    if float(shown) == 0:
        return "under 0.01\u00a0%"
    return "over 99.99\u00a0%" if float(shown) == 100 else f"{shown}\u00a0%"


def duration(seconds: float) -> str:
    """Return how long something took."""
    return f"{seconds:.0f}\u00a0s" if seconds < 120 else f"{seconds / 60:.0f}\u00a0minutes"
