"""Files inside gzip and zip: told by their bytes, read as streams, and refused when they are not what they seem."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.formats import HEADER, delimited, file_of, fixed_width, in_zip, read_bytes, rules, workbook

from pipelines.contracts.loader import load_contract
from pipelines.errors import DeliveryRejected
from pipelines.ingest import archive
from pipelines.ingest.checks import can_be_read, check_bytes, period_in_name
from pipelines.ingest.content import open_content
from pipelines.ingest.inbox import files_of

ROWS = [("a", "b", "c")]
PLAIN = delimited(ROWS)


def encrypted_zip() -> bytes:
    """A zip whose one member says that it is encrypted: bit 0 of its flags, in both places."""
    content = bytearray(in_zip(PLAIN))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def with_broken_checksum() -> bytes:
    content = bytearray(in_zip(PLAIN))
    directory = content.index(b"PK\x01\x02")
    content[directory + 16] ^= 0xFF
    return bytes(content)


def bomb(pack: Callable[[bytes], bytes]) -> bytes:
    return pack(",".join(HEADER).encode() + b"\n" + bytes(b"a" * 1000 + b"\n") * 30_000)


REFUSED: dict[str, tuple[bytes, str]] = {
    "a zip of several files": (in_zip(PLAIN, other=PLAIN), "ZIP_MEMBERS"),
    "a zip of no file": (b"PK\x05\x06" + bytes(18), "ZIP_MEMBERS"),
    "a zip with a password": (encrypted_zip(), "ENCRYPTED"),
    "a zip whose checksum does not fit": (with_broken_checksum(), "DAMAGED_ARCHIVE"),
    "a zip cut short": (in_zip(PLAIN)[:-30], "TRUNCATED"),
    "a zip inside a zip": (in_zip(in_zip(PLAIN)), "NESTED_ARCHIVE"),
    "a gzip inside a zip": (in_zip(gzip.compress(PLAIN)), "NESTED_ARCHIVE"),
    "a gzip inside a gzip": (gzip.compress(gzip.compress(PLAIN)), "NESTED_ARCHIVE"),
    "a gzip cut short": (gzip.compress(PLAIN)[:-9], "TRUNCATED"),
    "a gzip whose checksum does not fit": (gzip.compress(PLAIN)[:-8] + bytes(8), "DAMAGED_ARCHIVE"),
    "a gzip with something behind it": (gzip.compress(PLAIN) + b"more", "DAMAGED_ARCHIVE"),
    "a gzip bomb": (bomb(gzip.compress), "ZIP_BOMB"),
    "a zip bomb": (bomb(in_zip), "ZIP_BOMB"),
    "a workbook where text is expected": (workbook(ROWS), "WRONG_KIND"),
    "an old Office file where text is expected": (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
        "WRONG_KIND",
    ),
}


@pytest.mark.parametrize(("content", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(content: bytes, rule: str) -> None:
    rows, _, findings = read_bytes(content, file_of("delimited"))
    assert rules(findings) == [rule]
    assert (rows, findings.broke_off) == ([], True)


def test_a_zip_of_another_method_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("file.csv", PLAIN)
    _, _, findings = read_bytes(out.getvalue(), file_of("delimited"))
    assert rules(findings) == ["DAMAGED_ARCHIVE"]
    assert "deflate" in str(findings.problems[0])


def test_a_folder_in_a_zip_is_no_file() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.mkdir("extract")
        packed.writestr("extract/file.csv", PLAIN)
    assert read_bytes(out.getvalue(), file_of("delimited"))[0] == ROWS


def test_more_than_any_delivery_may_hold_is_refused_whatever_the_ratio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOINEDUP_UNPACKED_BYTES", "100")
    content = gzip.compress(delimited([(f"a{number}", "b", "c") for number in range(50)]))
    _, _, findings = read_bytes(content, file_of("delimited"))
    assert rules(findings) == ["ZIP_BOMB"]


def test_a_bomb_is_left_as_soon_as_it_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.ingest.packing.ALWAYS_ALLOWED", 100_000)
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    read = 0
    with pytest.raises(Exception, match="ZIP_BOMB"), open_content(path) as content:
        while block := content.read(1 << 16):
            read += len(block)
    assert read <= path.stat().st_size * 200


def test_a_zip_that_lists_a_hundred_thousand_files_is_not_even_listed() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for number in range(30_000):
            packed.writestr(f"file{number:030}.csv", b"")
    _, _, findings = read_bytes(out.getvalue(), file_of("delimited"))
    assert [(problem.rule, "far too many" in problem.message) for problem in findings.problems] == [
        ("ZIP_MEMBERS", True)
    ]


@pytest.mark.parametrize("name", ["file_202609.csv", "file_202609.csv.gz", "file_202609.csv.ZIP"])
def test_a_packed_file_may_be_named_for_how_it_is_packed(name: str) -> None:
    assert period_in_name(file_of("delimited"), name) == "2026-09"


@pytest.mark.parametrize("name", ["file_202609.csv.gz.zip", "file_202609.csv.rar", "file_202609.gz"])
def test_no_other_ending_is_taken_off(name: str) -> None:
    file = file_of("delimited").model_copy(update={"pattern": r"file_(?P<period>\d{6})\.csv"})
    assert period_in_name(file, name) is None


@pytest.mark.parametrize("pack", [gzip.compress, in_zip], ids=["gzip", "zip"])
def test_the_content_tells_the_encoding_and_the_archive_keeps_the_bytes_as_received(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    received = pack("Zoë".encode("utf-8-sig"))
    path = tmp_path / "file.csv"
    path.write_bytes(received)
    copy = archive.copy_in(path, "person", tmp_path, "a")
    assert (copy.mark, copy.looks_like_utf8, copy.size) == ("utf-8", True, len(received))
    latin = file_of("delimited", encoding="windows-1252")
    assert [problem.rule for problem in check_bytes(copy, "person", latin)] == ["WRONG_ENCODING"]
    assert (tmp_path / archive.keep(copy, tmp_path)).read_bytes() == received


def test_bytes_that_happen_to_look_like_utf8_once_packed_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(gzip.compress(PLAIN))
    copy = archive.copy_in(path, "person", tmp_path, "a")
    assert list(check_bytes(copy, "person", file_of("delimited", encoding="windows-1252"))) == []


def test_what_cannot_be_unpacked_is_told_for_each_of_the_files_that_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(in_zip(PLAIN, other=PLAIN))
    copy = archive.copy_in(path, "person", tmp_path, "a")
    for name in ("person", "address"):
        (problem,) = check_bytes(copy, name, file_of("delimited"))
        assert (problem.file, problem.rule) == (name, "ZIP_MEMBERS")
    assert not can_be_read(copy, file_of("delimited"))


def test_a_copy_that_is_several_files_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(PLAIN)
    copy = archive.copy_in(path, "person", tmp_path / "archive", "a")
    assert len({archive.keep(copy, tmp_path / "archive") for _ in range(3)}) == 1


def test_fixed_width_inside_gzip_is_read() -> None:
    assert read_bytes(gzip.compress(fixed_width(ROWS)), file_of("fixed_width"))[0] == ROWS


def test_the_same_file_packed_and_plain_is_two_files(tmp_path: Path) -> None:
    contract = load_contract("police")
    for name in ("NORTHSHIRE_NOMINAL_20260930.csv", "NORTHSHIRE_NOMINAL_20260930.csv.gz"):
        (tmp_path / name).write_bytes(PLAIN)
        if name.endswith(".csv"):
            assert list(files_of(contract, "2026-09", tmp_path)) == ["nominal"]
    with pytest.raises(DeliveryRejected, match="TWO_FILES"):
        files_of(contract, "2026-09", tmp_path)
