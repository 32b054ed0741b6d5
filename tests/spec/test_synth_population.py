"""The synthetic population as a whole: the files, the truth, and how hard it is to link."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines.normalise.nhs import is_nhs_number
from pipelines.normalise.police_ids import cro_check_letter, pnc_check_letter
from pipelines.normalise.pupil_ids import upn_check_letter
from pipelines.synth import SynthReport, SynthRequest, generate
from pipelines.synth.baselines import baselines
from pipelines.synth.layouts import LAYOUTS

PERIODS = ("2026-09", "2026-10")
PEOPLE = 3_000
PLACEHOLDERS = {"9999999999", "0000000000", "1234567890"}
HEADERS = {
    "childrens_services/ssd_person_2026-09.csv": (
        "pers_legacy_id,pers_person_id,pers_upn,pers_forename,pers_surname,pers_sex,"
        "pers_gender,pers_ethnicity,pers_dob,pers_common_child_id,pers_upn_unknown,pers_send_flag,pers_expected_dob,"
        "pers_death_date,pers_is_mother,pers_nationality"
    ),
    "childrens_services/ssd_address_2026-09.csv": (
        "addr_table_id,addr_person_id,addr_address_type,addr_address_start_date,"
        "addr_address_end_date,addr_address_postcode,addr_address_json"
    ),
    "childrens_services/ssd_linked_identifiers_2026-09.csv": (
        "link_table_id,link_person_id,link_identifier_type,"
        "link_identifier_value,link_valid_from_date,link_valid_to_date"
    ),
    "childrens_services/ssd_cin_episodes_2026-09.csv": (
        "cine_referral_id,cine_person_id,cine_referral_date,"
        "cine_cin_primary_need_code,cine_referral_source_code,cine_referral_source_desc,cine_referral_outcome_json,"
        "cine_referral_nfa,cine_close_reason,cine_close_date,cine_referral_team,cine_referral_worker_id"
    ),
    "childrens_services/ssd_cp_plans_2026-09.csv": (
        "cppl_cp_plan_id,cppl_referral_id,cppl_person_id,cppl_cp_plan_start_date,"
        "cppl_cp_plan_end_date,cppl_cp_plan_initial_category,cppl_cp_plan_latest_category"
    ),
    "childrens_services/ssd_missing_2026-09.csv": (
        "miss_table_id,miss_person_id,miss_missing_episode_start_date,"
        "miss_missing_episode_type,miss_missing_episode_end_date,miss_missing_rhi_offered,miss_missing_rhi_accepted"
    ),
    "health/PDS_DEMOGRAPHICS_202609.csv": (
        "UNIQUE REFERENCE,NHS_NO,FAMILY_NAME,GIVEN_NAME,OTHER_GIVEN_NAME,GENDER,"
        "DATE_OF_BIRTH,DATE_OF_DEATH,ADDRESS_LINE1,ADDRESS_LINE2,ADDRESS_LINE3,ADDRESS_LINE4,ADDRESS_LINE5,ADDRESS_DATE,"
        "POSTCODE,GP_PRACTICE_CODE,NHAIS_POSTING_ID,AS_AT_DATE,LOCAL_PATIENT_ID,INTERNAL_ID,TELEPHONE_NUMBER,"
        "MOBILE_NUMBER,EMAIL_ADDRESS"
    ),
    "health/ED_ATTENDANCES_202609.csv": (
        "EC_Ident,LOCAL_PATIENT_ID,NHS_NO,DATE_OF_BIRTH,POSTCODE,Provider_Code,"
        "Site_Code_Of_Treatment,EC_Department_Type,EC_AttendanceCategory,Arrival_Date,EC_Arrival_Mode_SNOMED_CT,"
        "EC_Attendance_Source_SNOMED_CT,EC_Chief_Complaint_SNOMED_CT,EC_Acuity_SNOMED_CT,EC_Injury_Intent_SNOMED_CT,"
        "Accommodation_Status_SNOMED_CT,EC_Conclusion_Date,EC_Discharge_Status_SNOMED_CT,Age_At_Arrival,Sex,"
        "Ethnic_Category,Der_Dupe_Flag"
    ),
    "health/PROTECTED_202609.csv": ("LOCAL_PATIENT_ID,CONFIDENTIALITY_CODE,EFFECTIVE_DATE"),
    "mental_health/MHS001MPI_202609.csv": (
        "LocalPatientId,OrgIDLocalPatientId,OrgIDResidenceResp,OrgIDEduEstab,NHSNumber,NHSNumberStatus,"
        "PersonBirthDate,Postcode,GenderIDCode,GenderSameAtBirth,Gender,MaritalStatus,EthnicCategory,"
        "EthnicCategory2021,LanguageCodePreferred,PersDeathDate,RecordNumber"
    ),
    "mental_health/MHS101Referral_202609.csv": (
        "ServiceRequestId,LocalPatientId,OrgIDComm,ReferralRequestReceivedDate,"
        "ReferralRequestReceivedTime,SourceOfReferralMH,PrimReasonReferralMH,ClinRespPriorityType,ServDischDate"
    ),
    "police/NORTHSHIRE_NOMINAL_20260930.csv": (
        "NominalRef,NameType,Title,Surname,Forename1,Forename2,Forename3,DateOfBirth,"
        "AgeFrom,AgeTo,Sex,EthnicAppearance,EthnicitySelfDefined,PncId,CroNumber,DriverNumber,NINo,Mobile,Email,"
        "AddressType,Address1,Address2,Address3,Address4,Address5,Postcode,UPRN,WarningFlags,Created,Updated"
    ),
    "police/NORTHSHIRE_OCCURRENCE_20260930.csv": (
        "OccurrenceRef,OccurrenceType,HOOffenceCode,CrimeRef,ReportedDateTime,"
        "FromDateTime,ToDateTime,LocationUPRN,Easting,Northing,DAFlag,HateFlag,OutcomeType,OutcomeDate"
    ),
    "police/NORTHSHIRE_INVOLVEMENT_20260930.csv": ("OccurrenceRef,NominalRef,Role,RelationshipToOther"),
}


class Sample:
    """One generated population, read back from its files."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.truth_dir = folder / "inbox", folder / "truth"
        self.report: SynthReport = generate(SynthRequest(PEOPLE, 42, PERIODS, self.inbox, self.truth_dir))

    def rows(self, file: str, period: str = PERIODS[0]) -> list[dict[str, str]]:
        layout = next(each for each in LAYOUTS if each.file == file)
        path = self.inbox / layout.agency / layout.file_name(period)
        with path.open(encoding=layout.encoding, newline="") as handle:
            return list(csv.DictReader(handle))

    def truth(self, period: str = PERIODS[0]) -> dict[tuple[str, str], dict[str, str]]:
        with (self.truth_dir / f"{period}.csv").open(encoding="utf-8", newline="") as handle:
            return {(row["agency"], row["source_person_id"]): row for row in csv.DictReader(handle)}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("synth"))


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.csv"))
    }


