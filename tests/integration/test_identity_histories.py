"""Made-up histories: the ledger in PostgreSQL, which loads only who is affected, does what the rules alone do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from sqlalchemy import Connection, insert, text
from support.ledger import Ledger
from support.warehouse import Warehouse

from pipelines.identity.people import assign_people
from pipelines.warehouse import tables
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

RECORDS, RUNS = 24, 6


@pytest.fixture
def connection(module_warehouse: Warehouse) -> Iterator[Connection]:
    """A transaction that is undone, so that each history begins with nothing."""
    with transaction() as opened:
        nested = opened.begin_nested()
        yield opened
        nested.rollback()


def history(dice: random.Random) -> list[list[frozenset[int]]]:
    """Partitions of which each is the one before with a few records moved, gone or come back."""
    cluster = {record: record // 3 for record in range(RECORDS) if dice.random() < 0.7}
    runs = []
    for _ in range(RUNS):
        for record in dice.sample(range(RECORDS), dice.choice((0, 2, 6))):
            cluster[record] = dice.choice((-1, dice.randrange(8), dice.randrange(8)))
        present = {record: number for record, number in cluster.items() if number >= 0}
        runs.append([frozenset(r for r, c in present.items() if c == each) for each in set(present.values())])
    return runs


def record_id(record: int) -> str:
    """An id whose order says nothing about the record's age."""
    return str(UUID(int=random.Random(record).getrandbits(128)))  # noqa: S311 - a made-up id


@dataclass
class Chain:
    """Runs of which each keeps all its clusters, or, when it `goes_on`, only what differs from the run before."""

    goes_on: bool
    first: int | None = None
    base: int | None = None
    cluster_of: dict[str, str] = field(default_factory=dict)


def link(connection: Connection, partition: list[frozenset[int]], chain: Chain) -> int:
    run_id = connection.scalar(
        insert(tables.run).values(kind="link", period="2026-10", inputs={}).returning(tables.run.c.run_id)
    )
    if not chain.goes_on or chain.first is None:
        chain.first, chain.base, chain.cluster_of = run_id, None, {}
    place = {"run_id": run_id, "chain_run": chain.first}
    stands_on = {**place, "base_run": chain.base, "model_version": "one", "method": ""}
    connection.execute(insert(tables.lineage), stands_on)
    found = {record_id(record): record_id(min(members)) for members in partition for record in members}
    ended = [record for record, cluster in chain.cluster_of.items() if found.get(record) != cluster]
    connection.execute(
        text(
            "UPDATE linked.cluster SET until_run = :run"
            " WHERE chain_run = :chain AND until_run IS NULL AND record_id = ANY(CAST(:ended AS uuid[]))"
        ),
        {"run": run_id, "chain": chain.first, "ended": ended},
    )
    rows = [
        {**place, "record_id": record, "cluster_id": cluster}
        for record, cluster in found.items()
        if chain.cluster_of.get(record) != cluster
    ]
    if rows:
        connection.execute(insert(tables.cluster), rows)
    chain.base, chain.cluster_of = run_id, found
    return int(run_id or 0)


def register(connection: Connection) -> None:
    rows = [
        {"record_id": record_id(n), "agency": "a", "first_period": "p", "last_period": "p", "sequence": n}
        for n in range(RECORDS)
    ]
    connection.execute(insert(tables.identity_record), rows)


def told(connection: Connection, run_id: int) -> list[tuple[str, int, int | None]]:
    numbers = {record_id(record): record for record in range(RECORDS)}
    rows = connection.execute(
        text("SELECT kind, records, record_id::text FROM identity.change WHERE run_id = :run_id"),
        {"run_id": run_id},
    )
    return sorted(((row.kind, row.records, numbers.get(row.record_id)) for row in rows), key=str)


@pytest.mark.parametrize("goes_on", [False, True], ids=["in full", "by differences"])
@pytest.mark.parametrize("seed", range(12))
def test_a_history_goes_as_the_rules_say(connection: Connection, seed: int, goes_on: bool) -> None:
    rules, chain = Ledger(), Chain(goes_on)
    register(connection)
    person_of: dict[str, str] = {}
    for partition in history(random.Random(seed)):  # noqa: S311 - made-up histories
        run_id = link(connection, partition, chain)
        expected = sorted(((kind, size, r) for kind, _, _, r, size in rules.assign(partition)), key=str)
        for _ in range(2):  # done again, it is the same
            assign_people(connection, run_id)
            assert told(connection, run_id) == expected
        held = dict(
            connection.execute(
                text(
                    "SELECT record_id::text, person_id::text FROM identity.membership WHERE valid_to_run IS NULL"
                )
            ).all()
        )
        assert held.keys() == {record_id(record) for record in rules.held}
        for record, name in rules.held.items():
            assert person_of.setdefault(name, held[record_id(record)]) == held[record_id(record)]
        for name in rules.people:
            lives_on = connection.scalar(
                text("SELECT identity.living_person(CAST(:p AS uuid))::text"), {"p": person_of[name]}
            )
            expected_end = rules.living(name)
            assert lives_on == (person_of[expected_end] if expected_end else None)
    assert len(set(person_of.values())) == len(person_of)
