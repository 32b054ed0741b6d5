"""A delivery normalised in parts, by one process or two, ends where it ends when it is normalised at once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text
from support.warehouse import Warehouse

from pipelines.contracts.loader import column_name, landing_table, load_contract
from pipelines.contracts.shared import normalised_tables
from pipelines.errors import StageCrashed, WarehouseError
from pipelines.keys import record_id
from pipelines.normalise.assemble.context import NormaliseContext
from pipelines.normalising import run, taking_apart, workers
from pipelines.normalising.part import Job, Part
from pipelines.normalising.run import normalised_parts
from pipelines.normalising.save import save_normalised
from pipelines.normalising.taking_apart import why_whole
from pipelines.settings import load_settings
from pipelines.warehouse import landing
from pipelines.warehouse.copying import copy_rows
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

Rows = Sequence[Mapping[str, str | None]]


def land(agency: str, **files: Rows) -> dict[str, int]:
    """Put rows into the landing tables of an agency; return the extract ids by file."""
    extracts = {}
    for name, rows in files.items():
        number = extract_of(agency, name)
        headers = load_contract(agency).files[name].landed_columns
        columns = [column_name(header) for header in headers]
        table = landing.landing_table(landing_table(agency, name), columns)
        numbers = [2 * row for row in range(1, len(rows) + 1)]  # a row that was set aside leaves a gap
        content: dict[str, Any] = {
            "extract_id": pa.array([number] * len(rows), pa.int64()),
            "row_number": pa.array(numbers, pa.int64()),
        }
        for header, column in zip(headers, columns, strict=True):
            content[column] = pa.array([row.get(header) for row in rows], pa.string())
        with transaction() as connection:
            connection.execute(delete(table).where(table.c.extract_id == number))
            copy_rows(connection, table, pa.table(content))
        extracts[name] = number
    return extracts


def extract_of(agency: str, file: str) -> int:
    """Return the id of the one extract that this test knows of a file, registered on first use."""
    values = {"agency": agency, "file": file}
    with transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO audit.extract (agency, file, period, sha256, size_bytes, file_name, status,"
                " contract_version) VALUES (:agency, :file, '2026-09', 'a hash', 1, 'a file', 'ACCEPTED', '1')"
                " ON CONFLICT DO NOTHING"
            ),
            values,
        )
        query = text("SELECT extract_id FROM audit.extract WHERE agency = :agency AND file = :file")
        return int(connection.scalar(query, values))


def job_of(agency: str, extracts: Mapping[str, int], *purged: str) -> Job:
    settings_ = load_settings()
    context = NormaliseContext(
        load_contract(agency), date(2026, 9, 30), settings_.key, settings_.allow_synthetic
    )
    return Job(context, extracts, frozenset(purged))


@dataclass(frozen=True)
class Ending:
    """Where a delivery ended: rows by table, quarantined rows, issues, and what became of each file's rows."""

    tables: dict[str, Counter[str]]
    quarantined: Counter[str]
    issues: Counter[str]
    totals: dict[str, Any]


def ending(job: Job, parts: int, processes: int = 1) -> Ending:
    with transaction() as connection, closing(normalised_parts(job, parts, processes)) as done:
        totals = save_normalised(connection, job.extracts, done)
    ids = {"ids": sorted(job.extracts.values())}
    with transaction() as connection:

        def rows(query: str) -> Counter[str]:
            return Counter(connection.scalars(text(f"{query} WHERE extract_id = ANY(:ids)"), ids))

        return Ending(
            {name: rows(f"SELECT t::text FROM normalised.{name} t") for name in normalised_tables()},
            rows("SELECT (extract_id, row_number, file, stage, reasons)::text FROM quarantine.row"),
            rows("SELECT t::text FROM audit.issue_count t"),
            totals,
        )


REFERENCE = st.sampled_from(["N1", " N1", "N1\u00a0", "N2", "N3", "N4", "", None, "N\x1c"])
OCCURRENCE = st.sampled_from(["O1", "O1 ", "O2", "O3", None])
DAY = st.sampled_from(["05/01/2026", "05/01/1890", "31/02/2026", "01/01/1990", None])


def rows(columns: Mapping[str, st.SearchStrategy[str | None]], most: int) -> st.SearchStrategy[Rows]:
    return st.lists(st.fixed_dictionaries(dict(columns)), max_size=most)


nominals = rows(
    {
        "NominalRef": REFERENCE,
        "NameType": st.sampled_from(["PRIMARY", "PRIMARY", "ALIAS"]),
        "Surname": st.sampled_from(["Khan", "Smith", "Unknown"]),
        "DateOfBirth": DAY,
        "PncId": st.sampled_from(["1999/1234567A", None]),
    },
    8,
)
occurrences = rows(
    {
        "OccurrenceRef": OCCURRENCE,
        "OccurrenceType": st.sampled_from(["THEFT", "ASSAULT"]),
        "ReportedDateTime": st.sampled_from(["05/01/2026 13:40", "05/01/1980 10:00", "soon"]),
    },
    6,
)
involvements = rows(
    {"OccurrenceRef": OCCURRENCE, "NominalRef": REFERENCE, "Role": st.sampled_from(["VIC", "SUS", "???"])}, 8
)
# Every example takes the database a second: enough to meet every case, and a failing one is not made smaller.
few = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@few
@given(nominal=nominals, occurrence=occurrences, involvement=involvements, parts=st.sampled_from([2, 7]))
def test_borrowed_columns_and_keys_within_a_person(
    module_warehouse: Warehouse, nominal: Rows, occurrence: Rows, involvement: Rows, parts: int
) -> None:
    extracts = land("police", nominal=nominal, occurrence=occurrence, involvement=involvement)
    job = job_of("police", extracts, record_id(load_settings().key, "police", "N3"))
    assert ending(job, parts) == ending(job, 1)


