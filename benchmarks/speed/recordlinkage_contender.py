"""The recordlinkage package as its users use it: index by the same keys, compare with its own measures, classify.

It has no levels, no term frequencies and holds all pairs in memory. Each comparison of the model becomes the
measure that the package has for it: equality, Jaro-Winkler, Damerau-Levenshtein of the digits of a date. How many
of those are high stands for the score, so that what is timed ends, as everywhere, with pairs above a bound.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import recordlinkage

from benchmarks.speed.case import load_case
from benchmarks.speed.records import COLUMNS
from benchmarks.speed.task import Answer, Task, contend

KEYS = {
    "given": "first_name",
    "family": "surname",
    "date_of_birth": "dob",
    "contact": "email",
    "postcode": "postcode",
    "outward": "outward",
}
HIGH, FEWEST_ALIKE = 0.85, 4


def link(task: Task, answer: Answer) -> None:
    """Load, index the pairs of each rule, compare them, and keep those that are alike."""
    model = load_case(task.case)
    with answer.timed("load"):
        people = _people(Path(task.data))
    with answer.timed("score"):
        indexer = recordlinkage.Index()
        for rule in model.blocking:
            indexer.block([KEYS[key] for key in rule.keys])
        pairs = indexer.index(people)
        alike = _measures().compute(pairs, people)
        found = pairs[(alike >= HIGH).sum(axis=1) >= FEWEST_ALIKE]
    answer.pairs, answer.edges = len(pairs), len(found)
    if task.edges:
        first, second = (pd.Series(found.get_level_values(side)) for side in (0, 1))
        columns = {"a": first.clip(upper=second), "b": first.clip(lower=second)}
        table = pa.table({**{name: pa.array(each) for name, each in columns.items()}})
        pq.write_table(table.append_column("weight", pa.array([100.0] * len(found))), task.edges)


def _people(path: Path) -> pd.DataFrame:
    people: pd.DataFrame = pq.read_table(path, columns=COLUMNS).to_pandas().set_index("unique_id")
    people["dob"] = pd.to_datetime(people["dob"]).dt.strftime("%Y%m%d")
    people["place"] = people["postcode"] + "#" + people["house_number"]
    return people


def _measures() -> recordlinkage.Compare:
    measures = recordlinkage.Compare()
    for name in ("first_name", "surname", "email"):
        measures.exact(name, name)
        measures.string(name, name, method="jarowinkler")
    measures.string("dob", "dob", method="damerau_levenshtein")
    for name in ("sex", "place", "postcode", "outward"):
        measures.exact(name, name)
    return measures


if __name__ == "__main__":
    contend(link)
