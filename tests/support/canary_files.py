"""Deliveries full of canaries: sound ones, and ones that are refused; and expectations that fail on them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from support.canary import Canaries

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import landing_tables, load_contracts
from pipelines.ingest.inbox import files_of
from pipelines.ingest.readers.batches import LONGEST_FIELD
from pipelines.settings import PROJECT_ROOT

PERIOD = "2026-09"


@dataclass
class Table:
    """A delimited file in memory."""

    header: list[str]
    rows: list[list[str]]

    def text(self) -> str:
        """Return the file as text, with line feeds."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([self.header, *self.rows])
        return out.getvalue()


def read_table(path: Path, file: AgencyFile) -> Table:
    """Return a file of a delivery."""
    with path.open(encoding=file.format.encoding, newline="") as stream:
        header, *rows = csv.reader(stream)
    return Table(header, rows)


def full_of_canaries(canaries: Canaries, place: str, file: AgencyFile, rows: int = 12) -> Table:
    """Return a file with the right header and a canary in every field."""
    header = list(file.columns)
    return Table(header, [[canaries.at(f"{place} {column}") for column in header] for _ in range(rows)])


def with_canaries(canaries: Canaries, place: str, table: Table, file: AgencyFile) -> Table:
    """Return the file with one more row per column, which holds a canary there and is sound otherwise.

    A further row holds nothing but canaries, and a further column, unknown to the contract, one in every row.
    """
    fresh = count(1)
    own = set(file.key) | ({file.local_id} if file.holds_people and file.local_id else set())
    rows = [list(row) for row in table.rows]
    for position, column in enumerate(table.header if table.rows else ()):
        row = list(table.rows[0])
        for key in own:
            row[table.header.index(key)] = f"C{next(fresh):07}"
        row[position] = canaries.at(f"{place} {column}")
        rows.append(row)
    rows.append([canaries.at(f"{place} {column}, a row of canaries") for column in table.header])
    extra = [canaries.at(f"{place} unexpected column") for _ in rows]
    return Table(
        [*table.header, "not_in_the_contract"],
        [[*row, value] for row, value in zip(rows, extra, strict=True)],
    )


