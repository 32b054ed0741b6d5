"""What people judge, through a linkage run and a release: who is joined, who is kept apart, what is listed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.ingest_files import one, rows_of
from support.journey import SECOND, Journey, link, publish
from support.people import CSC, POLICE, Delivered, Held, link_by_hand
from support.warehouse import Warehouse
from typer.testing import CliRunner, Result

from pipelines import cli, stages
from pipelines.errors import ExpectationsFailed, JoinedupError
from pipelines.evidence import judgement_about
from pipelines.identity.contradictions import Contradiction, contradictions
from pipelines.identity.judgements import add_judgement, live_judgements, read_judgements, states_of
from pipelines.identity.protection import add_protection_notice
from pipelines.identity.review import review_queue
from pipelines.link.judged import DIFFERENT, SAME, UNSURE
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

REASON = "seen both files"
ANN, BEN = Held(CSC, "1"), Held(POLICE, "7")


def judge(verdict: str, *records: str) -> int:
    with transaction() as connection:
        return add_judgement(connection, records, verdict, REASON, "ann")


def joinedup(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


def cluster_of(run_id: int, record: str) -> str:
    return str(
        one(
            "SELECT cluster_id FROM linked.cluster_of(:run_id) WHERE record_id = CAST(:record AS uuid)",
            run_id=run_id,
            record=record,
        )
    )


def together(run_id: int, a: str, b: str) -> bool:
    return cluster_of(run_id, a) == cluster_of(run_id, b)


def needing_attention(run_id: int) -> set[str]:
    rows = rows_of(
        "SELECT cluster_id::text FROM linked.cluster_summary_of(:run_id) WHERE needs_attention", run_id=run_id
    )
    return {cluster for (cluster,) in rows}


def listed(run_id: int) -> list[Contradiction]:
    with transaction() as connection:
        return contradictions(connection, run_id, live_judgements(connection))


def queue(run_id: int) -> list[tuple[str, str]]:
    rows = rows_of(
        "SELECT record_a::text, record_b::text FROM identity.review_pair WHERE run_id = :run_id ORDER BY rank",
        run_id=run_id,
    )
    return [(a, b) for a, b in rows]


ALONE = "SELECT cluster_id::text FROM linked.cluster_summary_of(:run_id) s WHERE s.records = 1"


@dataclass(frozen=True)
class Judged:
    """A run before anything was judged, the run after it, and what was judged."""

    before: int
    after: int
    strangers: tuple[str, str]
    parted: tuple[str, str]
    numbers: tuple[str, str]
    three: tuple[str, str, str]
    unsure: tuple[str, str]
    sealed: tuple[str, str]


@pytest.fixture(scope="module")
def judged(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """Both periods are published; then people judge, and the second period is linked again."""
    with journey.warehouse_at("the end", tmp_path_factory.mktemp("home")):
        before = journey.results[f"run {SECOND}"]
        found = _pairs(before)
        judge(SAME, *found["strangers"])
        judge(DIFFERENT, *found["parted"])
        judge(SAME, *found["numbers"])
        x, y, z = found["three"]
        judge(SAME, x, y, z)
        judge(DIFFERENT, x, z)
        judge(UNSURE, *found["unsure"])
        judge(SAME, *found["sealed"])
        with transaction() as connection:
            add_protection_notice(connection, found["sealed"][1], "SEALED", "adoption order")
        after = link(SECOND)
        yield Judged(before, after, **found)


def _pairs(run_id: int) -> dict[str, tuple[str, ...]]:
    """Records of a run that suit each judgement, none of them twice."""
    alone = rows_of(
        f"{ALONE} AND NOT EXISTS (SELECT FROM linked.edge_of(:run_id) e WHERE s.cluster_id IN"
        " (e.record_a, e.record_b)) AND s.cluster_id NOT IN (SELECT record_id FROM normalised.person_identifier"
        " WHERE identifier_type = 'NHS') ORDER BY 1 LIMIT 4",
        run_id=run_id,
    )
    singles = [record for (record,) in alone]
    couples = rows_of(
        "SELECT e.record_a::text, e.record_b::text FROM linked.edge_of(:run_id) e"
        " JOIN linked.cluster_of(:run_id) c ON c.record_id = e.record_a"
        " JOIN linked.cluster_summary_of(:run_id) s USING (cluster_id)"
        " WHERE e.is_link AND s.records = 2 ORDER BY e.match_weight DESC, 1",
        run_id=run_id,
    )
    verified = rows_of(
        f"{ALONE} AND s.cluster_id <> ALL(CAST(:used AS uuid[])) AND s.cluster_id IN (SELECT record_id"
        " FROM normalised.person_identifier WHERE identifier_type = 'NHS' AND verification = '01'"
        " AND status IN ('VALID', 'SYNTHETIC')) ORDER BY 1 LIMIT 2",
        run_id=run_id,
        used=singles,
    )
    numbers = tuple(record for (record,) in verified)
    three = rows_of(
        "SELECT array_agg(record_id::text ORDER BY record_id) FROM linked.cluster_of(:run_id) GROUP BY cluster_id"
        " HAVING count(*) = 3 ORDER BY cluster_id LIMIT 1",
        run_id=run_id,
    )
    used = {*couples[0], *numbers, *three[0][0]}
    return {
        "strangers": tuple(singles[:2]),
        "parted": couples[0],
        "numbers": numbers,
        "three": tuple(three[0][0]),
        "unsure": next(pair for pair in queue(run_id) if not used & set(pair)),
        "sealed": tuple(singles[2:4]),
    }


class TestALinkRun:
    def test_joins_who_was_judged_one_person_though_nothing_speaks_for_it(self, judged: Judged) -> None:
        assert not together(judged.before, *judged.strangers)
        assert together(judged.after, *judged.strangers)
        edge = rows_of(
            "SELECT is_link, match_probability < 0.5 FROM linked.edge_of(:run_id)"
            " WHERE ARRAY[record_a, record_b]::text[] <@ :pair",
            run_id=judged.after,
            pair=list(judged.strangers),
        )
        assert edge == [(True, True)]

    def test_keeps_apart_who_was_judged_two_people_though_all_speaks_for_it(self, judged: Judged) -> None:
        assert together(judged.before, *judged.parted)
        assert not together(judged.after, *judged.parted)

    def test_goes_on_to_the_ledger(self, judged: Judged) -> None:
        people = rows_of(
            "SELECT count(DISTINCT person_id) FROM identity.membership WHERE valid_to_run IS NULL"
            " AND record_id::text = ANY(:records) GROUP BY record_id::text = ANY(:same) ORDER BY 1",
            records=[*judged.strangers, *judged.parted],
            same=list(judged.strangers),
        )
        assert people == [(1,), (2,)]

    def test_is_told_with_the_explanation_of_the_pair(self, judged: Judged) -> None:
        told = judgement_about(*judged.strangers)
        assert told is not None
        assert told.startswith("judged same (judgement ")
        assert judgement_about(judged.strangers[0], judged.parted[0]) is None

    def test_joins_against_verified_numbers_and_says_so(self, judged: Judged) -> None:
        assert together(judged.after, *judged.numbers)
        assert cluster_of(judged.after, judged.numbers[0]) in needing_attention(judged.after)
        assert ("AGAINST_NUMBERS", *sorted(judged.numbers)) in {each[:3] for each in listed(judged.after)}

    def test_publishes_apart_what_contradicts_itself_and_says_so(self, judged: Judged) -> None:
        x, y, z = judged.three
        assert not together(judged.after, x, z)
        clusters = {cluster_of(judged.after, each) for each in (x, y, z)}
        assert len(clusters) == 2 and clusters <= needing_attention(judged.after)
        apart = {each[1:3] for each in listed(judged.after) if each.kind == "APART"}
        assert len(apart) == 1 and apart < {(x, y), (y, z)}

    def test_compares_no_sealed_record_and_says_so_at_the_other(self, judged: Judged) -> None:
        other, sealed = judged.sealed
        assert cluster_of(judged.after, other) in needing_attention(judged.after)
        assert ("NOT_COMPARED", *sorted((other, sealed))) in {each[:3] for each in listed(judged.after)}

    def test_marks_nothing_else(self, judged: Judged) -> None:
        records = [judged.numbers[0], *judged.three, judged.sealed[0]]
        assert needing_attention(judged.after) == {cluster_of(judged.after, each) for each in records}
        assert len(listed(judged.after)) == 3
        assert needing_attention(judged.before) == set()

    def test_is_checked_and_the_warning_counts_the_clusters(self, judged: Judged) -> None:
        found = rows_of(
            "SELECT success, severity, unexpected FROM audit.expectation_result WHERE run_id = :run_id"
            " AND expectation_id = 'judgements_contradict_nothing'",
            run_id=judged.after,
        )
        assert found == [(False, "warning", len(needing_attention(judged.after)))]
        failed = rows_of(
            "SELECT expectation_id FROM audit.expectation_result WHERE run_id = :run_id AND NOT success"
            " AND severity = 'critical'",
            run_id=judged.after,
        )
        assert failed == []

    def test_is_the_same_run_until_something_else_is_judged(self, judged: Judged) -> None:
        assert link(SECOND, checked=False) == judged.after

    def test_changes_nothing_for_anybody_else(self, judged: Judged) -> None:
        touched = [*judged.strangers, *judged.parted, *judged.numbers, *judged.three, *judged.sealed]
        members = (
            "SELECT array_agg(record_id::text ORDER BY record_id) FROM linked.cluster_of(:run_id)"
            " GROUP BY cluster_id"
        )
        before, after = (
            {tuple(each) for (each,) in rows_of(members, run_id=run_id) if not set(each) & set(touched)}
            for run_id in (judged.before, judged.after)
        )
        assert before == after


class TestTheReviewQueue:
    def test_ranks_bridges_first_by_what_is_at_stake_and_is_numbered(self, judged: Judged) -> None:
        rows = rows_of(
            "SELECT rank, why, records FROM identity.review_pair WHERE run_id = :run_id ORDER BY rank",
            run_id=judged.before,
        )
        assert [rank for rank, _, _ in rows] == list(range(1, len(rows) + 1))
        kinds = [why for _, why, _ in rows]
        order = {"BRIDGE": 0, "CROSS_AGENCY": 1, "NEAR_THRESHOLD": 2}
        assert (
            kinds == sorted(kinds, key=order.__getitem__) and set(kinds) <= set(order) and "BRIDGE" in kinds
        )
        stake = [records for _, why, records in rows if why == "BRIDGE"]
        assert stake == sorted(stake, reverse=True)

    def test_asks_about_two_clusters_once(self, judged: Judged) -> None:
        asked = rows_of(
            "SELECT least(a.cluster_id, b.cluster_id), greatest(a.cluster_id, b.cluster_id), count(*)"
            " FROM identity.review_pair q JOIN linked.cluster_of(:run_id) a ON a.record_id = q.record_a"
            " JOIN linked.cluster_of(:run_id) b ON b.record_id = q.record_b"
            " WHERE q.run_id = :run_id AND a.cluster_id <> b.cluster_id GROUP BY 1, 2",
            run_id=judged.before,
        )
        assert asked and {count for *_, count in asked} == {1}

    def test_a_bridge_is_one(self, judged: Judged) -> None:
        """Without it the records of its person are not all joined by links."""
        pairs = rows_of(
            "SELECT q.record_a::text, q.record_b::text, q.records FROM identity.review_pair q"
            " JOIN linked.edge_of(:run_id) e USING (record_a, record_b)"
            " WHERE q.run_id = :run_id AND q.why = 'BRIDGE' AND e.is_link ORDER BY q.rank LIMIT 20",
            run_id=judged.before,
        )
        assert pairs
        for a, b, records in pairs:
            reached = {a for (a,) in rows_of(REACHED, run_id=judged.before, start=a, a=a, b=b)}
            others = {b for (b,) in rows_of(REACHED, run_id=judged.before, start=b, a=a, b=b)}
            assert b not in reached and min(len(reached), len(others)) == records

    def test_what_was_judged_is_not_in_it_and_what_people_are_unsure_of_is(self, judged: Judged) -> None:
        pairs = queue(judged.after)
        assert judged.unsure in pairs
        decided = {tuple(sorted(each)) for each in (judged.strangers, judged.parted, judged.numbers)}
        assert not decided & set(pairs)
        with transaction() as connection:
            found = review_queue(connection, judged.after, live_judgements(connection))
        unsure = {(each.record_a, each.record_b) for each in found if each.is_unsure}
        assert unsure == {judged.unsure}

    def test_is_no_longer_than_the_setting_says(
        self, journey: Journey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judged: Judged
    ) -> None:
        whole = queue(judged.before)
        monkeypatch.setenv("JOINEDUP_REVIEW_PAIRS", "7")
        with journey.warehouse_at("before link_period", tmp_path / "home"):
            assert queue(link(SECOND, checked=False)) == whole[:7]

    def test_the_command_shows_ids_and_what_to_type(self, judged: Judged) -> None:
        said = joinedup("review", "--limit", "3")
        assert said.exit_code == 0
        first = queue(judged.after)[0]
        assert f"{first[0]}  {first[1]}" in said.output and "joinedup judge A B" in said.output
        assert len(said.output.splitlines()) == 6


REACHED = """
    WITH RECURSIVE reached AS (
        SELECT CAST(:start AS uuid) AS record_id
        UNION
        SELECT CASE WHEN e.record_a = r.record_id THEN e.record_b ELSE e.record_a END
        FROM reached r JOIN (
            SELECT record_a, record_b FROM linked.edge_of(:run_id) WHERE is_link
              AND (record_a, record_b) <> (CAST(:a AS uuid), CAST(:b AS uuid))
        ) e ON r.record_id IN (e.record_a, e.record_b)
    )
    SELECT record_id::text FROM reached
