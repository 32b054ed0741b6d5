"""What a contract must say of a document, and several files of a contract in one document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.document_files import as_json, read_document, unexpected

from pipelines.contracts import loader
from pipelines.contracts.loader import load_contracts, read_contract
from pipelines.errors import ContractError

CONTRACT = """
agency: fire
version: 1
title: Fire and rescue
publisher: Northshire Fire and Rescue (synthetic)
source_system: incident recording
owner: fire-data
agreement: {reference: A, lawful_basis: public task, condition: safeguarding, dpa_part: 2, purposes: [safeguarding], starts: 2026-01-01, ends: 2028-12-31}
due_day: 5
cut_off_day: 12
defaults: {kind: json}
files:
  visit:
    title: Home visits
    pattern: 'VISIT_(?P<period>\\d{6})\\.json'
    period_format: "%Y%m"
    mode: snapshot
    holds_people: true
    min_rows: 0
    local_id: visit_id
    key: [visit_id]
    format: {rows: visits}
    columns:
      visit_id: {required: true}
      surname: {path: person/surname}
      notes: {ignored: free text}
    emits:
      - {table: person_name, set: {name_type: {value: USUAL}, family: surname}}
  phone:
    title: Telephone numbers of those visited
    pattern: 'VISIT_(?P<period>\\d{6})\\.json'
    period_format: "%Y%m"
    mode: snapshot
    min_rows: 0
    local_id: visit_id
    key: [visit_id, number]
    format: {rows: visits/phones}
    columns:
      visit_id: {path: ../visit_id}
      number:
"""  # fmt: skip

MISTAKES = {
    "no rows": ("format: {rows: visits}", "format: {}", "files.visit", "format.rows: expected where kind is json"),
    "rows that are no path": ("rows: visits}", "rows: ../visits}", "files.visit.format.rows", "from the document down"),
    "a path that is none": ("path: person/surname", "path: person//surname", "files.visit.columns.surname.path", "expected a name"),
    "a filter that is none": ("path: person/surname", "path: 'person[x]'", "files.visit.columns.surname.path", "[path=text]"),
    "a name that is no path": ("      number:\n", "      'number[0]':\n", "files.phone", "columns.number[0].path: expected [path=text]"),
    "a path that climbs to the document": ("path: ../visit_id", "path: ../../visit_id", "files.phone", "columns.visit_id.path: climbs to the document"),
    "something expected below": ("{rows: visits}", "{rows: visits, expect: {kind: x}}", "files.visit.format.expect", "begin with '/'"),
    "a schema for JSON": ("{rows: visits}", "{rows: visits, xsd: a.xsd}", "files.visit", "format.xsd: expected only where kind is xml"),
    "a schema that is not there": ("{rows: visits}", "{kind: xml, rows: visits, xsd: a.xsd}", "files.visit.format.xsd", "a file beside the contract"),
    "FHIR without resources": ("{rows: visits}", "{kind: fhir, rows: visits}", "files.visit", "begins with entry/resource"),
    "rows in delimited text": ("{rows: visits}", "{kind: delimited, rows: visits}", "files.visit", "format.rows: expected only for documents"),
    "a path in delimited text": ("{rows: visits}", "{kind: delimited}", "files.visit", "columns.surname.path: expected only for documents"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda name: name.replace(" ", "_"))
def test_a_mistake_about_a_document_names_the_file_and_the_key(mistake: str, tmp_path: Path) -> None:
    old, new, key, expected = MISTAKES[mistake]
    assert old in CONTRACT
    path = tmp_path / "fire.yaml"
    path.write_text(CONTRACT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        read_contract(path)
    assert refused.value.key == key
    assert expected in refused.value.expected


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Write the one contract there is."""
    shared = loader.load_settings().schemas_dir / "shared"
    monkeypatch.setenv("JOINEDUP_SCHEMAS_DIR", str(tmp_path))
    (tmp_path / "agencies").mkdir()
    (tmp_path / "shared").symlink_to(shared)

    def one(text: str) -> None:
        (tmp_path / "agencies" / "fire.yaml").write_text(text, encoding="utf-8")
        load_contracts.cache_clear()

    yield one
    load_contracts.cache_clear()


def test_what_another_file_of_the_same_document_reads_is_not_unexpected(write: Callable[[str], None]) -> None:
    write(CONTRACT)
    visit = {"visit_id": 1, "person": {"surname": "Quist"}, "notes": {"a": 1}, "phones": [{"number": "1"}, {"number": "2", "use": "x"}]}  # fmt: skip
    files = load_contracts()["fire"].files
    rows, _, findings = read_document(as_json({"visits": [visit]}), files["visit"])
    assert rows == [("1", "Quist")]
    assert unexpected(findings) == ["visits/phones/use"]
    rows, _, findings = read_document(as_json({"visits": [visit]}), files["phone"])
    assert rows == [("1", "1"), ("1", "2")]
    assert unexpected(findings) == ["visits/phones/use"]
