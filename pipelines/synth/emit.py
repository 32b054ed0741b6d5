"""Turns one chunk at the end of one period into the rows of every file, and into the truth."""

from __future__ import annotations

from datetime import date, timedelta

from pipelines.synth.childrens_services import stamp
from pipelines.synth.defects import Roughener
from pipelines.synth.fire_rescue import AGENCY as FIRE_RESCUE
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


YEARS_OF_VISITS = 3


def emit_period(simulation: Simulation, files: PeriodFiles) -> dict[str, list[Record]]:
    """Return the agencies' records after writing the chunk as it stands to the period's files."""
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
    records[FIRE_RESCUE] = _emit_fire_rescue(simulation, files)
    for agency in records:
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
    return records


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


def _emit_fire_rescue(simulation: Simulation, files: PeriodFiles) -> list[Record]:
    """Return the people of the service's files; in the first period it sends the visits of some years."""
    service, start = simulation.fire_rescue, simulation.reference.replace(day=1)
    households = [each for each in simulation.chunk.households if _has_appeared(each, simulation)]
    first = start if service.visits else start - timedelta(days=365 * YEARS_OF_VISITS)
    service.visit_all(households, first, (simulation.reference - first).days + 1)
    incidents, casualties = service.month(households, start)
    files.write("incidents", sorted(incidents))
    files.write("casualties", service.rough.rows([record.row for record in casualties], 0))
    visits = sorted(service.visits, key=lambda record: record.local_id)
    files.write("visits", service.rough.rows([record.row for record in visits], 0))
    return [*visits, *casualties]


def _has_appeared(household: Household, simulation: Simulation) -> bool:
    """Whether every member of the household is known by this period."""
    now = simulation.index
    return all(person.appears <= now for person in household.people)


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
