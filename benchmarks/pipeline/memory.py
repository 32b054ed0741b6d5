"""The memory that a contender takes: its processes and its PostgreSQL, what they share counted once (PSS)."""

from __future__ import annotations

from pathlib import Path

import psutil


class Meter:
    """Weighs the tree of a process together with the tree of the server that works on a data folder.

    The server is nobody's child: it is found by the process id in its data folder. Pages that several processes
    map, such as shared buffers, count in parts that add up to one. Linux only.
    """

    def __init__(self, pid: int, server_data: Path) -> None:
        self._pid, self._server = pid, server_data / "postmaster.pid"

    def bytes_now(self) -> int:
        """Return the bytes of all processes together."""
        processes: set[psutil.Process] = set()
        for root in (self._pid, self._server_pid()):
            if root is not None:
                processes |= _tree(root)
        return sum(_proportional(process.pid) for process in processes)

    def _server_pid(self) -> int | None:
        try:
            pid = int(self._server.read_text(encoding="utf-8").split()[0])
        except (FileNotFoundError, IndexError):  # not there yet, or just being written
            return None
        return (
            pid if pid > 0 else None
        )  # while the data folder is made it is one of the tree, and negative here


def _tree(pid: int) -> set[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return {root, *root.children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()


def _proportional(pid: int) -> int:
    """Return the proportional set size of a process; 0 for one that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
