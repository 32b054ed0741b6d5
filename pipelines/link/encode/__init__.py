"""Encode normalised tables as features: integer codes per record, everything derived once per distinct value."""

from pipelines.link.encode.encoded import Adjacency, Encoded
from pipelines.link.encode.encoder import encode
from pipelines.link.encode.identifiers import EVIDENCE, WEAK_EVIDENCE

__all__ = ["EVIDENCE", "WEAK_EVIDENCE", "Adjacency", "Encoded", "encode"]
