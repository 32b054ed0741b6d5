"""Numbers pass through the caller's own transaction, in both directions, or are refused."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import text
from support.warehouse import Warehouse

from pipelines.errors import WarehouseError
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.numbers import INTEGER, REAL, read_numbers, write_numbers

pytestmark = pytest.mark.database

QUERY = "SELECT place, weight FROM kept ORDER BY place"
COLUMNS = {"place": INTEGER, "weight": REAL}


def test_what_was_written_is_read_before_anything_is_committed(warehouse: Warehouse) -> None:
    place, weight = np.array([-1, 0, 2**62]), np.array([-12.25, np.inf, np.pi])
    with transaction() as connection:
        write_numbers(connection, "kept", {"place": np.array([7]), "weight": np.array([1.0])})
        write_numbers(connection, "kept", {"place": place, "weight": weight})
        found = read_numbers(connection, QUERY, COLUMNS)
        assert connection.scalar(text("SELECT weight FROM kept WHERE place = 4611686018427387904")) == np.pi
    assert found["place"].dtype == np.int64 and found["place"].tolist() == place.tolist()
    assert found["weight"].dtype == np.float64 and found["weight"].tolist() == weight.tolist()


def test_no_rows_are_empty_arrays(warehouse: Warehouse) -> None:
    with transaction() as connection:
        write_numbers(connection, "kept", {"place": np.array([], int), "weight": np.array([])})
        assert [len(each) for each in read_numbers(connection, QUERY, COLUMNS).values()] == [0, 0]


@pytest.mark.parametrize("row", ["NULL::bigint, 1.5", "1, NULL::float", "NULL::bigint, NULL::float"])
def test_a_null_is_refused(warehouse: Warehouse, row: str) -> None:
    with transaction() as connection, pytest.raises(WarehouseError, match="null"):
        read_numbers(connection, f"SELECT * FROM (VALUES ({row}), (2, 2.5)) AS v (place, weight)", COLUMNS)
