"""Linking: records in, edges and clusters out. Pure: Arrow and NumPy in and out, no database, no scheduler."""

from pipelines.link.data import LinkData
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.engines.recordlinkage_engine import RecordLinkageEngine
from pipelines.link.evaluate import evaluate_partition
from pipelines.link.explain import PersonExplanation, Waterfall, explain_pair, explain_person
from pipelines.link.hold import Held, choose_join, hold_together
from pipelines.link.seal import seal_closure
from pipelines.link.trained import TrainedModel
from pipelines.link.training.train import train, train_encoded

__all__ = [
    "FusedEngine",
    "Held",
    "LinkData",
    "PersonExplanation",
    "RecordLinkageEngine",
    "TrainedModel",
    "Waterfall",
    "choose_join",
    "evaluate_partition",
    "explain_pair",
    "explain_person",
    "hold_together",
    "seal_closure",
    "train",
    "train_encoded",
]
