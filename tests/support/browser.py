"""A headless Chromium without a network, that remembers what every page asked for."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

REQUIRE = "JOINEDUP_REQUIRE_SYSTEM_PACKAGES"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


def chromium() -> str:
    """Return where Chromium is; without it the test is skipped with one loud line, or fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return found
    missing = "Chromium is not installed: what the reports look like is NOT tested (apt-get install chromium)"
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(missing)
    warnings.warn(missing, stacklevel=2)
    pytest.skip(missing)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Give a headless Chromium, closed at the end."""
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Opened:
    """A page, what it asked for, and what went wrong in it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def style(self, selector: str, name: str) -> str:
        """Return a computed style of the first element that a selector finds."""
        script = f"element => getComputedStyle(element).getPropertyValue('{name}')"
        return str(self.page.locator(selector).first.evaluate(script))


@contextmanager
def open_offline(browser: Browser, path: Path, scheme: str = "light", width: int = 1280) -> Iterator[Opened]:
    """Give a page opened from a file, with the network off."""
    context = browser.new_context(
        offline=True,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    opened = Opened(context.new_page())
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.on("requestfailed", lambda request: opened.problems.append(f"request failed: {request.url}"))
    opened.page.on("pageerror", lambda error: opened.problems.append(f"script: {error}"))
    try:
        opened.page.goto(path.as_uri(), wait_until="load")
        yield opened
    finally:
        context.close()