def test_same_seed_same_bytes_and_another_seed_another_population(tmp_path: Path) -> None:
    def made(name: str, seed: int) -> dict[str, str]:
        folder = tmp_path / name
        generate(SynthRequest(400, seed, PERIODS, folder / "inbox", folder / "truth"))
        return hashes(folder)

    first = made("first", 7)
    assert len(first) == len(PERIODS) * (len(LAYOUTS) + 1)
    assert first == made("again", 7)
    assert first != made("other", 8)


@pytest.mark.parametrize(("file", "header"), HEADERS.items())
def test_headers_are_exactly_those_of_the_agencies(sample: Sample, file: str, header: str) -> None:
    first_line = (sample.inbox / file).read_bytes().split(b"\r\n", 1)[0].decode("utf-8")
    assert first_line == header


def test_three_records_per_person_and_everyone_known_somewhere(sample: Sample) -> None:
    assert 2.6 < sample.report.total_records / PEOPLE < 3.5
    people = {row["true_person_id"] for period in PERIODS for row in sample.truth(period).values()}
    real = {person for person in people if not person.startswith("TEST")}
    assert PEOPLE * 0.99 < len(real) <= PEOPLE


def test_police_hold_about_three_nominals_per_person_and_much_overlaps(sample: Sample) -> None:
    agencies: dict[str, set[str]] = defaultdict(set)
    nominals: Counter[str] = Counter()
    for (agency, _), row in sample.truth().items():
        agencies[row["true_person_id"]].add(agency)
        nominals[row["true_person_id"]] += agency == "police"
    held = [count for count in nominals.values() if count]
    assert 2.7 < sum(held) / len(held) < 3.6
    assert sum(len(known) >= 3 for known in agencies.values()) > PEOPLE * 0.08


