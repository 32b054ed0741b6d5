"""What a run costs that goes on from an earlier one: `python -m benchmarks.incremental` prints a table.

The records and the wide rules are those of `benchmarks.speed`. Yesterday lacked some of today's records, and said
something else of as many others: a third of the delta is new, a third has another content, a third is gone today.
Loading and encoding are told apart: both kinds of run do them for all records.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.speed.case import load_case
from benchmarks.speed.data import SEED, VERSION, write_people
from benchmarks.speed.records import read_records
from pipelines.link.data import LinkData
from pipelines.link.encode import encode
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.fused.arrays import Words
from pipelines.link.incremental import Before, Relinked, content_hashes, nothing_before, relink
from pipelines.link.incremental.rows import difference
from pipelines.link.trained import TrainedModel
from pipelines.link.training.train import train_encoded

PARTS = ("new", "changed", "vanished")
Result = TypeVar("Result")


@dataclass
class Timed:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    def of(self, step: str, work: Callable[[], Result]) -> Result:
        """Return what the work gives, and keep how long it took."""
        started = time.perf_counter()
        result = work()
        self.seconds[step] = time.perf_counter() - started
        return result


@dataclass(frozen=True)
class Done:
    """A run and what it cost; `beyond` are its seconds beyond loading and encoding."""

    relinked: Relinked
    content: Words
    timed: Timed

    @property
    def beyond(self) -> float:
        """Seconds beyond loading and encoding."""
        return sum(seconds for step, seconds in self.timed.seconds.items() if step not in ("load", "encode"))


def states(data: LinkData, share: float) -> tuple[LinkData, LinkData]:
    """Return the records of yesterday and of today: a share of them differs, in three equal parts."""
    dice = np.random.default_rng(SEED).random(data.records.num_rows)
    new, changed, vanished = (
        (dice >= at * share / 3) & (dice < (at + 1) * share / 3) for at in range(len(PARTS))
    )
    yesterday, today = _kept(data, ~new), _kept(data, ~vanished)
    other = np.flatnonzero(changed[~new])
    return _renamed(yesterday, other), today


def _kept(data: LinkData, rows: np.ndarray) -> LinkData:
    return data.only(frozenset(data.records["record_id"].filter(pa.array(rows)).to_pylist()))


def _renamed(data: LinkData, records: np.ndarray) -> LinkData:
    """Return the data with another letter at the end of the family names of some records."""
    is_one = np.zeros(data.records.num_rows, dtype=bool)
    is_one[records] = True
    mask = pa.array(is_one[data.positions("names")])
    family = data.names["family"].cast(pa.string())
    other = pc.if_else(mask, pc.binary_join_element_wise(family, "X", ""), family)
    at = data.names.column_names.index("family")
    return replace(data, names=data.names.set_column(at, "family", other))


def run_over(trained: TrainedModel, data: LinkData, before: Before) -> Done:
    """Return a run over the records of a day, going on from what was before."""
    timed, engine = Timed(), FusedEngine()
    encoded = timed.of("encode", lambda: encode(trained.definition, data, trained.hubs))
    content = timed.of("content hashes", lambda: content_hashes(data)[encoded.source_row])
    relinked = timed.of("compare and cluster", lambda: relink(engine, trained, encoded, content, before))
    timed.of("difference", lambda: difference(before, relinked, content))
    return Done(relinked, content, timed)


def measure(path: Path, share: float, repeat: int) -> None:
    """Print the cost of a full run, of one that goes on, and whether both end alike."""
    data, definition = read_records(path), load_case("wide")
    yesterday, today = states(data, share)
    trained = train_encoded(definition, encode(definition, yesterday), FusedEngine())
    first = run_over(trained, yesterday, nothing_before())
    before = first.relinked.after(first.content)
    print(f"\n{data.records.num_rows:,} records, delta {share:.1%}, best of {repeat}\n")
    print("| run | records new / changed / vanished | pairs compared | seconds beyond encoding | of these |")
    print("|---|---|---|---|---|")
    full = _best(lambda: run_over(trained, today, nothing_before()), repeat)
    delta = _best(lambda: run_over(trained, today, before), repeat)
    for name, done in (("full", full), ("delta", delta)):
        counts, pairs = done.relinked.delta.counts, done.relinked.scored.pairs
        told = ", ".join(f"{step} {seconds:.2f}" for step, seconds in done.timed.seconds.items())
        changed = " / ".join(f"{counts[each]:,}" for each in PARTS)
        print(f"| {name} | {changed} | {pairs:,} | {done.beyond:.2f} | {told} |")
    share_of_pairs = delta.relinked.scored.pairs / full.relinked.scored.pairs
    same = (full.relinked.held.labels == delta.relinked.held.labels).all()
    print(f"\n- pairs of the delta: {share_of_pairs:.2%} of the full run's")
    print(f"- the same partition as the full run: {'yes' if same else 'NO'}")


def _best(work: Callable[[], Done], repeat: int) -> Done:
    return min((work() for _ in range(repeat)), key=lambda done: done.beyond)


def main() -> None:
    """Measure in a folder of its own, or in the one that is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.incremental", description=__doc__)
    parser.add_argument("--records", type=int, default=1_030_000)
    parser.add_argument("--delta", type=float, default=0.01, help="share of records that differ")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep data here; without it, a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"people-{VERSION}-{SEED}-{options.records}.parquet"
        if not path.exists():
            write_people(path, options.records)
        measure(path, options.delta, options.repeat)


if __name__ == "__main__":
    main()
