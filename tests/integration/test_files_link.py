"""`joinedup link NAME=FILE ...` and `joinedup evaluate DIR`, from files to files, without a warehouse."""

from __future__ import annotations

import csv
import json
import random
import re
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from support.link_population import population
from typer.testing import CliRunner, Result

from pipelines import cli
from pipelines.errors import ContractError, FilesRejected
from pipelines.files.page import render_page, verdict
from pipelines.words import percent

SOURCES = ("health", "police")
MAPPING = """
sources:
  health:
    record_id: id
    unique_people: true
    fields: &fields
      forename: first
      surname: last
      date_of_birth: {column: born, format: "%d/%m/%Y"}
      sex: sex
      address: [number]
      postcode: postcode
      phone: phone
      extra.town: {column: town, compare: levenshtein}
  police:
    record_id: id
    fields: *fields
"""


def joinedup(*words: object) -> Result:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def rows_by_source(households: int) -> tuple[dict[str, list[dict[str, str]]], dict[tuple[str, str], str]]:
    """Rows of each source as a file would have them, and who each record is."""
    tables, truth = population(households, seed=3)
    rows: dict[str, dict[str, str]] = {
        record: {"id": record, "agency": agency, "sex": {"M": "male", "F": "female"}.get(sex, "")}
        for record, agency, _, sex in tables.rows["records"]
    }
    for record, given, _, family, _ in tables.rows["names"]:
        rows[record] |= {"first": (given or "").title(), "last": (family or "").title()}
    for record, day, *_ in tables.rows["births"]:
        rows[record]["born"] = day.strftime("%d/%m/%Y") if day else ""
    for record, number, postcode, *_ in tables.rows["addresses"]:
        rows[record] |= {"number": number or "", "postcode": postcode, "town": f"Town {postcode[:3]}"}
    for record, _, value, _ in tables.rows["contacts"]:
        rows[record]["phone"] = value
    found = {source: [row for row in rows.values() if row["agency"] == source] for source in SOURCES}
    return found, {(row["agency"], row["id"]): truth[row["id"]] for each in found.values() for row in each}


def write_csv(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> None:
    columns = ["id", "first", "last", "born", "sex", "number", "postcode", "phone", "town"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows([row.get(column, "") for column in columns] for row in rows)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both sources' files, the mapping and the truth."""
    folder = tmp_path_factory.mktemp("files")
    rows, truth = rows_by_source(400)
    write_csv(folder / "health.csv", rows["health"])
    write_csv(folder / "police.csv", rows["police"], delimiter=";")
    (folder / "mapping.yaml").write_text(MAPPING)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("source", "record_id", "person"), *((*record, person) for record, person in truth.items())]
        )
    return folder


