"""What a purge finds in the text of a row that was set aside: the local id, wherever the format puts it."""

from __future__ import annotations

import pytest
from support.formats import file_of

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.columns import Column, Kind
from pipelines.contracts.layouts import Layout
from pipelines.keys import record_id
from pipelines.purge.quarantine import records_in

KEY = "0123456789abcdef"
AGENCY = "fire"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOINEDUP_KEY", KEY)


def with_local_id(kind: Kind, columns: dict[str, Column] | None = None) -> AgencyFile:
    return file_of(kind, columns).model_copy(update={"local_id": "first"})


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("delimited", 'x,"A 17",too,many,fields'),
        ("xlsx", "A 17,b,c,d"),
        ("fixed_width", f"{'A 17':<20}{'b':<20}cut off "),
    ],
)
def test_the_local_id_is_found(kind: Kind, raw: str) -> None:
    assert record_id(KEY.encode(), AGENCY, "A 17") in records_in(AGENCY, with_local_id(kind), raw)


def test_it_is_found_where_the_layout_of_the_period_puts_it() -> None:
    layout = Layout.model_validate({"until": "2024-12", "columns": {"first": {"at": [5, 4]}}})
    columns = {"first": Column(at=(1, 4)), "second": Column(at=(9, 4))}
    file = with_local_id("fixed_width", columns).model_copy(update={"layouts": (layout,)})
    theirs = record_id(KEY.encode(), AGENCY, "A 17")
    assert theirs in records_in(AGENCY, file.at("2024-12"), "xxxxA 17")
    assert theirs not in records_in(AGENCY, file.at("2025-01"), "xxxxA 17")
