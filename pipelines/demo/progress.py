"""Progress for a person who waits: a spinner in a terminal, plain lines in a log, always with the time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Step:
    """One step under way; `detail` says what it is busy with."""

    def __init__(self, progress: Progress, title: str, status: Status | None) -> None:
        self._progress, self._title, self._status = progress, title, status
        self._detail = ""

    def detail(self, text: str) -> None:
        """Show what the step is busy with at the moment."""
        if text == self._detail:
            return
        self._detail = text
        line = self._progress.line(f"{self._title}: {text}" if text else self._title)
        if self._status is not None:
            self._status.update(line)
        elif text:
            self._progress.console.print(line)


class Progress:
    """Shows the steps of a long command; every line begins with the seconds since its start."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._started

    def line(self, text: str) -> str:
        """Return the text with the elapsed time before it."""
        return f"[dim]{self.seconds:6.1f} s[/]  {text}"

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while its block runs, then how long it took."""
        began = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(self.line(title)) as status:
                yield Step(self, title, status)
        else:
            self.console.print(self.line(f"{title} ..."))
            yield Step(self, title, None)
        self.console.print(self.line(f"{title} [dim]({time.monotonic() - began:.1f} s)[/]"))
