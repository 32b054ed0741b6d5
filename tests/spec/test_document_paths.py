"""The path language of documents: what each path finds, and what is no path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.document_files import as_json, document_file, read_document

from pipelines.contracts.paths import PathError, parse_path, parse_rows

PERSON = {
    "id": "P1",
    "number": 9990000018,
    "ratio": 1.10,
    "flag": True,
    "nothing": None,
    "name": [
        {"use": "old", "family": "Jones", "given": ["Jane", "Ann"], "period": {"end": "2019"}},
        {"use": "usual", "family": "Smith", "given": ["Jane", "Marie"]},
    ],
    "identifier": [
        {"system": "https://local/Id/a=b", "value": "L-1"},
        {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"},
    ],
    "nested": [[1, 2], [3]],
    "empty": [],
}
DOCUMENT = {"la_code": "838", "people": [PERSON]}

FOUND = {
    "id": "P1",
    "number": "9990000018",
    "ratio": "1.1",
    "flag": "true",
    "nothing": None,
    "empty": None,
    "not_there": None,
    "not/there": None,
    "/la_code": "838",
    "name/family": "Jones",
    "name[use=usual]/family": "Smith",
    "name[use=usual][family=Smith]/given": "Jane",
    "name[use=usual][family=Jones]/given": None,
    "name[use=nickname]/family": None,
    "name[period/end=]/family": "Smith",
    "name[use=usual]/given*": "Jane Marie",
    "name/given*": "Jane Ann",
    "name*/given": "Jane Jane",
    "name*/given*": "Jane Ann Jane Marie",
    "name*/family": "Jones Smith",
    "identifier[system=https://fhir.nhs.uk/Id/nhs-number]/value": "9990000018",
    "identifier[system=https://local/Id/a=b]/value": "L-1",
    "nested": "1",
    "nested*": "1 2 3",
}


@pytest.mark.parametrize("path", FOUND)
def test_a_path_finds(path: str) -> None:
    file = document_file("json", "people", {"key": "id", "value": path})
    rows, set_aside, findings = read_document(as_json(DOCUMENT), file)
    assert rows == [("P1", FOUND[path])]
    assert (set_aside, findings.problems) == ([], [])


@pytest.mark.parametrize("path", ["name", "name[use=usual]", "id/value", "name/family/text"])
def test_a_path_that_meets_an_object_or_goes_through_a_value_sets_the_row_aside(path: str) -> None:
    file = document_file("json", "people", {"key": "id", "value": path})
    rows, set_aside, _ = read_document(as_json(DOCUMENT), file)
    assert rows == []
    assert [(row.row_number, row.reason) for row in set_aside] == [(1, "WRONG_SHAPE")]
    assert '"P1"' in set_aside[0].raw


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        ("people/name", {"a": "../id", "b": "family"}, [("P1", "Jones"), ("P1", "Smith")]),
        ("people/name[use=usual]", {"a": "../id", "b": "family"}, [("P1", "Smith")]),
        ("people[id=P1]/name", {"a": "family", "b": "use"}, [("Jones", "old"), ("Smith", "usual")]),
        ("people[id=P2]/name", {"a": "family"}, []),
        ("people/name/period", {"a": "../../id", "b": "../family", "c": "end"}, [("P1", "Jones", "2019")]),
        ("people/name/given", {"a": "../family", "b": "."}, [("Jones", "Jane"), ("Jones", "Ann"), ("Smith", "Jane"), ("Smith", "Marie")]),
        ("people/identifier", {"a": "/la_code", "b": "../name[use=usual]/family", "c": "value"}, [("838", "Smith", "L-1"), ("838", "Smith", "9990000018")]),
        (".", {"a": "la_code", "b": "people/id"}, [("838", "P1")]),
        ("people/empty", {"a": "../id"}, []),
    ],
)  # fmt: skip
def test_rows_are_found_at_any_depth_and_look_up(rows: str, columns: dict, expected: list) -> None:
    found, set_aside, findings = read_document(as_json(DOCUMENT), document_file("json", rows, columns))
    assert found == expected
    assert (set_aside, findings.problems) == ([], [])


@pytest.mark.parametrize(
    "path",
    ["", "a//b", "a/", "/", "..", "../", "a/../b", "/../a", "a[b", "a]b", "a[b]", "a[=x]", "a[../b=x]", "a[b=x]c",
     "*", "a*b", "@a/b", "@", " a", "a[b=x]*/", "a=b", "./a"],
)  # fmt: skip
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        parse_path(path)


@pytest.mark.parametrize("path", ["../a", "/a", "a*", "a/@b", ""])
def test_what_cannot_lead_to_rows_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        parse_rows(path)


@given(st.text(st.sampled_from("ab/.[]=*@"), max_size=14))
def test_any_text_is_a_path_or_refused_in_our_words(text: str) -> None:
    try:
        path = parse_path(text)
    except PathError:
        return
    assert path.steps or text == "."
