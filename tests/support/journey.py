"""A synthetic population of a few hundred people on its way through every stage, with stops to start again from.

The way is gone once in a test session. At each stop the warehouse and its home are copied, so that a test begins
where it wants, with a warehouse of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.contents import Contents, contents, files_under
from support.ingest_files import one
from support.warehouse import Server, Warehouse, fresh_warehouse

from pipelines import stages
from pipelines.contracts.loader import load_contracts
from pipelines.settings import load_settings
from pipelines.synth import SynthRequest, generate
from pipelines.warehouse.engine import dispose_engines

FIRST, SECOND = PERIODS = ("2026-09", "2026-10")
AGENCIES = tuple(load_contracts())
LAST = AGENCIES[-1]  # the agency that completes each period here
PEOPLE, SEED = 600, 11
WHO, WHY = "ann", "looked at every warning"


def write_population(folder: Path, people: int = PEOPLE, seed: int = SEED) -> Path:
    """Write both periods' files and truths into a folder, as a home has them."""
    generate(SynthRequest(people, seed, PERIODS, folder / "inbox", folder / "truth"))
    return folder


def put_in_place(population: Path) -> Path:
    """Copy a population into the home; return the home."""
    home = load_settings().home
    for folder in ("inbox", "truth"):
        shutil.copytree(population / folder, home / folder, dirs_exist_ok=True)
    return home


def ingest(agency: str, period: str, checked: bool = True) -> dict[str, Any] | None:
    """Take a delivery through every stage, as the tasks of its DAG do; return the link request, if any."""
    delivery_id = stages.receive(agency, period)["delivery_id"]
    if delivery_id is None:
        return None
    if checked:
        stages.check_landing(delivery_id)
    stages.normalise_delivery(delivery_id)
    if checked:
        stages.check_normalised(delivery_id)
    return stages.announce(delivery_id)


def link(period: str, checked: bool = True) -> int:
    """Link a period; return the run."""
    run_id = stages.link_period(period)
    if checked:
        stages.check_linked(run_id)
    return run_id


def publish(run_id: int) -> int:
    """Publish a linkage run as somebody who read the report; return the release."""
    release_id = stages.build_release(run_id)
    stages.check_release(release_id)
    stages.publish_release(release_id, WHO, WHY)
    return release_id


def ingest_and_link(period: str = FIRST) -> int:
    """Take the deliveries of a period from the inbox to people, without checks; return the run."""
    for agency in AGENCIES:
        ingest(agency, period, checked=False)
    return link(period, checked=False)


def files_now() -> list[str]:
    """The files of the home, but for those that agencies put there."""
    return files_under(load_settings().home, "archive", "reports", "gx")


@dataclass
class Journey:
    """The stops of the way, and what warehouse and home held after each stage of the second period."""

    server: Server
    folder: Path
    stops: dict[str, str] = field(default_factory=dict)
    after: dict[str, Contents] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)

    def stop(self, name: str) -> None:
        """Keep a copy of the warehouse and of its home."""
        current = one("SELECT current_database()")
        dispose_engines()
        database = f"stop_{len(self.stops)}"
        self.server.run_as_superuser(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{current}'",
            f"CREATE DATABASE {database} TEMPLATE {current}",
        )
        shutil.copytree(load_settings().home, self.folder / database)
        self.stops[name] = database

    def step(self, name: str, stage: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a stage returns; stop before it, and remember what there was after it."""
        self.stop(f"before {name}")
        result = stage(*arguments)
        self.after[name], self.files[name] = contents(), files_now()
        return result

    def aside(self, name: str, stop: str, stage: Callable[..., Any], *arguments: Any) -> None:
        """Remember what there was after a stage that the way does not take, begun at a stop of the way."""
        self.stops[f"before {name}"] = self.stops[stop]
        with self.warehouse_at(stop, self.folder / f"home of {name}"):
            stage(*arguments)
            self.after[name], self.files[name] = contents(), files_now()

    @contextmanager
    def warehouse_at(self, stop: str, home: Path) -> Iterator[Warehouse]:
        """Give a warehouse and a home as they were at a stop."""
        database = self.stops[stop]
        shutil.copytree(self.folder / database, home, dirs_exist_ok=True)
        with fresh_warehouse(self.server, home, database) as warehouse:
            yield warehouse

    def forget(self) -> None:
        """Drop the copies."""
        for database in set(self.stops.values()):
            self.server.run_as_superuser(f"DROP DATABASE {database} WITH (FORCE)")


def travel(server: Server, population: Path, folder: Path) -> Journey:
    """Go the whole way: the first period to a live release, then the second with a stop before each stage."""
    journey = Journey(server, folder)
    with fresh_warehouse(server, folder / "home"):
        put_in_place(population)
        stages.prepare()
        _first_period(journey)
        _second_period(journey)
        journey.stop("the end")
    return journey


def _first_period(journey: Journey) -> None:
    for agency in AGENCIES:
        journey.results[f"announced {agency} {FIRST}"] = ingest(agency, FIRST)
    run_id = journey.step("the first link_period", stages.link_period, FIRST)
    stages.check_linked(run_id)
    release_id = publish(run_id)
    stages.write_reports(release_id)
    journey.results |= {f"run {FIRST}": run_id, f"release {FIRST}": release_id}
    journey.stop(f"{FIRST} is live")


def _second_period(journey: Journey) -> None:
    for agency in AGENCIES[:-1]:
        journey.results[f"announced {agency} {SECOND}"] = ingest(agency, SECOND, checked=False)
    delivery_id = journey.step("receive", stages.receive, LAST, SECOND)["delivery_id"]
    journey.step("check_landing", stages.check_landing, delivery_id)
    journey.step("normalise_delivery", stages.normalise_delivery, delivery_id)
    journey.step("check_normalised", stages.check_normalised, delivery_id)
    announced = journey.step("announce", stages.announce, delivery_id)
    run_id = journey.step("link_period", stages.link_period, SECOND)
    journey.step("check_linked", stages.check_linked, run_id)
    release_id = journey.step("build_release", stages.build_release, run_id)
    journey.step("check_release", stages.check_release, release_id)
    journey.stop("a release waits")
    journey.aside("reject_release", "a release waits", stages.reject_release, release_id, WHY, WHO)
    journey.aside("requeue_delivery", "a release waits", stages.requeue_delivery, LAST, SECOND)
    journey.step("publish_release", stages.publish_release, release_id, WHO, WHY)
    journey.step("write_reports", stages.write_reports, release_id)
    journey.results |= {f"run {SECOND}": run_id, f"release {SECOND}": release_id}
    journey.results |= {f"announced {LAST} {SECOND}": announced, "delivery": delivery_id}
