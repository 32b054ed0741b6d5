"""The whole pipeline beside a plain one, at several sizes: `python -m benchmarks.pipeline`; prints Markdown.

From raw files of three agencies to the swapped release, with every expectation run. `--only link,normalise` leaves
out what those phases can do without (checks, and what follows). The contenders run one after the other, each in a
process and a warehouse of its own, after a small run of each that warms what is compiled and cached; of several
runs the middle one counts.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chart import Panel, growth_svg
from benchmarks.pipeline.account import GIGABYTE, Account, middle
from benchmarks.pipeline.inputs import make_inputs
from benchmarks.pipeline.measure import CONTENDERS, run
from benchmarks.pipeline.report import checks_table, flatness, growth_table, sentences, stage_table
from benchmarks.pipeline.task import Task, with_needed

NOTE = "From raw files to the live release; PostgreSQL's memory included; two cores; make bench-pipeline"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument(
        "--contenders", type=_names, default=list(CONTENDERS), help=f"of {','.join(CONTENDERS)}"
    )
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", type=_names, default=[], help="phases, such as link,normalise")
    parser.add_argument(
        "--memory", type=float, default=8.0, help="GB that all processes of a contender may take"
    )
    parser.add_argument("--cores", type=int, default=2, help="how many cores they may use")
    parser.add_argument("--warm", type=int, default=3_000, help="records of the small run before; 0 for none")
    parser.add_argument("--folder", type=Path, help="keep the files here; without it, a temporary folder")
    parser.add_argument("--picture", type=Path, help="draw seconds and memory by records here")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.contenders) - set(CONTENDERS))
    if unknown:
        parser.error(f"no such contender: {', '.join(unknown)}; there are {', '.join(CONTENDERS)}")
    try:
        options.phases = with_needed(options.only)
    except ValueError as error:
        parser.error(str(error))
    return options


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def measure(options: argparse.Namespace, folder: Path) -> list[Account]:
    """Return an account per size and contender, telling on standard error how it goes."""
    task = Task(options.phases, options.memory)
    if options.warm:
        for name in options.contenders:
            _tell(f"{name}: a small run to warm up")
            run(name, task, make_inputs(folder, options.warm), folder / f"home-{name}")
    accounts = []
    for records in options.records:
        _tell(f"files with about {records:,} records")
        inputs = make_inputs(folder, records)
        runs: dict[str, list[Account]] = {name: [] for name in options.contenders}
        for turn in range(options.repeat):
            for name in options.contenders:
                _tell(f"{name}: {inputs.records:,} records, run {turn + 1} of {options.repeat}")
                account = run(name, task, inputs, folder / f"home-{name}")
                runs[name].append(account)
                ending = account.problem or "done"
                _tell(f"{name}: {ending} after {account.total:.1f} s, {account.peak / GIGABYTE:.2f} GB")
        accounts += [middle(each) for each in runs.values()]
    return accounts


def _tell(line: str) -> None:
    print(f"# {line}", file=sys.stderr, flush=True)


def tables(accounts: Sequence[Account]) -> str:
    """Return everything that was measured, size by size, and how it grows."""
    lines: list[str] = []
    for records in dict.fromkeys(each.records for each in accounts):
        of_size = [each for each in accounts if each.records == records]
        lines += [f"{records:,} records", "", *stage_table(of_size), ""]
        lines += [f"- {line}" for line in sentences(of_size)]
        lines += ["", *checks_table(of_size), ""]
    lines += [*growth_table(accounts), "", *(f"- {line}" for line in flatness(accounts))]
    return "\n".join(lines) + "\n"


def picture(accounts: Sequence[Account]) -> str:
    """Return the picture of seconds and memory by records, of those that came to the end."""
    done = [each for each in accounts if not each.problem]
    names = dict.fromkeys(each.contender for each in done)
    seconds = {n: [(each.records, each.total) for each in done if each.contender == n] for n in names}
    memory = {
        n: [(each.records, each.peak / GIGABYTE) for each in done if each.contender == n] for n in names
    }
    panels = [
        Panel("The whole pipeline", "s", seconds),
        Panel("Peak memory, PostgreSQL included", "GB", memory),
    ]
    return growth_svg(panels, NOTE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure in a folder of its own, or in the one that is given; ends with 1 where a contender failed."""
    options = _options(arguments)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    with tempfile.TemporaryDirectory(prefix="joinedup-pipeline-") as temporary:
        accounts = measure(options, options.folder or Path(temporary))
    print(tables(accounts))
    if options.picture and any(not each.problem for each in accounts):
        options.picture.write_text(picture(accounts), encoding="utf-8")
        _tell(f"drawn: {options.picture.name}")
    if any(each.problem for each in accounts):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
