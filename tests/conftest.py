"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from support.warehouse import Server, Warehouse, fresh_warehouse, prepare_template, running_server

if TYPE_CHECKING:  # the stages are heavy to import, and most tests do without them
    from support.journey import Journey

# A property is about truth, not speed: on a busy machine a deadline would fail tests at random.
settings.register_profile("joinedup", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("joinedup")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups: it would not see those given later
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and all that begin on the journey, which is long, in another."""
    for item in items:
        on_the_journey = "journey" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("journey" if on_the_journey else item.path.name))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to go on with a runner that has not taken the groups: every story would be told once a process."""
    in_groups = getattr(session.config.option, "loadgroup", False)
    if in_groups and session.items and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError(
            "this pytest-xdist does not group tests under this pytest: see pyproject.toml"
        )


@pytest.fixture(scope="session")
def warehouse_server() -> Iterator[Server]:
    """The embedded PostgreSQL of this test session, with a prepared warehouse to copy."""
    with running_server() as server:
        prepare_template(server)
        yield server


@pytest.fixture
def warehouse(warehouse_server: Server, tmp_path: Path) -> Iterator[Warehouse]:
    """A prepared, empty warehouse for one test; JOINEDUP_HOME, _WAREHOUSE_URL and _KEY point at it."""
    with fresh_warehouse(warehouse_server, tmp_path / "home") as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_warehouse(
    warehouse_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """A prepared, empty warehouse for all tests of a module; do not mix it with `warehouse` in one module."""
    with fresh_warehouse(warehouse_server, tmp_path_factory.mktemp("home")) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both periods' files (inbox/) and truths (truth/) of a few hundred synthetic people."""
    from support.journey import write_population

    return write_population(tmp_path_factory.mktemp("population"))


@pytest.fixture(scope="session")
def journey(
    warehouse_server: Server, population: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journey]:
    """That population taken through every stage, with stops to start a test from."""
    from support.journey import travel

    gone = travel(warehouse_server, population, tmp_path_factory.mktemp("journey"))
    yield gone
    gone.forget()
