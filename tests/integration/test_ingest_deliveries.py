"""Who completes a period, what a link run works on, and that a period is announced exactly once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import date

import pytest
from support.ingest_files import empty, one, rows_of, write_delivery, write_file
from support.warehouse import Warehouse

from pipelines.contracts.loader import load_contract, load_contracts
from pipelines.errors import WarehouseError
from pipelines.ingest.deliveries import Delivery, days_late, get_delivery, mark_failed
from pipelines.ingest.link_inputs import link_inputs
from pipelines.ingest.link_requests import LinkRequest, due_cutoffs, request_link
from pipelines.ingest.receive import receive_delivery

pytestmark = pytest.mark.database

# Every agency, health first: it is the one that is late, corrected and carried forward here.
AGENCIES = ("health", *(agency for agency in load_contracts() if agency != "health"))
ALL_BUT_THE_LAST, LAST = AGENCIES[:-1], AGENCIES[-1]
SEPTEMBER, OCTOBER, NOVEMBER = "2026-09", "2026-10", "2026-11"


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Warehouse:
    return empty(module_warehouse)


def deliver(warehouse: Warehouse, agency: str, period: str, salt: str = "") -> int:
    """Receive a delivery; return its id."""
    folder = write_delivery(warehouse.home / "inbox" / agency, agency, period, salt=salt)
    received = receive_delivery(load_contract(agency), period, folder)
    assert received.delivery_id is not None
    return received.delivery_id


def announce(warehouse: Warehouse, agency: str, period: str, salt: str = "") -> LinkRequest | None:
    """Receive a delivery and say that it went through every check."""
    return request_link(deliver(warehouse, agency, period, salt))


def delivered_by(delivery_ids: Iterable[int]) -> set[str]:
    """The agencies of these deliveries."""
    query = "SELECT agency FROM audit.delivery WHERE delivery_id = ANY(:ids)"
    return {agency for (agency,) in rows_of(query, ids=list(delivery_ids))}


def test_the_last_required_agency_completes_the_period(warehouse: Warehouse) -> None:
    earlier = {agency: deliver(warehouse, agency, SEPTEMBER) for agency in ALL_BUT_THE_LAST}
    assert [request_link(delivery_id) for delivery_id in earlier.values()] == [None] * len(earlier)
    last = deliver(warehouse, LAST, SEPTEMBER)
    request = request_link(last)
    assert request is not None
    assert (request.period, request.cause) == (SEPTEMBER, "complete")
    assert request.delivery_ids == (last, *(earlier[agency] for agency in sorted(earlier)))


def test_deliveries_of_another_period_do_not_complete_it(warehouse: Warehouse) -> None:
    for agency in ALL_BUT_THE_LAST:
        announce(warehouse, agency, SEPTEMBER)
    assert announce(warehouse, LAST, OCTOBER) is None


def test_a_delivery_that_has_landed_but_was_not_checked_does_not_count(warehouse: Warehouse) -> None:
    deliver(warehouse, AGENCIES[0], SEPTEMBER)
    assert [announce(warehouse, agency, SEPTEMBER) for agency in AGENCIES[1:]] == [None] * len(AGENCIES[1:])


def test_a_failed_delivery_does_not_count(warehouse: Warehouse) -> None:
    mark_failed(deliver(warehouse, AGENCIES[0], SEPTEMBER))
    assert [announce(warehouse, agency, SEPTEMBER) for agency in AGENCIES[1:]] == [None] * len(AGENCIES[1:])


def test_announcing_again_gives_the_same_request_to_its_owner_and_none_to_others(
    warehouse: Warehouse,
) -> None:
    first, *_ = [deliver(warehouse, agency, SEPTEMBER) for agency in ALL_BUT_THE_LAST]
    rows_of("UPDATE audit.delivery SET status = 'NORMALISED' RETURNING 1")
    last = deliver(warehouse, LAST, SEPTEMBER)
    request = request_link(last)
    assert request_link(last) == request
    assert request_link(first) is None
    assert one("SELECT count(*) FROM audit.link_request") == 1


def test_a_correction_of_a_complete_period_is_announced(warehouse: Warehouse) -> None:
    for agency in AGENCIES:
        announce(warehouse, agency, SEPTEMBER)
    corrected = announce(warehouse, "health", SEPTEMBER, salt="corrected")
    assert corrected is not None
    assert corrected.cause == "correction"
    first, *others = corrected.delivery_ids
    assert (first, len(others)) == (len(AGENCIES) + 1, len(AGENCIES) - 1)
    assert delivered_by(others) == set(AGENCIES) - {"health"}


def test_a_correction_before_the_period_is_complete_is_not_announced(warehouse: Warehouse) -> None:
    announce(warehouse, "health", SEPTEMBER)
    assert announce(warehouse, "health", SEPTEMBER, salt="corrected") is None
    *earlier, request = [announce(warehouse, agency, SEPTEMBER) for agency in AGENCIES[1:]]
    assert earlier == [None] * len(earlier) and request is not None
    assert 1 not in request.delivery_ids and 2 in request.delivery_ids  # of health, the corrected one
    assert delivered_by(request.delivery_ids) == set(AGENCIES)


def test_deliveries_that_end_at_the_same_moment_make_one_request(warehouse: Warehouse) -> None:
    ids = [deliver(warehouse, agency, SEPTEMBER) for agency in AGENCIES]
    for _ in range(5):
        with_state = "UPDATE audit.delivery SET status = 'ACCEPTED', normalised_at = NULL RETURNING 1"
        rows_of(with_state)
        rows_of("DELETE FROM audit.link_request RETURNING 1")
        barrier, found = threading.Barrier(len(ids)), []

        def announce_at_once(
            delivery_id: int, barrier: threading.Barrier = barrier, found: list = found
        ) -> None:
            barrier.wait()
            found.append(request_link(delivery_id))

        threads = [threading.Thread(target=announce_at_once, args=(delivery_id,)) for delivery_id in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(request is None for request in found) == [False] + [True] * (len(ids) - 1)
        assert one("SELECT count(*) FROM audit.link_request") == 1


def test_snapshot_files_are_the_latest_and_delta_files_are_all_up_to_the_period(warehouse: Warehouse) -> None:
    for period in (SEPTEMBER, OCTOBER):
        for agency in AGENCIES:
            announce(warehouse, agency, period)
    used = dict(
        rows_of(
            "SELECT agency || '/' || file, array_agg(period ORDER BY period) FROM audit.extract"
            " WHERE extract_id = ANY(:ids) GROUP BY 1",
            ids=list(link_inputs(OCTOBER).extract_ids),
        )
    )
    for agency in AGENCIES:
        for name, file in load_contract(agency).files.items():
            if file.required:
                expected = [SEPTEMBER, OCTOBER] if file.mode == "delta" else [OCTOBER]
                assert used[f"{agency}/{name}"] == expected
    september = rows_of(
        "SELECT DISTINCT period FROM audit.extract WHERE extract_id = ANY(:ids)",
        ids=list(link_inputs(SEPTEMBER).extract_ids),
    )
    assert september == [(SEPTEMBER,)]


def test_a_corrected_delta_file_replaces_the_one_of_its_period(warehouse: Warehouse) -> None:
    for agency in AGENCIES:
        announce(warehouse, agency, SEPTEMBER)
    before = set(link_inputs(SEPTEMBER).extract_ids)
    folder = warehouse.home / "inbox" / "health"
    write_file(folder, "health", "ed_attendances", SEPTEMBER, salt="corrected")
    corrected = receive_delivery(load_contract("health"), SEPTEMBER, folder)
    assert set(link_inputs(SEPTEMBER).extract_ids) == before
    request_link(int(corrected.delivery_id or 0))
    after = set(link_inputs(SEPTEMBER).extract_ids)
    assert after - before == {corrected.extract_ids["ed_attendances"]}
    assert len(before - after) == 1


def test_an_agency_that_is_late_is_carried_forward_at_the_cut_off(warehouse: Warehouse) -> None:
    for agency in AGENCIES:
        announce(warehouse, agency, SEPTEMBER)
    announce(warehouse, "health", OCTOBER)
    assert due_cutoffs(date(2026, 11, 11)) == []
    (request,) = due_cutoffs(date(2026, 11, 12))
    assert (request.period, request.cause) == (OCTOBER, "cutoff")
    assert 1 not in request.delivery_ids and len(AGENCIES) + 1 in request.delivery_ids
    assert delivered_by(request.delivery_ids) == set(AGENCIES)
    inputs = link_inputs(OCTOBER)
    assert inputs.carried_forward == dict.fromkeys(AGENCIES[1:], SEPTEMBER)
    assert (inputs.missing, inputs.is_complete) == ((), False)


def test_a_cut_off_is_announced_again_until_a_link_run_started(warehouse: Warehouse) -> None:
    for agency in AGENCIES:
        announce(warehouse, agency, SEPTEMBER)
    announce(warehouse, "health", OCTOBER)
    day = date(2026, 11, 20)
    assert due_cutoffs(day) == due_cutoffs(day) != []
    rows_of("INSERT INTO audit.run (kind, period) VALUES ('link', '2026-10') RETURNING 1")
    assert due_cutoffs(day) == []
    assert one("SELECT count(*) FROM audit.link_request WHERE cause = 'cutoff'") == 1


def test_who_comes_after_the_cut_off_is_announced(warehouse: Warehouse) -> None:
    for agency in AGENCIES:
        announce(warehouse, agency, SEPTEMBER)
    announce(warehouse, "health", OCTOBER)
    due_cutoffs(date(2026, 11, 12))
    requests = [announce(warehouse, agency, OCTOBER) for agency in AGENCIES[1:]]
    causes = [request and request.cause for request in requests]
    assert causes == ["correction"] * (len(causes) - 1) + ["complete"]


def test_an_agency_that_is_too_old_to_be_carried_forward_is_missing(warehouse: Warehouse) -> None:
    for agency in AGENCIES:
        announce(warehouse, agency, SEPTEMBER)
    for agency in ALL_BUT_THE_LAST:
        announce(warehouse, agency, NOVEMBER)
    inputs = link_inputs(NOVEMBER)
    assert inputs.missing == (LAST,)
    assert due_cutoffs(date(2027, 1, 1)) == []


def test_a_delivery_is_late_by_the_days_after_the_due_day() -> None:
    police = load_contract("police")
    assert days_late(police, SEPTEMBER, date(2026, 10, 5)) == 0
    assert days_late(police, SEPTEMBER, date(2026, 10, 8)) == 3
    assert days_late(police, "2026-12", date(2027, 1, 6)) == 1


def test_an_unknown_delivery_is_told(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="there is no delivery 77"):
        request_link(77)


def test_a_delivery_is_found_by_its_id(warehouse: Warehouse) -> None:
    delivery_id = deliver(warehouse, "police", SEPTEMBER)
    found: Delivery = get_delivery(delivery_id)
    assert (found.agency, found.period, list(found.extract_ids)) == (
        "police",
        SEPTEMBER,
        ["nominal", "occurrence", "involvement"],
    )
