"""A small population with known truth for tests of linking: households with twins, siblings and namesakes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

import pyarrow as pa

from pipelines.contracts.model import LinkageModel, load_model
from pipelines.link import TrainedModel, train
from pipelines.link.data import LinkData

SYLLABLES = tuple("BA CO DE FIN GAR HOL JU KE LOR MAN NEL O PE QUIN RO STA TEM UN VER WIL YOR ZA".split())  # noqa: SIM905
SCHEMAS = {
    "records": [
        ("record_id", pa.string()),
        ("agency", pa.string()),
        ("record_type", pa.string()),
        ("sex", pa.string()),
    ],
    "names": [
        ("record_id", pa.string()),
        ("given", pa.string()),
        ("middle", pa.string()),
        ("family", pa.string()),
        ("is_placeholder", pa.bool_()),
    ],
    "births": [
        ("record_id", pa.string()),
        ("date_of_birth", pa.date32()),
        ("precision", pa.string()),
        ("earliest", pa.date32()),
        ("latest", pa.date32()),
    ],
    "identifiers": [
        ("record_id", pa.string()),
        ("identifier_type", pa.string()),
        ("value", pa.string()),
        ("status", pa.string()),
        ("verification", pa.string()),
        ("valid_to", pa.date32()),
    ],
    "addresses": [
        ("record_id", pa.string()),
        ("building_number", pa.string()),
        ("postcode", pa.string()),
        ("postcode_status", pa.string()),
        ("outward", pa.string()),
        ("uprn", pa.string()),
    ],
    "contacts": [
        ("record_id", pa.string()),
        ("contact_type", pa.string()),
        ("value", pa.string()),
        ("status", pa.string()),
    ],
}


@dataclass
class Tables:
    """Rows collected per table; `data()` makes them LinkData."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in SCHEMAS})

    def record(self, record_id: str, agency: str = "health", sex: str | None = None) -> None:
        self.rows["records"].append((record_id, agency, "PERSON", sex))

    def name(self, record_id: str, given: str | None, family: str | None, middle: str | None = None) -> None:
        self.rows["names"].append((record_id, given, middle, family, False))

    def birth(self, record_id: str, value: str, precision: str = "DAY") -> None:
        day = date.fromisoformat(value)
        first, last = day, day
        if precision == "YEAR":
            first, last = date(day.year, 1, 1), date(day.year, 12, 31)
        if precision == "AGE_RANGE":
            first, last = date(day.year - 3, 1, 1), date(day.year + 3, 12, 31)
        self.rows["births"].append((record_id, day if precision == "DAY" else None, precision, first, last))

    def identifier(
        self, record_id: str, kind: str, value: str, status: str = "VALID", verification: str | None = None
    ) -> None:
        self.rows["identifiers"].append((record_id, kind, value, status, verification, None))

    def address(self, record_id: str, number: str | None, postcode: str, status: str = "LIVE") -> None:
        self.rows["addresses"].append((record_id, number, postcode, status, postcode.split()[0], None))

    def contact(self, record_id: str, value: str, kind: str = "MOBILE") -> None:
        self.rows["contacts"].append((record_id, kind, value, "VALID"))

    def data(self, order: random.Random | None = None) -> LinkData:
        tables = {}
        for name, schema in SCHEMAS.items():
            rows = list(self.rows[name])
            if order is not None:
                order.shuffle(rows)
            columns = [[row[at] for row in rows] for at in range(len(schema))]
            arrays = [pa.array(column, kind) for column, (_, kind) in zip(columns, schema, strict=True)]
            tables[name] = pa.Table.from_arrays(arrays, schema=pa.schema(schema))
        return LinkData(**tables)


@dataclass(frozen=True)
class Human:
    """One person of the population."""

    number: int
    given: str
    middle: str
    family: str
    born: date
    sex: str
    homes: tuple[tuple[str, str], ...]
    phone: str
    nhs: str


