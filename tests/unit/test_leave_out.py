"""Which landed rows are left out of normalising, because their record was purged."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from pipelines.contracts.loader import load_contract
from pipelines.keys import record_id
from pipelines.normalise.assemble.context import NormaliseContext
from pipelines.normalise.assemble.local_ids import leave_out, local_id_column, record_behind

KEY = b"a key that only tests use"
POLICE = load_contract("police")
CONTEXT = NormaliseContext(POLICE, date(2026, 10, 31), KEY, allow_synthetic=True)
GONE = record_id(KEY, "police", "N1")


def landed(*local_ids: str | None) -> pa.Table:
    rows = range(1, len(local_ids) + 1)
    return pa.table({"row_number": list(rows), "nominalref": pa.array(local_ids, pa.string())})


def test_rows_of_a_purged_record_are_left_out_and_counted_however_the_id_was_written() -> None:
    files = {"nominal": landed("N1", " N1 ", "N2", None, "N11"), "involvement": landed("N2")}
    kept, left_out = leave_out(CONTEXT, files, {GONE})
    assert kept["nominal"]["row_number"].to_pylist() == [3, 4, 5]
    assert kept["involvement"].num_rows == 1
    assert left_out == {"nominal": 2, "involvement": 0}


def test_a_file_without_a_local_id_and_one_without_rows_stay_as_they_are() -> None:
    files = {"occurrence": pa.table({"row_number": [1]}), "nominal": landed()}
    kept, left_out = leave_out(CONTEXT, files, {GONE})
    assert (kept["occurrence"].num_rows, kept["nominal"].num_rows) == (1, 0)
    assert left_out == {"occurrence": 0, "nominal": 0}


def test_nothing_is_looked_at_while_nothing_was_purged() -> None:
    files = {"nominal": landed("N1")}
    assert leave_out(CONTEXT, files, frozenset()) == (files, {})


@pytest.mark.parametrize("written", [None, "", "  ", "NULL", "-"])
def test_what_says_nothing_is_nobodys(written: str | None) -> None:
    assert record_behind(KEY, "police", POLICE.files["nominal"], written) is None


def test_the_local_id_is_looked_for_in_the_columns_that_are_landed() -> None:
    assert local_id_column(POLICE.files["involvement"]) == "nominalref"
    assert local_id_column(POLICE.files["occurrence"]) is None
