"""The error profiles: every rate has a source, is used, and a mistake in the file is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ContractError
from pipelines.synth.profiles import PROFILES_FILE, SECTIONS, load_profiles

SYNTH = Path(__file__).parents[2] / "pipelines" / "synth"


def changed_profiles(folder: Path, old: str, new: str) -> Path:
    text = PROFILES_FILE.read_text(encoding="utf-8")
    assert old in text
    path = folder / "error_profiles.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_every_rate_in_the_file_is_used_by_the_code() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SYNTH.glob("*.py"))
    profiles = load_profiles()
    unused = [
        f"{name}.{rate}" for name in SECTIONS for rate in getattr(profiles, name) if f'"{rate}"' not in code
    ]
    assert unused == []


def test_the_police_are_worse_than_health_wherever_both_have_a_rate_for_names_and_births() -> None:
    profiles = load_profiles()
    compared = [
        rate
        for rate in profiles.police
        if rate in profiles.health and rate.startswith(("given", "family", "dob"))
    ]
    assert len(compared) >= 8
    assert all(profiles.police[rate] >= profiles.health[rate] for rate in compared)


def test_published_rates_are_the_published_ones() -> None:
    health = load_profiles().health
    wrong_sex_or_birth = sum(health[rate] for rate in ("dob_day_month_swapped", "dob_typo", "sex_wrong"))
    assert health["postcode_not_current"] == pytest.approx(0.53)
    assert wrong_sex_or_birth == pytest.approx(0.0011)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("given_nickname:        {rate: 0.045", "given_nickname:        {rate: 4.5", "rate between 0 and 1"),
        ("source: IDERR", "source: a blog", "source key"),
        ("\ndefects:", "\ndefect:", "sections"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    with pytest.raises(ContractError, match=expected):
        load_profiles(changed_profiles(tmp_path, old, new))