def test_every_record_of_the_files_is_in_the_truth_and_nothing_else(sample: Sample) -> None:
    for period in PERIODS:
        delivered = {
            ("childrens_services", row["pers_person_id"]) for row in sample.rows("ssd_person", period)
        }
        delivered |= {("health", row["LOCAL_PATIENT_ID"]) for row in sample.rows("demographics", period)}
        delivered |= {("mental_health", row["LocalPatientId"]) for row in sample.rows("mhs001", period)}
        delivered |= {("police", row["NominalRef"]) for row in sample.rows("nominal", period)}
        delivered |= {("fire_rescue", row["VisitRef"]) for row in sample.rows("visits", period)}
        delivered |= {("fire_rescue", row["CasualtyRef"]) for row in sample.rows("casualties", period)}
        assert {key for key in delivered if key[1]} == set(sample.truth(period))


def test_fire_visits_are_few_and_casualties_are_of_an_incident_of_the_period(sample: Sample) -> None:
    assert 50 < len(sample.rows("visits")) < 0.2 * len(sample.rows("demographics"))
    for period in PERIODS:
        incidents = {row["IncidentNumber"] for row in sample.rows("incidents", period)}
        assert incidents and {row["IncidentNumber"] for row in sample.rows("casualties", period)} <= incidents
        assert (
            0.2
            < sum(not row["UPRN"] for row in sample.rows("visits", period))
            / len(sample.rows("visits", period))
            < 0.6
        )


def test_nhs_numbers_are_synthetic_and_the_valid_ones_check(sample: Sample) -> None:
    values = [row["NHS_NO"] for row in sample.rows("demographics")]
    values += [row["pers_common_child_id"] for row in sample.rows("ssd_person")]
    values += [
        row["link_identifier_value"]
        for row in sample.rows("ssd_linked_identifiers")
        if row["link_identifier_type"] == "NHS Number"
    ]
    numbers = [value.replace(" ", "") for value in values if value not in {"", "NULL"}]
    real = [number for number in numbers if number not in PLACEHOLDERS]
    assert len(real) > 2_000
    assert all(re.fullmatch(r"9\d{9}", number) for number in real)
    assert sum(is_nhs_number(number) for number in real) > 0.99 * len(real)


def test_pupil_and_police_numbers_carry_their_check_letters(sample: Sample) -> None:
    upns = [row["pers_upn"] for row in sample.rows("ssd_person") if row["pers_upn"]]
    right = [upn for upn in upns if upn_check_letter(upn[1:]) == upn[0]]
    assert len(right) > 0.97 * len(upns)
    for row in sample.rows("nominal"):
        if row["PncId"]:
            year, rest = row["PncId"].split("/")
            assert pnc_check_letter(year[-2:], rest[:-1].zfill(7)) == rest[-1]
        if row["CroNumber"]:
            assert cro_check_letter(row["CroNumber"][7:9], row["CroNumber"][:6]) == row["CroNumber"][-1]


def test_twins_share_birth_date_and_household_but_not_the_person(sample: Sample) -> None:
    births: dict[tuple[str, str], set[str]] = defaultdict(set)
    truth = sample.truth()
    for row in sample.rows("demographics"):
        if ("health", row["LOCAL_PATIENT_ID"]) in truth:
            person = truth["health", row["LOCAL_PATIENT_ID"]]
            births[person["household_id"], row["DATE_OF_BIRTH"]].add(person["true_person_id"])
    assert sum(len(people) > 1 for people in births.values()) >= 5


