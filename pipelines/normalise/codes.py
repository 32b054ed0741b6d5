"""Codes: an agency's code to ours, through a code map that is data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.normalise.text import fold

_LABEL_AFTER_CODE = re.compile(r"\s+-\s+|\s*:\s+")


@dataclass(frozen=True)
class MappedCode:
    """Our code, and whether the code map knew the agency's; a blank is known, even without a value."""

    value: str | None
    is_mapped: bool


def map_code(code_map: Mapping[str, str], raw: str | None) -> MappedCode:
    """Return our code for an agency's: as it stands, without a label ("WBRI - White British"), or by pattern.

    A code of the map that ends in `?` stands for any last character (the second one of an NHS ethnic
    category is local). Our own codes are another alphabet: do not map twice.
    """
    text = fold(raw)
    if not text:
        return MappedCode(code_map.get(""), is_mapped=True)
    for candidate in (text, _LABEL_AFTER_CODE.split(text, maxsplit=1)[0]):
        for key in (candidate, candidate[:-1] + "?"):
            if candidate and key in code_map:
                return MappedCode(code_map[key], is_mapped=True)
    return MappedCode(None, is_mapped=False)
