"""The archive and the periods: small rules of ingest that need no database."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from pipelines.errors import DeliveryRejected, WarehouseError
from pipelines.ingest import archive
from pipelines.periods import (
    day_of_next_month,
    period_end,
    period_of,
    previous_period,
    require_period,
)


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    path = tmp_path / "delivered.csv"
    path.write_bytes(b"some bytes\n" * 1000)
    return path


def test_a_file_is_kept_unchanged_under_its_hash(delivered: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    copy = archive.copy_in(delivered, "person", folder, "police-2026-09")
    kept = folder / archive.keep(copy, folder)
    expected = hashlib.sha256(delivered.read_bytes()).hexdigest()
    assert (copy.sha256, copy.size) == (expected, 11_000)
    assert kept == archive.verified(folder, expected)
    assert kept.read_bytes() == delivered.read_bytes()


def test_the_same_bytes_are_kept_once(delivered: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    kept = {archive.keep(archive.copy_in(delivered, "person", folder, "a"), folder) for _ in range(2)}
    assert len(kept) == 1
    assert sum(path.is_file() for path in folder.rglob("*")) == 1


def test_a_file_that_changes_while_it_is_read_is_refused(
    delivered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter([(11_000, 1, 1), (11_000, 2, 1)])
    monkeypatch.setattr(archive, "_state", lambda path: next(states))
    with pytest.raises(DeliveryRejected, match="STILL_CHANGING"):
        archive.copy_in(delivered, "person", tmp_path / "archive", "a")
    assert list((tmp_path / "archive" / "incoming").iterdir()) == []


def test_what_a_killed_process_left_is_swept_by_its_owner_only(delivered: Path, tmp_path: Path) -> None:
    for owner in ("police-2026-09", "health-2026-09"):
        archive.copy_in(delivered, "person", tmp_path, owner)
    assert archive.sweep_incoming(tmp_path, "police-2026-09") == 1
    assert [path.name.split(".")[0] for path in (tmp_path / "incoming").iterdir()] == ["health-2026-09"]


def test_a_lost_file_is_told_by_its_hash(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="ab12"):
        archive.verified(tmp_path, "ab12")


@pytest.mark.parametrize(
    ("content", "mark", "looks_like_utf8"),
    [
        (b"plain", None, False),
        ("Zoë".encode(), None, True),
        ("Zoë".encode("cp1252"), None, False),
        ("Zoë".encode("utf-8-sig"), "utf-8", True),
        ("Zoë".encode("utf-16"), "utf-16", False),
        (b"", None, False),
    ],
)
def test_the_bytes_tell_their_encoding(
    content: bytes, mark: str | None, looks_like_utf8: bool, tmp_path: Path
) -> None:
    path = tmp_path / "delivered.csv"
    path.write_bytes(content)
    copy = archive.copy_in(path, "person", tmp_path / "archive", "a")
    assert (copy.mark, copy.looks_like_utf8) == (mark, looks_like_utf8)


def test_a_sign_that_two_blocks_share_is_still_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BLOCK", 3)
    path = tmp_path / "delivered.csv"
    path.write_bytes("abëëëc".encode())
    assert archive.copy_in(path, "person", tmp_path / "archive", "a").looks_like_utf8


def test_periods_are_months() -> None:
    assert period_end("2028-02") == date(2028, 2, 29)
    assert day_of_next_month("2026-12", 5) == date(2027, 1, 5)
    assert (previous_period("2026-01"), previous_period("2026-10")) == ("2025-12", "2026-09")
    assert (period_of("20260930", "%Y%m%d"), period_of("20260931", "%Y%m%d")) == ("2026-09", None)


@pytest.mark.parametrize("text", ["2026-13", "2026-9", "202609", "2026-09-01", ""])
def test_other_texts_are_no_periods(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM"):
        require_period(text)
