"""`report.html` of `joinedup link`, in a real browser with the network off: complete, styled, asking for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.browser import open_offline, running_browser

from pipelines.files.run import LinkRequest, link_files

pytestmark = pytest.mark.browser

FORENAMES = ("Ann", "Bob", "Cara", "Dev", "Eve", "Femi", "Gus")
SURNAMES = ("Ali", "Brown", "Clark", "Dhillon", "Evans")
MAPPING = """
sources:
  one: {fields: &fields {forename: first, surname: last, date_of_birth: {column: born, format: "%Y-%m-%d"}}}
  two: {unique_people: true, fields: *fields}
"""
A4 = 718


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of linking two small files."""
    folder = tmp_path_factory.mktemp("link")
    people = [
        f"{first},{last},19{50 + (7 * at + 3 * other) % 50}-0{at + 1}-1{other}"
        for at, first in enumerate(FORENAMES)
        for other, last in enumerate(SURNAMES)
    ]
    for name, rows in (("one", people), ("two", people[::2])):
        (folder / f"{name}.csv").write_text("\n".join(["first,last,born", *rows]) + "\n")
    (folder / "mapping.yaml").write_text(MAPPING)
    files = {name: folder / f"{name}.csv" for name in ("one", "two")}
    link_files(LinkRequest(files, folder / "mapping.yaml", folder / "out"))
    return folder / "out" / "report.html"


def test_it_is_styled_and_asks_for_nothing(page: Path, browser: Browser) -> None:
    with open_offline(browser, page) as opened:
        assert opened.requests and all(url.startswith(("file:", "data:")) for url in opened.requests)
        assert not opened.problems
        assert opened.style("body", "background-color") == "rgb(251, 250, 247)"
        assert opened.page.locator("script").count() == 0 and opened.page.locator("h1").count() == 1
        assert "records are" in opened.page.locator("h1").inner_text()


def test_the_pictures_have_a_size_and_a_text_for_those_who_do_not_see_them(
    page: Path, browser: Browser
) -> None:
    with open_offline(browser, page, width=1200) as opened:
        for picture in ("svg.curve", "svg.sizes"):
            box = opened.page.locator(picture).bounding_box()
            assert box is not None and box["width"] > 900 and box["height"] > 200
        assert opened.page.locator("svg[role=img]:not([aria-label])").count() == 0


def test_a_narrow_screen_scrolls_tables_and_not_the_page(page: Path, browser: Browser) -> None:
    with open_offline(browser, page, width=400) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 400


def test_on_paper_no_table_is_wider_than_the_sheet(page: Path, browser: Browser) -> None:
    with open_offline(browser, page, width=A4) as opened:
        opened.page.emulate_media(media="print")
        widths = opened.page.locator("table").evaluate_all("all => all.map(each => each.scrollWidth)")
        assert widths and max(widths) <= A4
