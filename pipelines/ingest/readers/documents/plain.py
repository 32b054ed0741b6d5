"""A plain copy of the elements of a JSON document that are to be checked whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ijson

from pipelines.ingest.readers.documents.builder import EACH, LARGEST_UNIT, Builder

_OPENING = frozenset({"start_map", "start_array"})
_CLOSING = frozenset({"end_map", "end_array"})


class PlainCopy:
    """Copies each element that the builder is to check; `value` is the last one, None when it was too large."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self.value: Any = None

    def watch(self, events: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Yield the events, which the builder takes before it asks for the next."""
        for event in events:
            yield event
            if event[0] == "start_map" and self._builder.is_in_checked:
                yield from self._copy(events)

    def _copy(self, events: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Yield the events of one element, whose beginning has passed, and copy them."""
        building = ijson.ObjectBuilder()
        building.event("start_map", None)
        depth, size = 1, 0
        for event, value in events:
            depth += (event in _OPENING) - (event in _CLOSING)
            size += EACH + (len(value) if isinstance(value, str) else 0)
            if size <= LARGEST_UNIT:
                building.event(event, value)
            if depth == 0:
                self.value = building.value if size <= LARGEST_UNIT else None
            yield event, value
            if depth == 0:
                return
