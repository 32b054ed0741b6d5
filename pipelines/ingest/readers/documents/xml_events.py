"""XML into a builder: what the parser meets, without namespaces, and with nothing fetched or expanded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO

from lxml import etree

from pipelines.ingest.readers.batches import LONGEST_FIELD
from pipelines.ingest.readers.documents.builder import Builder
from pipelines.ingest.readers.documents.json_source import CHUNK
from pipelines.ingest.readers.documents.tree import DocumentError, Value

# Attributes about the document itself, such as where its schema is.
_ABOUT = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")


class XmlTarget:
    """What lxml tells as it parses, passed on to a builder. The root's own name is not part of any path."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._depth = 0
        self._waiting: str | None = (
            None  # an element without attributes of which it is not known what is in it
        )
        self._is_empty = False  # nothing but text stood in the innermost element
        self._text: list[str] = []
        self._length = 0

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        """Refuse a document type: it is what entities are declared in, and nobody sends one in earnest."""
        raise DocumentError(
            "XML_ENTITIES", "the document declares a document type or entities; it was not read"
        )

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take the beginning of an element."""
        self._begin_waiting()
        self._forget_text()
        self._is_empty = True
        self._depth += 1
        if self._depth == 1:
            self._builder.begin()
            self._take(attributes)
        elif attributes:
            self._builder.name(_local(tag))
            self._builder.begin()
            self._take(attributes)
        else:
            self._waiting = _local(tag)

    def data(self, text: str) -> None:
        """Take text; only that of an element without elements in it is used."""
        if self._length <= LONGEST_FIELD:  # what is longer is of no use, and need not be held
            self._text.append(text)
            self._length += len(text)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self._depth -= 1
        if self._waiting is not None:
            self._builder.name(self._waiting)
            self._builder.leaf("".join(self._text))
            self._waiting = None
        else:
            if self._is_empty:
                self._builder.text("".join(self._text))
            self._builder.end()
        self._is_empty = False
        self._forget_text()

    def close(self) -> None:
        """Take the end of the document."""

    def _begin_waiting(self) -> None:
        if self._waiting is not None:
            self._builder.name(self._waiting)
            self._builder.begin()
            self._waiting = None

    def _forget_text(self) -> None:
        self._text.clear()
        self._length = 0

    def _take(self, attributes: Mapping[str, str]) -> None:
        for name, text in attributes.items():
            if not name.startswith(_ABOUT):
                self._builder.name("@" + _local(name))
                # With entities off the parser leaves every & of an attribute as this reference.
                self._builder.value(text.replace("&#38;", "&"))


def xml_units(stream: IO[bytes], builder: Builder) -> Iterator[Value]:
    """Yield the units of an XML document.

    Raises:
        DocumentError: it is not well-formed, breaks off, or declares a document type. The parser's own messages
            repeat what stands in the file and are not passed on.
    """
    target = XmlTarget(builder)
    parser = etree.XMLParser(
        target=target,
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        dtd_validation=False,
    )
    is_read, is_blank = False, True
    try:
        while piece := stream.read(CHUNK):
            is_blank = is_blank and not piece.strip()
            parser.feed(piece)
            yield from builder.done
            builder.done.clear()
        is_read = True
        parser.close()
    except etree.XMLSyntaxError as error:
        if is_blank:
            raise DocumentError("EMPTY_FILE", "the file holds no document") from None
        raise _error(error, is_read) from None
    yield from builder.done
    builder.done.clear()


def _error(error: etree.XMLSyntaxError, is_read: bool) -> DocumentError:
    """Return the problem of a document that the parser gave up."""
    if error.code == etree.ErrorTypes.ERR_DOCUMENT_EMPTY:
        return DocumentError("WRONG_FILE", "the text does not begin as XML does")
    if is_read:
        return DocumentError("TRUNCATED", "the document is not complete; the file seems to be cut short")
    if error.code in (etree.ErrorTypes.ERR_INVALID_ENCODING, etree.ErrorTypes.ERR_INVALID_CHAR):
        return DocumentError(
            "BAD_BYTES", f"line {error.lineno} holds a byte that is no character of the encoding"
        )
    return DocumentError("BAD_XML", f"the text is not well-formed XML, first seen in line {error.lineno}")


def _local(tag: str) -> str:
    """Return a name without its namespace."""
    return tag.rpartition("}")[2]
