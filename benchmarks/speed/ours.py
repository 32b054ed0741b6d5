"""Our engines as contenders: `fused`, and the `reference` on recordlinkage, which holds all pairs in memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.speed.case import load_case
from benchmarks.speed.records import read_records
from benchmarks.speed.task import Answer, Task, contend
from pipelines.link.encode import Encoded, encode
from pipelines.link.engines.base import Engine, Scored, score_encoded
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.engines.recordlinkage_engine import RecordLinkageEngine
from pipelines.link.hold import hold_together
from pipelines.link.trained import TrainedModel
from pipelines.link.training.train import train_encoded


def link(task: Task, answer: Answer, engine: Engine) -> None:
    """Link the records: load, encode, train, block and compare and score, cluster."""
    model = load_case(task.case)
    with answer.timed("load"):
        data = read_records(Path(task.data))
    with answer.timed("encode"):
        encoded = encode(model, data)
        del data
    with answer.timed("train"):
        trained = _trained(task, encoded, engine)
    with answer.timed("score"):
        scored = score_encoded(engine, trained, encoded)
    answer.pairs, answer.edges = scored.pairs, len(scored.found.barred)
    if task.is_whole:
        with answer.timed("cluster"):
            held = hold_together(engine, scored)
        answer.clusters = held.report.clusters
    if task.edges:
        write_edges(Path(task.edges), scored)


def _trained(task: Task, encoded: Encoded, engine: Engine) -> TrainedModel:
    if task.trained:
        return TrainedModel.from_json(Path(task.trained).read_text(encoding="utf-8"))
    return train_encoded(load_case(task.case), encoded, engine)


def write_edges(path: Path, scored: Scored) -> None:
    """Write the edges: two unique ids, the smaller first, and the weight."""
    found = scored.found
    first, second = (
        scored.encoded.ids(positions).cast(pa.int32()).to_numpy(zero_copy_only=False)
        for positions in found.pairs
    )
    low, high = pa.array(first.clip(max=second)), pa.array(first.clip(min=second))
    pq.write_table(pa.table({"a": low, "b": high, "weight": pa.array(found.scores.total)}), path)


def train_once(data: Path, model: Path, case: str) -> None:
    """Train the model of a case on a file, and write it."""
    definition = load_case(case)  # type: ignore[arg-type]
    encoded = encode(definition, read_records(data))
    model.write_text(train_encoded(definition, encoded, FusedEngine()).to_json(), encoding="utf-8")


def main() -> None:
    """Contend as the engine named in the last argument; or, given `train`, train a model for others to use."""
    name = sys.argv[-1]
    if name == "train":
        train_once(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
        return
    engine: Engine = FusedEngine() if name == "fused" else RecordLinkageEngine()
    contend(lambda task, answer: link(task, answer, engine))


if __name__ == "__main__":
    main()
