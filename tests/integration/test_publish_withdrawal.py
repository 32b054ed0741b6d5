"""Withdrawal packs: links that were published and undone, told to the agencies that hold the records, and to nobody else."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from support.months import Months, name_of, rows
from support.people import CSC, HEALTH, POLICE, Happened, Held
from support.warehouse import Warehouse
from typer.testing import CliRunner

from pipelines import cli
from pipelines.errors import LinkageError
from pipelines.identity.protection import add_protection_notice
from pipelines.publish.swap import drop_old_releases, roll_back
from pipelines.publish.views import create_views
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

AT_HEALTH, AT_POLICE, ALSO_AT_POLICE, AT_CSC = (
    Held(HEALTH, "1"),
    Held(POLICE, "1"),
    Held(POLICE, "2"),
    Held(CSC, "1"),
)
OTHER_A, OTHER_B = Held(HEALTH, "8"), Held(POLICE, "8")
MISSING = Happened(POLICE, "1", "POLICE.MISSING", "o1", "2026-01-02")


@pytest.fixture
def months(warehouse: Warehouse) -> Months:
    create_views()
    return Months()


def withdrawal(run_id: int, *options: str) -> str:
    result = CliRunner().invoke(cli.app, ["withdrawal", str(run_id), *options])
    assert result.exit_code == 0, result.output
    return result.output


def folder() -> Path:
    return load_settings().reports_dir / "withdrawals"


def table(run_id: int, agency: str, where: Path | None = None) -> list[dict[str, Any]]:
    path = (where or folder()) / f"withdrawal-run-{run_id}-{agency}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def page(run_id: int, agency: str) -> str:
    return (folder() / f"withdrawal-run-{run_id}-{agency}.md").read_text(encoding="utf-8")


def published_at(release_id: int) -> str:
    query = "SELECT to_char(published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM publication.release"
    return str(rows(f"{query} WHERE release_id = :r", r=release_id)[0][0])


def move(release_id: int, moment: str) -> None:
    """Have a release published at another time, as its manifest says too."""
    with transaction() as connection:
        connection.exec_driver_sql(
            f"UPDATE publication.release SET published_at = '{moment}' WHERE release_id = {release_id}"
        )


class TestAnUndoneLink:
    def test_is_told_to_both_agencies_with_each_release_that_showed_it(self, months: Months) -> None:
        together = [AT_HEALTH, AT_POLICE]
        months.publish([AT_HEALTH], [AT_POLICE])
        first = months.publish(together, events=[MISSING])
        name = name_of(AT_HEALTH)
        second = months.publish(together)
        run_id = months.link([AT_HEALTH], [AT_POLICE], model_version="another")
        move(first, "2026-02-21 10:00+00")
        move(second, "2026-03-21 11:00+00")
        told = withdrawal(run_id)
        assert f"run {run_id} undid 1 link; published before: 1" in told
        assert f"health: 1 in {folder()}" in told.replace("\n", "")
        for agency, mine, other in ((HEALTH, AT_HEALTH, POLICE), (POLICE, AT_POLICE, HEALTH)):
            found = table(run_id, agency)
            assert [row["release_id"] for row in found] == [str(first), str(second)]
            assert [row["as_of"] for row in found] == ["2026-02-28", "2026-03-31"]
            assert [row["live_from"] for row in found] == ["2026-02-21 10:00", "2026-03-21 11:00"]
            assert found[0]["live_until"] == "2026-03-21 11:00"
            assert {row["person_pseudonym"] for row in found} == {name}
            assert {row["record_id"] for row in found} == {mine.record}
            assert {row["linked_with"] for row in found} == {other}
            assert {row["linked_record_id"] for row in found} == {""}
            assert {row["cause"] for row in found} == {"MODEL_VERSION"}
        views = table(run_id, POLICE)[0]["views"]
        assert "linked_person 1" in views and "person 1" in views and "person_event 1" in views

    def test_names_nobody_elses_record_and_no_local_id(self, months: Months) -> None:
        at_health, at_police = Held(HEALTH, "LOCAL-H"), Held(POLICE, "LOCAL-P")
        months.publish([at_health, at_police])
        run_id = months.link([at_health], [at_police])
        withdrawal(run_id)
        texts = {agency: page(run_id, agency) + str(table(run_id, agency)) for agency in (HEALTH, POLICE)}
        assert "a record of Police" in texts[HEALTH] and "a record of Health" in texts[POLICE]
        assert at_police.record not in texts[HEALTH] and at_health.record not in texts[POLICE]
        assert not [text for text in texts.values() if "LOCAL" in text]
        assert not [path for path in folder().iterdir() if "LOCAL" in path.name or path.stat().st_mode & 0o77]

    def test_that_is_still_live_is_live_until_today(self, months: Months) -> None:
        months.publish([AT_HEALTH, AT_POLICE])
        run_id = months.link([AT_HEALTH], [AT_POLICE])
        withdrawal(run_id)
        assert [row["live_until"] for row in table(run_id, HEALTH)] == [""]
        assert "| today |" in page(run_id, HEALTH)

    def test_tells_each_time_that_a_release_was_live(self, months: Months) -> None:
        first = months.publish([AT_HEALTH, AT_POLICE])
        second = months.publish([AT_HEALTH, AT_POLICE])
        roll_back(first, "ann", "February is wrong")
        run_id = months.link([AT_HEALTH], [AT_POLICE])
        withdrawal(run_id)
        found = table(run_id, HEALTH)
        assert [row["release_id"] for row in found] == [str(first), str(first), str(second)]
        assert [row["live_until"] == "" for row in found] == [False, True, False]

    def test_of_a_release_whose_rows_are_gone_is_told_from_the_register(self, months: Months) -> None:
        first = months.publish([AT_HEALTH, AT_POLICE])
        months.publish([AT_HEALTH, AT_POLICE])
        drop_old_releases(keep=0)
        run_id = months.link([AT_HEALTH], [AT_POLICE])
        withdrawal(run_id)
        found = table(run_id, POLICE)
        assert found[0]["release_id"] == str(first)
        assert found[0]["views"] == "person, linked_person (rows no longer kept)"
        assert found[0]["live_from"] == published_at(first)

    def test_is_told_by_the_pseudonyms_of_all_who_held_it(self, months: Months) -> None:
        """Two records were one person, which went into a larger one; then one of them left."""
        months.publish([AT_HEALTH, AT_POLICE], [AT_CSC, OTHER_A, OTHER_B])
        first, second = name_of(AT_HEALTH), name_of(AT_CSC)
        months.publish([AT_HEALTH, AT_POLICE, AT_CSC, OTHER_A, OTHER_B])
        run_id = months.link([AT_HEALTH], [AT_POLICE, AT_CSC, OTHER_A, OTHER_B])
        withdrawal(run_id)
        mine = [
            (row["person_pseudonym"], row["linked_with"])
            for row in table(run_id, HEALTH)
            if AT_HEALTH.record in (row["record_id"], row["linked_record_id"])
        ]
        assert sorted(mine) == sorted(
            [(first, POLICE), (second, POLICE), (second, POLICE), (second, CSC), (second, HEALTH)]
        )

    def test_between_two_records_of_one_agency_names_both(self, months: Months) -> None:
        months.publish([AT_POLICE, ALSO_AT_POLICE])
        run_id = months.link([AT_POLICE], [ALSO_AT_POLICE])
        told = withdrawal(run_id)
        (row,) = table(run_id, POLICE)
        assert {row["record_id"], row["linked_record_id"]} == {AT_POLICE.record, ALSO_AT_POLICE.record}
        assert "health" not in told

    def test_a_record_that_moved_to_another_person_is_told_of(self, months: Months) -> None:
        months.publish([AT_HEALTH, AT_POLICE, AT_CSC], [OTHER_A, OTHER_B])
        run_id = months.link([AT_HEALTH, AT_POLICE], [AT_CSC, OTHER_A, OTHER_B])
        assert f"run {run_id} undid 2 links; published before: 2" in withdrawal(run_id)
        assert {row["linked_with"] for row in table(run_id, CSC)} == {HEALTH, POLICE}


class TestWhatIsNotTold:
    def test_a_link_that_was_never_published(self, months: Months) -> None:
        months.publish([AT_HEALTH], [AT_POLICE])
        months.link([AT_HEALTH, AT_POLICE])
        run_id = months.link([AT_HEALTH], [AT_POLICE])
        assert f"run {run_id} undid 1 link; published before: 0" in withdrawal(run_id)
        assert not folder().exists()

    def test_a_record_that_vanished(self, months: Months) -> None:
        months.publish([AT_HEALTH, AT_POLICE])
        run_id = months.link([AT_HEALTH])
        assert f"run {run_id} undid no link" in withdrawal(run_id)

    def test_a_run_that_only_joined(self, months: Months) -> None:
        first = months.link([AT_HEALTH], [AT_POLICE])
        second = months.link([AT_HEALTH, AT_POLICE])
        for run_id in (first, second):
            assert withdrawal(run_id) == f"run {run_id} undid no link\n"

    def test_sealed_records_and_who_ever_held_one(self, months: Months) -> None:
        sealed, pair = Held(CSC, "66"), [OTHER_A, OTHER_B]
        months.publish([AT_HEALTH, AT_POLICE, sealed], pair)
        run_id = months.link([AT_HEALTH], [AT_POLICE], [sealed], [OTHER_A], [OTHER_B])
        assert "undid 4 links; published before: 4" in withdrawal(run_id)
        assert len(list(folder().iterdir())) == 6
        with transaction() as connection:
            add_protection_notice(connection, sealed.record, "SEALED", "adoption")
        assert "undid 1 link; published before: 1" in withdrawal(run_id)
        left = {path.name for path in folder().iterdir()}
        assert left == {
            f"withdrawal-run-{run_id}-{each}"
            for each in ("health.md", "health.csv", "police.md", "police.csv")
        }
        assert {row["record_id"] for row in table(run_id, HEALTH)} == {OTHER_A.record}


def test_a_second_call_writes_the_same_elsewhere_too(months: Months, tmp_path: Path) -> None:
    months.publish([AT_HEALTH, AT_POLICE, AT_CSC])
    run_id = months.link([AT_HEALTH], [AT_POLICE], [AT_CSC])

    def written(where: Path) -> dict[str, str]:
        return {path.name: path.read_text(encoding="utf-8") for path in where.iterdir()}

    said = withdrawal(run_id)
    once = written(folder())
    assert len(once) == 6
    assert withdrawal(run_id) == said
    assert written(folder()) == once
    assert str(tmp_path / "packs") in withdrawal(run_id, "--output", str(tmp_path / "packs")).replace(
        "\n", ""
    )
    assert written(tmp_path / "packs") == once


def test_a_run_that_the_ledger_does_not_hold_is_refused(months: Months) -> None:
    result = CliRunner().invoke(cli.app, ["withdrawal", "99"])
    assert isinstance(result.exception, LinkageError)
    assert "from a run 99: see joinedup changes" in str(result.exception)


@pytest.mark.parametrize("words", [[], ["seven"]])
def test_the_run_is_a_number_and_must_be_given(words: list[str]) -> None:
    assert CliRunner().invoke(cli.app, ["withdrawal", *words]).exit_code == 2


def test_it_explains_itself() -> None:
    told = CliRunner().invoke(cli.app, ["withdrawal", "--help"]).output
    assert "--output" in told and "One report per agency" in told
