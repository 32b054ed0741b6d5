"""How right the links are: `python -m benchmarks.accuracy`; prints the tables of docs/benchmarks.md, writes JSON.

Every contender answers the same data sets and is scored by one evaluator on pairs inside clusters. Without
`--fake-1000` that data set is left out: it is public, and no part of this project.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.accuracy.compare import Result

PUBLIC = ("febrl3", "febrl4", "fake_1000")
SYNTHETIC, STRATA = "synthetic", "strata"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--fake-1000", type=Path, help="fake_1000.csv of moj-analytical-services/splink_datasets"
    )
    parser.add_argument("--people", type=int, default=5_000, help="people of each synthetic population")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="seeds of the populations")
    parser.add_argument("--strata-people", type=int, default=60_000, help="people drawn for the strata")
    parser.add_argument("--only", nargs="+", choices=[*PUBLIC, SYNTHETIC, STRATA], help="these parts alone")
    parser.add_argument("--output", type=Path, help="write the figures here, as JSON")
    return parser.parse_args()


def main() -> None:
    """Measure, print the tables, and write the figures."""
    options = _options()
    os.environ.setdefault("JOINEDUP_ALLOW_SYNTHETIC", "1")
    from benchmarks.accuracy.report import markdown
    from benchmarks.accuracy.strata import measure_strata

    wanted = set(options.only or [*PUBLIC, SYNTHETIC, STRATA])
    results = [work() for work in _comparisons(options, wanted)]
    strata = measure_strata(options.strata_people, options.seeds[0]) if STRATA in wanted else []
    print(markdown(results, strata), end="")
    if options.output:
        figures = {
            "data_sets": [result.as_json() for result in results],
            "strata": [measured.as_json() for measured in strata],
        }
        options.output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _comparisons(options: argparse.Namespace, wanted: set[str]) -> Iterator[Callable[[], Result]]:
    from benchmarks.accuracy import public_data
    from benchmarks.accuracy.compare import compare
    from benchmarks.accuracy.synthetic import population

    if "febrl3" in wanted:
        yield lambda: compare(public_data.febrl3())
    if "febrl4" in wanted:
        yield lambda: compare(public_data.febrl4())
    if "fake_1000" in wanted and options.fake_1000:
        yield lambda: compare(public_data.fake_1000(options.fake_1000))
    elif "fake_1000" in wanted:
        print("fake_1000 is left out: no --fake-1000 PATH was given", file=sys.stderr)
    for seed in options.seeds if SYNTHETIC in wanted else ():
        made = population(options.people, seed)
        yield partial(compare, made.flat, made)


if __name__ == "__main__":
    main()
