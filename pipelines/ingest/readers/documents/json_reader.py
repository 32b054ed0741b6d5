"""The readers of JSON: one document of any size or an array of documents, and one document to a line."""

from __future__ import annotations

import io
from collections.abc import Iterator

from pipelines.ingest.readers.documents.builder import Builder, HeadBuilder
from pipelines.ingest.readers.documents.json_events import Event, events_of, units_of
from pipelines.ingest.readers.documents.json_lines import JsonLine, lines_of
from pipelines.ingest.readers.documents.json_source import CHUNK, JsonSource, first_sign
from pipelines.ingest.readers.documents.plan import Plan, make_plan
from pipelines.ingest.readers.documents.reader import DocumentReader
from pipelines.ingest.readers.documents.rows import Row
from pipelines.ingest.readers.documents.tree import DocumentError, Value


class JsonReader(DocumentReader):
    """Reads a JSON document as its contract describes it; of an array at the top each item is a document."""

    def _rows(self) -> Iterator[Row]:
        is_list = first_sign(self._path, self._file.format.encoding) == b"["
        yield from self._rows_of_document(make_plan(self._file, whole=is_list))

    def _rows_of_document(self, plan: Plan) -> Iterator[Row]:
        """Yield the rows of the file as one document, or as an array of documents."""
        head = self._head(plan)
        builder = self._builder(plan)
        with self._open() as source:
            yield from self._rows_of_units(self._units(source, builder), head, plan)
        self._finish(builder)

    def _rows_of_lines(self, plan: Plan) -> Iterator[Row]:
        """Yield the rows of the file as one document to a line."""
        builder = self._builder(plan)
        with self._open(is_checked=False) as source:
            for line in lines_of(source):
                if line.reason is None:
                    try:
                        # All of a line is parsed before anything of it is handed on.
                        units = list(self._units(io.BytesIO(line.data), builder))
                    except DocumentError as error:
                        builder = self._builder(plan, builder)
                        yield self._bad_line(line, error.rule)
                    else:
                        yield from self._rows_of_units(iter(units), None, plan)
                else:
                    yield self._bad_line(line, line.reason)
        self._finish(builder)

    def _bad_line(self, line: JsonLine, reason: str) -> Row:
        if not line.is_whole and reason in ("TRUNCATED", "BAD_JSON"):
            raise DocumentError("TRUNCATED", "the last line breaks off; the file seems to be cut short")
        return Row((), reason, line.raw)

    def _open(self, *, is_checked: bool = True) -> io.BufferedReader:
        return io.BufferedReader(
            JsonSource(self._path, self._file.format.encoding, is_checked=is_checked), CHUNK
        )

    def _builder(self, plan: Plan, before: Builder | None = None) -> Builder:
        """Return a builder of the plan's units, which knows what the one before met."""
        builder = Builder(plan.known)
        if before is not None:
            builder.unexpected = before.unexpected
            builder.is_first_step_met = before.is_first_step_met
        return builder

    def _events(self, source: io.IOBase, builder: Builder) -> Iterator[Event]:
        """Yield the events of one document, for a builder."""
        return events_of(source)

    def _units(self, source: io.IOBase, builder: Builder) -> Iterator[Value]:
        return units_of(self._events(source, builder), builder)

    def _head(self, plan: Plan) -> Value:
        """Return what the plan wants of the document itself, wherever it stands in the file."""
        if plan.head is None:
            return None
        with self._open() as source:
            return next(units_of(events_of(source), HeadBuilder(plan.head)), None)


class JsonLinesReader(JsonReader):
    """Reads a file of one JSON document to a line; a bad line is set aside and costs no other line."""

    def _rows(self) -> Iterator[Row]:
        yield from self._rows_of_lines(make_plan(self._file, whole=True))
