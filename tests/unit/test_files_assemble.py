"""From files to the tables of linking: every row a record, further columns further values, what broke a rule counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.errors import FilesRejected
from pipelines.files.assemble import Assembled, assemble
from pipelines.files.engine import link_data
from pipelines.files.mapping import SourceMapping
from pipelines.files.people import Today
from pipelines.files.read import RawSource

TODAY = Today(date(2026, 7, 1), allow_synthetic=True)
FIELDS = {
    "forename": ["first", "alias"],
    "surname": "last",
    "middle_names": "middle",
    "date_of_birth": {"column": "dob", "format": "%d/%m/%Y"},
    "sex": "sex",
    "address": ["number", "street"],
    "postcode": "postcode",
    "phone": ["home", "mobile"],
    "email": "mail",
    "identifier.ssn": "ssn",
    "extra.town": "town",
}
COLUMNS: dict[str, list[str | None]] = {
    "first": ["Mary Jane", "Bob", None],
    "alias": ["Molly", None, None],
    "last": ["O'Neil", "Smith", None],
    "middle": ["Ann", None, None],
    "dob": ["01/02/1980", "31/02/1980", None],
    "sex": ["f", "M", None],
    "number": ["12", None, None],
    "street": ["High Street", "Flat 2, 7 Low Road", None],
    "postcode": ["ab1 2de", "90210", None],
    "home": ["01632 960001", None, None],
    "mobile": ["07700 900001", "07700900002", None],
    "mail": ["A@Example.org", "broken@@example.org", None],
    "ssn": ["123-45-6789", None, None],
    "town": ["york", "York", None],
}


def source(name: str = "census", **columns: list[str | None]) -> tuple[RawSource, SourceMapping]:
    filled = COLUMNS | columns
    raw = {key: pa.chunked_array([pa.array(values, pa.string())]) for key, values in filled.items()}
    mapping = SourceMapping.model_validate({"unique_people": True, "fields": FIELDS})
    return RawSource(name, Path(f"{name}.csv"), len(filled["first"]), raw), mapping


def rows(assembled: Assembled, table: str) -> list[dict[str, Any]]:
    return assembled.tables[table].to_pylist()


def test_every_row_is_a_record_and_one_with_nothing_is_counted() -> None:
    found = assemble([source("a"), source("b")], TODAY)
    assert found.records["record_id"].to_pylist() == ["a:1", "a:2", "a:3", "b:1", "b:2", "b:3"]
    assert found.records["agency"].to_pylist() == ["a"] * 3 + ["b"] * 3
    assert [(account.rows, account.empty) for account in found.accounts] == [(3, 1), (3, 1)]
    assert found.unique_sources == {"a", "b"}
    assert {row["record"] for row in rows(found, "names")} == {0, 1, 3, 4}


def test_names_split_join_and_have_aliases() -> None:
    names = [row for row in rows(assemble([source()], TODAY), "names") if row["record"] == 0]
    assert [(row["given"], row["middle"], row["family"]) for row in names] == [
        ("MARY", "JANE ANN", "ONEIL"),
        ("MOLLY", "ANN", "ONEIL"),
    ]


def test_addresses_contacts_identifiers_and_own_fields() -> None:
    found = assemble([source()], TODAY)
    assert [
        (row["building_number"], row["postcode"], row["outward"], row["lines"])
        for row in rows(found, "addresses")
    ] == [("12", "AB1 2DE", "AB1", "12 HIGH STREET"), ("7", "90210", None, "FLAT 2 7 LOW ROAD")]
    assert {row["value"] for row in rows(found, "contacts") if row["record"] == 0} == {
        "+441632960001", "+447700900001", "a@example.org",
    }  # fmt: skip
    assert [(row["identifier_type"], row["value"], row["status"]) for row in rows(found, "identifiers")] == [
        ("SSN", "123456789", "VALID")
    ]
    assert [(row["field"], row["value"]) for row in rows(found, "extras")] == [("town", "YORK")] * 2


def test_what_broke_a_rule_is_counted_by_column_and_never_shown() -> None:
    (account,) = assemble([source()], TODAY).accounts
    assert account.broken == {
        "dob": {"DATE_IMPOSSIBLE_DATE": 1},
        "mail": {"EMAIL_KEPT_AS_TEXT": 1},
        "postcode": {"POSTCODE_NOT_UK_KEPT_AS_TEXT": 1},
    }


def test_values_that_never_repeat_and_values_that_do_end_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    once = assemble([source()], TODAY)
    monkeypatch.setattr("pipelines.files.columns.SAMPLED_ROWS", 1)
    monkeypatch.setattr("pipelines.files.columns.MOSTLY_DIFFERENT", 0.0)
    again = assemble([source()], TODAY)
    assert {name: rows(once, name) for name in once.tables} == {
        name: rows(again, name) for name in again.tables
    }
    assert once.accounts == again.accounts


def test_linking_takes_what_was_assembled() -> None:
    data = link_data(assemble([source("a"), source("b")], TODAY))
    assert data.positions("names").tolist() == [0, 1, 0, 3, 4, 3]
    assert data.unique_sources == {"a", "b"}


class TestDates:
    def test_ambiguous_dates_are_refused_by_row_with_both_formats(self) -> None:
        raw, _ = source(dob=["13/02/1980", None, "02/03/1981"])
        fields = FIELDS | {"date_of_birth": {"column": "dob", "format": ["%d/%m/%Y", "%m/%d/%Y"]}}
        with pytest.raises(FilesRejected) as refused:
            assemble([(raw, SourceMapping.model_validate({"fields": fields}))], TODAY)
        said = str(refused.value)
        assert "census.csv, row 3, column dob" in said and "%d/%m/%Y and %m/%d/%Y" in said
        assert "1981" not in said

    def test_a_wrong_format_is_told_with_the_one_that_fits(self) -> None:
        with pytest.raises(FilesRejected, match="no value is a date in %d/%m/%Y; most are in %Y-%m-%d"):
            assemble([source(dob=["1980-02-03", "1981-12-30", None])], TODAY)

    def test_impossible_dates_alone_are_no_wrong_format(self) -> None:
        (account,) = assemble([source(dob=["31/02/1980", "30/02/1981", None])], TODAY).accounts
        assert account.broken["dob"] == {"DATE_IMPOSSIBLE_DATE": 2}
