"""What the demo does around Airflow: the warehouse, the extracts, the inbox, and the figures at the end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from pipelines.contracts.loader import load_contracts
from pipelines.demo.figures import read_summary, was_published
from pipelines.demo.run import DemoOptions, DemoSteps
from pipelines.demo.summary import DemoSummary
from pipelines.errors import SettingsError
from pipelines.ingest.inbox import files_of
from pipelines.settings import load_settings
from pipelines.stages import prepare
from pipelines.synth import SynthRequest, generate

POPULATION = "population.json"


def demo_options(people: int, seed: int, periods: tuple[str, ...]) -> DemoOptions:
    """Return what the demo is asked to do, for every agency with a contract."""
    return DemoOptions(people, seed, tuple(load_contracts()), periods, load_settings().home)


def demo_steps(options: DemoOptions) -> DemoSteps:
    """Return the steps of the demo; each may be taken again and says what it skipped."""

    def prepare_warehouse() -> str | None:
        return None if prepare() else "the warehouse was ready"

    def write_extracts(tell: Callable[[str], None]) -> str | None:
        return _write_extracts(options, tell)

    def deliver(period: str) -> str | None:
        return _deliver(options, period)

    def summarise() -> DemoSummary:
        return read_summary(options, extracts_of(options))

    return DemoSteps(prepare_warehouse, write_extracts, deliver, was_published, summarise)


def extracts_of(options: DemoOptions) -> Path:
    """Return the folder of the written extracts, as the agencies hold them before they send them."""
    return options.home / "demo" / "extracts"


def _write_extracts(options: DemoOptions, tell: Callable[[str], None]) -> str | None:
    """Write the population's files and truth once.

    Raises:
        SettingsError: the home holds the demo of another population.
    """
    folder = extracts_of(options)
    marker = folder / POPULATION
    asked = {"people": options.people, "seed": options.seed, "periods": list(options.periods)}
    if marker.exists():
        if json.loads(marker.read_text(encoding="utf-8")) != asked:
            raise SettingsError(
                f"{options.home} holds the demo of another population; use another JOINEDUP_HOME, or delete it with"
                " make clean-warehouse CONFIRM=yes"
            )
        return "the extracts were written before"
    shutil.rmtree(folder, ignore_errors=True)
    generate(
        SynthRequest(options.people, options.seed, tuple(options.periods), folder, load_settings().truth_dir)
    )
    marker.write_text(json.dumps(asked), encoding="utf-8")
    return None


def _deliver(options: DemoOptions, period: str) -> str | None:
    """Put one period's files into the inbox, as the agencies would; files that lie there already stay."""
    inbox, copied = load_settings().inbox_dir, 0
    for agency in options.agencies:
        (inbox / agency).mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in files_of(load_contracts()[agency], period, extracts_of(options) / agency).values():
            target = inbox / agency / path.name
            if not target.exists():
                partial = target.with_name(f"{target.name}.part")  # a name that is never read
                partial.touch(mode=0o600)
                shutil.copyfile(path, partial)
                partial.replace(target)
                copied += 1
    return None if copied else f"{period}: the inbox held these files already"
