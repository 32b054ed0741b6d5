"""The embedded PostgreSQL server of one home: started when needed, found when running, stopped when asked."""

from __future__ import annotations

import fcntl
import logging
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import WarehouseError
from pipelines.settings import Settings, load_settings
from pipelines.warehouse.server_config import (
    BULK_WORK,
    HBA,
    LOCAL_ONLY,
    QUIET_LOG,
    render_config,
    render_ident,
)
from pipelines.warehouse.server_files import (
    SOCKET_NAME,
    ServerFiles,
    ensure_system_user,
    locate,
    make_folders,
    make_parent,
    programs,
)

SUPERUSER = "postgres"
START_SECONDS = 60
READY = "ready"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerStatus:
    """What is known about the embedded server without connecting to it."""

    data: Path
    is_initialised: bool
    is_running: bool
    pid: int | None
    socket: Path


def server_status(settings: Settings | None = None) -> ServerStatus:
    """Return the state of the embedded server of this home; starts and changes nothing."""
    files = locate((settings or load_settings()).home)
    pid = _running_pid(files)
    return ServerStatus(files.data, (files.data / "PG_VERSION").exists(), pid is not None, pid, files.socket)


def start_server(settings: Settings | None = None, extra: Mapping[str, str] | None = None) -> ServerStatus:
    """Return the running embedded server of this home, made and started where it is not; safe to call at once.

    `extra` are server settings for a server that is made now.

    Raises:
        WarehouseError: the wheel is missing, or the server does not start.
    """
    settings = settings or load_settings()
    files = locate(settings.home)
    if _running_pid(files) is None:
        if files.system_user is not None:
            ensure_system_user()
        with _starting(files):
            make_folders(files)
            if not _is_made(files):
                _initialise(files, extra or {})
            if _running_pid(files) is None:
                _start(files)
    return server_status(settings)


def stop_server(settings: Settings | None = None) -> bool:
    """Return whether a running embedded server of this home was stopped; open sessions are ended."""
    files = locate((settings or load_settings()).home)
    if _running_pid(files) is None:
        return False
    _run(files, "pg_ctl", "-w", "-m", "fast", "-D", str(files.data), "stop")
    return True


def delete_server(settings: Settings | None = None) -> None:
    """Stop the embedded server of this home and delete its data for good."""
    files = locate((settings or load_settings()).home)
    stop_server(settings)
    for folder in {files.data, files.socket}:
        shutil.rmtree(folder, ignore_errors=True)
    if files.system_user is not None:
        shutil.rmtree(files.data.parent, ignore_errors=True)


def _is_made(files: ServerFiles) -> bool:
    """Return whether the data folder was made to the end: the identity map is the last file written."""
    return (files.data / "joinedup.conf").exists()


def _running_pid(files: ServerFiles) -> int | None:
    """Return the process id of the server when it accepts connections, else None."""
    try:
        lines = (files.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[0])
        # After a crash the files may stay behind and the process id be another's: only an answer counts.
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(files.socket / SOCKET_NAME))
    except (OSError, ValueError, IndexError):
        return None
    return pid if len(lines) >= 8 and lines[7].strip() == READY else None


@contextmanager
def _starting(files: ServerFiles) -> Iterator[None]:
    """Hold the right to make and start the server; other processes wait here."""
    with (make_parent(files) / ".postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _initialise(files: ServerFiles, extra: Mapping[str, str]) -> None:
    """Make a new data folder with our configuration."""
    for path in files.data.iterdir():  # left by a start that was killed half way
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if files.system_user is not None:
        log.warning("Running as root: the embedded PostgreSQL keeps its data in %s", files.data)
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    _run(files, "initdb", "--auth=peer", *locale, "-U", SUPERUSER, "-D", str(files.data))
    (files.data / "pg_hba.conf").write_text(HBA, encoding="utf-8")
    users = tuple(
        dict.fromkeys(name for name in (pwd.getpwuid(os.geteuid()).pw_name, files.system_user) if name)
    )
    (files.data / "pg_ident.conf").write_text(render_ident(users), encoding="utf-8")
    with (files.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\ninclude 'joinedup.conf'\n")
    socket = {"unix_socket_directories": str(files.socket)}
    text = render_config(LOCAL_ONLY, QUIET_LOG, BULK_WORK, socket, extra)
    partial = files.data / "joinedup.conf.new"
    partial.write_text(text, encoding="utf-8")
    partial.chmod(0o644)  # inside a folder of mode 0700; the server's user must read it
    partial.rename(files.data / "joinedup.conf")


def _start(files: ServerFiles) -> None:
    """Start the server and wait until it accepts connections; it outlives this process."""
    waiting = ("-w", "-t", str(START_SECONDS))
    _run(files, "pg_ctl", *waiting, "-l", str(files.log), "-D", str(files.data), "start")


def _run(files: ServerFiles, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs as the server's user.

    Raises:
        WarehouseError: it fails; its output is in the server's log or says why.
    """
    as_user: dict[str, Any] = {}
    if files.system_user is not None:
        as_user = {"user": files.system_user, "group": files.system_user, "extra_groups": []}
    done = subprocess.run(  # noqa: S603 - fixed programs from the wheel
        [str(programs() / program), *arguments],
        stdin=subprocess.DEVNULL,
        # The server inherits these: a pipe would keep the caller waiting for its end.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        check=False,
        **as_user,
    )
    if done.returncode != 0:
        raise WarehouseError(f"{program} failed with exit code {done.returncode}; see {files.log}")
