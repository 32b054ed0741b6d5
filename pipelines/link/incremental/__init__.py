"""Runs that link only what changed: what an earlier run left behind, what is new, and what follows from both."""

from pipelines.link.incremental.before import Before, BeforeEdges, nothing_before
from pipelines.link.incremental.content import content_hashes
from pipelines.link.incremental.delta import Delta, compare_content
from pipelines.link.incremental.relink import Relinked, relink

__all__ = [
    "Before",
    "BeforeEdges",
    "Delta",
    "Relinked",
    "compare_content",
    "content_hashes",
    "nothing_before",
    "relink",
]
