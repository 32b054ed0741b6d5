"""Both contenders of the benchmark of the whole pipeline go the whole way over a few hundred people, once."""

from __future__ import annotations

import pytest

from benchmarks.pipeline.__main__ import picture, tables
from benchmarks.pipeline.account import Account
from benchmarks.pipeline.inputs import make_inputs
from benchmarks.pipeline.measure import CONTENDERS, run
from benchmarks.pipeline.task import PHASES, Task

PEOPLE = 300
MEGABYTE = 2**20

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Account]:
    """What both took and found."""
    folder = tmp_path_factory.mktemp("contenders")
    inputs = make_inputs(folder, round(PEOPLE * 3.05))
    return {name: run(name, Task(PHASES, 8.0), inputs, folder / "home") for name in CONTENDERS}


def test_both_come_to_the_end(accounts: dict[str, Account]) -> None:
    assert {name: each.problem for name, each in accounts.items()} == {"ours": None, "rival": None}
    assert set(accounts["ours"].seconds) == set(PHASES)
    assert set(accounts["rival"].seconds) == set(PHASES) - {"reports"}


def test_both_land_the_same_rows(accounts: dict[str, Account]) -> None:
    landed = accounts["ours"].facts["landed"]
    assert sum(landed.values()) > 3 * PEOPLE
    assert accounts["rival"].facts["landed"] == landed


def test_both_run_the_same_expectations(accounts: dict[str, Account]) -> None:
    ran = {name: each.facts["expectations"] for name, each in accounts.items()}
    assert set(ran["ours"]) == {"landing", "normalised", "linked", "published"}
    for stage, names in ran["ours"].items():
        assert sorted(ran["rival"][stage]) == sorted(names)


def test_both_releases_are_live(accounts: dict[str, Account]) -> None:
    for each in accounts.values():
        assert PEOPLE * 0.7 < each.facts["live"] < PEOPLE * 1.5
        assert each.facts["pairs"] > PEOPLE


def test_both_find_most_of_who_belongs_together(accounts: dict[str, Account]) -> None:
    for each in accounts.values():
        assert each.facts["precision"] > 0.7
        assert each.facts["recall"] > 0.7


def test_every_phase_was_weighed_with_its_server(accounts: dict[str, Account]) -> None:
    for each in accounts.values():
        assert min(each.peaks.values()) > 50 * MEGABYTE
        assert each.peak < 4096 * MEGABYTE


def test_the_tables_and_the_picture_are_made(accounts: dict[str, Account]) -> None:
    printed = tables(list(accounts.values()))
    for phase in PHASES:
        assert f"| {phase} | " in printed
    assert "times as fast as a whole" in printed
    assert "only joinedup ran" not in printed
    assert picture(list(accounts.values())).startswith("<svg ")
