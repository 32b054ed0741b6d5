"""The console of commands that print tables."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH_OF_A_FILE = 110


def wide_console() -> Console:
    """Return a console as wide as the terminal, or wide enough for the tables where the output goes to a file."""
    return Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
