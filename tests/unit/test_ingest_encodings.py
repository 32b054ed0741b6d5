"""The encodings that agencies agree on, with and without a mark, and what tells that a file is in another."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from support.formats import delimited, file_of, read_bytes, rules

from pipelines.ingest import archive
from pipelines.ingest.checks import check_bytes

ROWS = [("Zoë", "O’Neill", "£"), ("line\nbreak", '"', ",")]
TEXT = delimited(ROWS).decode()

SAME = {
    "UTF-8": ("utf-8", TEXT.encode()),
    "UTF-8 with mark": ("utf-8", TEXT.encode("utf-8-sig")),
    "UTF-8 by another name": ("utf8", TEXT.encode("utf-8-sig")),
    "Windows-1252": ("windows-1252", TEXT.encode("cp1252")),
    "UTF-16 with the mark of little-endian": ("utf-16", codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")),
    "UTF-16 with the mark of big-endian": ("utf-16", codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be")),
    "UTF-16 LE": ("utf-16-le", TEXT.encode("utf-16-le")),
    "UTF-16 BE": ("utf-16-be", TEXT.encode("utf-16-be")),
    "UTF-16 LE with mark": ("utf-16-le", codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")),
    "UTF-16 LE agreed, BE marked": ("utf-16-le", codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be")),
}


@pytest.mark.parametrize(("encoding", "content"), SAME.values(), ids=SAME.keys())
def test_what_is_agreed_is_read(encoding: str, content: bytes, tmp_path: Path) -> None:
    file = file_of("delimited", encoding=encoding)
    assert read_bytes(content, file)[0] == ROWS
    assert problems_of(content, encoding, tmp_path) == []


@pytest.mark.parametrize(
    ("encoding", "content", "rule"),
    [
        ("utf-8", TEXT.encode("cp1252"), "BAD_BYTES"),
        ("utf-16", TEXT.encode("utf-16") + b"x", "BAD_BYTES"),
        ("utf-16-le", b"\x00\xd8" + TEXT.encode("utf-16-le"), "BAD_BYTES"),
        ("utf-8", TEXT.encode("utf-16-le"), "NUL_BYTES"),
        ("windows-1252", TEXT.encode("cp1252") + b"\x81", "BAD_BYTES"),
    ],
)
def test_other_bytes_are_told_while_they_are_read(encoding: str, content: bytes, rule: str) -> None:
    assert rule in rules(read_bytes(content, file_of("delimited", encoding=encoding))[2])


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("windows-1252", TEXT.encode()),
        ("windows-1252", TEXT.encode("utf-8-sig")),
        ("utf-8", TEXT.encode("utf-16")),
        ("utf-16", TEXT.encode("utf-8-sig")),
    ],
)
def test_other_encodings_are_told_before_anything_is_read(
    encoding: str, content: bytes, tmp_path: Path
) -> None:
    assert problems_of(content, encoding, tmp_path) == ["WRONG_ENCODING"]


def problems_of(content: bytes, encoding: str, folder: Path) -> list[str]:
    path = folder / "file.csv"
    path.write_bytes(content)
    copy = archive.copy_in(path, "person", folder / "archive", "a")
    return [problem.rule for problem in check_bytes(copy, "person", file_of("delimited", encoding=encoding))]