def test_fathers_and_sons_of_one_name_live_together(sample: Sample) -> None:
    names: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    years: dict[str, int] = {}
    truth = sample.truth()
    for row in sample.rows("demographics"):
        person = truth.get(("health", row["LOCAL_PATIENT_ID"]))
        if person and row["GENDER"] == "1" and row["DATE_OF_BIRTH"]:
            years[person["true_person_id"]] = int(row["DATE_OF_BIRTH"][:4])
            key = (person["household_id"], row["GIVEN_NAME"].upper(), row["FAMILY_NAME"].upper())
            names[key].add(person["true_person_id"])
    namesakes = [people for people in names.values() if len(people) > 1]
    assert any(
        max(years[each] for each in people) - min(years[each] for each in people) > 15 for people in namesakes
    )


def test_unaccompanied_minors_have_the_15th_here_and_1_january_elsewhere(sample: Sample) -> None:
    truth = sample.truth()
    minors = {
        row["link_person_id"]
        for row in sample.rows("ssd_linked_identifiers")
        if row["link_identifier_type"] == "Home Office Registration"
    }
    assert minors
    persons = {truth["childrens_services", each]["true_person_id"] for each in minors}
    here = [row["pers_dob"] for row in sample.rows("ssd_person") if row["pers_person_id"] in minors]
    assert all(born[8:10] == "15" for born in here)
    elsewhere = [
        row["DATE_OF_BIRTH"]
        for row in sample.rows("demographics")
        if row["LOCAL_PATIENT_ID"] and truth["health", row["LOCAL_PATIENT_ID"]]["true_person_id"] in persons
    ]
    assert elsewhere and all(born.endswith("0101") for born in elsewhere)


def test_babies_without_a_name_get_one_and_the_unborn_have_only_an_expected_date(sample: Sample) -> None:
    def nameless(period: str) -> set[str]:
        rows = sample.rows("demographics", period)
        return {row["LOCAL_PATIENT_ID"] for row in rows if re.match("(?i)baby|twin", row["GIVEN_NAME"])}

    later = {row["LOCAL_PATIENT_ID"]: row["GIVEN_NAME"] for row in sample.rows("demographics", PERIODS[1])}
    assert any(each in later and each not in nameless(PERIODS[1]) for each in nameless(PERIODS[0]))
    unborn = [row for row in sample.rows("ssd_person") if row["pers_expected_dob"]]
    assert unborn and all(not row["pers_dob"] and row["pers_sex"] == "U" for row in unborn)


def test_no_fixed_abode_has_each_agency_s_own_postcode(sample: Sample) -> None:
    assert any(row["POSTCODE"] == "ZZ99 3VZ" for row in sample.rows("demographics"))
    assert any(row["Postcode"] == "NF1 1NF" for row in sample.rows("nominal"))


def test_adopted_children_are_one_person_with_a_sealed_old_identity(sample: Sample) -> None:
    truth = sample.truth()
    sealed = {key: row["true_person_id"] for key, row in truth.items() if row["is_sealed"] == "1"}
    assert sealed
    open_people = {row["true_person_id"] for row in truth.values() if row["is_sealed"] == "0"}
    assert set(sealed.values()) & open_people
    protected = {row["LOCAL_PATIENT_ID"]: row["CONFIDENTIALITY_CODE"] for row in sample.rows("protected")}
    assert all(protected[local] == "S" for agency, local in sealed if agency == "health")
    assert "R" in protected.values()
    closed = {
        row["cine_person_id"] for row in sample.rows("ssd_cin_episodes") if row["cine_close_reason"] == "RC1"
    }
    assert closed == {local for agency, local in sealed if agency == "childrens_services"}


def test_restricted_patients_have_no_address_or_telephone(sample: Sample) -> None:
    restricted = {
        row["LOCAL_PATIENT_ID"] for row in sample.rows("protected") if row["CONFIDENTIALITY_CODE"] == "R"
    }
    rows = [row for row in sample.rows("demographics") if row["LOCAL_PATIENT_ID"] in restricted]
    assert rows and not any(row["POSTCODE"] or row["ADDRESS_LINE1"] for row in rows)


