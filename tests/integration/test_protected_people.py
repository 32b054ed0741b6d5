"""People who must not be found, through every stage: restricted ones show no place, sealed ones are linked to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.inbox_rows import add_row
from support.ingest_files import one, rows_of
from support.journey import FIRST, SECOND, Journey, ingest_and_link, link, publish
from support.warehouse import Warehouse

from pipelines import stages
from pipelines.contracts.shared import published_tables
from pipelines.errors import LinkageError
from pipelines.evidence import explain_records
from pipelines.identity.protection import add_protection_notice
from pipelines.keys import person_id, pseudonym, record_id
from pipelines.normalise.nhs import nhs_check_digit
from pipelines.normalise.pupil_ids import upn_check_letter
from pipelines.publish.protect import withhold_protected_everywhere
from pipelines.settings import load_settings
from pipelines.synth.layouts import (
    DEMOGRAPHICS,
    NOMINAL,
    PROTECTED,
    SSD_ADDRESS,
    SSD_CIN_EPISODES,
    SSD_PERSON,
)
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

CSC, HEALTH, POLICE = "childrens_services", "health", "police"


def nhs_number(nine_digits: str) -> str:
    return nine_digits + str(nhs_check_digit(nine_digits))


def upn(twelve: str) -> str:
    return f"{upn_check_letter(twelve)}{twelve}"


@dataclass(frozen=True)
class Somebody:
    """Who a record is about. The postcodes are of places where nobody of the synthetic population lives."""

    given: str
    family: str
    born: str  # YYYY-MM-DD
    nhs: str = ""
    upn: str = ""
    house: str = "7"
    street: str = "Lantern Row"
    postcode: str = "TR21 0PW"

    @property
    def outward(self) -> str:
        return self.postcode.split()[0]


ROSALIND = Somebody(
    "Rosalind", "Quillfeather", "2011-03-14", nhs_number("912345678"), upn("801200001001"), postcode="ZE2 9HF"
)
OPEN_TO_ALL = Somebody("Barnaby", "Thistlewood", "2010-07-02", nhs_number("923456789"), upn("801200001002"))

# An adopted child: the identity before the order, the one after it, with the pupil number and the carers' address of
# before. The agency's mistake of keeping the pupil number must not give the child away.
CARERS = {"house": "12", "street": "Harbour Steps", "postcode": "KW17 2AB"}
PUPIL = upn("801200001003")
BEFORE = Somebody("Thea", "Wrenfield", "2018-05-21", nhs_number("934567891"), PUPIL, **CARERS)
AFTER = Somebody("Thea", "Larkspur", "2018-05-21", nhs_number("945678912"), PUPIL, **CARERS)
SEALED_PATIENT = Somebody("Ottilie", "Fernsby", "1989-11-30", nhs_number("956789123"))
HER_DOUBLE = Somebody("Ottilie", "Fernsby", "1989-11-30")


def at_childrens_services(local_id: str, who: Somebody, adopted: bool = False) -> None:
    sent = {"pers_forename": who.given, "pers_surname": who.family, "pers_dob": f"{who.born} 00:00:00"}
    numbers = {"pers_upn": who.upn, "pers_common_child_id": who.nhs}
    add_row(SSD_PERSON, SECOND, pers_person_id=local_id, pers_sex="F", **sent, **numbers)
    add_row(
        SSD_ADDRESS,
        SECOND,
        addr_table_id=f"9{local_id}",
        addr_person_id=local_id,
        addr_address_type="HOME",
        addr_address_start_date="2024-01-01 00:00:00",
        addr_address_postcode=who.postcode.replace(" ", ""),
        addr_address_json=f'{{"HOUSE": "{who.house}", "STREET": "{who.street}"}}',
    )
    if adopted:
        add_row(
            SSD_CIN_EPISODES,
            SECOND,
            cine_referral_id=f"R9{local_id}",
            cine_person_id=local_id,
            cine_referral_date="2025-01-02 00:00:00",
            cine_cin_primary_need_code="N1",
            cine_close_reason="RC1",
            cine_close_date="2026-10-05 00:00:00",
        )


def at_health(local_id: str, who: Somebody, code: str | None = None) -> None:
    add_row(
        DEMOGRAPHICS,
        SECOND,
        LOCAL_PATIENT_ID=local_id,
        NHS_NO=who.nhs,
        FAMILY_NAME=who.family.upper(),
        GIVEN_NAME=who.given.upper(),
        GENDER="2",
        DATE_OF_BIRTH=who.born.replace("-", ""),
        ADDRESS_LINE1=f"{who.house} {who.street}",
        POSTCODE=who.postcode,
        ADDRESS_DATE="20240101",
    )
    if code:
        add_row(PROTECTED, SECOND, LOCAL_PATIENT_ID=local_id, CONFIDENTIALITY_CODE=code)


def at_police(local_id: str, who: Somebody) -> None:
    year, month, day = who.born.split("-")
    add_row(
        NOMINAL,
        SECOND,
        NominalRef=local_id,
        NameType="PRIMARY",
        Surname=who.family,
        Forename1=who.given,
        DateOfBirth=f"{day}/{month}/{year}",
        Sex="F",
        AddressType="HOME",
        Address1=f"{who.house} {who.street}",
        Postcode=who.postcode,
        Updated="01/02/2026",
    )


@pytest.fixture(scope="module")
def october(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A live release of the second period, with people of our own among the synthetic ones; its linkage run."""
    with journey.warehouse_at(f"{FIRST} is live", tmp_path_factory.mktemp("home")):
        at_childrens_services("77001", ROSALIND)
        at_health("X77001", ROSALIND, code="R")
        at_police("N77001", ROSALIND)
        at_childrens_services("77002", OPEN_TO_ALL)
        at_health("X77002", OPEN_TO_ALL)
        at_childrens_services("77003", BEFORE, adopted=True)
        at_health("X77003", BEFORE)
        at_childrens_services("77004", AFTER)
        at_health("X77004", AFTER)
        at_health("X77005", SEALED_PATIENT, code="S")
        at_police("N77005", HER_DOUBLE)
        run_id = ingest_and_link(SECOND)
        stages.check_linked(run_id)
        publish(run_id)
        yield run_id


