"""From accepted links to clusters that hold, on positions only."""

from pipelines.link.clusters.facts import Facts
from pipelines.link.clusters.inputs import Constraints, Cut, Links, Settings, Weigh
from pipelines.link.clusters.resolve import ClusterReport, Clusters, resolve
from pipelines.link.clusters.summary import Summary, summarise, summary_table

__all__ = [
    "ClusterReport",
    "Clusters",
    "Constraints",
    "Cut",
    "Facts",
    "Links",
    "Settings",
    "Summary",
    "Weigh",
    "resolve",
    "summarise",
    "summary_table",
]
