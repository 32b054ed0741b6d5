"""Mental health in the synthetic population: no names, numbers of every status, and care that goes on."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from pipelines.normalise.nhs import is_nhs_number
from pipelines.synth import SynthRequest, generate
from pipelines.synth.layouts import LAYOUTS, MHS001_MPI
from pipelines.synth.mental_health import VERIFIED

PERIODS = ("2026-09", "2026-10", "2026-11")
PEOPLE = 12_000
Row = dict[str, str]


class Sample:
    """One population's mental health files, read back."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.truth_dir = folder / "inbox", folder / "truth"
        generate(SynthRequest(PEOPLE, 7, PERIODS, self.inbox, self.truth_dir))

    def rows(self, file: str, period: str = PERIODS[0]) -> list[Row]:
        layout = next(each for each in LAYOUTS if each.file == file)
        path = self.inbox / layout.agency / layout.file_name(period)
        with path.open(encoding=layout.encoding, newline="") as handle:
            return list(csv.DictReader(handle))

    def truth(self, period: str = PERIODS[0]) -> dict[str, Row]:
        with (self.truth_dir / f"{period}.csv").open(encoding="utf-8", newline="") as handle:
            rows = [row for row in csv.DictReader(handle) if row["agency"] == "mental_health"]
        return {row["source_person_id"]: row for row in rows}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("mental-health"))


def test_a_few_per_cent_of_people_are_known_and_some_under_several_local_ids(sample: Sample) -> None:
    held = Counter(row["true_person_id"] for row in sample.truth().values())
    assert 0.03 * PEOPLE < len(held) < 0.09 * PEOPLE
    assert 1.1 < held.total() / len(held) < 1.4
    assert not any(row["is_sealed"] == "1" for row in sample.truth().values())


def test_the_index_has_no_name_and_of_the_address_only_the_postcode() -> None:
    headers = [header.lower() for header in MHS001_MPI.header]
    assert not [header for header in headers if "name" in header or "address" in header]
    assert "postcode" in headers


def test_numbers_come_with_their_status_and_right_ones_are_mostly_verified(sample: Sample) -> None:
    numbered = [row for row in sample.rows("mhs001") if row["NHSNumber"]]
    without = [row for row in sample.rows("mhs001") if not row["NHSNumber"]]
    statuses = Counter(row["NHSNumberStatus"] for row in numbered)
    assert 0.85 < statuses[VERIFIED] / len(numbered) < 0.98
    assert {"02", "03", "04", "05"} <= set(statuses)
    assert statuses["1"] and statuses[""]  # a lost zero, and nothing at all
    assert 0 < len(without) < 0.1 * len(numbered)
    assert VERIFIED not in {row["NHSNumberStatus"] for row in without}
    right = [row for row in numbered if is_nhs_number(row["NHSNumber"].replace(" ", ""))]
    assert len(right) > 0.98 * len(numbered)


def test_pseudo_postcodes_stand_for_no_abode_and_for_not_known(sample: Sample) -> None:
    postcodes = {row["Postcode"] for row in sample.rows("mhs001")}
    assert {"ZZ99 3VZ", "ZZ99 3WZ"} <= postcodes


def test_the_index_is_submitted_again_as_a_whole(sample: Sample) -> None:
    first, second = (
        {row["LocalPatientId"]: row for row in sample.rows("mhs001", each)} for each in PERIODS[:2]
    )
    assert len(first.keys() & second.keys()) > 0.95 * len(first)
    assert second.keys() - first.keys() and first.keys() - second.keys()
    assert any(first[each] != second[each] for each in first.keys() & second.keys())


def test_a_referral_comes_again_until_it_is_closed_and_then_no_more(sample: Sample) -> None:
    months = [{row["ServiceRequestId"]: row for row in sample.rows("mhs101", each)} for each in PERIODS]
    closed = {reference for reference, row in months[0].items() if row["ServDischDate"]}
    still_open = set(months[0]) - closed
    assert closed and not closed & set(months[1])
    assert len(still_open & set(months[1])) > 0.9 * len(still_open)
    began = {row["ReferralRequestReceivedDate"] for row in months[1].values()}
    assert min(began) < "2026-09-01" and max(began) >= "2026-10-01"


@pytest.mark.parametrize("period", PERIODS)
def test_whatever_happens_belongs_to_a_referral_and_a_patient_of_the_period(
    sample: Sample, period: str
) -> None:
    patients = set(sample.truth(period))
    referrals = {row["ServiceRequestId"]: row for row in sample.rows("mhs101", period)}
    assert {row["LocalPatientId"] for row in referrals.values()} <= patients
    contacts, spells = sample.rows("mhs201", period), sample.rows("mhs501", period)
    assert contacts and spells
    assert {row["ServiceRequestId"] for row in (*contacts, *spells)} <= set(referrals)
    assert all(row["CareContDate"].startswith(period) for row in contacts)
    assert {row["LocalPatientId"] for row in sample.rows("mhs401", period)} <= patients
    for row in contacts:
        referral = referrals[row["ServiceRequestId"]]
        assert referral["ReferralRequestReceivedDate"] <= row["CareContDate"]
        assert row["CareContDate"] <= (referral["ServDischDate"] or "9999")


def test_nobody_is_detained_without_a_stay_and_nothing_ends_before_it_begins(sample: Sample) -> None:
    detained = [row for period in PERIODS for row in sample.rows("mhs401", period)]
    stays = [row for period in PERIODS for row in sample.rows("mhs501", period)]
    assert detained
    began = {row["StartDateHospProvSpell"] for row in stays}
    assert {row["StartDateMHActLegalStatusClass"] for row in detained} <= began
    for row in detained:
        end = row["EndDateMHActLegalStatusClass"]
        assert not end or end >= row["StartDateMHActLegalStatusClass"]
    assert any(row["DischDateHospProvSpell"] for row in stays)
