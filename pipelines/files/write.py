"""Writing what `joinedup link` found: people, edges, the trained model and the report, as a whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from pipelines.contracts.model import LinkageModel
from pipelines.files.page import render_page
from pipelines.link.model_file import write_model_file
from pipelines.link.trained import TrainedModel

CLUSTERS, EDGES, MODEL = "clusters.parquet", "edges.parquet", "model.yaml"
PAGE, REPORT = "report.html", "report.json"
# Made from what is written here, so they are stale as soon as it is written anew.
DERIVED = ("evaluation.json",)
UNFINISHED = ".unfinished"
SEPARATOR = ":"


@dataclass(frozen=True)
class Output:
    """Everything that a run leaves behind.

    `clusters` has record_id and cluster_id, `edges` the columns of an engine's edges; a record_id is `NAME:ID`.
    """

    clusters: pa.Table
    edges: pa.Table
    model: TrainedModel
    report: Mapping[str, Any]


def write_output(folder: Path, output: Output) -> None:
    """Write all files to `folder`; what an earlier run wrote there is replaced.

    The files are made in a folder inside and moved when all are complete. The report goes first and comes last:
    a folder without it is not finished.
    """
    staging = folder / UNFINISHED
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    pyarrow.parquet.write_table(clusters_table(output.clusters), staging / CLUSTERS)
    pyarrow.parquet.write_table(edges_table(output.edges, output.model.definition), staging / EDGES)
    write_model_file(staging / MODEL, output.model)
    (staging / REPORT).write_text(json.dumps(output.report, indent=2) + "\n", encoding="utf-8")
    (staging / PAGE).write_text(render_page(output.report), encoding="utf-8")
    for name in (REPORT, *DERIVED):
        (folder / name).unlink(missing_ok=True)
    for name in (CLUSTERS, EDGES, MODEL, PAGE, REPORT):
        (staging / name).replace(folder / name)
    staging.rmdir()


def clusters_table(clusters: pa.Table) -> pa.Table:
    """Return source, record_id and person_id of every record, in the order of `clusters`.

    A person is named by the smallest `NAME:ID` among its records, so that an unrelated record changes no name.
    """
    source, record = split_ids(clusters["record_id"])
    people = clusters["cluster_id"].cast(pa.string())
    return pa.table({"source": source, "record_id": record, "person_id": people})


def edges_table(edges: pa.Table, model: LinkageModel) -> pa.Table:
    """Return the edges with both sides taken apart and each comparison's level by its name, null at a null."""
    source_a, record_a = split_ids(edges["record_a"])
    source_b, record_b = split_ids(edges["record_b"])
    columns: dict[str, Any] = {
        "source_a": source_a,
        "record_id_a": record_a,
        "source_b": source_b,
        "record_id_b": record_b,
        "match_weight": edges["match_weight"],
        "match_probability": edges["match_probability"],
    }
    for comparison in model.comparisons:
        name = f"level_{comparison.name}"
        columns[name] = level_names(edges[name], comparison.level_names())
    columns["is_link"] = edges["is_link"]
    return pa.table(columns)


def level_names(positions: pa.ChunkedArray, names: tuple[str, ...]) -> pa.DictionaryArray:
    """Return the names of levels given by position; null where the level is null (-1)."""
    codes = (
        pa.concat_arrays(positions.chunks).cast(pa.int8())
        if positions.num_chunks
        else pa.array([], pa.int8())
    )
    codes = pc.if_else(pc.less(codes, 0), pa.scalar(None, pa.int8()), codes)
    return pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string()))


def split_ids(full: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return source (dictionary-encoded) and id of `NAME:ID`. A name has no colon, an id may have some."""
    parts = pc.split_pattern(full.cast(pa.string()), SEPARATOR, max_splits=1)
    return pc.list_element(parts, 0).dictionary_encode(), pc.list_element(parts, 1)
