"""How fast delimited files are received and normalised: `python -m benchmarks.normalising --records 200000`.

A synthetic delivery of each agency, of about so many person records together, goes from its files to the normalised
tables in a warehouse of its own. What is told beside it is how much of it repeats, since rules are applied once per
distinct value; how much processor time went where; and the memory of the largest process.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.home import own_home

PERIOD = "2026-09"
RECORDS_PER_PERSON = 3.07  # of the synthetic population
SHOWN = 5
DISTINCT = (
    ("given and family name", "normalised.person_name", "(given_raw, family_raw)"),
    ("given name", "normalised.person_name", "given_raw"),
    ("family name", "normalised.person_name", "family_raw"),
    ("date of birth", "normalised.person_date_of_birth", "date_of_birth_raw"),
    ("postcode", "normalised.person_address", "postcode_raw"),
    ("address", "normalised.person_address", "(line1, line2, line3, line4, line5)"),
    ("identifier", "normalised.person_identifier", "value_raw"),
    ("phone or e-mail address", "normalised.person_contact", "value_raw"),
)


@dataclass
class Spent:
    """Seconds on the clock, and of processor time: of our processes, and of the database server."""

    clock: float = 0.0
    ours: float = 0.0
    servers: float = 0.0


def server_seconds() -> float:
    """Return the processor time of the warehouse's server and of the sessions that it has had."""
    from pipelines.warehouse.server import server_status

    process = psutil.Process(server_status().pid)
    times = [process.cpu_times(), *(child.cpu_times() for child in process.children(recursive=True))]
    return sum(each.user + each.system for each in times) + sum(times[0][2:4])


def our_seconds() -> float:
    """Return the processor time of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


@contextmanager
def measured(spent: Spent) -> Iterator[None]:
    """Add what happens inside to what was spent."""
    before = time.monotonic(), our_seconds(), server_seconds()
    yield
    after = time.monotonic(), our_seconds(), server_seconds()
    spent.clock += after[0] - before[0]
    spent.ours += after[1] - before[1]
    spent.servers += after[2] - before[2]


def run(records: int, seed: int, home: Path) -> None:
    """Print the table of speeds, the shares of distinct values, the memory and where the time goes."""
    from pipelines import stages
    from pipelines.contracts.loader import load_contracts
    from pipelines.synth import SynthRequest, generate

    people = round(records / RECORDS_PER_PERSON)
    made = generate(SynthRequest(people, seed, (PERIOD,), home / "inbox", home / "truth")).total_records
    stages.prepare()
    receive, normalise, deliveries = Spent(), Spent(), []
    for agency in load_contracts():
        with measured(receive):
            deliveries.append(stages.receive(agency, PERIOD)["delivery_id"])
        with measured(normalise):
            stages.normalise_delivery(deliveries[-1])
    print(f"\n{made:,} person records of three agencies, {os.cpu_count()} cores, seed {seed}\n")
    _print_speeds(made, receive, normalise)
    _print_shares()
    _print_memory()
    _print_profile(deliveries[-1])


def _print_speeds(records: int, receive: Spent, normalise: Spent) -> None:
    both = Spent(
        *(getattr(receive, name) + getattr(normalise, name) for name in ("clock", "ours", "servers"))
    )
    print("| | seconds | records a second | processor: ours | the server's |\n|---|---:|---:|---:|---:|")
    for name, spent in (("receive", receive), ("normalise", normalise), ("both", both)):
        speed = records / spent.clock
        print(f"| {name} | {spent.clock:.1f} | {speed:,.0f} | {spent.ours:.1f} s | {spent.servers:.1f} s |")


def _print_shares() -> None:
    """Print how many of the values are distinct, by kind."""
    from sqlalchemy import text

    from pipelines.warehouse.engine import transaction

    print("\n| value | how many | distinct |\n|---|---:|---:|")
    with transaction() as connection:
        for name, table, columns in DISTINCT:
            query = f"SELECT count({columns}), count(DISTINCT {columns}) FROM {table}"  # noqa: S608 - from above
            count, distinct = connection.execute(text(query)).one()
            print(f"| {name} | {count:,} | {100 * distinct / max(count, 1):.1f} % |")


def _print_memory() -> None:
    ours, children = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"\nMemory at its highest: {ours:,.0f} MB in the process that saves, {children:,.0f} MB in another")


def _print_profile(delivery_id: int) -> None:
    """Print which functions a part of the last delivery spends most in, normalised once more by this process."""
    from pipelines import stages
    from pipelines.normalising import run as running

    running.FEWEST_PARTS_FOR_PROCESSES = 1 << 30
    profile = cProfile.Profile()
    profile.runcall(stages.normalise_delivery, delivery_id)
    stats = pstats.Stats(profile)
    whole = sum(row[2] for row in stats.stats.values())  # type: ignore[attr-defined]
    print("\n| most time in | share |\n|---|---:|")
    dearest = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:SHOWN]  # type: ignore[attr-defined]
    for (path, _, name), row in dearest:
        place = f"{Path(path).name}: {name}" if path != "~" else name
        print(f"| `{place}` | {100 * row[2] / whole:.0f} % |")


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.normalising", description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with own_home() as home:
        run(options.records, options.seed, home)


if __name__ == "__main__":
    main()
