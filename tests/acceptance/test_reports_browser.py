"""Both outputs for the auditor, in a real browser with the network off: complete, styled, asking for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import text
from support.browser import open_offline, running_browser
from support.warehouse import Warehouse

from pipelines.contracts.loader import landing_tables
from pipelines.quality.checks import check_landing
from pipelines.quality.outcome import CheckScope
from pipelines.quality.reports import write_reports
from pipelines.warehouse.engine import engine, transaction

pytestmark = [pytest.mark.database, pytest.mark.browser]

PEOPLE = 60
RULE = "A row without the council's own id"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with running_browser() as running:
        yield running


def land(extract_id: int, without_id: int) -> None:
    """Land a file of people, some of whom lack the council's id."""
    columns = landing_tables()["childrens_services_person"]
    given = {
        "pers_person_id": f"CASE WHEN g > {without_id} THEN 'P' || g END",
        "pers_surname": "'SMITH'",
        "pers_forename": "'ANN'",
        "pers_dob": "'2012-03-04 00:00:00'",
        "pers_sex": "'F'",
    }
    values = ", ".join(given.get(column, "NULL") for column in columns)
    with transaction() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO landing.childrens_services_person (extract_id, row_number, {', '.join(columns)})"
            f" SELECT {extract_id}, g, {values} FROM generate_series(1, {PEOPLE}) AS g"
        )


def ingest(extract_id: int, period: str) -> int:
    """Check a landed file, as the ingest of a period does; returns the run."""
    kept = "'ingest', :period, 'DONE', '{}'"
    with transaction() as connection:
        run_id = connection.execute(
            text(f"INSERT INTO audit.run (kind, period, status, inputs) VALUES ({kept}) RETURNING run_id"),
            {"period": period},
        ).scalar_one()
        connection.execute(
            text(
                "INSERT INTO audit.stage_report (run_id, stage, agency, file, period, rows_in, rows_out,"
                " quarantined, duplicates) VALUES (:run_id, 'receive', 'childrens_services', 'person', :period,"
                " 60, 50, 6, 4)"
            ),
            {"run_id": run_id, "period": period},
        )
    check_landing(engine(), CheckScope(run_id, period, "childrens_services"), {"person": extract_id})
    return int(run_id)


@pytest.fixture(scope="module")
def reports(module_warehouse: Warehouse) -> Path:
    """The reports of two runs: one as expected, one stopped."""
    for extract_id, (period, without_id) in enumerate({"2026-09": 0, "2026-10": 30}.items(), start=1):
        land(extract_id, without_id)
        write_reports(engine(), ingest(extract_id, period))
    return module_warehouse.home / "reports"


def pages(reports: Path) -> list[Path]:
    """Return the pages to look at: the lists, a run, a validation result, a suite."""
    docs = reports / "data_docs"
    validations = sorted((docs / "validations").rglob("*.html"))
    suites = sorted((docs / "expectations").rglob("*.html"))
    runs = sorted((reports / "expectations").glob("run-*.html"))
    return [reports / "expectations" / "index.html", *runs, docs / "index.html", *validations, suites[0]]


def test_every_page_is_styled_and_asks_for_nothing(reports: Path, browser: Browser) -> None:
    for path in pages(reports):
        with open_offline(browser, path) as opened:
            assert opened.requests and all(url.startswith(("file:", "data:")) for url in opened.requests), (
                path
            )
            assert not opened.problems, path
            assert opened.style("body", "background-color") == "rgb(251, 250, 247)", path
            assert "system-ui" in opened.style("body", "font-family")
            assert opened.page.locator("h1").count() == 1
            assert opened.page.locator("script").count() == 0


def test_links_between_the_pages_hold(reports: Path, browser: Browser) -> None:
    for path in pages(reports):
        with open_offline(browser, path) as opened:
            links = opened.page.locator("a[href]").evaluate_all("all => all.map(link => link.href)")
        targets = {link.split("#")[0].split("?")[0].removeprefix("file://") for link in links}
        assert not [link for link in targets if not Path(link).is_file()], path


def test_dark_readers_get_a_dark_page(reports: Path, browser: Browser) -> None:
    for path in pages(reports):
        with open_offline(browser, path, scheme="dark") as opened:
            assert opened.style("body", "background-color") == "rgb(18, 23, 29)", path


def test_a_narrow_screen_scrolls_tables_and_not_the_page(reports: Path, browser: Browser) -> None:
    for path in pages(reports):
        with open_offline(browser, path, width=400) as opened:
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= 400, path


def test_the_stopped_run_tells_what_stopped_it(reports: Path, browser: Browser) -> None:
    run = max((reports / "expectations").glob("run-*.html"))
    with open_offline(browser, run) as opened:
        body = opened.page.locator("main").inner_text()
        trends = opened.page.locator("svg.trend").count()
    assert "Stopped" in body and RULE in body and "30 of 60" in body and "Balances" in body
    assert trends > 0


def test_the_list_shows_both_runs_with_their_verdicts(reports: Path, browser: Browser) -> None:
    with open_offline(browser, reports / "expectations" / "index.html") as opened:
        verdicts = opened.page.locator("tbody .mark").all_inner_texts()
    assert "Stopped the batch" in verdicts and "As expected" in verdicts


def test_data_docs_show_severity_and_reason_without_a_script(reports: Path, browser: Browser) -> None:
    docs = reports / "data_docs"
    with open_offline(browser, docs / "index.html") as opened:
        listed = opened.page.locator("main").inner_text()
    assert "landing.childrens_services_person" in listed and "Stopped the batch" in listed
    result = max((docs / "validations").rglob("*.html"), key=lambda path: path.parts[-3])
    with open_offline(browser, result) as opened:
        body = opened.page.locator("main").inner_text()
    assert RULE in body and "Critical" in body and "30 of 60" in body


def test_every_page_says_whether_test_numbers_count_as_evidence(reports: Path) -> None:
    """On a page of ours in a table, on one of GX's at its foot; the setting is on in tests."""
    for path in pages(reports):
        told = re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8"))
        assert re.search(r"allow_synthetic\s+(is )?(?i:on)\b", told), path
        assert "must be off where people are real" in told, path


def test_print_shows_what_is_folded(reports: Path, browser: Browser) -> None:
    run = max((reports / "expectations").glob("run-*.html"))
    with open_offline(browser, run) as opened:
        opened.page.emulate_media(media="print")
        assert opened.page.locator("details .rule").first.is_visible()


def test_reports_can_be_looked_at(reports: Path, browser: Browser, tmp_path: Path) -> None:
    for number, path in enumerate(pages(reports)):
        with open_offline(browser, path) as opened:
            picture = opened.page.screenshot(path=tmp_path / f"{number}.png", full_page=True)
        assert len(picture) > 20_000, path
