"""`joinedup evaluate DIR`: the people that a run found against known truth, by pairs of records and by B-cubed.

B-cubed: Bagga and Baldwin (1998). Per record, precision is the share of its cluster that is its person, recall the
share of its person that is in its cluster; both are averaged over records, and F1 is their harmonic mean.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from pipelines.errors import ContractError, FilesRejected, Problem
from pipelines.files.csv_text import rejected
from pipelines.files.mapping import SourceMapping
from pipelines.files.read import Wanted, read_source
from pipelines.files.write import CLUSTERS, REPORT
from pipelines.link.evaluate import PairQuality

EVALUATION = "evaluation.json"
ROWS_SHOWN = 5
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BCubed:
    """B-cubed precision and recall, averaged over records."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class FilesQuality:
    """Quality over all pairs of records with truth, inside and across sources, and per pair of sources (`a|b`).

    `without_truth` counts records of the run that the truth does not know, `not_linked` rows of the truth whose
    record the run does not know; neither counts in any figure.
    """

    records: int
    without_truth: int
    not_linked: int
    overall: PairQuality
    within: PairQuality
    across: PairQuality
    by_pair: dict[str, PairQuality]
    b_cubed: BCubed
    b_cubed_within: BCubed

    def as_data(self) -> dict[str, Any]:
        """Return the figures as what JSON has."""
        pairs = {"overall": self.overall, "within_sources": self.within, "across_sources": self.across}
        return {
            "records": self.records,
            "records_without_truth": self.without_truth,
            "truth_without_record": self.not_linked,
            "pairs": {name: _pair_data(each) for name, each in pairs.items()},
            "pairs_by_sources": {name: _pair_data(each) for name, each in self.by_pair.items()},
            "b_cubed": _cubed_data(self.b_cubed),
            "b_cubed_within_sources": _cubed_data(self.b_cubed_within),
        }


def evaluate_files(folder: Path, truth: Path) -> FilesQuality:
    """Return how good the people in `folder` are, and write it to `evaluation.json` there.

    Raises:
        FilesRejected: the folder holds no finished run; the truth lacks a column, has a record twice, or fits none.
    """
    if not (folder / REPORT).is_file() or not (folder / CLUSTERS).is_file():
        raise FilesRejected([Problem(folder.name, "NO_RUN", f"expected {CLUSTERS} and {REPORT} of a run")])
    clusters = pyarrow.parquet.read_table(folder / CLUSTERS)
    quality = evaluate_clusters(clusters, read_truth(truth, sources_of(clusters)), truth.name)
    staged = folder / f".{EVALUATION}"
    staged.write_text(json.dumps(quality.as_data(), indent=2) + "\n", encoding="utf-8")
    staged.replace(folder / EVALUATION)
    return quality


def sources_of(clusters: pa.Table) -> list[str]:
    """Return the names of the sources."""
    return sorted(pc.unique(clusters["source"].cast(pa.string())).to_pylist())


def read_truth(path: Path, sources: list[str]) -> pa.Table:
    """Return the truth as source, record_id, person; the source may be left out where there is only one."""
    fields = {"surname": {"column": ["source", "person"]}}
    try:
        mapping = SourceMapping.model_validate({"record_id": "record_id", "fields": fields})
        raw = read_source(Wanted("truth", path, mapping, path))
    except ContractError:
        fields = {"surname": {"column": ["person"]}}
        mapping = SourceMapping.model_validate({"record_id": "record_id", "fields": fields})
        try:
            raw = read_source(Wanted("truth", path, mapping, path))
        except ContractError:
            raise rejected(path, "COLUMNS", "expected the columns source, record_id, person") from None
        if len(sources) > 1:
            message = f"expected the column source as well: there are {', '.join(sources)}"
            raise rejected(path, "COLUMNS", message) from None
    columns = {name: raw.columns[name] for name in ("record_id", "person")}
    columns["source"] = raw.columns.get("source", pa.chunked_array([pa.repeat(sources[0], raw.rows)]))
    for name, column in columns.items():
        empty = np.flatnonzero(column.is_null().to_numpy())
        if len(empty):
            raise FilesRejected(
                [Problem(path.name, "EMPTY", "empty", int(row) + 1, name) for row in empty[:ROWS_SHOWN]]
            )
    return pa.table(columns)