people = rows(
    {
        "pers_person_id": st.sampled_from(["P1", "P2 ", "P2", "P3", "1", None]),
        "pers_forename": st.sampled_from(["Ada", "DUPLICATE Ada"]),
        "pers_dob": st.sampled_from(["2015-01-01 00:00:00", "2016-03-15 00:00:00", "x", None]),
        "pers_expected_dob": st.sampled_from(["2026-01-01 00:00:00", None]),
    },
    8,
)
addresses = rows(
    {
        "addr_table_id": st.sampled_from(["A1", "A2", "A2", "A3", None]),
        "addr_person_id": st.sampled_from(["P1", "P2", "P3", "P9", None]),
        "addr_address_postcode": st.sampled_from(["SW1A 1AA", None]),
    },
    8,
)
identifiers = rows(
    {
        "link_table_id": st.sampled_from(["I1", "I2", "I3"]),
        "link_person_id": st.sampled_from(["P1", "P2", "P3"]),
        "link_identifier_type": st.sampled_from(["Home Office Registration", "NHS Number"]),
        "link_identifier_value": st.sampled_from(["A1234567", "9434765870"]),
    },
    6,
)
episodes = rows(
    {
        "cine_referral_id": st.sampled_from(["R1", "R2"]),
        "cine_person_id": st.sampled_from(["P1", "P2", "P3"]),
        "cine_referral_date": st.sampled_from(["2014-01-01 00:00:00", "2026-01-01 00:00:00"]),
    },
    6,
)


@few
@given(
    person=people, address=addresses, linked=identifiers, cin=episodes, parts=st.sampled_from([2, 7]),
    at_a_time=st.sampled_from([1, 3, 50_000]),
)  # fmt: skip
def test_keys_that_two_persons_share(
    module_warehouse: Warehouse,
    person: Rows,
    address: Rows,
    linked: Rows,
    cin: Rows,
    parts: int,
    at_a_time: int,
) -> None:
    extracts = land(
        "childrens_services", person=person, address=address, linked_identifiers=linked, cin_episodes=cin
    )
    job = job_of("childrens_services", extracts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking_apart, "ROWS_TO_SETTLE", at_a_time)
        in_parts = ending(job, parts)
    assert in_parts == ending(job, 1)


def some_people(count: int) -> Rows:
    return [
        {"LOCAL_PATIENT_ID": f"L{number}", "FAMILY_NAME": f"Secret{number}", "DATE_OF_BIRTH": "20150304"}
        for number in range(count)
    ]


@pytest.fixture
def patients(module_warehouse: Warehouse) -> Job:
    return job_of("health", land("health", demographics=some_people(40)))


def test_two_processes_end_where_one_does(patients: Job) -> None:
    assert ending(patients, 5, processes=2) == ending(patients, 1)
    assert sum(ending(patients, 3, processes=2).tables["person_name"].values()) == 40


def test_more_processes_than_parts_are_no_harm(patients: Job) -> None:
    assert ending(patients, 2, processes=3) == ending(patients, 1)


def test_what_a_process_cannot_do_is_told_without_values_and_nothing_is_kept(patients: Job) -> None:
    before = ending(patients, 1)
    broken = replace(patients, extracts={**patients.extracts, "protected": "Secret7"})  # type: ignore[dict-item]
    with pytest.raises((WarehouseError, StageCrashed)) as told:
        list(workers.normalise_side_by_side(broken, iter([Part()]), 1))
    assert "Secret" not in str(told.value)
    parts = normalised_parts(patients, 4, 1)
    with pytest.raises(RuntimeError), transaction() as connection, closing(parts):
        save_normalised(connection, patients.extracts, stopping_after(2, parts))
    assert ending(patients, 1) == before


def stopping_after(number: int, parts: Iterator[Any]) -> Iterator[Any]:
    for _ in range(number):
        yield next(parts)
    raise RuntimeError


def test_a_process_that_is_killed_ends_the_stage(patients: Job) -> None:
    worker = workers.Worker(patients)
    worker.give(Part())
    os.kill(worker._process.pid, signal.SIGKILL)
    with pytest.raises(StageCrashed, match="ended early"):
        worker.take()
    worker.end()


def test_the_processes_are_gone_when_the_parts_are_no_longer_wanted(patients: Job) -> None:
    started: list[workers.Worker] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "Worker", lambda job: started.append(worker := RealWorker(job)) or worker)
        parts = normalised_parts(patients, 4, 2)
        next(parts)
        parts.close()
    assert len(started) == 2
    assert all(worker._process.poll() is not None for worker in started)


RealWorker = workers.Worker


def test_a_big_delivery_is_taken_apart_and_a_small_one_is_not(patients: Job) -> None:
    assert len(list(normalised_parts(patients))) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "ROWS_PER_PART", 10)
        patch.setattr(run, "FEWEST_PARTS_FOR_PROCESSES", 99)
        assert len(list(normalised_parts(patients))) == 4


@pytest.mark.parametrize("agency", ["childrens_services", "health", "police"])
def test_deliveries_of_today_s_agencies_can_be_taken_apart(agency: str) -> None:
    assert why_whole(load_contract(agency)) is None


def test_why_a_delivery_cannot_be_taken_apart() -> None:
    police = load_contract("police")
    files = dict(police.files)
    files["occurrence"] = files["occurrence"].model_copy(update={"local_id": "OccurrenceRef"})
    assert "occurrence" in (why_whole(police.model_copy(update={"files": files})) or "")
