"""The demo's settings go into a home of its own, and never beside what may be real."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.demo.home import DEMO_MARK, prepare_demo_home, remove_demo_settings
from pipelines.errors import SettingsError
from pipelines.settings import PROJECT_ROOT, load_settings, settings_file
from pipelines.warehouse.server import server_status


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that does not exist yet."""
    for name in [name for name in os.environ if name.startswith("JOINEDUP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JOINEDUP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def put(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_new_home_gets_the_demo_settings_and_is_closed_to_others(home: Path) -> None:
    prepare_demo_home()
    settings = load_settings()
    assert settings.allow_synthetic and settings.auto_approve
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_second_demo_finds_its_own_home_again(home: Path) -> None:
    prepare_demo_home()
    for path in ("key", "archive/ab/cd", "inbox/police/file.csv"):
        put(home / path)
    prepare_demo_home()
    assert settings_file(home).read_text(encoding="utf-8").startswith(DEMO_MARK)


@pytest.mark.parametrize(
    ("what", "path"),
    [
        ("a key", "key"),
        ("an archive", "archive/ab/cd"),
        ("an inbox with files", "inbox/police/NOMINAL_202610.csv"),
        ("settings.env", "settings.env"),
    ],
)
def test_a_home_that_may_hold_real_people_is_refused_and_left_alone(home: Path, what: str, path: str) -> None:
    put(home / path)
    with pytest.raises(SettingsError, match=what):
        prepare_demo_home()
    assert (home / path).read_text(encoding="utf-8") == "x"
    assert path == "settings.env" or not settings_file(home).exists()


def test_a_home_with_a_warehouse_is_refused(home: Path) -> None:
    data = server_status().data
    put(data / "PG_VERSION", "18")
    try:
        with pytest.raises(SettingsError, match="an embedded server"):
            prepare_demo_home()
    finally:
        shutil.rmtree(data.parent if data.parent != home else data)


def test_a_warehouse_of_ones_own_is_refused_also_in_the_demo_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_demo_home()
    monkeypatch.setenv("JOINEDUP_WAREHOUSE_URL", "postgresql://etl:secret@db/joinedup")
    with pytest.raises(SettingsError, match="JOINEDUP_WAREHOUSE_URL") as refused:
        prepare_demo_home()
    assert "secret" not in str(refused.value)


def test_what_deletes_a_warehouse_deletes_the_demo_settings_and_no_others(home: Path) -> None:
    prepare_demo_home()
    assert remove_demo_settings()
    assert not settings_file(home).exists()
    put(settings_file(home), "JOINEDUP_AUTO_APPROVE=0")
    assert not remove_demo_settings()
    assert settings_file(home).exists()


def test_make_leaves_nothing_of_a_demo_behind(home: Path) -> None:
    """What `clean-warehouse` deletes by name is everything that a home holds; only the server is not made here."""
    prepare_demo_home()
    parts = ("inbox", "archive", "truth", "reports", "gx", "demo", "airflow")
    for part in parts:
        put(home / part / "file")
    for file in ("key", "inbox-state.json"):
        put(home / file)
    installed = home.parent / "installed"  # newer than what it would be made from: nothing is installed
    installed.touch()
    variables = (f"BIN={Path(sys.executable).parent}", f"INSTALLED={installed}", "CONFIRM=yes")
    make = ["make", "-C", str(PROJECT_ROOT), "clean-warehouse", *variables]
    done = subprocess.run(make, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert not home.exists()
