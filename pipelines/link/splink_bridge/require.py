"""Splink is an extra: where it is not installed, the error says how to get it."""

from __future__ import annotations

from importlib.util import find_spec

from pipelines.errors import LinkageError


def require_splink() -> None:
    """Return nothing when Splink is installed.

    Raises:
        LinkageError: Splink is not installed; the text says how to install it.
    """
    if find_spec("splink") is None:
        raise LinkageError("Splink is not installed: pip install 'joinedup[splink]'")
