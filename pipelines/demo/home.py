"""The demo's home: settings that only synthetic data may have, where every later command finds them."""

from __future__ import annotations

from pipelines.settings import load_settings, settings_file

DEMO_SETTINGS = """\
# Written by `joinedup demo`: this home holds synthetic people only. Never use these settings for real ones.
# The key is known to everybody, so that the demo's figures are the same on every machine.
JOINEDUP_KEY=demo-key-known-to-everybody
# NHS numbers of the 9xx test range count as evidence.
JOINEDUP_ALLOW_SYNTHETIC=1
# Releases with warnings are approved by this setting, and recorded as such.
JOINEDUP_AUTO_APPROVE=1
"""


def prepare_demo_home() -> None:
    """Write the demo's settings into the home, unless the home has settings of its own."""
    home = load_settings().home
    home.mkdir(parents=True, exist_ok=True)
    path = settings_file(home)
    if not path.exists():
        path.write_text(DEMO_SETTINGS, encoding="utf-8")
