"""Same input, same model, same seed: the same edges and the same people, whatever the order of the rows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from support.inbox_rows import change_rows
from support.ingest_files import rows_of
from support.journey import FIRST, Journey, ingest_and_link, link, put_in_place
from support.warehouse import Warehouse

pytestmark = pytest.mark.database

Found = dict[str, list[tuple[Any, ...]]]


def found_by(run_id: int) -> Found:
    """The model, every edge with its weight and levels, and the people of a run."""
    return {
        "model": rows_of("SELECT model_version FROM linked.model"),
        "edges": rows_of(
            "SELECT record_a::text, record_b::text, model_version, match_weight, match_probability, levels::text,"
            " is_link FROM linked.edge_of(:run_id) ORDER BY 1, 2",
            run_id=run_id,
        ),
        "clusters": rows_of(
            "SELECT record_id::text, cluster_id::text FROM linked.cluster_of(:run_id) ORDER BY 1",
            run_id=run_id,
        ),
        "people": rows_of("SELECT record_id::text, person_id::text FROM identity.membership ORDER BY 1"),
    }


@pytest.fixture(scope="module")
def first_time(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What the first warehouse found in the first period."""
    with journey.warehouse_at(f"{FIRST} is live", tmp_path_factory.mktemp("home")):
        found = found_by(journey.results[f"run {FIRST}"])
    assert len(found["edges"]) > 1000
    return found


def test_training_and_linking_again_finds_the_same(
    journey: Journey, first_time: Found, tmp_path: Path
) -> None:
    with journey.warehouse_at("before the first link_period", tmp_path):
        assert found_by(link(FIRST, checked=False)) == first_time


def test_the_order_of_the_rows_changes_nothing(
    population: Path, first_time: Found, warehouse: Warehouse
) -> None:
    home = put_in_place(population)
    dice = random.Random(5)
    for path in sorted(home.glob("inbox/*/*")):
        change_rows(path, dice.shuffle)
    assert found_by(ingest_and_link(FIRST)) == first_time
