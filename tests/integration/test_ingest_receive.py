"""Receiving deliveries: what is accepted, a no-op, a correction, or refused, and how it is said."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from support.ingest_files import (
    PEOPLE,
    SECRET,
    as_csv,
    empty,
    header_of,
    one,
    plain_rows,
    rows_of,
    write_delivery,
    write_file,
)
from support.warehouse import Warehouse

from pipelines.contracts.agency import Contract
from pipelines.contracts.loader import load_contract
from pipelines.errors import DeliveryRejected
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.receive import receive_delivery

pytestmark = pytest.mark.database

PERIOD = "2026-09"
TODAY = date(2026, 11, 20)
PERSON = "landing.childrens_services_person"


@pytest.fixture
def warehouse(module_warehouse: Warehouse) -> Warehouse:
    return empty(module_warehouse)


@pytest.fixture
def inbox(warehouse: Warehouse) -> Path:
    return warehouse.home / "inbox" / "childrens_services"


@pytest.fixture
def contract() -> Contract:
    return load_contract("childrens_services")


def receive(contract: Contract, folder: Path, period: str = PERIOD, **options: bool) -> Delivery:
    return receive_delivery(contract, period, folder, today=TODAY, **options)


def nothing_landed() -> bool:
    tables = rows_of("SELECT tablename FROM pg_tables WHERE schemaname = 'landing'")
    counts = [one(f"SELECT count(*) FROM landing.{name}") for (name,) in tables]
    quarantined = one("SELECT count(*) FROM quarantine.row")
    staged = one("SELECT count(*) FROM pg_tables WHERE schemaname = 'staging'")
    return not any(counts) and quarantined == 0 and staged == 0


def test_all_required_files_make_a_delivery(contract: Contract, inbox: Path) -> None:
    delivery = receive(contract, write_delivery(inbox, "childrens_services", PERIOD))
    assert (delivery.sequence, delivery.status, delivery.is_new, delivery.is_correction) == (
        1,
        "ACCEPTED",
        True,
        False,
    )
    assert list(delivery.extract_ids) == list(contract.files)
    assert {report.file: (report.rows_in, report.rows_out) for report in delivery.reports} == {
        name: (PEOPLE, PEOPLE) for name in contract.files
    }
    assert one(f"SELECT count(*) FROM {PERSON}") == PEOPLE
    assert one("SELECT count(*) FROM audit.stage_report WHERE stage = 'ingest'") == len(contract.files)


def test_only_the_contracted_columns_land_as_text_with_their_row_number(
    contract: Contract, inbox: Path
) -> None:
    receive(contract, write_delivery(inbox, "childrens_services", PERIOD))
    columns = {
        name
        for (name,) in rows_of(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'landing' AND table_name = 'childrens_services_person'"
        )
    }
    assert "pers_person_id" in columns
    assert "pers_nationality" not in columns
    position = header_of("childrens_services", "person").index("pers_surname")
    rows = rows_of(f"SELECT row_number, pers_surname FROM {PERSON} ORDER BY 1")
    expected = [row[position] for row in plain_rows("childrens_services", "person", PERIOD)]
    assert rows == list(enumerate(expected, start=1))


def test_null_literals_of_the_contract_become_null(contract: Contract, inbox: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    secret = plain_rows("childrens_services", "person", PERIOD)[0][2]
    write_file(
        inbox, "childrens_services", "person", PERIOD, change=lambda text: text.replace(secret, "NULL", 1)
    )
    receive(contract, inbox)
    assert rows_of(f"SELECT row_number FROM {PERSON} WHERE pers_upn IS NULL") == [(1,)]


def test_the_archive_keeps_the_bytes_read_only_under_their_hash(
    contract: Contract, inbox: Path, warehouse: Warehouse
) -> None:
    receive(contract, write_delivery(inbox, "childrens_services", PERIOD))
    sha256, path = rows_of("SELECT sha256, archive_path FROM audit.extract WHERE file = 'person'")[0]
    archived = warehouse.home / "archive" / path
    assert path == f"{sha256[:2]}/{sha256[2:]}"
    assert archived.read_bytes() == (inbox / "ssd_person_2026-09.csv").read_bytes()
    assert stat.S_IMODE(archived.stat().st_mode) == 0o400
    assert list((warehouse.home / "archive" / "incoming").iterdir()) == []


def test_the_same_files_for_the_same_period_are_a_no_op(contract: Contract, inbox: Path) -> None:
    first = receive(contract, write_delivery(inbox, "childrens_services", PERIOD))
    again = receive(contract, inbox)
    assert not again.is_new
    assert (again.delivery_id, again.extract_ids, again.reports) == (first.delivery_id, first.extract_ids, ())
    assert one("SELECT count(*) FROM audit.delivery") == 1
    assert one(f"SELECT count(*) FROM {PERSON}") == PEOPLE


def test_a_changed_file_is_a_correction_that_takes_over_the_others(contract: Contract, inbox: Path) -> None:
    first = receive(contract, write_delivery(inbox, "childrens_services", PERIOD))
    write_file(inbox, "childrens_services", "address", PERIOD, salt="corrected")
    second = receive(contract, inbox)
    assert (second.sequence, second.is_correction, second.is_new) == (2, True, True)
    changed = {name for name in contract.files if first.extract_ids[name] != second.extract_ids[name]}
    assert changed == {"address"}
    assert [report.file for report in second.reports] == ["address"]


def test_going_back_to_an_earlier_version_is_a_correction_too(contract: Contract, inbox: Path) -> None:
    first = receive(contract, write_delivery(inbox, "childrens_services", PERIOD))
    write_file(inbox, "childrens_services", "address", PERIOD, salt="corrected")
    receive(contract, inbox)
    write_file(inbox, "childrens_services", "address", PERIOD)
    third = receive(contract, inbox)
    assert (third.sequence, third.extract_ids) == (3, first.extract_ids)
    assert not receive(contract, inbox).is_new


def test_a_delivery_that_comes_in_parts_waits_for_the_missing_files(contract: Contract, inbox: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    late = inbox / "ssd_missing_2026-09.csv"
    kept = late.read_bytes()
    late.unlink()
    partial = receive(contract, inbox)
    assert (partial.delivery_id, partial.waiting_for) == (None, ("missing",))
    assert one("SELECT count(*) FROM audit.extract WHERE status = 'ACCEPTED'") == len(contract.files) - 1
    assert one("SELECT count(*) FROM audit.delivery") == 0
    late.write_bytes(kept)
    complete = receive(contract, inbox)
    assert complete.is_new
    assert list(complete.extract_ids) == list(contract.files)
    assert [report.file for report in complete.reports] == ["missing"]


def test_an_optional_file_that_comes_later_is_a_correction(warehouse: Warehouse) -> None:
    contract, inbox = load_contract("health"), warehouse.home / "inbox" / "health"
    first = receive(contract, write_delivery(inbox, "health", PERIOD))
    assert "protected" not in first.extract_ids
    write_file(inbox, "health", "protected", PERIOD)
    second = receive(contract, inbox)
    assert second.is_correction
    assert "protected" in second.extract_ids


def test_an_empty_inbox_is_refused_with_the_names_of_the_missing_files(
    contract: Contract, inbox: Path
) -> None:
    with pytest.raises(DeliveryRejected) as rejected:
        receive(contract, inbox)
    assert {(problem.file, problem.rule) for problem in rejected.value.problems} == {
        (name, "MISSING_FILE") for name in contract.files
    }


def drop_column(text: str) -> str:
    return "\n".join(line.split(",", 1)[1] for line in text.splitlines()) + "\n"


def double_column(text: str) -> str:
    return "\n".join(f"{line},{line.split(',')[1]}" for line in text.splitlines()) + "\n"


def only_rows(count: int) -> Callable[[str], str]:
    return lambda text: "\n".join(text.splitlines()[: count + 1]) + "\n"


def other_header(agency: str, file: str) -> Callable[[str], str]:
    return lambda text: as_csv(header_of(agency, file), plain_rows(agency, file, PERIOD))


DEFECTS: dict[str, tuple[Callable[[str], str | bytes], str, int | None, str | None]] = {
    "a column is missing": (drop_column, "MISSING_COLUMN", None, "pers_legacy_id"),
    "a column is renamed": (
        lambda text: text.replace("pers_surname", "pers_sur_name", 1),
        "MISSING_COLUMN",
        None,
        "pers_surname",
    ),
    "a column stands twice": (double_column, "DOUBLED_COLUMN", None, "pers_person_id"),
    "there is no header": (lambda text: text.split("\n", 1)[1], "NO_HEADER", None, None),
    "another delimiter": (lambda text: text.replace(",", ";"), "NO_HEADER", None, None),
    "another agency's file": (other_header("health", "demographics"), "WRONG_FILE", None, None),
    "another file of the agency": (other_header("childrens_services", "address"), "WRONG_FILE", None, None),
    "windows-1252 bytes": (
        lambda text: text.replace(f"{SECRET}{PERIOD}r4c3", "Zo\u00eb").encode("cp1252"),
        "BAD_BYTES",
        5,
        None,
    ),
    "bytes of no text at all": (
        lambda text: text.replace(f"{SECRET}{PERIOD}r4c3", "#").encode().replace(b"#", b"\xff\xfe"),
        "BAD_BYTES",
        5,
        None,
    ),
    "utf-16": (lambda text: text.encode("utf-16"), "WRONG_ENCODING", None, None),
    "a NUL byte": (lambda text: text.replace(f"{SECRET}{PERIOD}r7c3", "a\0b"), "NUL_BYTES", 8, None),
    "cut in the last row": (lambda text: text[: text.rindex(",") - 60], "TRUNCATED", 12, None),
    "cut inside quotes": (
        lambda text: text[: text.rindex(",") - 60] + ',"never closed\n',
        "TRUNCATED",
        12,
        None,
    ),
    "no content": (lambda text: "", "EMPTY_FILE", None, None),
    "only line ends": (lambda text: "\n\n", "EMPTY_FILE", None, None),
    "too few rows": (only_rows(9), "TOO_FEW_ROWS", None, None),
    "a header and no row": (only_rows(0), "TOO_FEW_ROWS", None, None),
}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda name: name.replace(" ", "_"))
def test_a_file_that_is_not_what_its_contract_says_is_rejected_whole(
    defect: str, contract: Contract, inbox: Path
) -> None:
    change, rule, row, column = DEFECTS[defect]
    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(inbox, "childrens_services", "person", PERIOD, change=change)
    with pytest.raises(DeliveryRejected) as rejected:
        receive(contract, inbox)
    found = {(problem.file, problem.rule, problem.row, problem.column) for problem in rejected.value.problems}
    assert ("person", rule, row, column) in found
    assert {problem.file for problem in rejected.value.problems} == {"person"}
    assert SECRET not in str(rejected.value)
    assert nothing_landed()
    assert rows_of("SELECT file, status, archive_path FROM audit.extract") == [("person", "REJECTED", None)]
    details = str(rows_of("SELECT details FROM audit.stage_report"))
    assert rule in details
    assert SECRET not in details


def test_one_message_lists_every_problem_of_every_file(contract: Contract, inbox: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(
        inbox, "childrens_services", "person", PERIOD, change=lambda text: drop_column(only_rows(3)(text))
    )
    write_file(inbox, "childrens_services", "address", PERIOD, change=lambda text: "")
    with pytest.raises(DeliveryRejected) as rejected:
        receive(contract, inbox)
    assert [(problem.file, problem.rule) for problem in rejected.value.problems] == [
        ("person", "MISSING_COLUMN"),
        ("person", "TOO_FEW_ROWS"),
        ("address", "EMPTY_FILE"),
    ]
    assert "3 problem(s), nothing was landed" in str(rejected.value)


def test_a_renamed_column_is_told_with_the_name_that_is_near(contract: Contract, inbox: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(
        inbox,
        "childrens_services",
        "person",
        PERIOD,
        change=lambda text: text.replace("pers_surname", "Pers_SurName ", 1),
    )
    with pytest.raises(DeliveryRejected, match="is 'Pers_SurName ' what it is called now"):
        receive(contract, inbox)


def test_a_rejected_file_is_accepted_once_it_is_mended(contract: Contract, inbox: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(inbox, "childrens_services", "person", PERIOD, change=only_rows(3))
    with pytest.raises(DeliveryRejected):
        receive(contract, inbox)
    write_file(inbox, "childrens_services", "person", PERIOD)
    assert receive(contract, inbox).is_new
    assert sorted(rows_of("SELECT status FROM audit.extract WHERE file = 'person'")) == [
        ("ACCEPTED",),
        ("REJECTED",),
    ]


def test_reordered_and_unexpected_columns_are_accepted_with_a_warning_and_not_landed(
    contract: Contract, inbox: Path
) -> None:
    def turn_round(text: str) -> str:
        return (
            "\n".join(
                ",".join([*reversed(line.split(",")), extra])
                for line, extra in zip(text.splitlines(), ["colour", *[SECRET] * PEOPLE], strict=True)
            )
            + "\n"
        )

    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(inbox, "childrens_services", "person", PERIOD, change=turn_round)
    delivery = receive(contract, inbox)
    assert {(warning.rule, warning.column) for warning in delivery.warnings} == {
        ("UNEXPECTED_COLUMN", "colour"),
        ("REORDERED_COLUMNS", None),
    }
    first = plain_rows("childrens_services", "person", PERIOD)[0]
    position = header_of("childrens_services", "person").index("pers_surname")
    assert rows_of(f"SELECT pers_surname FROM {PERSON} WHERE row_number = 1") == [(first[position],)]


def test_utf8_sent_as_windows_1252_is_noticed(warehouse: Warehouse) -> None:
    contract, inbox = load_contract("police"), warehouse.home / "inbox" / "police"
    write_delivery(inbox, "police", PERIOD)
    write_file(
        inbox,
        "police",
        "nominal",
        PERIOD,
        change=lambda text: text.replace(SECRET, "Zo\u00eb", 1).encode("utf-8"),
    )
    with pytest.raises(DeliveryRejected, match="WRONG_ENCODING"):
        receive(contract, inbox)


def test_a_utf8_mark_is_accepted_where_utf8_is_agreed(contract: Contract, inbox: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(inbox, "childrens_services", "person", PERIOD, change=lambda text: text.encode("utf-8-sig"))
    assert receive(contract, inbox).is_new


def test_too_many_rows_reject_the_file(contract: Contract, inbox: Path) -> None:
    person = contract.files["person"].model_copy(update={"max_rows": PEOPLE - 1})
    strict = contract.model_copy(update={"files": {**contract.files, "person": person}})
    with pytest.raises(DeliveryRejected, match="12 rows, at most 11 are expected"):
        receive(strict, write_delivery(inbox, "childrens_services", PERIOD))
    assert nothing_landed()


def test_rows_that_are_not_well_formed_are_quarantined_and_the_rest_lands(
    contract: Contract, inbox: Path
) -> None:
    def spoil(text: str) -> str:
        lines = text.splitlines()
        lines[2] = f"{SECRET},too few"
        lines[4] = lines[4] + ",one,two"
        lines[6] = lines[0]
        return "\n".join(lines) + "\n"

    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(inbox, "childrens_services", "cin_episodes", PERIOD, change=spoil)
    delivery = receive(contract, inbox)
    report = next(report for report in delivery.reports if report.file == "cin_episodes")
    assert (report.rows_in, report.rows_out, report.quarantined) == (PEOPLE, PEOPLE - 3, 3)
    assert rows_of("SELECT row_number, stage, file, reasons FROM quarantine.row ORDER BY 1") == [
        (2, "landing", "cin_episodes", ["RAGGED_ROW"]),
        (4, "landing", "cin_episodes", ["RAGGED_ROW"]),
        (6, "landing", "cin_episodes", ["REPEATED_HEADER"]),
    ]
    assert one("SELECT raw FROM quarantine.row WHERE row_number = 2") == f"{SECRET},too few"
    assert one("SELECT status FROM audit.extract WHERE file = 'cin_episodes'") == "ACCEPTED_WITH_ERRORS"


def with_name_of(period: str, folder: Path) -> None:
    """Rename September's files to another month's, without touching a byte."""
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.replace(PERIOD, period)))


def test_last_months_person_file_sent_again_is_refused_unless_forced(contract: Contract, inbox: Path) -> None:
    receive(contract, write_delivery(inbox, "childrens_services", PERIOD))
    with_name_of("2026-10", inbox)
    with pytest.raises(DeliveryRejected) as rejected:
        receive(contract, inbox, "2026-10")
    assert {(problem.file, problem.rule) for problem in rejected.value.problems} == {
        ("person", "REPEATED_FILE")
    }
    forced = receive(contract, inbox, "2026-10", force=True)
    assert forced.is_new
    assert {warning.rule for warning in forced.warnings} == {"REPEATED_FILE"}
    forced_files = rows_of("SELECT file FROM audit.extract WHERE is_forced")
    assert forced_files == [("person",)]


def test_last_months_file_without_people_is_accepted_with_a_warning(contract: Contract, inbox: Path) -> None:
    receive(contract, write_delivery(inbox, "childrens_services", PERIOD))
    with_name_of("2026-10", inbox)
    write_file(inbox, "childrens_services", "person", "2026-10")
    delivery = receive(contract, inbox, "2026-10")
    warned = {warning.file for warning in delivery.warnings}
    assert warned == set(contract.files) - {"person"}


@pytest.mark.parametrize(
    ("starts", "ends", "rule"),
    [
        (date(2026, 1, 1), date(2026, 9, 29), "AGREEMENT_EXPIRED"),
        (date(2026, 1, 1), date(2026, 11, 1), "AGREEMENT_EXPIRED"),
        (date(2026, 10, 1), date(2027, 1, 1), "AGREEMENT_NOT_YET_LIVE"),
    ],
)
def test_without_a_live_agreement_no_file_is_opened(
    starts: date, ends: date, rule: str, contract: Contract, inbox: Path, warehouse: Warehouse
) -> None:
    agreement = contract.agreement.model_copy(update={"starts": starts, "ends": ends})
    with pytest.raises(DeliveryRejected) as rejected:
        receive(
            contract.model_copy(update={"agreement": agreement}),
            write_delivery(inbox, "childrens_services", PERIOD),
        )
    assert {problem.rule for problem in rejected.value.problems} == {rule}
    assert one("SELECT count(*) FROM audit.extract") == 0
    assert not (warehouse.home / "archive").exists()


def test_a_file_without_rows_is_accepted_where_the_contract_allows_it(
    contract: Contract, inbox: Path
) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(inbox, "childrens_services", "missing", PERIOD, change=only_rows(0))
    reports = {report.file: report for report in receive(contract, inbox).reports}
    assert (reports["missing"].rows_in, reports["person"].rows_in) == (0, PEOPLE)


def test_two_that_receive_the_same_files_at_once_make_one_delivery(contract: Contract, inbox: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    with ThreadPoolExecutor(2) as pool:
        received = list(pool.map(lambda _: receive(contract, inbox), range(2)))
    assert sorted(delivery.is_new for delivery in received) == [False, True]
    assert len({delivery.delivery_id for delivery in received}) == 1
    assert one("SELECT count(*) FROM audit.extract") == len(contract.files)


def test_nothing_of_a_row_is_logged(
    contract: Contract, inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    write_delivery(inbox, "childrens_services", PERIOD)
    write_file(
        inbox, "childrens_services", "cp_plans", PERIOD, change=lambda text: text + f"{SECRET},ragged\n"
    )
    receive(contract, inbox)
    write_file(inbox, "childrens_services", "person", PERIOD, change=drop_column)
    with pytest.raises(DeliveryRejected):
        receive(contract, inbox)
    assert "13 rows, 12 landed, 1 quarantined" in caplog.text
    assert "rejected, 1 problem(s)" in caplog.text
    assert SECRET not in caplog.text


def test_a_file_named_for_another_period_is_refused(contract: Contract, inbox: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    files = {"person": inbox / "ssd_person_2026-09.csv"}
    with pytest.raises(DeliveryRejected, match="the file's name is that of 2026-09, expected 2026-10"):
        receive_delivery(contract, "2026-10", files, today=TODAY)


def test_a_link_in_place_of_a_file_is_refused(contract: Contract, inbox: Path, tmp_path: Path) -> None:
    write_delivery(inbox, "childrens_services", PERIOD)
    real = (inbox / "ssd_person_2026-09.csv").rename(tmp_path / "elsewhere.csv")
    (inbox / "ssd_person_2026-09.csv").symlink_to(real)
    with pytest.raises(DeliveryRejected, match="NO_FILE"):
        receive(contract, inbox)
