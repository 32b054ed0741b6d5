"""Turns one chunk at the end of one period into the rows of every file, and into the truth."""

from __future__ import annotations

from datetime import date

from pipelines.synth.childrens_services import stamp
from pipelines.synth.defects import Roughener
from pipelines.synth.health import AT as HEALTH_AT
from pipelines.synth.health import compact
from pipelines.synth.health_events import HealthEvents
from pipelines.synth.layouts import SSD_PERSON
from pipelines.synth.mental_health_events import emit_mental_health
from pipelines.synth.people import Household
from pipelines.synth.police_events import PoliceEvents
from pipelines.synth.population import AGENCIES, Simulation
from pipelines.synth.records import Record, Row
from pipelines.synth.writer import PeriodFiles

_SSD_TABLES = ("ssd_address", "ssd_linked_identifiers", "ssd_cin_episodes", "ssd_cp_plans", "ssd_missing")
_ADDRESS_PERSON = 1
TEST_IDS = range(1, 7)


def emit_period(simulation: Simulation, files: PeriodFiles) -> None:
    """Write the chunk as it stands to the period's files."""
    records = {agency: simulation.chunk.all(agency) for agency in AGENCIES}
    _emit_childrens_services(simulation, records["childrens_services"], files)
    _emit_health(simulation, records["health"], files)
    _emit_police(simulation, records["police"], files)
    emit_mental_health(
        simulation.mental_health_events,
        simulation.mental_health.rough,
        records["mental_health"],
        simulation.reference,
        files,
    )
    for agency in AGENCIES:
        files.write_truth(
            (
                agency,
                record.local_id,
                record.person.true_id,
                int(record.person.is_sealed),
                record.person.household_id,
            )
            for record in records[agency]
        )


def _emit_childrens_services(simulation: Simulation, records: list[Record], files: PeriodFiles) -> None:
    rough = simulation.rough
    files.write("ssd_person", rough.rows([record.row for record in records], SSD_PERSON.at("pers_person_id")))
    for table in _SSD_TABLES:
        rows = [row for record in records for row in record.further[table]]
        if table == "ssd_address":
            rows = [_perhaps_orphaned(row, rough) for row in rows]
        files.write(table, rows)


def _perhaps_orphaned(row: Row, rough: Roughener) -> Row:
    """Return the address row, now and then with the id of a person who is not in the extract."""
    if not rough.dice.chance(rough.rates["orphan_address"]):
        return row
    return [*row[:_ADDRESS_PERSON], f"9{row[_ADDRESS_PERSON]}", *row[_ADDRESS_PERSON + 1 :]]


def _emit_health(simulation: Simulation, records: list[Record], files: PeriodFiles) -> None:
    as_at, registry = compact(simulation.reference), simulation.world.registry
    for record in records:
        record.row[HEALTH_AT["AS_AT_DATE"]] = as_at
        record.row[HEALTH_AT["UNIQUE REFERENCE"]] = str(registry.local("row"))
    rows = simulation.rough.rows([record.row for record in records], HEALTH_AT["LOCAL_PATIENT_ID"])
    files.write("demographics", rows)
    protected = [
        row for record in records if "protected" in record.further for row in record.further["protected"]
    ]
    files.write("protected", protected)
    events, start = HealthEvents(simulation.dice, registry), simulation.reference.replace(day=1)
    attendances: list[Row] = []
    for person in simulation.people():
        held = simulation.chunk.of("health", person)
        if not held or person.is_sealed or _is_dead(person.died, start) or person.born >= start:
            continue
        attendances += events.attendances(person, held, start)
    files.write("ed_attendances", sorted(attendances))


def _is_dead(died: date | None, on: date) -> bool:
    return died is not None and died <= on


def _emit_police(simulation: Simulation, records: list[Record], files: PeriodFiles) -> None:
    rows = [row for record in records for row in (record.row, *record.further["alias"])]
    files.write("nominal", simulation.rough.rows(rows, 0))
    events = PoliceEvents(simulation.dice, simulation.world.registry, simulation.chunk)
    start = simulation.reference.replace(day=1)
    occurrences: list[Row] = []
    involvements: list[Row] = []
    for household in _living(simulation.chunk.households, start):
        happened, involved = events.month(household, start)
        occurrences += happened
        involvements += involved
    files.write("occurrence", sorted(occurrences))
    files.write("involvement", sorted(involvements))


def _living(households: list[Household], start: date) -> list[Household]:
    """Return the households in which nobody has died, whose months go on as usual."""
    return [each for each in households if not any(_is_dead(person.died, start) for person in each.people)]


def emit_test_rows(files: PeriodFiles) -> None:
    """Write the test persons with ids 1 to 6 that the real system has and its own extract leaves out."""
    rows = []
    for number in TEST_IDS:
        row = [""] * len(SSD_PERSON.header)
        row[SSD_PERSON.at("pers_person_id")], row[SSD_PERSON.at("pers_forename")] = str(number), "Test"
        row[SSD_PERSON.at("pers_surname")] = f"Testperson{number}"
        row[SSD_PERSON.at("pers_dob")] = stamp(date(2010, 1, number))
        rows.append(row)
    files.write("ssd_person", rows)
    files.write_truth(("childrens_services", str(number), f"TEST{number}", 0, "") for number in TEST_IDS)