def record(agency: str, local_id: str) -> str:
    return record_id(load_settings().key, agency, local_id)


def together(run_id: int, agency: str, local_id: str) -> set[str]:
    """The records of the cluster that holds this record."""
    members = rows_of(
        "SELECT record_id::text FROM linked.cluster_of(:run_id) WHERE cluster_id ="
        " (SELECT cluster_id FROM linked.cluster_of(:run_id) WHERE record_id = CAST(:one AS uuid))",
        run_id=run_id,
        one=record(agency, local_id),
    )
    return {member for (member,) in members}


def published_name(agency: str, local_id: str) -> str:
    """The pseudonym of the person whose oldest record this is."""
    key = load_settings().key
    return pseudonym(key, "person", person_id(key, record(agency, local_id)))


def person_of(agency: str, local_id: str) -> str:
    """The pseudonym of the person that this record belongs to."""
    found = one(
        "SELECT person_id::text FROM identity.membership WHERE record_id = CAST(:one AS uuid) AND valid_to_run IS NULL",
        one=record(agency, local_id),
    )
    return pseudonym(load_settings().key, "person", found)


def stored_rows(name: str) -> dict[int, list[tuple[object, ...]]]:
    """Every stored row about somebody, by release."""
    tables = ("person", "person_event", "linked_person")
    found: dict[int, list[tuple[object, ...]]] = {}
    for table in tables:
        for row in rows_of(f"SELECT * FROM publication.{table} WHERE person_pseudonym = :name", name=name):
            found.setdefault(row[0], []).append(row)
    return found


def everything_published() -> str:
    return " ".join(str(rows_of(f"SELECT * FROM publication.{table}")) for table in published_tables())


class TestARestrictedPerson:
    MINE = ((CSC, "77001"), (HEALTH, "X77001"), (POLICE, "N77001"))

    def test_is_linked_across_agencies_like_anybody(self, october: int) -> None:
        assert together(october, CSC, "77001") == {record(*mine) for mine in self.MINE}

    def test_is_published_without_a_place(self, october: int) -> None:
        (found,) = rows_of(
            "SELECT outward_postcode, record_count, agency_count FROM published.person WHERE person_pseudonym = :name",
            name=person_of(CSC, "77001"),
        )
        assert found == (None, 3, 3)

    def test_has_no_place_anywhere_in_what_is_published(self, october: int) -> None:
        published = everything_published()
        assert ROSALIND.outward not in published
        assert "LANTERN" not in published.upper()
        assert OPEN_TO_ALL.outward in published, "the place of a person who is not restricted is there"


class TestASealedIdentity:
    ADOPTED = ((CSC, "77003"), (HEALTH, "X77003"), (CSC, "77004"), (HEALTH, "X77004"))

    def test_is_in_no_cluster_and_no_person(self, october: int) -> None:
        for agency, local_id in ((CSC, "77003"), (HEALTH, "X77005")):
            assert together(october, agency, local_id) == set()
            assert (
                rows_of(
                    "SELECT 1 FROM identity.membership WHERE record_id = CAST(:r AS uuid)",
                    r=record(agency, local_id),
                )
                == []
            )
            assert stored_rows(published_name(agency, local_id)) == {}

    def test_does_not_merge_with_the_new_one_though_date_of_birth_pupil_number_and_carers_agree(
        self, october: int
    ) -> None:
        assert record(CSC, "77003") not in together(october, CSC, "77004")

    @pytest.mark.parametrize("alone", [(HEALTH, "X77003"), (CSC, "77004"), (HEALTH, "X77004")])
    def test_leaves_those_alone_who_share_a_number_with_it_also_through_others(
        self, october: int, alone: tuple[str, str]
    ) -> None:
        """The old patient by the NHS number, the new child by the pupil number, the new patient through the child."""
        assert together(october, *alone) == {record(*alone)}
        assert len(stored_rows(person_of(*alone))) == 1, "published, each by itself"

    def test_has_no_edge_and_neither_have_they(self, october: int) -> None:
        touched = [record(*each) for each in (*self.ADOPTED, (HEALTH, "X77005"))]
        query = "SELECT count(*) FROM linked.edge WHERE record_a = ANY(CAST(:r AS uuid[])) OR record_b = ANY(CAST(:r AS uuid[]))"
        assert one(query, r=touched) == 0

    def test_is_not_explained_either(self, october: int) -> None:
        for other in ((HEALTH, "X77003"), (CSC, "77004")):
            with pytest.raises(LinkageError, match="protected"):
                explain_records(f"{CSC}/77003", f"{other[0]}/{other[1]}")

    def test_of_a_patient_does_not_pull_in_who_only_looks_the_same(self, october: int) -> None:
        assert together(october, POLICE, "N77005") == {record(POLICE, "N77005")}

    def test_is_counted_as_withheld(self, october: int) -> None:
        (withheld,) = rows_of(
            "SELECT withheld FROM audit.stage_report WHERE stage = 'link' AND run_id = :run_id",
            run_id=october,
        )
        sealed = one(
            "SELECT count(DISTINCT record_id) FROM identity.protection_notice WHERE level = 'SEALED'"
        )
        assert withheld == (sealed,)