def population(households: int, seed: int) -> tuple[Tables, dict[str, str]]:
    """Return tables of records and the truth (record id -> person)."""
    dice = random.Random(seed)
    given = [a + b for a in SYLLABLES for b in SYLLABLES][:300]
    family = [a + b + c for a in SYLLABLES[:12] for b in SYLLABLES for c in ("SON", "LEY", "TON", "ER", "S")]
    tables, truth, people = Tables(), {}, []
    for number in range(households):
        people += _household(dice, given, family, number, len(people))
    for human in people:
        _sightings(dice, tables, truth, human)
    return tables, truth


def _skewed(dice: random.Random, values: list[str]) -> str:
    return values[min(int(dice.paretovariate(0.5)) - 1, dice.randrange(len(values)))]


def _home(dice: random.Random) -> tuple[str, str]:
    postcode = (
        f"NS{dice.randrange(1, 15)} {dice.randrange(1, 10)}{dice.choice('ABDEF')}{dice.choice('ABDEFGHJL')}"
    )
    return str(dice.randrange(1, 60)), postcode


def _household(
    dice: random.Random, given: list[str], family: list[str], number: int, first: int
) -> list[Human]:
    surname, homes, phone = _skewed(dice, family), (_home(dice), _home(dice)), f"+4470000{number:06d}"
    made: list[Human] = []

    def add(name: str, born: date, sex: str) -> None:
        index = first + len(made)
        made.append(
            Human(index, name, _skewed(dice, given), surname, born, sex, homes, phone, f"9{index:09d}")
        )

    father = _skewed(dice, given)
    add(father, date(1960, 1, 1) + timedelta(days=dice.randrange(9000)), "M")
    add(_skewed(dice, given), date(1962, 1, 1) + timedelta(days=dice.randrange(9000)), "F")
    for child in range(dice.randrange(0, 4)):
        born = date(1998, 1, 1) + timedelta(days=dice.randrange(9000))
        sex = dice.choice("MF")
        add(father if sex == "M" and child == 0 and dice.random() < 0.1 else _skewed(dice, given), born, sex)
        if dice.random() < 0.04:
            add(_skewed(dice, given), born, dice.choice("MF"))
    return made


def _sightings(dice: random.Random, tables: Tables, truth: dict[str, str], human: Human) -> None:
    agencies = ["health"] * (dice.random() < 0.9)
    agencies += ["childrens_services"] * (human.born.year > 1995 and dice.random() < 0.6)
    agencies += ["police"] * (dice.choice([0, 0, 1, 2, 3]) if human.born.year < 2008 else 0)
    for number, agency in enumerate(agencies):
        record_id = f"{agency[0]}{human.number:06d}-{number}"
        truth[record_id] = str(human.number)
        _sighting(dice, tables, record_id, agency, human)


def _typo(dice: random.Random, name: str) -> str:
    at = dice.randrange(len(name))
    return name[:at] + dice.choice("AEIORSTN") + name[at + 1 :]


def _sighting(dice: random.Random, tables: Tables, record_id: str, agency: str, human: Human) -> None:
    given, family, born = human.given, human.family, human.born
    given = _typo(dice, given) if dice.random() < 0.06 else given
    family = _typo(dice, family) if dice.random() < 0.06 else family
    if dice.random() < 0.02:
        given, family = family, given
    if dice.random() < 0.02:
        born += timedelta(days=dice.choice([1, -1, 10, 365]))
    tables.record(record_id, agency, human.sex if dice.random() < 0.97 else None)
    tables.name(record_id, given, family, human.middle if dice.random() < 0.4 else None)
    tables.birth(record_id, born.isoformat())
    number, postcode = human.homes[dice.random() < 0.4]
    if dice.random() < 0.95:
        tables.address(record_id, number, postcode)
    if dice.random() < 0.3:
        tables.contact(record_id, human.phone)
    if agency == "health" or (agency == "childrens_services" and dice.random() < 0.6):
        tables.identifier(record_id, "NHS", human.nhs, "SYNTHETIC", "01" if agency == "health" else None)


@cache
def trained_on_population() -> TrainedModel:
    """Return the shipped model trained on a small population, once per test session."""
    return train(quick_model(), population(900, seed=11)[0].data())


def quick_model() -> LinkageModel:
    """Return the shipped model with a smaller random sample, so that tests take seconds."""
    model = load_model()
    return model.model_copy(update={"training": model.training.model_copy(update={"random_pairs": 200_000})})