"""


class TestTheCommands:
    def test_judgements_are_listed_with_their_state_and_without_reasons(self, judged: Judged) -> None:
        said = joinedup("judgements")
        assert said.exit_code == 0 and REASON not in said.output
        assert "live in part" in said.output and judged.parted[0] in said.output
        assert REASON.split()[0] in joinedup("judgements", "--reasons").output

    def test_contradictions_are_listed_with_the_judgement(self, judged: Judged) -> None:
        said = joinedup("judgements", "--contradictions")
        assert said.exit_code == 0
        for each in listed(judged.after):
            assert (
                f"{each.kind:<16}{each.record_a}  {each.record_b}  judgement {each.judgement_id}"
                in said.output
            )


def test_a_release_keeps_to_the_judgements_and_a_later_one_brings_them_together_again(
    journey: Journey, tmp_path: Path
) -> None:
    with journey.warehouse_at("the end", tmp_path / "home"):
        before = journey.results[f"run {SECOND}"]
        pair = _pairs(before)["parted"]
        judge(DIFFERENT, *pair)
        first = link(SECOND)
        publish(first)
        assert not together(first, *pair)
        judge(UNSURE, *pair)
        second = link(SECOND, checked=False)
        assert second > first and together(second, *pair)
        assert publish(second)
        with transaction() as connection:
            states = states_of(read_judgements(connection), datetime.now(UTC))
        assert list(states.values()) == ["superseded", "live"]


def test_a_release_that_waits_is_stopped_by_a_judgement_that_it_does_not_follow(
    journey: Journey, tmp_path: Path
) -> None:
    with journey.warehouse_at("a release waits", tmp_path / "home"):
        pair = _pairs(journey.results[f"run {SECOND}"])["parted"]
        judge(DIFFERENT, *pair)
        release_id = journey.results[f"release {SECOND}"]
        with pytest.raises(ExpectationsFailed, match="nobody_is_published_who_was_judged_two_people"):
            stages.check_release(release_id)
        judge(SAME, *pair)
        stages.check_release(release_id)


def test_a_judgement_that_has_expired_makes_another_run(journey: Journey, tmp_path: Path) -> None:
    with journey.warehouse_at("the end", tmp_path / "home"):
        before = journey.results[f"run {SECOND}"]
        pair = _pairs(before)["parted"]
        rows_of(
            "INSERT INTO identity.judgement (verdict, records, scope, decided_by, reason, expires_at) VALUES"
            " ('DIFFERENT', CAST(:pair AS uuid[]), 'everything', 'ann', 'for now', :until) RETURNING judgement_id",
            pair=list(pair),
            until=datetime.now(UTC) + timedelta(seconds=2),
        )
        while_it_counts = stages.link_period(SECOND)
        assert while_it_counts > before and not together(while_it_counts, *pair)
        time.sleep(2)
        afterwards = stages.link_period(SECOND)
        assert afterwards > while_it_counts, (
            "not the run from before the judgement, where the ledger stood then"
        )
        assert together(afterwards, *pair)
        assert stages.link_period(SECOND) == afterwards


@pytest.fixture
def two_records(warehouse: Warehouse) -> None:
    with transaction() as connection:
        link_by_hand(connection, Delivered("2026-09", [ANN, BEN]))


@pytest.mark.usefixtures("two_records")
class TestAJudgement:
    def test_is_kept_with_who_and_why_and_names_records_by_id_or_by_local_id(self) -> None:
        said = joinedup(
            "judge", f"{CSC}/1", BEN.record, "same", "--reason", REASON, "--expires", "2099-01-31"
        )
        assert said.exit_code == 0 and "judgement 1 is kept" in said.output
        (row,) = rows_of(
            "SELECT verdict, records::text[], scope, reason, decided_by <> '', expires_at FROM identity.judgement"
        )
        assert row[:5] == ("SAME", sorted([ANN.record, BEN.record]), "everything", REASON, True)
        assert row[5] == datetime(2099, 2, 1, tzinfo=UTC), "the last day counts"
        assert "2099-01-31" in joinedup("judgements").output

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"verdict": "PERHAPS"}, "one of SAME, DIFFERENT, UNSURE"),
            ({"records": [ANN.local_id]}, "2 to 50 different records"),
            ({"reason": "  "}, "needs a reason"),
            ({"decided_by": ""}, "needs a name"),
            ({"scope": ""}, "needs a scope"),
            ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "cannot expire before"),
        ],
    )
    def test_that_does_not_say_all_it_has_to_is_refused(
        self, changed: dict[str, object], message: str
    ) -> None:
        said: dict[str, object] = {
            "records": [ANN.record, BEN.record],
            "verdict": SAME,
            "reason": REASON,
            "decided_by": "ann",
        }
        with pytest.raises(JoinedupError, match=message), transaction() as connection:
            add_judgement(connection, **(said | changed))  # type: ignore[arg-type]
        assert one("SELECT count(*) FROM identity.judgement") == 0

    def test_about_a_record_that_was_never_sent_is_refused_without_its_name(self) -> None:
        refused = joinedup("judge", f"{CSC}/1", f"{CSC}/77001", "same", "--reason", REASON)
        assert "1 of these records were never registered" in str(refused.exception)
        assert "77001" not in str(refused.exception)

    def test_before_there_is_any_the_list_says_where_to_begin(self) -> None:
        assert "joinedup review" in joinedup("judgements").output
