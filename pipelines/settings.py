"""Settings, read once from the environment: where state lives, which warehouse, which rules are relaxed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipelines.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
MINIMUM_KEY_LENGTH = 16
CHANGE_BUDGET = 0.05  # an ordinary month of the synthetic population changes 2 %, by who is no longer sent
REVIEW_PAIRS = 10_000
UNPACKED_BYTES = 20_000_000_000
UNPACKED_RATIO = 200  # text of tables packs to a tenth or a thirtieth; a bomb to a thousandth


@dataclass(frozen=True)
class Settings:
    """Everything that may differ between a laptop, CI and production."""

    home: Path
    warehouse_url: str | None
    allow_synthetic: bool
    auto_approve: bool
    schemas_dir: Path
    expectations_dir: Path
    change_budget: float = CHANGE_BUDGET
    given_key: str = field(default="", repr=False)
    review_pairs: int = REVIEW_PAIRS
    unpacked_bytes: int = UNPACKED_BYTES
    unpacked_ratio: int = UNPACKED_RATIO

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
        if self.given_key:
            if len(self.given_key) < MINIMUM_KEY_LENGTH:
                raise SettingsError(f"JOINEDUP_KEY must have at least {MINIMUM_KEY_LENGTH} characters")
            return self.given_key.encode()
        return _kept_key(self.home / "key")


def make_home(home: Path) -> Path:
    """Return the home, made where it is not; other users may not enter what is made here."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def _kept_key(path: Path) -> bytes:
    """Return the key kept in `path`, made on first use with mode 0600."""
    if not path.exists():
        make_home(path.parent)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
    return path.read_bytes()


def _flag(values: Mapping[str, str], name: str, default: bool) -> bool:
    """Return a yes/no setting."""
    text = values.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{name} must be one of 1, 0, true, false, yes, no, on, off")


def _share(values: Mapping[str, str], name: str, default: float) -> float:
    """Return a setting that is a share, from 0 to 1."""
    text = values.get(name, "").strip()
    try:
        share = float(text) if text else default
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise SettingsError(f"{name} must be a share from 0 to 1, such as {default}")
    return share


def _count(values: Mapping[str, str], name: str, default: int) -> int:
    """Return a setting that is a whole number, 0 or more."""
    text = values.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal():
        raise SettingsError(f"{name} must be a whole number")
    return int(text)


def settings_file(home: Path) -> Path:
    """Return the file of a home that holds its settings, `NAME=value` a line; the environment wins over it."""
    return home / "settings.env"


def _values(home: Path) -> dict[str, str]:
    """Return the settings of the home's file, overruled by the environment."""
    path = settings_file(home)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (line.partition("=") for line in lines if line.strip() and not line.lstrip().startswith("#"))
    kept = {name.strip(): value.strip() for name, _, value in pairs}
    return kept | {name: value for name, value in os.environ.items() if name.startswith("JOINEDUP_")}


def load_settings() -> Settings:
    """Return the settings of this process: from `JOINEDUP_*` in the environment, else from the home's file."""
    home = Path(os.environ.get("JOINEDUP_HOME") or PROJECT_ROOT / ".joinedup").expanduser().resolve()
    values = _values(home)
    return Settings(
        home=home,
        warehouse_url=values.get("JOINEDUP_WAREHOUSE_URL") or None,
        allow_synthetic=_flag(values, "JOINEDUP_ALLOW_SYNTHETIC", default=False),
        auto_approve=_flag(values, "JOINEDUP_AUTO_APPROVE", default=False),
        schemas_dir=Path(values.get("JOINEDUP_SCHEMAS_DIR") or PROJECT_ROOT / "schemas"),
        expectations_dir=Path(values.get("JOINEDUP_EXPECTATIONS_DIR") or PROJECT_ROOT / "expectations"),
        change_budget=_share(values, "JOINEDUP_CHANGE_BUDGET", CHANGE_BUDGET),
        given_key=values.get("JOINEDUP_KEY", ""),
        review_pairs=_count(values, "JOINEDUP_REVIEW_PAIRS", REVIEW_PAIRS),
        unpacked_bytes=_count(values, "JOINEDUP_UNPACKED_BYTES", UNPACKED_BYTES),
        unpacked_ratio=_count(values, "JOINEDUP_UNPACKED_RATIO", UNPACKED_RATIO),
    )
