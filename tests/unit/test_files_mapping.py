"""The mapping of `joinedup link`: what it accepts, and what a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ContractError
from pipelines.files.mapping import FileMapping, read_mapping

CENSUS = """
sources:
  census:
    record_id: id
    unique_people: true
    fields:
      forename: first_name
      surname: [last_name, maiden_name]
      date_of_birth: {column: dob, format: ["%d/%m/%Y", "%Y-%m-%d"]}
      sex: {column: sex, values: {Male: M, 2: F}}
      address: [street_number, street_name]
      identifier.SSN: ssn
      extra.zipCode: {column: zip, compare: levenshtein}
"""


def mapping_of(text: str, folder: Path) -> FileMapping:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path)


def complaint(text: str, folder: Path) -> str:
    with pytest.raises(ContractError) as refused:
        mapping_of(text, folder)
    return str(refused.value)


def test_a_plain_name_a_list_and_a_mapping_all_name_columns(tmp_path: Path) -> None:
    census = mapping_of(CENSUS, tmp_path).sources["census"]
    assert census.unique_people
    assert census.fields["forename"].column == ("first_name",)
    assert census.fields["surname"].column == ("last_name", "maiden_name")
    assert census.fields["date_of_birth"].format == ("%d/%m/%Y", "%Y-%m-%d")
    assert census.fields["sex"].values == {"Male": "M", "2": "F"}
    assert census.columns()[:3] == ("id", "first_name", "last_name")


def test_a_files_own_names_are_written_in_lower_case(tmp_path: Path) -> None:
    census = mapping_of(CENSUS, tmp_path).sources["census"]
    assert list(census.of_kind("identifier.")) == ["ssn"]
    assert census.of_kind("extra.")["zipcode"].term_frequency is True


def test_a_date_without_a_format_is_read_as_iso(tmp_path: Path) -> None:
    text = "sources: {a: {fields: {date_of_birth: dob}}}"
    assert mapping_of(text, tmp_path).sources["a"].fields["date_of_birth"].format == ("%Y-%m-%d",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sources: {a: {fields: {surnam: x}}}", ["sources.a.fields", "surnam", "did you mean surname?"]),
        ("sources: {a: {record-id: x, fields: {surname: x}}}", ["record-id", "did you mean record_id?"]),
        (
            "sources: {a: {fields: {surname: {colum: x}}}}",
            ["sources.a.fields.surname", "did you mean column?"],
        ),
        ("sources: {a: {fields: {}}}", ["sources.a.fields", "at least one field"]),
        ("sources: {a: {record_id: x}}", ["sources.a.fields"]),
        ("source: {a: {fields: {surname: x}}}", ["did you mean sources?"]),
        (
            "sources: {a: {fields: {surname: {column: x, format: '%Y'}}}}",
            ["`format` belongs to date_of_birth"],
        ),
        ("sources: {a: {fields: {sex: {column: [x, y]}}}}", ["sex: expected one column"]),
        (
            "sources: {a: {fields: {extra.zip: {column: x, compare: fuzzy}}}}",
            ["extra.zip.compare", "'exact'"],
        ),
        ("sources: {a: {fields: {date_of_birth: {column: x, format: '%d/%m/%y'}}}}", ["give %Y"]),
        ("sources: {a: {fields: {sex: {column: x, values: {a: male}}}}}", ["'M' or 'F'"]),
        ("sources: {a: {fields: {surname: x, surname: y}}}", ["twice"]),
        ("sources: {'a:b': {fields: {surname: x}}}", ["a source's name"]),
        ("sources: {a: {fields: {identifier.a b: x}}}", ["letters, digits and _"]),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_was_expected(
    text: str, told: list[str], tmp_path: Path
) -> None:
    said = complaint(text, tmp_path)
    assert str(tmp_path / "mapping.yaml") in said
    assert all(part in said for part in told), said


def test_a_file_s_own_field_is_compared_alike_in_every_source(tmp_path: Path) -> None:
    text = (
        "sources: {a: {fields: {extra.zip: {column: x, compare: exact}}},"
        " b: {fields: {extra.zip: {column: x, compare: levenshtein}}}}"
    )
    assert "extra.zip must be compared in the same way" in complaint(text, tmp_path)


@pytest.mark.parametrize(
    ("given", "told"),
    [(["censu"], "did you mean census?"), ([], "add census=FILE"), (["census", "b"], "no source b")],
)
def test_command_line_and_mapping_name_the_same_sources(given: list[str], told: str, tmp_path: Path) -> None:
    mapping = mapping_of(CENSUS, tmp_path)
    mapping.check_sources(tmp_path / "mapping.yaml", ["census"])
    with pytest.raises(ContractError, match=told.replace("?", r"\?")):
        mapping.check_sources(tmp_path / "mapping.yaml", given)
