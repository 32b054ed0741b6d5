"""The reader of FHIR R4 in JSON: a bundle, a bulk export of one resource to a line, or a resource on its own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from pipelines.ingest.readers.documents.builder import Builder
from pipelines.ingest.readers.documents.fhir_check import check_resource
from pipelines.ingest.readers.documents.json_events import Event, events_of
from pipelines.ingest.readers.documents.json_lines import lines_of
from pipelines.ingest.readers.documents.json_reader import JsonReader
from pipelines.ingest.readers.documents.json_source import first_sign
from pipelines.ingest.readers.documents.plain import PlainCopy
from pipelines.ingest.readers.documents.plan import Plan, make_plan
from pipelines.ingest.readers.documents.rows import KEPT_OF_RAW, Row
from pipelines.ingest.readers.documents.tree import OVERSIZED_ELEMENT, DocumentError, Element, Flaw

BUNDLE = "Bundle"
_BEFORE: tuple[Event, ...] = (
    ("start_map", None),
    ("map_key", "entry"),
    ("start_map", None),
    ("map_key", "resource"),
)
_BEHIND: tuple[Event, ...] = (("end_map", None), ("end_map", None))


class FhirReader(JsonReader):
    """Reads FHIR resources; each is validated, and one that is not what FHIR says is set aside with all its rows.

    A resource that is not in a bundle is read as the one entry of a bundle, so that one contract reads both.
    """

    _copy: PlainCopy
    _is_bundle = True

    def _rows(self) -> Iterator[Row]:
        first_sign(self._path, self._file.format.encoding)
        self._is_bundle = self._resource_type() == BUNDLE
        if not self._is_bundle and self._is_one_to_a_line():
            yield from self._rows_of_lines(make_plan(self._file, whole=True))
        else:
            yield from self._rows_of_document(make_plan(self._file))

    def _resource_type(self) -> Any:
        """Return what the first resource of the file says it is; None when it does not say so."""
        depth, is_next = 0, False
        with self._open() as source:
            try:
                for event, value in events_of(source):
                    if is_next:
                        return value
                    depth += (event == "start_map") - (event == "end_map")
                    is_next = depth == 1 and event == "map_key" and value == "resourceType"
            except DocumentError:
                return None  # met again, and told, when the file is read
        return None

    def _is_one_to_a_line(self) -> bool:
        with self._open(is_checked=False) as source:
            first = next(lines_of(source), None)
        return first is not None and first.data.strip().startswith(b"{") and first.data.strip().endswith(b"}")

    def _builder(self, plan: Plan, before: Builder | None = None) -> Builder:
        builder = super()._builder(plan, before)
        builder.check = self._check
        self._copy = PlainCopy(builder)
        return builder

    def _events(self, source: io.IOBase, builder: Builder) -> Iterator[Event]:
        events = events_of(source)
        return self._copy.watch(events if self._is_bundle else _as_entry(events))

    def _check(self, _: Element) -> Flaw | None:
        """Return why the resource that was read last cannot be used."""
        resource = self._copy.value
        if resource is None:
            return Flaw(OVERSIZED_ELEMENT)
        reason = check_resource(resource)
        return None if reason is None else Flaw(reason, _raw(resource))


def _as_entry(events: Iterator[Event]) -> Iterator[Event]:
    """Yield the events of a resource as those of a bundle with that one entry."""
    yield from _BEFORE
    yield from events
    yield from _BEHIND


def _raw(resource: Any) -> str:
    text = json.dumps(resource, ensure_ascii=False, default=str)[:KEPT_OF_RAW]
    return text.replace("\\u0000", "\N{REPLACEMENT CHARACTER}")
