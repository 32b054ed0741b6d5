"""Two periods of every agency through every stage: rows balance, nothing is done twice, people stay who they are."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.contents import contents, differences, files_under
from support.ingest_files import one, rows_of
from support.journey import AGENCIES, FIRST, LAST, SECOND, Journey, ingest, link, publish
from support.warehouse import Warehouse

from pipelines import stages
from pipelines.contracts.loader import load_contracts
from pipelines.evaluation import evaluate_run
from pipelines.keys import record_id
from pipelines.settings import load_settings

pytestmark = pytest.mark.database

PEOPLE_OF = "SELECT record_id::text, cluster_id::text FROM linked.cluster_of(:run_id)"


@pytest.fixture(scope="module")
def end(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The warehouse with both periods in it; the tests of this module leave it as it is."""
    with journey.warehouse_at("the end", tmp_path_factory.mktemp("home")) as warehouse:
        yield warehouse


def files_of_both_periods() -> int:
    """How many files the agencies sent: each that a contract names, twice."""
    return 2 * sum(len(contract.files) for contract in load_contracts().values())


class TestRows:
    def test_balance_in_every_report_of_every_stage(self, end: Warehouse) -> None:
        reports = rows_of(
            "SELECT stage, count(*), bool_and(rows_in = rows_out + quarantined + duplicates + withheld),"
            " bool_and(run_id IS NOT NULL), sum(rows_in) > 0 FROM audit.stage_report GROUP BY 1 ORDER BY 1"
        )
        files = files_of_both_periods()
        assert [(stage, count) for stage, count, *_ in reports] == [
            ("ingest", files),
            ("link", 2),
            ("normalise", files),
            ("publish", 2),
        ]
        assert all(good for _, _, *checks in reports for good in checks)

    def test_go_on_from_one_stage_to_the_next(self, end: Warehouse) -> None:
        per_file = rows_of(
            "SELECT i.file, i.rows_out, n.rows_in FROM audit.stage_report i JOIN audit.stage_report n"
            " USING (agency, file, period) WHERE i.stage = 'ingest' AND n.stage = 'normalise'"
        )
        assert len(per_file) == files_of_both_periods()
        assert [file for file, landed, normalised in per_file if landed != normalised] == []
        per_period = rows_of(
            "SELECT l.rows_out, p.rows_in - p.withheld FROM audit.stage_report l JOIN audit.stage_report p"
            " USING (period) WHERE l.stage = 'link' AND p.stage = 'publish'"
        )
        assert all(linked == published for linked, published in per_period)

    def test_of_an_extract_are_those_of_its_file(self, end: Warehouse) -> None:
        counted = rows_of(
            "SELECT e.file_name, e.agency, r.rows_in FROM audit.stage_report r JOIN audit.extract e"
            " USING (agency, file, period) WHERE r.stage = 'ingest'"
        )
        inbox = load_settings().inbox_dir
        assert {name: rows for name, _, rows in counted} == {
            name: lines_of(inbox / agency / name) - 1 for name, agency, _ in counted
        }


class TestAPeriod:
    def test_is_announced_by_the_agency_that_completes_it_and_by_no_other(self, journey: Journey) -> None:
        announced = {
            (agency, period): journey.results[f"announced {agency} {period}"]
            for agency in AGENCIES
            for period in (FIRST, SECOND)
        }
        causes = {key: request and request["cause"] for key, request in announced.items()}
        assert causes == {
            (agency, period): "complete" if agency == LAST else None
            for agency in AGENCIES
            for period in (FIRST, SECOND)
        }

    @pytest.mark.parametrize("period", [FIRST, SECOND])
    def test_is_linked_well_enough(self, journey: Journey, end: Warehouse, period: str) -> None:
        """The population of support/journey.py: 600 people, seed 11, nothing of it used to set a threshold."""
        quality = evaluate_run(journey.results[f"run {period}"], end.home / "truth" / f"{period}.csv")
        assert quality.overall.precision >= 0.99
        assert quality.overall.recall >= 0.90
        assert quality.across.precision >= 0.99
        assert quality.across.recall >= 0.90

    def test_has_one_live_release_the_latest(self, journey: Journey, end: Warehouse) -> None:
        assert (
            one("SELECT release_id FROM publication.current_release") == journey.results[f"release {SECOND}"]
        )
        assert rows_of("SELECT status FROM publication.release ORDER BY release_id") == [
            ("SUPERSEDED",),
            ("LIVE",),
        ]
        assert one("SELECT count(DISTINCT release_id) FROM published.person") == 1


class TestDoingItAgain:
    def test_a_whole_period_changes_nothing(self, journey: Journey, tmp_path: Path) -> None:
        with journey.warehouse_at(f"{FIRST} is live", tmp_path) as warehouse:
            before, files = contents(), files_under(warehouse.home, "archive", "reports")
            assert [ingest(agency, FIRST) for agency in AGENCIES] == [None] * len(AGENCIES)
            run_id = link(FIRST)
            assert run_id == journey.results[f"run {FIRST}"]
            stages.publish_release(journey.results[f"release {FIRST}"], "bob", "again")
            stages.write_reports(journey.results[f"release {FIRST}"])
            assert differences(contents(), before) == {}
            assert files_under(warehouse.home, "archive", "reports") == files

    def test_every_stage_of_a_delivery_changes_nothing(self, journey: Journey, tmp_path: Path) -> None:
        delivery_id = journey.results["delivery"]
        with journey.warehouse_at("before link_period", tmp_path):
            before = contents()
            stages.check_landing(delivery_id)
            stages.normalise_delivery(delivery_id)
            stages.check_normalised(delivery_id)
            assert stages.announce(delivery_id) == journey.results[f"announced {LAST} {SECOND}"]
            assert differences(contents(), before) == {}

    def test_building_a_release_that_waits_replaces_it(self, journey: Journey, tmp_path: Path) -> None:
        with journey.warehouse_at("before publish_release", tmp_path):
            before = contents()
            stages.build_release(journey.results[f"run {SECOND}"])
            assert differences(contents(), before) == {}


