"""The demo's home: settings that only synthetic data may have, where every later command finds them."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import SettingsError
from pipelines.settings import Settings, load_settings, make_home, settings_file
from pipelines.warehouse.server import server_status

DEMO_MARK = "# Written by `joinedup demo`"
DEMO_SETTINGS = f"""\
{DEMO_MARK}: this home holds synthetic people only. Never use these settings for real ones.
# The key is known to everybody, so that the demo's figures are the same on every machine.
JOINEDUP_KEY=demo-key-known-to-everybody
# NHS numbers of the 9xx test range count as evidence.
JOINEDUP_ALLOW_SYNTHETIC=1
# Releases with warnings are approved by this setting, and recorded as such.
JOINEDUP_AUTO_APPROVE=1
"""


def prepare_demo_home() -> None:
    """Write the demo's settings into a home that holds nothing else, unless they are there.

    Raises:
        SettingsError: the home, or the warehouse that is set, may hold real people.
    """
    settings = load_settings()
    found = _may_be_real(settings)
    if found:
        raise SettingsError(
            f"the demo's key is public and its releases approve themselves, and here is {' and '.join(found)}: "
            "run the demo with a JOINEDUP_HOME of its own and without JOINEDUP_WAREHOUSE_URL"
        )
    path = settings_file(make_home(settings.home))
    if not path.exists():
        path.write_text(DEMO_SETTINGS, encoding="utf-8")


def remove_demo_settings() -> bool:
    """Return whether the home's settings were the demo's, and are deleted; a person's own are kept."""
    home = load_settings().home
    if not _is_demo_home(home):
        return False
    settings_file(home).unlink()
    return True


def _is_demo_home(home: Path) -> bool:
    """Return whether the demo wrote the settings of this home."""
    path = settings_file(home)
    return path.exists() and path.read_text(encoding="utf-8").startswith(DEMO_MARK)


def _may_be_real(settings: Settings) -> list[str]:
    """Return what speaks against a demo here: each part of a home or warehouse that it did not make."""
    found = ["a warehouse of your own (JOINEDUP_WAREHOUSE_URL)"] if settings.warehouse_url else []
    if _is_demo_home(settings.home):
        return found
    parts = {
        "settings.env": settings_file(settings.home).exists(),
        "a key": (settings.home / "key").exists(),
        "an embedded server": server_status(settings).is_initialised,
        "an archive": settings.archive_dir.exists(),
        "an inbox with files": any(path.is_file() for path in settings.inbox_dir.rglob("*")),
    }
    return found + [f"{what} in {settings.home}" for what, is_there in parts.items() if is_there]