def test_the_second_period_brings_new_changed_and_vanished_records(sample: Sample) -> None:
    first, second = set(sample.truth(PERIODS[0])), set(sample.truth(PERIODS[1]))
    assert second - first and first - second
    assert len(first & second) > 0.95 * len(first)
    before = {row["LOCAL_PATIENT_ID"]: row for row in sample.rows("demographics", PERIODS[0])}
    after = {row["LOCAL_PATIENT_ID"]: row for row in sample.rows("demographics", PERIODS[1])}
    for column in ("POSTCODE", "FAMILY_NAME", "GIVEN_NAME"):
        assert any(before[each][column] != after[each][column] for each in before.keys() & after.keys())


def test_events_belong_to_their_period_and_to_someone_in_the_files(sample: Sample) -> None:
    for period in PERIODS:
        truth = sample.truth(period)
        arrivals = sample.rows("ed_attendances", period)
        assert arrivals and all(row["Arrival_Date"].startswith(period.replace("-", "")) for row in arrivals)
        assert all(("health", row["LOCAL_PATIENT_ID"]) in truth for row in arrivals)
        assert all(("police", row["NominalRef"]) in truth for row in sample.rows("involvement", period))
        occurrences = {row["OccurrenceRef"] for row in sample.rows("occurrence", period)}
        assert {row["OccurrenceRef"] for row in sample.rows("involvement", period)} == occurrences


def test_referrals_spread_over_childhood_and_few_come_before_birth(sample: Sample) -> None:
    births = {
        row["pers_person_id"]: row["pers_dob"] or row["pers_expected_dob"]
        for row in sample.rows("ssd_person")
    }
    days: Counter[int] = Counter()
    for row in sample.rows("ssd_cin_episodes"):
        born = births[row["cine_person_id"]].strip()
        if re.match(r"\d{4}-\d\d-\d\d ", born) and not born.startswith("2015-02-30"):
            days[(day(row["cine_referral_date"]) - day(born)).days] += 1
    assert max(days.values()) < 0.02 * days.total()
    before = sum(count for since, count in days.items() if since < 0)
    assert 0 < before < 0.1 * days.total()


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def test_children_are_not_suspects_and_adults_have_no_child_protection_plan(sample: Sample) -> None:
    births = {
        row["NominalRef"]: row["DateOfBirth"]
        for row in sample.rows("nominal")
        if row["NameType"] == "PRIMARY"
    }
    for row in sample.rows("involvement"):
        born = births[row["NominalRef"]]
        if row["Role"] == "SUS" and born and not born.startswith("31/02"):
            assert datetime.strptime(born, "%d/%m/%Y").year <= 2019  # noqa: DTZ007
    mothers = {row["pers_person_id"] for row in sample.rows("ssd_person") if row["pers_is_mother"] == "Y"}
    assert mothers
    assert not mothers & {row["cppl_person_id"] for row in sample.rows("ssd_cp_plans")}


def test_defects_are_there_and_rare(sample: Sample) -> None:
    people = sample.rows("ssd_person")
    assert {str(number) for number in range(1, 7)} <= {row["pers_person_id"] for row in people}
    texts = Counter(
        defect
        for row in (
            *people,
            *sample.rows("nominal"),
            *sample.rows("demographics"),
            *sample.rows("ssd_address"),
        )
        for defect in {_defect(value) for value in row.values()}
    )
    for defect in ("newline", "trailing space", "null"):
        assert 0 < texts[defect] < 0.005 * sum(sample.report.files.values())
    assert len(sample.rows("nominal")) > len({tuple(row.items()) for row in sample.rows("nominal")})


def _defect(value: str) -> str:
    if "\n" in value:
        return "newline"
    if value.endswith(" "):
        return "trailing space"
    return "null" if value == "NULL" else ""


def test_simple_rules_find_too_little(sample: Sample) -> None:
    by_name, by_number = baselines(sample.inbox, sample.truth_dir, PERIODS[0])
    assert by_name.recall < 0.85
    assert by_name.precision > 0.95
    assert by_number.recall < by_name.recall / 2
