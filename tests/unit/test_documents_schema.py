"""An XML file against its schema: what it breaks is told without values, and the file is read all the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.document_files import FOLDER, document_file, read_document

from pipelines.contracts.agency import AgencyFile
from pipelines.ingest.readers.documents import xsd
from pipelines.settings import load_settings

SECRET = "Zyxwvut"  # noqa: S105


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgencyFile:
    """A contract's file with a schema beside the contracts."""
    monkeypatch.setenv("JOINEDUP_SCHEMAS_DIR", str(tmp_path))
    assert load_settings().schemas_dir == tmp_path
    (tmp_path / "agencies").mkdir()
    shutil.copy(FOLDER / "cin_small.xsd", tmp_path / "agencies" / "people.xsd")
    columns = {"id": None, "born": None, "sex": None}
    return document_file("xml", "people/person", columns, xsd="people.xsd")


def document(*people: str) -> str:
    return "<m><people>" + "".join(f"<person>{person}</person>" for person in people) + "</people></m>"


def told(findings: object) -> list[tuple[str | None, str]]:
    warnings = findings.warnings  # type: ignore[attr-defined]
    return [(warning.column, warning.message) for warning in warnings if warning.rule == "XSD"]


def test_a_file_that_fits_its_schema_has_no_warning(file: AgencyFile) -> None:
    rows, _, findings = read_document(document("<id>1</id><born>2012-05-01</born><sex>F</sex>"), file)
    assert rows == [("1", "2012-05-01", "F")]
    assert (findings.problems, findings.warnings) == ([], [])


def test_what_breaks_the_schema_is_counted_by_place_and_kind_and_read(file: AgencyFile) -> None:
    bad = f"<id>1</id><born>{SECRET}</born><sex>{SECRET}</sex>"
    rows, set_aside, findings = read_document(
        document("<id>0</id>", bad, bad, "<sex>M</sex><id>3</id>"), file
    )
    assert rows == [("0", None, None), ("1", SECRET, SECRET), ("1", SECRET, SECRET), ("3", None, "M")]
    assert (set_aside, findings.problems) == ([], [])
    first = "/m/people/person[2]"
    assert told(findings) == [
        (
            "/m/people/person/born",
            f"a value that is not of the schema's type: 2 times, first in {first}/born",
        ),
        (
            "/m/people/person/sex",
            f"a value that is not one of those the schema lists: 2 times, first in {first}/sex",
        ),
        (
            "/m/people/person",
            "an element that the schema does not have here, or one is missing: 1 times, first in /m/people/person[4]",
        ),
    ]
    assert SECRET not in str(findings)


def test_the_kinds_that_are_told_are_bounded(file: AgencyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xsd, "MOST_KEPT", 1)
    _, _, findings = read_document(document("<id>1</id><born>x</born><sex>x</sex>"), file)
    assert told(findings)[1:] == [(None, "1 more kinds of errors against the schema")]


def test_a_file_too_large_for_the_check_is_read_and_says_so(
    file: AgencyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xsd, "LARGEST_CHECKED", 20)
    rows, _, findings = read_document(document("<id>1</id><sex>x</sex>"), file)
    assert rows == [("1", None, "x")]
    assert [warning.rule for warning in findings.warnings] == ["XSD_NOT_CHECKED"]


def test_a_schema_that_is_none_does_not_stop_the_file(file: AgencyFile, tmp_path: Path) -> None:
    (tmp_path / "agencies" / "people.xsd").write_text("<no/>", encoding="utf-8")
    rows, _, findings = read_document(document("<id>1</id>"), file)
    assert len(rows) == 1
    assert [warning.rule for warning in findings.warnings] == ["XSD_NOT_CHECKED"]


def test_a_file_that_is_refused_is_not_checked_against_its_schema(file: AgencyFile) -> None:
    _, _, findings = read_document("<!DOCTYPE m [<!ENTITY a 'b'>]>" + document("<id>&a;</id>"), file)
    assert [problem.rule for problem in findings.problems] == ["XML_ENTITIES"]
    assert findings.warnings == []
