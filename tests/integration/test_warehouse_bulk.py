"""Bulk loads and reads on the real server: what goes in comes out, all of it or none."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import uuid4

import pyarrow as pa
import pytest
from sqlalchemy import func, select, text
from support.warehouse import Warehouse

from pipelines.errors import WarehouseError
from pipelines.warehouse.bulk import load_arrow, read_arrow, replace_rows
from pipelines.warehouse.engine import adbc_connection, engine, transaction
from pipelines.warehouse.errors import DatabaseRefused
from pipelines.warehouse.staging import sweep_staging
from pipelines.warehouse.tables import normalised_table, publication_table

pytestmark = pytest.mark.database

CANARY = "CANARY-7F3A"


def events(extract_id: int, rows: int) -> pa.Table:
    """Return so many events of one extract."""
    ids = [str(uuid4()) for _ in range(rows)]
    return pa.table(
        {
            "extract_id": pa.array([extract_id] * rows, pa.int32()),
            "row_number": range(1, rows + 1),
            "record_id": ids,
            "event_id": ids,
            "agency": pa.array(["police"] * rows).dictionary_encode(),
            "event_type": ["POLICE.MISSING"] * rows,
            "event_date": [date(2026, 9, 1)] * rows,
            "attributes": ['{"count": 1}'] * rows,
            "category": pa.nulls(rows),
        }
    )


def stored_events() -> int:
    """Return how many events are stored."""
    return int(read_arrow("SELECT count(*) AS n FROM normalised.event")["n"][0].as_py())


def staging_tables() -> list[str]:
    """Return the staging tables that exist."""
    return list(
        read_arrow("SELECT tablename FROM pg_tables WHERE schemaname = 'staging'")["tablename"].to_pylist()
    )


def test_rows_come_back_as_they_went_in(warehouse: Warehouse) -> None:
    sent = events(1, 500)
    with transaction() as connection:
        assert load_arrow(connection, normalised_table("event"), sent) == 500
    back = read_arrow("SELECT * FROM normalised.event ORDER BY row_number")
    assert back["record_id"].to_pylist() == sent["record_id"].to_pylist()
    assert back["attributes"].to_pylist() == sent["attributes"].to_pylist()
    assert back["event_date"].to_pylist() == sent["event_date"].to_pylist()
    assert set(back["category"].to_pylist()) == {None}
    assert staging_tables() == []


def test_lists_times_and_empty_tables_are_loaded(warehouse: Warehouse) -> None:
    overlap, currency = publication_table("agency_overlap"), publication_table("data_currency")
    row = {"release_id": [1], "as_of": [date(2026, 9, 30)]}
    combination = pa.table(
        {**row, "agencies": [["health", "police"]], "agency_count": [2], "is_suppressed": [True]}
    )
    current = pa.table(
        {
            **row,
            "agency": ["police"],
            "period": ["2026-09"],
            "received_at": [datetime(2026, 10, 1, tzinfo=UTC)],
            "is_carried_forward": [False],
            "records": [3],
            "events": [4],
        }
    )
    with transaction() as connection:
        assert load_arrow(connection, overlap, combination) == 1
        assert load_arrow(connection, currency, current) == 1
        assert load_arrow(connection, overlap, combination.slice(0, 0)) == 0
    assert read_arrow("SELECT agencies FROM publication.agency_overlap").to_pylist() == [
        {"agencies": ["health", "police"]}
    ]
    received = read_arrow("SELECT received_at FROM publication.data_currency")["received_at"][0].as_py()
    assert received == datetime(2026, 10, 1, tzinfo=UTC)


def test_a_reader_is_loaded_batch_by_batch(warehouse: Warehouse) -> None:
    batches = events(1, 1000).to_batches(max_chunksize=100)
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    with transaction() as connection:
        assert load_arrow(connection, normalised_table("event"), reader) == 1000


def test_replacing_the_rows_of_an_extract_twice_gives_the_same_state(warehouse: Warehouse) -> None:
    first, other = events(1, 20), events(2, 5)
    for _ in range(2):
        with transaction() as connection:
            replace_rows(connection, normalised_table("event"), {"extract_id": 1}, first)
            replace_rows(connection, normalised_table("event"), {"extract_id": 2}, other)
    assert stored_events() == 25


def test_rows_are_never_replaced_without_a_key(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="under a key"), transaction() as connection:
        replace_rows(connection, normalised_table("event"), {}, events(1, 1))


def test_a_transaction_that_fails_later_leaves_nothing_behind(warehouse: Warehouse) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as connection:
        load_arrow(connection, normalised_table("event"), events(1, 10))
        raise ZeroDivisionError
    assert stored_events() == 0
    assert staging_tables() == []


def test_what_a_killed_load_left_is_swept_and_a_running_load_is_not(warehouse: Warehouse) -> None:
    with adbc_connection() as adbc, adbc.cursor() as cursor:
        cursor.execute("CREATE TABLE staging.left_by_a_killed_process (a text)")
        adbc.commit()
    with transaction() as connection:
        load_arrow(connection, normalised_table("event"), events(1, 10))
        running = staging_tables()
        assert len(running) == 1
        assert running != ["left_by_a_killed_process"]
        assert sweep_staging() == 0
    assert staging_tables() == []
    assert stored_events() == 10


def bad_rows() -> Iterator[object]:
    """Give rows that do not fit, each with a canary where the error might repeat it."""
    good = events(1, 1)
    yield pytest.param(good.set_column(2, "record_id", [[CANARY]]), id="not a uuid")
    yield pytest.param(good.set_column(6, "event_date", [[CANARY]]), id="not a date")
    yield pytest.param(good.set_column(7, "attributes", [[CANARY]]), id="not json")
    yield pytest.param(good.set_column(5, "event_type", pa.nulls(1, pa.string())), id="null")
    yield pytest.param(good.append_column("surname", [[CANARY]]), id="unknown column")


@pytest.mark.parametrize("rows", list(bad_rows()))
def test_rows_that_do_not_fit_are_refused_without_their_values(warehouse: Warehouse, rows: pa.Table) -> None:
    with pytest.raises(WarehouseError) as caught, transaction() as connection:
        load_arrow(connection, normalised_table("event"), rows)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert stored_events() == 0
    assert staging_tables() == []


def test_an_error_of_any_statement_carries_no_value(warehouse: Warehouse) -> None:
    statement = text("SELECT CAST(:value AS date)")
    with pytest.raises(Exception, match="22007") as caught, engine().connect() as connection:
        connection.execute(statement, {"value": CANARY})
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(DatabaseRefused) as refused:
        read_arrow(statement, {"value": CANARY})
    assert CANARY not in "".join(traceback.format_exception(refused.value))


def test_a_duplicate_row_names_the_constraint_and_not_the_row(warehouse: Warehouse) -> None:
    person = publication_table("linked_person")
    row = pa.table({"release_id": [1, 1], "as_of": [date(2026, 9, 30)] * 2, "person_pseudonym": [CANARY] * 2})
    with pytest.raises(DatabaseRefused, match="pk_linked_person") as caught, transaction() as connection:
        load_arrow(connection, person, row)
    assert caught.value.sqlstate == "23505"
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_queries_take_named_parameters_lists_and_percent_signs(warehouse: Warehouse) -> None:
    with transaction() as connection:
        load_arrow(connection, normalised_table("event"), events(1, 3))
        load_arrow(connection, normalised_table("event"), events(2, 4))
    query = (
        "SELECT agency FROM normalised.event WHERE extract_id = ANY(:extracts) AND agency LIKE :agency || '%'"
    )
    assert read_arrow(query, {"extracts": [2, 9], "agency": "pol"}).num_rows == 4
    event = normalised_table("event")
    grouped = select(event.c.extract_id, func.avg(event.c.row_number).label("mean")).group_by(
        event.c.extract_id
    )
    assert sorted(read_arrow(grouped.where(event.c.agency == "police"))["mean"].to_pylist()) == [2.0, 2.5]
