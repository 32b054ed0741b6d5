"""Where `joinedup link` meets the linking itself: data, training, engine, thresholds and clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from pipelines.contracts.model import LinkageModel
from pipelines.errors import LinkageError
from pipelines.files.assemble import Assembled
from pipelines.link import FusedEngine, LinkData, RecordLinkageEngine, TrainedModel
from pipelines.link.encode import Encoded, encode
from pipelines.link.engines.base import Engine, Progress, Scored, score_encoded
from pipelines.link.engines.splink_engine import SplinkEngine
from pipelines.link.hold import Held, choose_join, hold_together
from pipelines.link.thresholds.assess import Objective
from pipelines.link.thresholds.choose import EXPECTED_F1, FALSE_LINK_RATE, Threshold
from pipelines.link.training.train import train_encoded

EngineName = Literal["fused", "recordlinkage", "splink"]
ObjectiveName = Literal["false-link-rate", "expected-f1"]
OBJECTIVES: dict[str, str] = {"false-link-rate": FALSE_LINK_RATE, "expected-f1": EXPECTED_F1}
ENGINES: dict[str, Callable[[], Engine]] = {
    "fused": FusedEngine,
    "recordlinkage": RecordLinkageEngine,
    "splink": SplinkEngine,
}


@dataclass(frozen=True)
class Chosen:
    """The edges with their join threshold in the model, and what is expected of it.

    `is_own` says that the model brought the threshold along.
    """

    scored: Scored
    threshold: Threshold
    is_own: bool


def engine_of(name: str) -> Engine:
    """Return an engine by its name; raises LinkageError when it is not known, or Splink is not installed."""
    if name not in ENGINES:
        raise LinkageError(f"there is no engine {name}; there is {', '.join(sorted(ENGINES))}")
    return ENGINES[name]()


def link_data(assembled: Assembled) -> LinkData:
    """Return assembled files as the linking reads them."""
    return LinkData(records=assembled.records, **assembled.tables, unique_sources=assembled.unique_sources)


def train(definition: LinkageModel, data: LinkData) -> tuple[TrainedModel, Encoded]:
    """Return the model trained on the data, and the encoded records."""
    encoded = encode(definition, data)
    return train_encoded(definition, encoded, FusedEngine()), encoded


def score(engine: Engine, trained: TrainedModel, encoded: Encoded, progress: Progress) -> Scored:
    """Return the edges that an engine finds among encoded records."""
    return score_encoded(engine, trained, encoded, progress)


def choose(scored: Scored, data: LinkData, objective: ObjectiveName, target: float) -> Chosen:
    """Return the edges with a join threshold: the model's own where it was chosen for the same, else a new one."""
    before = scored.trained.join
    scored, threshold = choose_join(scored, data, Objective(OBJECTIVES[objective], target))
    return Chosen(scored, threshold, scored.trained.join == before)


def cluster(engine: Engine, scored: Scored) -> tuple[Held, pa.Table]:
    """Return what the accepted edges hold together, and the edges as the clusters settle them."""
    held = hold_together(engine, scored)
    return held, held.edges(scored)