class TestPeople:
    def test_keep_their_ids_over_the_periods(self, journey: Journey, end: Warehouse) -> None:
        """Whoever has the same records in both periods is the same person, under the same id."""
        first, second = (people_at(journey.results[f"run {period}"]) for period in (FIRST, SECOND))
        unchanged = {records: person for records, person in first.items() if records in second}
        assert len(unchanged) > 0.8 * len(first)
        assert {records: second[records] for records in unchanged} == unchanged

    def test_are_named_after_the_oldest_record_that_they_began_with(
        self, journey: Journey, end: Warehouse
    ) -> None:
        founders = rows_of(
            "SELECT DISTINCT ON (p.person_id) p.person_id::text, r.record_id::text, p.created_run"
            " FROM identity.person p"
            " JOIN identity.membership m ON m.person_id = p.person_id AND m.valid_from_run = p.created_run"
            " JOIN identity.record r USING (record_id) ORDER BY p.person_id, r.sequence"
        )
        from pipelines.keys import person_id

        key = load_settings().key
        assert all(
            person in (person_id(key, record), person_id(key, record, run))
            for person, record, run in founders
        )
        assert {run for _, _, run in founders} == {
            journey.results[f"run {period}"] for period in (FIRST, SECOND)
        }

    def test_live_as_long_as_they_have_a_record_and_lead_on_when_they_merged(
        self, journey: Journey, end: Warehouse
    ) -> None:
        dead_or_alive = rows_of(
            "SELECT p.person_id FROM identity.person p WHERE (p.retired_run IS NULL) <> EXISTS ("
            " SELECT FROM identity.membership m WHERE m.person_id = p.person_id AND m.valid_to_run IS NULL)"
        )
        assert dead_or_alive == []
        led_nowhere = rows_of(
            "SELECT person_id FROM identity.change"
            " WHERE kind = 'MERGED' AND identity.living_person(person_id) IS NULL"
        )
        assert led_nowhere == []

    def test_change_for_a_reason_and_within_the_budget(self, journey: Journey, end: Warehouse) -> None:
        """One model links both periods, so that whatever changed has its cause in the data."""
        causes = rows_of(
            "SELECT DISTINCT cause FROM identity.change WHERE run_id = :run_id",
            run_id=journey.results[f"run {SECOND}"],
        )
        assert {"NEW_DATA", "VANISHED_DATA"} <= {cause for (cause,) in causes}
        assert {cause for (cause,) in causes} <= {"NEW_DATA", "VANISHED_DATA", "CHANGED_DATA"}
        budget = "SELECT success FROM audit.expectation_result WHERE expectation_id = 'change_budget'"
        assert rows_of(budget) == [(True,), (True,)]

    def test_that_an_agency_no_longer_sends_leave(self, journey: Journey, end: Warehouse) -> None:
        sent = [truth_of(end.home, period) for period in (FIRST, SECOND)]
        gone = {record_id(load_settings().key, *each) for each in sent[0] - sent[1]}
        assert gone
        held = dict(rows_of(PEOPLE_OF, run_id=journey.results[f"run {SECOND}"]))
        assert gone & set(held) == set()
        assert one("SELECT count(*) FROM identity.membership WHERE valid_to_run IS NOT NULL") >= len(gone)

    def test_of_the_first_run_can_still_be_told(self, journey: Journey, end: Warehouse) -> None:
        """The ledger answers for the past: memberships of the first run make up the clusters of the first run."""
        run_id = journey.results[f"run {FIRST}"]
        clusters = defaultdict(set)
        for record, cluster in rows_of(PEOPLE_OF, run_id=run_id):
            clusters[cluster].add(record)
        assert {frozenset(each) for each in clusters.values()} == set(people_at(run_id))


def people_at(run_id: int) -> dict[frozenset[str], str]:
    """The people that the ledger held at a run, by their records."""
    members = defaultdict(set)
    for person, record in rows_of(
        "SELECT person_id::text, record_id::text FROM identity.membership"
        " WHERE valid_from_run <= :run_id AND (valid_to_run IS NULL OR valid_to_run > :run_id)",
        run_id=run_id,
    ):
        members[person].add(record)
    return {frozenset(records): person for person, records in members.items()}


def lines_of(path: Path) -> int:
    """The lines of a file, its header among them; one with a line break in a quoted value is one line."""
    with path.open(encoding="latin-1", newline="") as file:
        return sum(1 for _ in csv.reader(file))


def truth_of(home: Path, period: str) -> set[tuple[str, str]]:
    """Agency and local id of every record that was sent for a period."""
    lines = (home / "truth" / f"{period}.csv").read_text(encoding="utf-8").splitlines()[1:]
    return {(line.split(",")[0], line.split(",")[1]) for line in lines}


def test_a_release_is_published_only_once(journey: Journey, tmp_path: Path) -> None:
    """Publishing a run again builds a further release; the one that is live is not touched meanwhile."""
    with journey.warehouse_at("the end", tmp_path):
        again = publish(journey.results[f"run {SECOND}"])
        assert again > journey.results[f"release {SECOND}"]
        assert one("SELECT count(*) FROM publication.release WHERE status = 'LIVE'") == 1
