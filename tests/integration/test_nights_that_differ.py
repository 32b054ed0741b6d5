"""Nights that are not like the others: two periods at once, the same twice, a correction of what is live."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.inbox_rows import change_rows
from support.ingest_files import one, rows_of
from support.journey import AGENCIES, FIRST, SECOND, Journey, ingest, link

from pipelines import stages
from pipelines.errors import LinkageError
from pipelines.linking.find import find_or_open
from pipelines.settings import load_settings
from pipelines.synth.layouts import DEMOGRAPHICS

pytestmark = pytest.mark.database

PEOPLE = (
    "SELECT record_id::text, person_id::text FROM identity.membership WHERE valid_to_run IS NULL ORDER BY 1"
)


def at_once(*works: Callable[[], int]) -> list[int]:
    """What pieces of work return that begin at the same moment."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result() for each in [pool.submit(work) for work in works]]


def again(agency: str, period: str) -> None:
    """Drive a delivery again, so that its period is to be linked anew."""
    delivery_id = stages.requeue_delivery(agency, period)["delivery_id"]
    stages.normalise_delivery(delivery_id)
    stages.announce(delivery_id)


def people_at(journey: Journey, stop: str, home: Path) -> list[tuple[object, ...]]:
    with journey.warehouse_at(stop, home):
        return rows_of(PEOPLE)


def test_two_periods_at_once_leave_the_people_of_the_later_one(journey: Journey, tmp_path: Path) -> None:
    expected = people_at(journey, "the end", tmp_path / "expected")
    with journey.warehouse_at("before link_period", tmp_path / "home"):
        again("health", FIRST)
        at_once(lambda: link(FIRST, checked=False), lambda: link(SECOND, checked=False))
        assert rows_of(PEOPLE) == expected
        newest = one("SELECT max(valid_from_run) FROM identity.membership")
        assert one("SELECT period FROM audit.run WHERE run_id = :run", run=newest) == SECOND


def test_the_same_period_twice_at_once_is_one_run(journey: Journey, tmp_path: Path) -> None:
    with journey.warehouse_at("before link_period", tmp_path / "home"):
        one_run, other = at_once(lambda: link(SECOND, checked=False), lambda: link(SECOND, checked=False))
        assert one_run == other
        assert one("SELECT count(*) FROM audit.stage_report WHERE run_id = :run", run=other) == 1
        assert (
            one("SELECT base_run FROM linked.lineage WHERE run_id = :run", run=other)
            == journey.results[f"run {FIRST}"]
        )
        stages.check_linked(other)


def test_a_correction_of_the_live_period_compares_what_it_corrects(journey: Journey, tmp_path: Path) -> None:
    with journey.warehouse_at("the end", tmp_path / "home"):
        change_rows(load_settings().inbox_dir / "health" / DEMOGRAPHICS.file_name(SECOND), _rename_the_first)
        request = ingest("health", SECOND, checked=False)
        assert request is not None
        assert (request["period"], request["cause"]) == (SECOND, "correction")
        run_id = link(SECOND)
        (row,) = rows_of("SELECT base_run, counts FROM linked.lineage WHERE run_id = :run", run=run_id)
        assert row[0] == journey.results[f"run {SECOND}"]
        assert (row[1]["new"], row[1]["changed"], row[1]["vanished"]) == (0, 1, 0)
        changed = one(
            "SELECT count(DISTINCT record_id) FROM identity.membership WHERE :run IN (valid_from_run, valid_to_run)",
            run=run_id,
        )
        assert changed <= 10, "nobody else is moved"


def _rename_the_first(rows: list[list[str]]) -> None:
    at = DEMOGRAPHICS.header.index("FAMILY_NAME")
    row = next(row for row in rows if row[at])
    row[at] = "Quillfeather"


def test_an_agency_that_stopped_delivering_is_named(journey: Journey, tmp_path: Path) -> None:
    with (
        journey.warehouse_at("the end", tmp_path / "home"),
        pytest.raises(
            LinkageError,
            match=f"2027-12 cannot be linked: nothing usable from {', '.join(AGENCIES)}",
        ),
    ):
        stages.link_period("2027-12")


def test_a_run_that_was_begun_before_another_period_was_linked_is_begun_anew(
    journey: Journey, tmp_path: Path
) -> None:
    """A killed run keeps its number; the ledger has gone on from a younger one meanwhile."""
    with journey.warehouse_at("before link_period", tmp_path / "home"):
        killed = find_or_open(SECOND, {"period": SECOND})
        again("health", FIRST)
        other = link(FIRST, checked=False)
        assert other > killed.run_id
        begun = find_or_open(SECOND, {"period": SECOND})
        assert begun.run_id > other
        assert find_or_open(SECOND, {"period": SECOND}).run_id == begun.run_id
