"""Settings, read once from the environment: where state lives, which warehouse, which rules are relaxed."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
MINIMUM_KEY_LENGTH = 16


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between a laptop, CI and production."""

    home: Path
    warehouse_url: str | None
    allow_synthetic: bool
    auto_approve: bool
    schemas_dir: Path
    expectations_dir: Path

    @property
    def inbox_dir(self) -> Path:
        """Where agencies drop their files, one folder per agency."""
        return self.home / "inbox"

    @property
    def archive_dir(self) -> Path:
        """Raw files, unchanged, under their SHA-256."""
        return self.home / "archive"

    @property
    def reports_dir(self) -> Path:
        """Expectation reports and GX Data Docs."""
        return self.home / "reports"

    @property
    def truth_dir(self) -> Path:
        """The truth about a synthetic population; no stage reads it."""
        return self.home / "truth"

    @cached_property
    def key(self) -> bytes:
        """The secret behind record ids and pseudonyms; made once per home unless JOINEDUP_KEY is set."""
        given = os.environ.get("JOINEDUP_KEY", "")
        if given:
            if len(given) < MINIMUM_KEY_LENGTH:
                raise SettingsError(f"JOINEDUP_KEY must have at least {MINIMUM_KEY_LENGTH} characters")
            return given.encode()
        return _kept_key(self.home / "key")


def _kept_key(path: Path) -> bytes:
    """Return the key kept in `path`, made on first use with mode 0600."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
    return path.read_bytes()


def _flag(name: str, default: bool) -> bool:
    """Return a yes/no setting from the environment."""
    text = os.environ.get(name, "").strip().lower()
    if text in {"", None}:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{name} must be one of 1, 0, true, false, yes, no, on, off")


def load_settings() -> Settings:
    """Return the settings of this process, from `JOINEDUP_*` environment variables."""
    home = Path(os.environ.get("JOINEDUP_HOME") or PROJECT_ROOT / ".joinedup").expanduser().resolve()
    return Settings(
        home=home,
        warehouse_url=os.environ.get("JOINEDUP_WAREHOUSE_URL") or None,
        allow_synthetic=_flag("JOINEDUP_ALLOW_SYNTHETIC", default=False),
        auto_approve=_flag("JOINEDUP_AUTO_APPROVE", default=False),
        schemas_dir=Path(os.environ.get("JOINEDUP_SCHEMAS_DIR") or PROJECT_ROOT / "schemas"),
        expectations_dir=Path(os.environ.get("JOINEDUP_EXPECTATIONS_DIR") or PROJECT_ROOT / "expectations"),
    )