class TestProtectedLater:
    @pytest.fixture
    def known_for_long(self, journey: Journey, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
        """Somebody whom two agencies know by the same NHS number in both periods: name, youngest and oldest record."""
        with journey.warehouse_at("the end", tmp_path) as warehouse:
            yield two_agencies_know(warehouse)

    def test_sealing_takes_a_person_out_of_every_kept_release_at_once(
        self, known_for_long: tuple[str, str, str]
    ) -> None:
        name, record, _ = known_for_long
        assert len(stored_rows(name)) == 2, "in both releases"
        seal(record)
        assert stored_rows(name) == {}
        assert one("SELECT count(*) FROM published.person WHERE person_pseudonym = :name", name=name) == 0

    def test_sealing_counts_in_the_next_run_also_of_the_same_deliveries(
        self, journey: Journey, known_for_long: tuple[str, str, str]
    ) -> None:
        name, record, oldest = known_for_long
        seal(record)
        run_id = link(SECOND)
        assert run_id > journey.results[f"run {SECOND}"]
        assert (
            rows_of(
                "SELECT 1 FROM linked.cluster_of(:run_id) WHERE record_id = CAST(:r AS uuid)",
                run_id=run_id,
                r=record,
            )
            == []
        )
        assert link(SECOND) == run_id, "and only once"
        release_id = publish(run_id)
        members = rows_of(
            "SELECT m.record_id::text FROM identity.membership m WHERE m.valid_to_run IS NULL AND m.person_id ="
            " (SELECT person_id FROM identity.membership WHERE record_id = CAST(:r AS uuid) AND valid_to_run IS NULL)",
            r=oldest,
        )
        assert members == [(oldest,)], "whoever shared a number with it is alone now"
        assert set(stored_rows(name)) == {release_id}

    def test_restricting_hides_the_place_at_once(self, known_for_long: tuple[str, str, str]) -> None:
        name, record, _ = known_for_long
        places = "SELECT DISTINCT outward_postcode FROM publication.person WHERE person_pseudonym = :name"
        assert rows_of(places, name=name) != [(None,)]
        with transaction() as connection:
            add_protection_notice(connection, record, "RESTRICTED", "moved to a refuge")
            withhold_protected_everywhere(connection)
        assert rows_of(places, name=name) == [(None,)]


def seal(record: str) -> None:
    with transaction() as connection:
        add_protection_notice(connection, record, "SEALED", "adoption order")
        withhold_protected_everywhere(connection)


def two_agencies_know(warehouse: Warehouse) -> tuple[str, str, str]:
    """The published name, the younger and the older record of somebody with exactly two records and one number."""
    person, younger, older = rows_of(
        "SELECT m.person_id::text, (array_agg(r.record_id::text ORDER BY r.sequence DESC))[1],"
        " (array_agg(r.record_id::text ORDER BY r.sequence))[1]"
        " FROM identity.membership m JOIN identity.record r USING (record_id)"
        " JOIN normalised.person_identifier i ON i.record_id = r.record_id AND i.identifier_type = 'NHS'"
        "   AND i.status = 'SYNTHETIC' AND i.extract_id = (SELECT max(extract_id) FROM normalised.person_identifier x"
        "   WHERE x.record_id = r.record_id)"
        " WHERE m.valid_to_run IS NULL AND r.first_period = :first AND r.last_period = :second"
        " AND m.person_id IN (SELECT person_id FROM identity.membership WHERE valid_to_run IS NULL"
        "   GROUP BY 1 HAVING count(*) = 2)"
        " GROUP BY m.person_id HAVING count(*) = 2 AND count(DISTINCT r.agency) = 2"
        " AND count(DISTINCT i.value) = 1 ORDER BY m.person_id LIMIT 1",
        first=FIRST,
        second=SECOND,
    )[0]
    return pseudonym(load_settings().key, "person", person), younger, older
