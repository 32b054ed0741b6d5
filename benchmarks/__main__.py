"""How long each stage takes, and how good the links are, on a synthetic population: `python -m benchmarks`.

Everything runs in one process and a warehouse of its own, which is deleted at the end. The table that is printed
is the one in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PERIOD = "2026-09"
Result = TypeVar("Result")


def timed(name: str, rows: list[tuple[str, float]], work: Callable[[], Result]) -> Result:
    """Return what the work returns, its seconds added to the rows."""
    started = time.monotonic()
    result = work()
    rows.append((name, time.monotonic() - started))
    return result


def run(people: int, seed: int, home: Path) -> None:
    """Print the seconds of each stage, the quality of the links and the memory at its highest."""
    from pipelines import stages
    from pipelines.contracts.loader import load_contracts
    from pipelines.evaluation import evaluate_run
    from pipelines.synth import SynthRequest, generate
    from pipelines.synth.baselines import baselines

    rows: list[tuple[str, float]] = []
    inbox, truth = home / "inbox", home / "truth"
    report = timed("synth", rows, lambda: generate(SynthRequest(people, seed, (PERIOD,), inbox, truth)))
    timed("prepare", rows, stages.prepare)
    for agency in load_contracts():
        received = timed(f"receive {agency}", rows, lambda: stages.receive(agency, PERIOD))  # noqa: B023
        number = received["delivery_id"]
        timed(f"check landing {agency}", rows, lambda: stages.check_landing(number))  # noqa: B023
        timed(f"normalise {agency}", rows, lambda: stages.normalise_delivery(number))  # noqa: B023
        timed(f"check normalised {agency}", rows, lambda: stages.check_normalised(number))  # noqa: B023
        stages.announce(number)
    run_id = timed("link (train, block, compare, score, cluster)", rows, lambda: stages.link_period(PERIOD))
    timed("check linked", rows, lambda: stages.check_linked(run_id))
    release = timed("build release", rows, lambda: stages.build_release(run_id))
    timed("check release", rows, lambda: stages.check_release(release))
    timed("publish", rows, lambda: stages.publish_release(release, "benchmark", "measuring"))
    timed("reports", rows, lambda: stages.write_reports(release))
    print(f"\n{people:,} people, {report.total_records:,} records, seed {seed}, one period\n")
    print("| stage | seconds |\n|---|---:|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.1f} |")
    print(f"| **all** | **{sum(seconds for _, seconds in rows):.1f}** |\n")
    quality = evaluate_run(run_id, truth / f"{PERIOD}.csv")
    print("| pairs inside people | precision | recall | F1 |\n|---|---:|---:|---:|")
    for name, part in {"all": quality.overall, "across agencies": quality.across, **quality.by_pair}.items():
        print(f"| {name.replace('|', ' and ')} | {part.precision:.4f} | {part.recall:.4f} | {part.f1:.4f} |")
    for found in baselines(inbox, truth, PERIOD):
        print(f"| for comparison: {found.rule} | {found.precision:.4f} | {found.recall:.4f} | |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory of the process: {peak:,.0f} MB (the server's is its own)")


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="joinedup-bench-") as folder:
        os.environ |= {
            "JOINEDUP_HOME": folder,
            "JOINEDUP_ALLOW_SYNTHETIC": "1",
            "JOINEDUP_AUTO_APPROVE": "1",
            "JOINEDUP_KEY": "benchmark-key-known-to-everybody",
        }
        from pipelines.warehouse.server import delete_server

        try:
            run(options.people, options.seed, Path(folder))
        finally:
            delete_server()


if __name__ == "__main__":
    main()