def bad_rows(canaries: Canaries, place: str, header: list[str]) -> str:
    """Return lines that no reader can land: ragged, malformed, oversized, and the header again."""
    quoted = canaries.at(f"{place} malformed quote")
    long = canaries.at(f"{place} oversized field") * (LONGEST_FIELD // len(quoted) + 1)
    rest = "," * (len(header) - 1)
    return (
        f"{canaries.at(f'{place} ragged row')},{canaries.at(f'{place} ragged row')}\n"
        f'"{quoted}"{quoted}{rest}\n{long}{rest}\n{",".join(header)}\n'
    )


def write_delivery(canaries: Canaries, extracts: Path, agency: str, inbox: Path) -> None:
    """Leave the agency's extracts in the inbox: sound rows, canaries in every column, rows that cannot be read."""
    inbox.mkdir(parents=True, exist_ok=True)
    contract = load_contracts()[agency]
    for name, path in files_of(contract, PERIOD, extracts / agency).items():
        file = contract.files[name]
        sound = read_table(path, file)
        table = with_canaries(canaries, f"{agency}/{name}", sound, file)
        before, after = (
            table.text(),
            Table(table.header, [[*row, ""] for row in sound.rows[:1]] or table.rows[-1:]),
        )
        bad = bad_rows(canaries, f"{agency}/{name}", table.header)
        last = after.text().partition("\n")[2]
        content = before + bad + last  # the last row is whole: a file that ends badly is refused
        (inbox / path.name).write_bytes(content.encode(file.format.encoding))


def _no_header(table: Table, file: AgencyFile) -> bytes:
    return table.text().partition("\n")[2].encode(file.format.encoding)


def _renamed_columns(table: Table, file: AgencyFile) -> bytes:
    middle = len(table.header) // 2
    header = [*table.header[:middle], "renamed", *table.header[middle + 1 :]]
    return Table(header, table.rows).text().encode(file.format.encoding)


def _header_runs_into_first_row(table: Table, file: AgencyFile) -> bytes:
    return table.text().replace("\n", "", 1).encode(file.format.encoding)


def bad_byte(table: Table, file: AgencyFile) -> bytes:
    """0x81 is neither Windows-1252 nor the beginning of a UTF-8 sign; it stands inside a canary."""
    content = table.text().encode(file.format.encoding)
    return content[:-4] + b"\x81" + content[-4:]


def _utf16(table: Table, file: AgencyFile) -> bytes:
    return codecs.BOM_UTF16_LE + table.text().encode("utf-16-le")


def _nul_byte(table: Table, file: AgencyFile) -> bytes:
    return table.text().encode(file.format.encoding)[:-3] + b"\0\n"


def _cut_short(table: Table, file: AgencyFile) -> bytes:
    content = table.text().encode(file.format.encoding).rstrip()
    return content[: content.rindex(b",") - 3]


def _open_quote(table: Table, file: AgencyFile) -> bytes:
    return table.text().encode(file.format.encoding) + b'"' + table.rows[0][0].encode() + b"\n"


def too_few_rows(table: Table, file: AgencyFile) -> bytes:
    """One row, where the contract wants more of some file."""
    return Table(table.header, table.rows[:1]).text().encode(file.format.encoding)


FLAWS: tuple[Callable[[Table, AgencyFile], bytes], ...] = (
    _no_header,
    _renamed_columns,
    _header_runs_into_first_row,
    bad_byte,
    _utf16,
    _nul_byte,
    _cut_short,
    _open_quote,
    too_few_rows,
)


def write_flawed(
    canaries: Canaries, extracts: Path, agency: str, inbox: Path, flaw: Callable[[Table, AgencyFile], bytes]
) -> None:
    """Leave a delivery in the inbox, each file of which is full of canaries and has the same flaw."""
    inbox.mkdir(parents=True, exist_ok=True)
    contract = load_contracts()[agency]
    for name, path in files_of(contract, PERIOD, extracts / agency).items():
        file = contract.files[name]
        table = full_of_canaries(canaries, f"{agency}/{name}", file)
        (inbox / path.name).write_bytes(flaw(table, file))


WHY = "Planted by a test to see what a failure tells."


def write_expectations(folder: Path, *broken: tuple[str, str, str]) -> Path:
    """Return a copy of the expectations that stops nothing: what fails in it fails as a warning, and much does.

    Each of `broken`, a stage, a table and a column, is a rule that cannot be evaluated: that stops the batch.
    """
    for path in sorted((PROJECT_ROOT / "expectations").rglob("*.yaml")):
        stage = path.parent.name
        suite = yaml.safe_load(path.read_text(encoding="utf-8"))
        for rule in suite["expectations"]:
            rule["severity"] = rule["severity"].replace("critical", "warning")
        suite["expectations"] += _failing(stage, path.stem)
        suite["expectations"] += [
            _cast(stage, column) for (at, table, column) in broken if (at, table) == (stage, path.stem)
        ]
        target = folder / stage / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
    for table in landing_tables():  # where nothing is written, the contract's own rules would stop the batch
        path = folder / "landing" / f"{table}.yaml"
        if not path.exists():
            path.write_text(yaml.safe_dump(_without_demands(table), sort_keys=False), encoding="utf-8")
    return folder


def _without_demands(table: str) -> dict[str, Any]:
    """Return expectations that every file meets."""
    rule = {"id": "rows", "type": "expect_table_row_count_to_be_between", "min_value": 0}
    rules = [{**rule, "severity": "warning", "why": WHY}]
    return {"table": f"landing.{table}", "description": WHY, "expectations": rules}


def _cast(stage: str, column: str) -> dict[str, Any]:
    """Return a rule on which PostgreSQL stumbles: it repeats the value that it cannot cast."""
    key = {"linked": "run_id", "published": "release_id"}.get(stage, "extract_id")
    query = f"SELECT {key} FROM {{batch}} WHERE CAST({column} AS integer) > 0"
    rule = {"type": "unexpected_rows_expectation", "unexpected_rows_query": query}
    return {"id": "cast", **rule, "severity": "critical", "why": WHY}


FAILING_COLUMNS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("landing", "health_demographics"): ("family_name", "nhs_no", "address_line1", "mobile_number"),
    ("landing", "police_nominal"): ("surname", "forename1", "address1", "email"),
    ("landing", "childrens_services_person"): ("pers_surname", "pers_forename", "pers_upn"),
    ("normalised", "person_name"): ("family", "given", "family_raw"),
    ("normalised", "person_identifier"): ("value", "value_raw"),
    ("normalised", "person_address"): ("line1", "postcode_raw", "address"),
    ("normalised", "person_contact"): ("value",),
    ("published", "person"): ("outward_postcode", "sex"),
}


def _failing(stage: str, table: str) -> list[dict[str, Any]]:
    """Return rules of several types that fail on a column's every value."""
    kinds: tuple[dict[str, Any], ...] = (
        {"type": "expect_column_values_to_be_in_set", "value_set": ["nothing"]},
        {"type": "expect_column_values_to_match_regex", "regex": "^nothing$"},
        {"type": "expect_column_values_to_be_null"},
        {"type": "expect_column_value_lengths_to_be_between", "max_value": 0},
    )
    return [
        {"id": f"nothing_{number}_in_{column}", "column": column, "severity": "warning", "why": WHY, **kind}
        for column in FAILING_COLUMNS.get((stage, table), ())
        for number, kind in enumerate(kinds)
    ]
