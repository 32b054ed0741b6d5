"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.warehouse import Server, Warehouse, fresh_warehouse, prepare_template, running_server


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
