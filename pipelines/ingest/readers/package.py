"""What is checked about a workbook before it is opened: that it is one, that its parts are small and plain XML."""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from openpyxl.packaging.manifest import Manifest
from openpyxl.xml.constants import ARC_STYLE, ARC_WORKBOOK, ARC_WORKBOOK_RELS, SHARED_STRINGS
from openpyxl.xml.functions import fromstring

from pipelines.ingest.content import BLOCK, OLE_MARK, WORKBOOK_PART
from pipelines.ingest.packing import PackingError, check_growth, told_as_packing_error
from pipelines.ingest.zip_file import ZIP_MARKS, require_readable
from pipelines.settings import load_settings

LARGEST_TEXTS = 128 << 20  # bytes of the texts that all sheets share: they are held in memory
LARGEST_PART = 4 << 20  # bytes of the other parts that are read whole: styles, names, where the sheets are
_READ_WHOLE = {WORKBOOK_PART, ARC_STYLE, ARC_WORKBOOK, ARC_WORKBOOK_RELS}
_WORKBOOK_TYPE = ".main+xml"
_XML = (".xml", ".rels")
_PASSWORD = "EncryptedPackage".encode("utf-16-le")  # how an Office file with a password names what is in it


def require_workbook(file: IO[bytes]) -> None:
    """Raise PackingError, saying what it is, when a file is no workbook; the file stays where it stood."""
    first = file.peek(len(OLE_MARK)) if hasattr(file, "peek") else b""
    if first.startswith(OLE_MARK):
        if _holds(file, _PASSWORD):
            raise PackingError("ENCRYPTED", "the workbook is protected by a password; send it without")
        raise PackingError(
            "WRONG_KIND", "this is an old Office file, such as .xls; expected a workbook, .xlsx"
        )
    if not first.startswith(ZIP_MARKS):
        raise PackingError("WRONG_KIND", "this is no workbook; expected one, .xlsx")


def _holds(file: IO[bytes], wanted: bytes) -> bool:
    """Return whether bytes stand anywhere in a file, read block by block."""
    kept = b""
    while block := file.read(BLOCK):
        if wanted in kept + block:
            return True
        kept = block[-len(wanted) :]
    return False


def check_parts(package: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Raise PackingError for parts that cannot be read, are too large, or declare entities."""
    members = {member.filename: member for member in package.infolist()}
    if WORKBOOK_PART not in members:
        raise PackingError("WRONG_KIND", "this is a zip, and no workbook is in it; expected one, .xlsx")
    file.seek(0, os.SEEK_END)
    check_growth(file.tell(), sum(member.file_size for member in package.infolist()), load_settings())
    for name, member in members.items():
        require_readable(member)
        if name in _READ_WHOLE:
            _check_size(member, LARGEST_PART)
        if name.lower().endswith(_XML):
            with told_as_packing_error(), package.open(member) as part:
                if _declares_entities(part.read(BLOCK)):
                    raise PackingError("XML_ENTITIES", "a part of the workbook declares a document type")
    with told_as_damage():
        declared = Manifest.from_tree(fromstring(package.read(WORKBOOK_PART))).Override
    for part in declared:
        held = members.get(part.PartName[1:])
        if held is not None and part.ContentType == SHARED_STRINGS:
            _check_size(held, LARGEST_TEXTS)
        elif held is not None and part.ContentType.endswith(_WORKBOOK_TYPE):
            _check_size(held, LARGEST_PART)
    file.seek(0)


def _check_size(member: zipfile.ZipInfo, largest: int) -> None:
    if member.file_size > largest:
        raise PackingError("ZIP_BOMB", f"a part of the workbook is larger than {largest >> 20} MiB")


def _declares_entities(beginning: bytes) -> bool:
    """Return whether XML declares a document type, which no workbook may; ECMA-376 Part 2, 8.1.4."""
    text = beginning.replace(b"\0", b"")  # as in UTF-16
    return b"<!DOCTYPE" in text or b"<!ENTITY" in text


@contextmanager
def told_as_damage() -> Iterator[None]:
    """Turn whatever openpyxl raises for a damaged workbook into a PackingError; its words may hold a value.

    Its parsers were not made for damaged files and raise what Python happens to, so all of it is caught; it also
    warns of cells in words that hold what stands in them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except PackingError:
        raise
    except Exception as error:
        if type(error).__module__.startswith("defusedxml"):
            raise PackingError("XML_ENTITIES", "a part of the workbook declares a document type") from None
        raise PackingError(
            "DAMAGED_WORKBOOK", "the workbook cannot be read; it seems to be damaged"
        ) from None
