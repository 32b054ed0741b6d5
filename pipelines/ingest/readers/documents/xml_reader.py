"""The reader of XML."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.errors import Problem
from pipelines.ingest.content import open_content
from pipelines.ingest.readers.documents.builder import Builder, HeadBuilder
from pipelines.ingest.readers.documents.plan import Plan, make_plan
from pipelines.ingest.readers.documents.reader import DocumentReader
from pipelines.ingest.readers.documents.rows import Row
from pipelines.ingest.readers.documents.tree import Value
from pipelines.ingest.readers.documents.xml_events import xml_units
from pipelines.settings import load_settings


class XmlReader(DocumentReader):
    """Reads an XML document as its contract describes it.

    The encoding is that which the document itself declares, else UTF-8. What breaks the contract's schema is told
    as warnings; the file is read all the same.
    """

    def _rows(self) -> Iterator[Row]:
        plan = make_plan(self._file)
        builder = Builder(plan.known)
        head = self._head(plan)
        with open_content(self._path) as stream:
            yield from self._rows_of_units(xml_units(stream, builder), head, plan)
        self._finish(builder)

    def _head(self, plan: Plan) -> Value:
        """Return what the plan wants of the document itself, wherever it stands in the file."""
        if plan.head is None:
            return None
        with open_content(self._path) as stream:
            return next(xml_units(stream, HeadBuilder(plan.head)), None)

    def _look_again(self) -> list[Problem]:
        if self._file.format.xsd is None:
            return []
        # Imported only where there is a schema: it takes long.
        from pipelines.ingest.readers.documents.xsd import schema_report

        schema = load_settings().schemas_dir / "agencies" / self._file.format.xsd
        return schema_report(self._path, self._name, schema)
