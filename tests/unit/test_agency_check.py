"""What an agency is told about its own extract: rules, rows and shares, and never a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.new_agency import CONTRACT
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.contracts.loader import read_contract
from pipelines.contracts.model import load_model
from pipelines.errors import DeliveryRejected
from pipelines.extracts.check import Report, check_extract
from pipelines.extracts.read import read_extract

HEADER = "Person;Forename;Surname;Born;Gender;NHS No;Street;Postcode;Mobile;Worker"
FULL = "Y{0};Zorabella{0};Quillmarker{0};03/02/2010;2;;{0} Markerstreet;BD5 9LU;;Workermarker"
MARKERS = (
    "Zorabella",
    "Quillmarker",
    "Markerstreet",
    "03/02/2010",
    "9434765871",
    "Workermarker",
    "GenderMarker",
)


def people(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "YJS_PEOPLE_202609.txt"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="windows-1252")
    return path


def check(*paths: Path) -> Report:
    return check_extract(read_extract(read_contract(CONTRACT), paths), load_model())


def rules(report: Report) -> dict[str, tuple[int, tuple[int, ...]]]:
    return {finding.rule: (finding.rows, finding.row_numbers) for finding in report.findings}


def test_a_good_extract_is_fit_and_says_how_much_can_be_linked(tmp_path: Path) -> None:
    report = check(people(tmp_path, FULL.format(1), FULL.format(2)))
    assert report.is_fit and not report.findings
    assert (report.linkable.records, report.linkable.linkable) == (2, 2)
    assert report.completeness["young_people"]["Forename"] == 1
    assert report.completeness["young_people"]["Mobile"] == 0
    assert "Worker" not in report.completeness["young_people"]


def test_each_rule_is_told_with_the_rows_that_break_it(tmp_path: Path) -> None:
    path = people(
        tmp_path,
        FULL.format(1),
        FULL.format(1),
        FULL.format(3).replace("Y3", ""),
        FULL.format(4).replace("03/02/2010", "01/01/1900"),
        FULL.format(5).replace(";2;;", ";2;9434765871;"),
        FULL.format(6).replace(";2;;", ";2;9999999999;"),
        FULL.format(7).replace(";2;", ";GenderMarker;"),
        FULL.format(1).replace("Zorabella1", "Zorabella8"),
    )
    found = rules(check(path))
    assert found["REPEATED_ROW"] == (1, (2,))
    assert found["REQUIRED_MISSING"] == (1, (3,))
    assert found["DEFAULT_DATE_OF_BIRTH"] == (1, (4,))
    assert found["NHS_INVALID_CHECK"] == (1, (5,))
    assert found["NHS_PLACEHOLDER"] == (1, (6,))
    assert found["UNMAPPED_CODE"] == (1, ())
    assert found["KEY_CONFLICT"] == (1, (8,))


def test_a_record_with_a_name_alone_cannot_be_linked_and_the_gain_of_a_birth_date_is_told(
    tmp_path: Path,
) -> None:
    bare = "Y{0};Zorabella{0};Quillmarker{0};;2;;;;;"
    report = check(people(tmp_path, FULL.format(1), bare.format(2), bare.format(3), bare.format(4)))
    assert (report.linkable.records, report.linkable.linkable) == (4, 1)
    assert report.linkable.gains["birth"] == 3
    assert report.linkable.gains["family"] == 0


def test_records_that_are_likely_one_person_are_counted(tmp_path: Path) -> None:
    twice = FULL.format(2).replace("Y2", "Y9")
    other = FULL.format(1).replace("Quillmarker", "Marrowby")
    assert check(people(tmp_path, other, FULL.format(2), twice)).same_people == 2


def test_a_file_that_is_not_what_the_contract_says_is_not_fit(tmp_path: Path) -> None:
    report = check(people(tmp_path, "Y1;Zorabella", header="Person;Forename"))
    assert not report.is_fit
    assert {finding.loses for finding in report.findings} >= {"file"}


def test_an_order_of_nobody_is_an_orphan(tmp_path: Path) -> None:
    orders = tmp_path / "YJS_ORDERS_202609.txt"
    orders.write_text("Order;Person;Kind;Made;Ended\nO1;Y9;X;02/09/2026;\n", encoding="utf-8")
    assert rules(check(people(tmp_path, FULL.format(1)), orders))["ORPHAN"] == (1, (1,))


def test_a_file_of_another_name_and_files_of_two_periods_are_refused(tmp_path: Path) -> None:
    path = people(tmp_path, FULL.format(1))
    with pytest.raises(DeliveryRejected, match="fits no pattern"):
        check(path.rename(tmp_path / "Zorabella.txt"))
    october = tmp_path / "YJS_ORDERS_202610.txt"
    october.write_text("Order;Person;Kind;Made;Ended\n", encoding="utf-8")
    with pytest.raises(DeliveryRejected, match="of one period"):
        check(people(tmp_path, FULL.format(1)), october)


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_no_value_is_ever_shown_and_the_exit_code_says_whether_it_is_fit(
    tmp_path: Path, option: list[str]
) -> None:
    bad = FULL.format(2).replace("Y2", "").replace(";2;;", ";GenderMarker;9434765871;")
    path = people(tmp_path, FULL.format(1), bad)
    ran = CliRunner().invoke(app, ["agency", "check", str(CONTRACT), str(path), *option])
    assert ran.exit_code == 1
    assert "REQUIRED_MISSING" in ran.output
    assert not [marker for marker in MARKERS if marker in ran.output]
    good = CliRunner().invoke(
        app, ["agency", "check", str(CONTRACT), str(people(tmp_path, FULL.format(1))), *option]
    )
    assert good.exit_code == 0
    if option:
        assert json.loads(good.output)["is_fit"]
