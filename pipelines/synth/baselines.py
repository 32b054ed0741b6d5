"""What simple rules would have found: exact name and birth date alone, NHS number alone.

Computed from the delivered files as they are (upper case, spaces stripped) and the truth, without any of the
pipeline's own normalising, so that the figures say how hard the population is and not how good the pipeline is.
Pairs with a sealed identity are left out: they must not be linked, so finding them is no merit.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.synth.layouts import DEMOGRAPHICS, NOMINAL, SSD_LINKED_IDENTIFIERS, SSD_PERSON, Layout

RecordKey = tuple[str, str]
Values = dict[RecordKey, str]


@dataclass(frozen=True)
class Baseline:
    """How a simple rule did: pairs of records it joins, and how many of them are the same person."""

    rule: str
    found_pairs: int
    correct_pairs: int
    true_pairs: int

    @property
    def precision(self) -> float:
        """The share of the joined pairs that are one person."""
        return self.correct_pairs / self.found_pairs if self.found_pairs else 1.0

    @property
    def recall(self) -> float:
        """The share of the true pairs that are joined."""
        return self.correct_pairs / self.true_pairs if self.true_pairs else 1.0


def name_and_birth_date(inbox: Path, truth: Path, period: str) -> Baseline:
    """Return what exact first name, family name and birth date find, over all agencies' records."""
    values: Values = {}
    for row in _rows(inbox, SSD_PERSON, period):
        key = ("childrens_services", row["pers_person_id"])
        values[key] = _joined(row["pers_forename"], row["pers_surname"], row["pers_dob"], "%Y-%m-%d %H:%M:%S")
    for row in _rows(inbox, DEMOGRAPHICS, period):
        born = row["DATE_OF_BIRTH"]
        values["health", row["LOCAL_PATIENT_ID"]] = _joined(
            row["GIVEN_NAME"], row["FAMILY_NAME"], born, "%Y%m%d"
        )
    for row in _rows(inbox, NOMINAL, period):
        if row["NameType"] == "PRIMARY":
            born = row["DateOfBirth"]
            values["police", row["NominalRef"]] = _joined(row["Forename1"], row["Surname"], born, "%d/%m/%Y")
    return _judge("exact name and date of birth", values, truth, period)


def nhs_number(inbox: Path, truth: Path, period: str) -> Baseline:
    """Return what equal NHS numbers find, over all agencies' records."""
    values: Values = {}
    for row in _rows(inbox, SSD_LINKED_IDENTIFIERS, period):
        if row["link_identifier_type"] == "NHS Number":
            values["childrens_services", row["link_person_id"]] = _digits(row["link_identifier_value"])
    for row in _rows(inbox, SSD_PERSON, period):
        number = _digits(row["pers_common_child_id"])
        if number:
            values["childrens_services", row["pers_person_id"]] = number
    for row in _rows(inbox, DEMOGRAPHICS, period):
        values["health", row["LOCAL_PATIENT_ID"]] = _digits(row["NHS_NO"])
    return _judge("NHS number", values, truth, period)


def baselines(inbox: Path, truth: Path, period: str) -> tuple[Baseline, Baseline]:
    """Return both baselines of a period."""
    return name_and_birth_date(inbox, truth, period), nhs_number(inbox, truth, period)


def _rows(inbox: Path, layout: Layout, period: str) -> Iterator[dict[str, str]]:
    """Return the rows of one delivered file."""
    path = inbox / layout.agency / layout.file_name(period)
    with path.open(encoding=layout.encoding, newline="") as file:
        yield from csv.DictReader(file)


def _joined(given: str, family: str, born: str, fmt: str) -> str:
    """Return name and birth date as one key, empty where a part is missing."""
    try:
        day = datetime.strptime(born.strip(), fmt).date().isoformat()  # noqa: DTZ007  a birth date has no time zone
    except ValueError:
        return ""
    parts = (given.strip().upper(), family.strip().upper(), day)
    return "|".join(parts) if all(parts) else ""


def _digits(number: str) -> str:
    return number.replace(" ", "").strip()


def _judge(rule: str, values: Values, truth: Path, period: str) -> Baseline:
    """Return how the rule "equal value, same person" did, counted and never enumerated."""
    people: dict[RecordKey, str] = {}
    with (truth / f"{period}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["is_sealed"] == "0":
                people[row["agency"], row["source_person_id"]] = row["true_person_id"]
    joined = [(value, people[key]) for key, value in values.items() if value and key in people]
    return Baseline(
        rule,
        found_pairs=_pairs(joined, lambda item: item[0]),
        correct_pairs=_pairs(joined, lambda item: f"{item[0]}|{item[1]}"),
        true_pairs=_pairs((("", person) for person in people.values()), lambda item: item[1]),
    )


def _pairs(items: Iterable[tuple[str, str]], key: Callable[[tuple[str, str]], str]) -> int:
    """Return how many pairs of items have the same key."""
    return sum(count * (count - 1) // 2 for count in Counter(map(key, items)).values())
