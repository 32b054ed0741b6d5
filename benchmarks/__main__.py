"""How long each stage takes, and how good the links are, on a synthetic population: `python -m benchmarks`.

Everything runs in one process and a warehouse of its own, which is deleted at the end. The table that is printed
is the one in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks.home import own_home
from benchmarks.pipeline.task import PERIOD


@contextmanager
def timed(name: str, rows: dict[str, float]) -> Iterator[None]:
    """Add the seconds of what happens inside to a row."""
    started = time.monotonic()
    yield
    rows[name] = rows.get(name, 0.0) + time.monotonic() - started


def run(people: int, seed: int, home: Path) -> None:
    """Print the seconds of each stage, the quality of the links and the memory at its highest."""
    from benchmarks.pipeline.ours import run_ingest, run_link, run_publish
    from pipelines import stages
    from pipelines.evaluation import evaluate_run
    from pipelines.synth import SynthRequest, generate
    from pipelines.synth.baselines import baselines

    rows: dict[str, float] = {}

    def in_rows(phase: str, agency: str) -> AbstractContextManager[None]:
        return timed(phase if phase == "reports" else f"{phase} {agency}".strip(), rows)

    inbox, truth = home / "inbox", home / "truth"
    with timed("synth", rows):
        report = generate(SynthRequest(people, seed, (PERIOD,), inbox, truth))
    with timed("prepare", rows):
        stages.prepare()
    run_ingest(in_rows)
    reached = run_publish(in_rows, run_link(in_rows))
    rows["reports"] = rows.pop("reports")  # at the end, where most of it is
    print(f"\n{people:,} people, {report.total_records:,} records, seed {seed}, one period\n")
    print("| stage | seconds |\n|---|---:|")
    for name, seconds in rows.items():
        print(f"| {name} | {seconds:.1f} |")
    print(f"| **all** | **{sum(rows.values()):.1f}** |\n")
    quality = evaluate_run(reached.run_id, truth / f"{PERIOD}.csv")
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
    with own_home() as home:
        run(options.people, options.seed, home)


if __name__ == "__main__":
    main()