def evaluate_clusters(clusters: pa.Table, truth: pa.Table, file: str = "truth") -> FilesQuality:
    """Return the quality of `clusters` (source, record_id, person_id) against `truth` (.., person)."""
    keys = pa.chunked_array([*_keys(clusters).chunks, *_keys(truth).chunks])
    codes = _codes(keys)
    ours, theirs = codes[: clusters.num_rows], codes[clusters.num_rows :]
    twice = np.flatnonzero(np.bincount(theirs, minlength=1)[theirs] > 1)
    if len(twice):
        raise FilesRejected(
            [
                Problem(file, "RECORD_TWICE", "a record stands twice", int(row) + 1)
                for row in twice[:ROWS_SHOWN]
            ]
        )
    row_of = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
    row_of[theirs] = np.arange(len(theirs))
    at = row_of[ours]
    known = at >= 0
    if not known.any():
        raise FilesRejected(
            [Problem(file, "NO_MATCH", "none of its records is among those that were linked")]
        )
    cluster = _codes(clusters["person_id"])[known]
    person = _codes(truth["person"])[at[known]]
    names = sources_of(clusters)
    source = (
        pc.index_in(clusters["source"].cast(pa.string()), pa.array(names)).to_numpy().astype(np.int64)[known]
    )
    return _quality((cluster, person, source), names, len(ours) - len(cluster), len(theirs) - len(cluster))


def _quality(
    codes: tuple[Codes, Codes, Codes], names: list[str], without_truth: int, not_linked: int
) -> FilesQuality:
    cluster, person, source = codes
    both = _pair(cluster, person)
    tables = [_pairs_by_source(groups, source, len(names)) for groups in (both, cluster, person)]
    by_pair = {
        f"{names[i]}|{names[j]}": _pair_quality(*(int(table[i, j]) for table in tables))
        for i in range(len(names))
        for j in range(i, len(names))
    }
    inside = [int(np.trace(table)) for table in tables]
    everything = [int(np.triu(table).sum()) for table in tables]
    return FilesQuality(
        records=len(cluster),
        without_truth=without_truth,
        not_linked=not_linked,
        overall=_pair_quality(*everything),
        within=_pair_quality(*inside),
        across=_pair_quality(*(whole - part for whole, part in zip(everything, inside, strict=True))),
        by_pair=by_pair,
        b_cubed=b_cubed(cluster, person),
        b_cubed_within=b_cubed(_pair(cluster, source), _pair(person, source)),
    )


def b_cubed(cluster: Codes, person: Codes) -> BCubed:
    """Return B-cubed precision and recall of records with a cluster and a person each."""
    both = _pair(cluster, person)
    together = np.bincount(both)[both]
    return BCubed(
        float((together / np.bincount(cluster)[cluster]).mean()),
        float((together / np.bincount(person)[person]).mean()),
    )


def _pairs_by_source(groups: Codes, source: Codes, sources: int) -> npt.NDArray[np.int64]:
    """Return how many pairs of records share a group, by the sources of both; only the upper triangle counts."""
    ones = np.ones(len(groups), dtype=np.int64)
    counts = csr_array((ones, (groups, source)), shape=(int(groups.max(initial=-1)) + 1, sources))
    pairs = np.asarray((counts.T @ counts).todense(), dtype=np.int64)
    own = np.bincount(source, minlength=sources)
    return np.triu(pairs, 1) + np.diag((np.diag(pairs) - own) // 2)


def _pair(first: Codes, second: Codes) -> Codes:
    """Return one code per pair of codes, from 0 without gaps."""
    joined = first * (int(second.max(initial=0)) + 1) + second
    codes: Codes = np.unique(joined, return_inverse=True)[1].astype(np.int64)
    return codes


def _codes(values: pa.ChunkedArray) -> Codes:
    encoded = values.cast(pa.string()).dictionary_encode()
    return np.concatenate(
        [np.empty(0, np.int64), *(chunk.indices.to_numpy() for chunk in encoded.chunks)]
    ).astype(np.int64)


def _keys(table: pa.Table) -> pa.ChunkedArray:
    """Return source and record id as one text; a source's name has no colon."""
    return pc.binary_join_element_wise(table["source"].cast(pa.string()), table["record_id"], ":")


def _pair_quality(both: int, found: int, true: int) -> PairQuality:
    return PairQuality(both, found - both, true - both)


def _pair_data(quality: PairQuality) -> dict[str, Any]:
    return {
        "precision": quality.precision,
        "recall": quality.recall,
        "f1": quality.f1,
        "true_links": quality.true_links,
        "false_links": quality.false_links,
        "missed_links": quality.missed_links,
    }


def _cubed_data(cubed: BCubed) -> dict[str, float]:
    return {"precision": cubed.precision, "recall": cubed.recall, "f1": cubed.f1}