def link(folder: Path, output: Path, *more: object, checks: bool = False) -> Result:
    return joinedup(
        "link", f"health={folder / 'health.csv'}", f"police={folder / 'police.csv'}",
        "--mapping", folder / "mapping.yaml", "--output", output, "--checks" if checks else "--no-checks", *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def linked(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a first run wrote."""
    output = tmp_path_factory.mktemp("linked") / "deep" / "out"
    said = link(files, output, checks=True)
    assert said.exit_code == 0, said.output
    assert "records are" in said.output
    return output


def report_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return content


def people_of(folder: Path) -> set[frozenset[tuple[str, str]]]:
    groups: dict[str, set[tuple[str, str]]] = {}
    for row in pyarrow.parquet.read_table(folder / "clusters.parquet").to_pylist():
        groups.setdefault(row["person_id"], set()).add((row["source"], row["record_id"]))
    return {frozenset(group) for group in groups.values()}


def edges_of(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(folder / "edges.parquet").to_pylist()
    return rows


class TestWhatIsWritten:
    def test_every_row_of_every_file_is_in_one_person(self, files: Path, linked: Path) -> None:
        report = report_of(linked)
        rows = {name: len((files / f"{name}.csv").read_text().splitlines()) - 1 for name in SOURCES}
        assert {each["name"]: each["records"] for each in report["sources"]} == rows
        assert sum(len(person) for person in people_of(linked)) == report["records"] == sum(rows.values())

    def test_nothing_else_is_left_behind(self, linked: Path) -> None:
        assert {path.name for path in linked.iterdir()} - {"evaluation.json"} == {
            "clusters.parquet", "edges.parquet", "model.yaml", "report.html", "report.json",
        }  # fmt: skip

    def test_edges_have_both_sides_and_a_level_by_name_for_every_comparison(self, linked: Path) -> None:
        table = pyarrow.parquet.read_table(linked / "edges.parquet")
        levels = {
            each["name"]: {level["name"] for level in each["levels"]}
            for each in report_of(linked)["model"]["comparisons"]
        }
        assert table.column_names[:6] == [
            "source_a", "record_id_a", "source_b", "record_id_b", "match_weight", "match_probability",
        ]  # fmt: skip
        for name, known in levels.items():
            assert set(table[f"level_{name}"].cast(pa.string()).to_pylist()) <= known | {None}
        assert {"given_name", "family_name", "date_of_birth", "town"} <= levels.keys()

    def test_a_source_that_holds_each_person_once_has_no_two_records_linked(self, linked: Path) -> None:
        assert not any(
            row["is_link"] and row["source_a"] == row["source_b"] == "health" for row in edges_of(linked)
        )

    def test_the_links_are_good_and_measured(self, files: Path, linked: Path) -> None:
        said = joinedup("evaluate", linked, "--truth", files / "truth.csv")
        assert said.exit_code == 0 and "B-cubed" in said.output
        overall = json.loads((linked / "evaluation.json").read_text())["pairs"]["overall"]
        assert overall["precision"] >= 0.98
        assert overall["recall"] >= 0.85

    def test_the_report_holds_counts_and_no_value(self, files: Path, linked: Path) -> None:
        text = (linked / "report.json").read_text().casefold()
        page = unescape((linked / "report.html").read_text()).casefold()
        with (files / "police.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter=";"):
                values = [f'"{row["last"]}"', row["phone"], row["postcode"], f'"{row["id"]}"']
                assert not any(value.casefold() in text for value in values if value.strip('"'))
                shown = [value for value in (row["phone"], row["postcode"]) if value]
                assert not any(value.casefold() in page for value in shown)
        report = report_of(linked)
        assert report["blocking"]["rules"] and report["stages"] and report["clusters"]["sizes"]


class TestTheReport:
    """`report.html` is made of `report.json`, complete in one file."""

    def test_it_asks_for_nothing_and_needs_no_script(self, linked: Path) -> None:
        page = (linked / "report.html").read_text()
        assert not re.search(
            r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(|@import|<script|<link [^>]*css""", page
        )

    def test_it_shows_the_figures_of_the_data(self, linked: Path) -> None:
        report, page = report_of(linked), (linked / "report.html").read_text()
        rates, clusters = report["error_rates"], report["clusters"]
        for rate in rates.values():
            for part in (rate, *rate["parts"]):
                for name in ("estimate", "low", "high"):
                    assert percent(part[name]) in page
        for count in (report["records"], clusters["people"], clusters["largest"], report["edges"]["links"]):
            assert f"{count:,}" in page
        for size in clusters["sizes"]:
            assert f">{size['people']:,}</text>" in page
        for rule in report["blocking"]["rules"]:
            assert f"{rule['new_pairs']:,} new pairs" in page
        for comparison in report["model"]["comparisons"]:
            assert all(f"{level['weight']:+.1f} bits" in page for level in comparison["levels"])
        for stage in report["stages"]:
            assert stage["stage"] in page
        for each in report["threshold_report"]["decoys"]["types"]:
            assert f"{each['decoys']:,}" in page and f"{each['pairs_at_home']:,}" in page

    def test_it_shows_that_every_row_is_a_record(self, linked: Path) -> None:
        page = (linked / "report.html").read_text()
        assert page.count("Balances") == len(SOURCES) and "Does not" not in page

    def test_it_repeats_every_warning_of_training_and_every_note(self, linked: Path) -> None:
        report, page = report_of(linked), unescape((linked / "report.html").read_text())
        said = [*report["training"]["warnings"], *report["threshold_report"]["notes"]]
        assert said and all(each[1:] in page for each in said)

    def test_both_error_rates_have_an_interval_and_say_how_they_were_found(self, linked: Path) -> None:
        for rate in report_of(linked)["error_rates"].values():
            assert 0 <= rate["low"] <= rate["estimate"] <= rate["high"] <= 1
            assert [part["method"] for part in rate["parts"]] == rate["method"].split(", ")
        assert "decoys, unique sources" in report_of(linked)["error_rates"]["false_link_rate"]["method"]

    def test_the_threshold_report_is_of_the_clusters_that_were_written(self, linked: Path) -> None:
        held = report_of(linked)["threshold_report"]["held"]
        assert held["pairs"] == sum(len(person) * (len(person) - 1) // 2 for person in people_of(linked))

    def test_checks_that_were_left_out_are_told(self, files: Path, linked: Path, tmp_path: Path) -> None:
        assert link(files, tmp_path, "--model", linked / "model.yaml").exit_code == 0
        report, page = report_of(tmp_path), (tmp_path / "report.html").read_text()
        assert report["threshold_report"]["skipped"] and report["threshold_report"]["decoys"] is None
        assert "The checks were left out, as asked for" in page and "not checked" in page
        assert report["error_rates"]["false_link_rate"]["method"] == "model"

    def test_what_speaks_against_the_result_stands_first(self, linked: Path) -> None:
        report = report_of(linked)
        target = report["threshold_report"]["threshold"]["target"]
        report["error_rates"]["false_link_rate"]["parts"][1] |= {"low": target * 2, "high": target * 4}
        report["training"]["passes"][0]["converged"] = False
        found = verdict(report)
        assert found.state == "warned" and len(found.points) >= 2
        assert percent(target * 2) in found.points[0]
        page = render_page(report)
        assert page.index("Training did not converge.") < page.index("What was linked")

    def test_without_concerns_it_says_so(self, linked: Path) -> None:
        report = report_of(linked)
        for part in report["error_rates"]["false_link_rate"]["parts"]:
            part["low"] = 0.0
        assert verdict(report).state == "passed"
        report["threshold_report"]["skipped"] = "not today"
        assert verdict(report).points == ("Not today.",)


class TestTheSameAgain:
    def test_a_second_run_replaces_the_first_and_its_evaluation(
        self, files: Path, linked: Path, tmp_path: Path
    ) -> None:
        output = tmp_path / "out"
        output.mkdir()
        (output / "notes.txt").write_text("mine")
        again = ("--model", linked / "model.yaml")
        assert link(files, output, *again).exit_code == 0
        joinedup("evaluate", output, "--truth", files / "truth.csv")
        assert (output / "evaluation.json").exists()
        assert link(files, output, *again).exit_code == 0
        assert not (output / "evaluation.json").exists() and (output / "notes.txt").exists()
        assert people_of(output) == people_of(linked)
        assert (output / "model.yaml").read_bytes() == (linked / "model.yaml").read_bytes()

    def test_the_order_of_rows_and_the_kind_of_file_make_no_difference(
        self, files: Path, linked: Path, tmp_path: Path
    ) -> None:
        header, *rows = (files / "health.csv").read_text().splitlines()
        random.Random(1).shuffle(rows)
        (tmp_path / "health.csv").write_text("\n".join([header, *rows]))
        text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(["number", "phone"], pa.string()))
        police = pyarrow.csv.read_csv(
            files / "police.csv", parse_options=pyarrow.csv.ParseOptions(delimiter=";"), convert_options=text
        )
        pyarrow.parquet.write_table(police, tmp_path / "police.csv")
        (tmp_path / "mapping.yaml").write_text(MAPPING)
        assert link(tmp_path, tmp_path / "out").exit_code == 0
        assert people_of(tmp_path / "out") == people_of(linked)
        assert edges_of(tmp_path / "out") == edges_of(linked)

    def test_a_model_that_was_written_gives_the_same_edges_without_training(
        self, files: Path, linked: Path, tmp_path: Path
    ) -> None:
        assert link(files, tmp_path, "--model", linked / "model.yaml").exit_code == 0
        for ours, theirs in zip(edges_of(tmp_path), edges_of(linked), strict=True):
            assert ours == {
                name: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value
                for name, value in theirs.items()
            }
        assert not report_of(tmp_path)["settings"]["trained_here"]

    @pytest.mark.parametrize("engine", ["recordlinkage", "splink"])
    def test_every_engine_gives_the_same_people(
        self, engine: str, files: Path, linked: Path, tmp_path: Path
    ) -> None:
        if engine == "splink":
            pytest.importorskip("splink")
        said = link(files, tmp_path, "--model", linked / "model.yaml", "--engine", engine)
        assert said.exit_code == 0, said.output
        assert people_of(tmp_path) == people_of(linked)

    def test_the_highest_expected_f1_links_at_least_as_much(
        self, files: Path, linked: Path, tmp_path: Path
    ) -> None:
        assert (
            link(files, tmp_path, "--model", linked / "model.yaml", "--objective", "expected-f1").exit_code
            == 0
        )
        threshold = report_of(tmp_path)["thresholds"]["link_probability"]
        assert threshold <= report_of(linked)["thresholds"]["link_probability"]


class TestWhatIsRefused:
    def test_files_need_a_mapping_and_an_output(self, files: Path) -> None:
        said = joinedup("link", f"health={files / 'health.csv'}")
        assert said.exit_code == 2 and "--mapping" in said.output and "--output" in said.output

    @pytest.mark.parametrize("words", [["census"], ["2026-13-01"], ["a=1.csv", "a=2.csv"]])
    def test_what_is_neither_a_period_nor_a_named_file(
        self, words: list[str], files: Path, tmp_path: Path
    ) -> None:
        said = joinedup("link", *words, "--mapping", files / "mapping.yaml", "--output", tmp_path / "out")
        assert said.exit_code == 2

    def test_a_source_without_a_file_is_named(self, files: Path, tmp_path: Path) -> None:
        said = joinedup(
            "link", f"health={files / 'health.csv'}", "--mapping", files / "mapping.yaml", "--output", tmp_path / "out"
        )  # fmt: skip
        assert isinstance(said.exception, ContractError)
        assert "add police=FILE" in str(said.exception)
        assert not (tmp_path / "out").exists()

    def test_a_missing_column_is_named_with_its_key(self, files: Path, tmp_path: Path) -> None:
        (tmp_path / "mapping.yaml").write_text(MAPPING.replace("forename: first", "forename: firsst"))
        (tmp_path / "health.csv").write_text((files / "health.csv").read_text())
        (tmp_path / "police.csv").write_text((files / "police.csv").read_text())
        said = link(tmp_path, tmp_path / "out")
        assert isinstance(said.exception, ContractError)
        assert "sources.health.fields.forename" in str(said.exception)
        assert "did you mean first?" in str(said.exception)

    def test_a_single_row_cannot_be_linked(self, tmp_path: Path) -> None:
        (tmp_path / "one.csv").write_text("last\nSmith\n")
        (tmp_path / "mapping.yaml").write_text("sources: {one: {fields: {surname: last}}}")
        said = joinedup(
            "link", f"one={tmp_path / 'one.csv'}", "--mapping", tmp_path / "mapping.yaml", "--output", tmp_path / "o"
        )  # fmt: skip
        assert isinstance(said.exception, FilesRejected)
        assert "at least two records" in str(said.exception)

    def test_a_folder_of_no_run_is_refused(self, tmp_path: Path, files: Path) -> None:
        said = joinedup("evaluate", tmp_path, "--truth", files / "truth.csv")
        assert isinstance(said.exception, FilesRejected)


@pytest.mark.parametrize(
    ("fields", "header", "rows"),
    [
        ("{full_name: name}", "name", ["Mary Smith", "Mary Smith", "Bob Jones", "Smith, Mary"]),
        ("{identifier.ssn: ssn}", "ssn", ["123-45", "12345", "99999", "x1"]),
        ("{extra.town: t, extra.job: j}", "t,j", ["York,cook", "York,cook", "Leeds,nurse", ","]),
        (
            "{surname: s, date_of_birth: {column: d, format: '%Y'}}",
            "s,d",
            ["Lee,1980", "Lee,1980", "Fox,1970", ","],
        ),
        ("{address: [a]}", "a", ["1 High Street", "1 High Street", "2 Low Road", ""]),
        ("{email: m}", "m", ["a@x.com", "a@x.com", "b@x.com", ""]),
    ],
)
def test_any_few_fields_can_be_linked(fields: str, header: str, rows: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join([header, *(row or '""' for row in rows)]) + "\n")
    (tmp_path / "mapping.yaml").write_text(f"sources: {{a: {{fields: {fields}}}}}")
    if fields.startswith("{full_name"):
        (tmp_path / "a.csv").write_text("name\n" + "\n".join(f'"{row}"' for row in rows) + "\n")
    said = joinedup(
        "link", f"a={tmp_path / 'a.csv'}", "--mapping", tmp_path / "mapping.yaml", "--output", tmp_path / "o"
    )
    assert said.exit_code == 0, repr(said.exception)
    assert report_of(tmp_path / "o")["records"] == 4
