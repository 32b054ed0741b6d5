"""What comes late: corrections of an older period, events of people who are gone, releases approved too late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from support.contents import live_release
from support.inbox_rows import add_row
from support.ingest_files import one, rows_of
from support.journey import FIRST, SECOND, Journey, ingest, link, publish
from support.people import POLICE, Delivered, Held, link_by_hand
from support.warehouse import Warehouse

from pipelines import stages
from pipelines.errors import ReleaseError
from pipelines.evidence import explain_published_person
from pipelines.identity.runs import later_period
from pipelines.keys import event_id, pseudonym, record_id
from pipelines.publish.build import build_release
from pipelines.publish.manifest import read_manifest
from pipelines.publish.swap import THE_RULE, publish_release, roll_back
from pipelines.settings import load_settings
from pipelines.synth.layouts import DEMOGRAPHICS, ED_ATTENDANCES
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.runs import finish_run

pytestmark = pytest.mark.database

LEDGER = "SELECT record_id, person_id, valid_from_run, valid_to_run FROM identity.membership ORDER BY 1, 3"


@dataclass(frozen=True)
class Corrected:
    """A correction of the first period, which came when the second was live."""

    request: dict[str, object] | None
    run_id: int
    ledger_before: list[tuple[object, ...]]
    still_there: str
    gone: str


@pytest.fixture(scope="module")
def corrected(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corrected]:
    """Health sends September again: with an attendance of a patient it still has in October, and one of a patient
    whom it had forgotten, and who is gone in October."""
    with journey.warehouse_at("the end", tmp_path_factory.mktemp("home")) as warehouse:
        still_there, gone = min(patients(warehouse, SECOND) & patients(warehouse, FIRST)), "L-GONE"
        add_row(DEMOGRAPHICS, FIRST, LOCAL_PATIENT_ID=gone, FAMILY_NAME="Quill", GIVEN_NAME="Ada", GENDER="2")
        attended("E-LATE-1", still_there)
        attended("E-LATE-2", gone)
        ledger = rows_of(LEDGER)
        request = ingest("health", FIRST, checked=False)
        yield Corrected(request, link(FIRST, checked=False), ledger, still_there, gone)


def patients(warehouse: Warehouse, period: str) -> set[str]:
    """The patients of a period who are linked to somebody, or were."""
    rows = rows_of(
        "SELECT p.source_person_id FROM normalised.person_record p JOIN audit.extract e USING (extract_id)"
        " JOIN identity.membership m USING (record_id) WHERE e.agency = 'health' AND e.period = :period",
        period=period,
    )
    return {local_id for (local_id,) in rows}


def attended(reference: str, local_id: str) -> None:
    """Add an attendance to the file of the first period."""
    sent = {
        "EC_Ident": reference,
        "LOCAL_PATIENT_ID": local_id,
        "Arrival_Date": "20260911",
        "Der_Dupe_Flag": "0",
    }
    add_row(ED_ATTENDANCES, FIRST, EC_AttendanceCategory="1", **sent)


def event_name(reference: str, local_id: str) -> str:
    key = load_settings().key
    record = record_id(key, "health", local_id)
    return pseudonym(key, "event", event_id(key, "health", "NHS.ED_ATTENDANCE", reference, record))


def not_linked(release_id: int) -> int:
    with transaction() as connection:
        return int(read_manifest(connection, release_id)["counts"]["rows"]["events_not_linked"])


class TestACorrectionOfAnOlderPeriod:
    def test_is_announced_and_linked(self, journey: Journey, corrected: Corrected) -> None:
        assert corrected.request is not None
        assert (corrected.request["period"], corrected.request["cause"]) == (FIRST, "correction")
        assert corrected.run_id > journey.results[f"run {SECOND}"]
        assert one("SELECT count(*) FROM linked.cluster_of(:run_id)", run_id=corrected.run_id) > 0
        stages.check_linked(corrected.run_id)

    def test_leaves_the_people_and_their_evidence_as_they_are(
        self, journey: Journey, corrected: Corrected
    ) -> None:
        assert rows_of(LEDGER) == corrected.ledger_before
        newest = one(
            "SELECT person_pseudonym FROM published.person WHERE record_count > 1 ORDER BY first_seen DESC, 1 LIMIT 1"
        )
        assert explain_published_person(newest).edges

    def test_is_not_published_over_the_live_release(self, journey: Journey, corrected: Corrected) -> None:
        with pytest.raises(ReleaseError, match=f"is of {FIRST}, and {SECOND} was linked before it"):
            stages.build_release(corrected.run_id)
        assert live_release() == journey.results[f"release {SECOND}"]

    def test_comes_in_when_the_live_period_is_linked_again(
        self, journey: Journey, corrected: Corrected
    ) -> None:
        """The late event of a patient who is still there is published; that of one who is gone is left out and counted."""
        earlier = not_linked(journey.results[f"release {SECOND}"])
        run_id = link(SECOND, checked=False)
        assert run_id > corrected.run_id
        release_id = publish(run_id)
        assert live_release() == release_id
        events = {name for (name,) in rows_of("SELECT event_pseudonym FROM published.person_event")}
        assert event_name("E-LATE-1", corrected.still_there) in events
        assert event_name("E-LATE-2", corrected.gone) not in events
        assert not_linked(release_id) == earlier + 1
        (report,) = rows_of(
            "SELECT r.rows_in, r.rows_out + r.withheld FROM audit.stage_report r JOIN publication.release p"
            " USING (run_id) WHERE r.stage = 'publish' AND p.release_id = :release_id",
            release_id=release_id,
        )
        assert report[0] == report[1]


class TestAReleaseThatIsOlderThanTheLiveOne:
    @pytest.fixture
    def releases(self, warehouse: Warehouse) -> tuple[int, int]:
        """September's release, which waited too long for its approval, and October's, which is live."""
        old, new = (built(period) for period in (FIRST, SECOND))
        publish_release(new, "ann", "all fine")
        return old, new

    def test_is_rejected_when_somebody_publishes_it(self, releases: tuple[int, int]) -> None:
        old, new = releases
        with pytest.raises(
            ReleaseError, match=f"release {old} is rejected: it is as of 2026-09-30, .* 2026-10-31"
        ):
            publish_release(old, "bob", "at last")
        assert live_release() == new
        (row,) = rows_of(
            "SELECT status, approved_by, approval_reason FROM publication.release WHERE release_id = :r",
            r=old,
        )
        assert row == ("REJECTED", THE_RULE, "it is as of 2026-09-30, the live release as of 2026-10-31")

    def test_is_rejected_before_anybody_is_asked(self, releases: tuple[int, int]) -> None:
        old, _ = releases
        for _ in range(2):
            with pytest.raises(ReleaseError, match="is rejected"):
                stages.check_release(old)
        with transaction() as connection:
            decisions = read_manifest(connection, old)["decisions"]
        assert [decision["status"] for decision in decisions] == ["REJECTED"]

    def test_may_be_brought_back_on_purpose_if_it_was_live(self, warehouse: Warehouse) -> None:
        old, new = (built(period) for period in (FIRST, SECOND))
        publish_release(old, "ann", "all fine")
        publish_release(new, "ann", "all fine")
        publish_release(new, "ann", "again")
        roll_back(old, "bob", "October is wrong")
        assert live_release() == old

    def test_of_the_same_period_is_a_correction_and_goes_out(self, warehouse: Warehouse) -> None:
        first, second = built(SECOND), built(SECOND)
        publish_release(first, "ann", "all fine")
        publish_release(second, "ann", "corrected")
        assert live_release() == second


def built(period: str) -> int:
    with transaction() as connection:
        run_id = link_by_hand(connection, Delivered(period, [Held(POLICE, "7")]))
        finish_run(connection, run_id)
    return build_release(run_id).release_id


def test_the_period_where_the_ledger_stands_is_the_latest_that_was_linked(warehouse: Warehouse) -> None:
    with transaction() as connection:
        assert later_period(connection, FIRST) is None
    built(SECOND)
    with transaction() as connection:
        assert (later_period(connection, FIRST), later_period(connection, SECOND)) == (SECOND, None)
