"""How fast linking is, beside others: `python -m benchmarks.speed`; prints tables in Markdown.

`--case wide` gives every contender the same trained model and compares blocking, comparing and scoring over many
candidate pairs. `--case tight` has each do the whole job: load, train, score, cluster. With `recordlinkage` (the
package by itself, tight case only) or `reference` (our engine on it) among the contenders, the tight case too has
the model given. `--growth` repeats the tight case for 100,000, 1,000,000 and 10,000,000 records and draws
docs/images/linkage-growth.svg. Contenders run in processes of their own, in turns; figures are medians.
"""

from __future__ import annotations

import argparse
import subprocess  # noqa: S404 - our own module
import sys
import tempfile
from math import log2
from pathlib import Path

from benchmarks.chart import Panel, growth_svg
from benchmarks.speed.agreement import Agreement, Truth, compare_edges, compare_truth
from benchmarks.speed.case import CASES, load_case
from benchmarks.speed.data import SEED, VERSION, write_people
from benchmarks.speed.measure import CONTENDERS, Summary, run, take_turns
from benchmarks.speed.report import agreement_lines, growth_table, phase_table, ratio_lines
from benchmarks.speed.task import Task

SIZES = (100_000, 1_000_000, 10_000_000)
WARM_RECORDS = 20_000
PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "linkage-growth.svg"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--case", choices=CASES, default="wide")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--contenders", default="fused,splink", help=f"of {', '.join(CONTENDERS)}")
    parser.add_argument(
        "--growth", action="store_true", help="the tight case by number of records, with a picture"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of records for --growth")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where --growth draws")
    parser.add_argument("--folder", type=Path, help="keep data here; without it, a temporary folder")
    return parser.parse_args()


class Bench:
    """A folder with data, models and edges, and the contenders that use them."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        unknown = sorted(set(names) - set(CONTENDERS))
        if unknown:
            raise SystemExit(f"no such contender: {', '.join(unknown)}; there are {', '.join(CONTENDERS)}")
        self.folder, self.names = folder, names
        folder.mkdir(parents=True, exist_ok=True)

    def data(self, records: int) -> Path:
        """Return the file of so many records, written when it is not there."""
        path = self.folder / f"people-{VERSION}-{SEED}-{records}.parquet"
        if not path.exists():
            write_people(path, records)
        return path

    def edges(self, name: str) -> Path:
        """Return the file for the edges of a contender."""
        return self.folder / f"edges-{name}.parquet"

    def compete(self, case: str, records: int, repeat: int, given: bool) -> dict[str, Summary]:
        """Return the medians of all contenders; caches are warmed by a small run of each first."""
        for name in self.names:
            run(name, self._task(name, case, WARM_RECORDS, given), self.folder)
        tasks = {name: self._task(name, case, records, given) for name in self.names}
        Path(tasks[self.names[0]].data).read_bytes()
        return take_turns(self.names, lambda name: tasks[name], repeat, self.folder)

    def _task(self, name: str, case: str, records: int, given: bool) -> Task:
        data = self.data(records)
        trained = str(self._model(case, records)) if given or name == "enumeration" else None
        edges = None if name == "enumeration" else str(self.edges(name))
        return Task(str(data), case, trained, edges)  # type: ignore[arg-type]

    def _model(self, case: str, records: int) -> Path:
        path = self.folder / f"model-{case}-{records}.json"
        if not path.exists():
            command = [
                sys.executable,
                "-m",
                "benchmarks.speed.ours",
                str(self.data(records)),
                str(path),
                case,
                "train",
            ]
            subprocess.run(command, check=True)  # noqa: S603 - our own module
        return path

    def agreement(self, case: str, records: int) -> tuple[Agreement | None, dict[str, Truth]]:
        """Return how fused and splink agree at the join threshold, and how right each contender is."""
        probability = load_case(case).link_probability  # type: ignore[arg-type]
        least = log2(probability / (1 - probability))
        found = [name for name in self.names if name in ("fused", "splink", "reference")]
        truths = {name: compare_truth(self.edges(name), self.data(records), least) for name in found}
        if not {"fused", "splink"} <= set(found):
            return None, truths
        return compare_edges(self.edges("fused"), self.edges("splink"), least), truths


def compare(bench: Bench, options: argparse.Namespace) -> None:
    """Print one case: phases, ratios, agreement."""
    given = options.case == "wide" or bool({"recordlinkage", "reference"} & set(bench.names))
    summaries = bench.compete(options.case, options.records, options.repeat, given)
    agreement, truths = bench.agreement(options.case, options.records)
    pairs = {name: each.pairs for name, each in summaries.items() if name != "enumeration"}
    print(f"\n{options.records:,} records, {options.case} rules, median of {options.repeat}\n")
    print(phase_table(summaries))
    for line in [*ratio_lines(summaries, not given), *agreement_lines(agreement, truths, pairs)]:
        print(f"- {line}")


def grow(bench: Bench, options: argparse.Namespace) -> None:
    """Print and draw how the whole job grows with the records."""
    points: list[tuple[int, Summary]] = []
    for records in options.sizes:
        summaries = bench.compete("tight", records, options.repeat, given=False)
        points += [(records, each) for each in summaries.values()]
    print(f"\ntight rules, whole job, median of {options.repeat}\n")
    print(growth_table(points))

    def series(amount: str) -> dict[str, list[tuple[int, float]]]:
        return {
            name: [
                (records, each.job if amount == "seconds" else each.peak_mb / 1024)
                for records, each in points
                if each.name == name
            ]
            for name in bench.names
        }

    panels = [
        Panel("Whole job: load, train, score, cluster", "s", series("seconds")),
        Panel("Peak memory", "GB", series("memory")),
    ]
    note = "Same records, rules and comparisons; two cores; python -m benchmarks.speed --growth"
    options.picture.write_text(growth_svg(panels, note), encoding="utf-8")
    print(f"drawn: {options.picture.name}")


def main() -> None:
    """Measure in a folder of its own, or in the one that is given."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="joinedup-speed-") as temporary:
        bench = Bench(options.folder or Path(temporary), options.contenders.split(","))
        grow(bench, options) if options.growth else compare(bench, options)


if __name__ == "__main__":
    main()
