"""Text folding that every rule starts from."""

from __future__ import annotations

import re

from anyascii import anyascii

_APOSTROPHES = re.compile(r"['`\u00b4]")
_SPACES = re.compile(r"\s+")
_SEPARATORS = re.compile(r"[\s\-.]+")
_WHOLE_FLOAT = re.compile(r"(\d+)\.0")


def fold(raw: str | None) -> str:
    """Return the text in upper-case ASCII with single spaces and no apostrophes; empty when there is none."""
    if not raw:
        return ""
    if raw.isascii():  # most texts: no letter needs another
        return " ".join(raw.replace("'", "").replace("`", "").upper().split())
    return _SPACES.sub(" ", _APOSTROPHES.sub("", anyascii(raw).upper())).strip()


def compact(raw: str | None) -> str:
    """Return the text in upper-case ASCII without spaces, hyphens and dots: how identifiers are compared.

    A spreadsheet's `9434765870.0` loses its decimals first.
    """
    text = fold(raw)
    whole = _WHOLE_FLOAT.fullmatch(text)
    return whole.group(1) if whole else _SEPARATORS.sub("", text)
