"""Linking: records in, edges and clusters out. Pure: Arrow and NumPy in and out, no database, no scheduler."""

from pipelines.link.cluster import cluster_edges, settle_edges
from pipelines.link.data import LinkData
from pipelines.link.engines.fused_engine import FusedEngine
from pipelines.link.engines.recordlinkage_engine import RecordLinkageEngine
from pipelines.link.evaluate import evaluate_partition
from pipelines.link.explain import PersonExplanation, Waterfall, explain_pair, explain_person
from pipelines.link.resolve import Clustering, resolve_clusters
from pipelines.link.seal import seal_closure
from pipelines.link.trained import TrainedModel
from pipelines.link.training.train import train, train_encoded

__all__ = [
    "Clustering",
    "FusedEngine",
    "LinkData",
    "PersonExplanation",
    "RecordLinkageEngine",
    "TrainedModel",
    "Waterfall",
    "cluster_edges",
    "evaluate_partition",
    "explain_pair",
    "explain_person",
    "resolve_clusters",
    "seal_closure",
    "settle_edges",
    "train",
    "train_encoded",
]
