"""Who takes part in a linkage run: everybody but the sealed, and those who share an identifier with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.identity.protection import SEALED, protected_records, record_protections
from pipelines.link import LinkData, seal_closure
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.linkage import read_link_data


@dataclass(frozen=True)
class Scope:
    """The records of a run.

    Args:
        data: those that may be linked.
        alone: those that are not linked, but stay known, each a cluster of its own.
        sealed: those that are not even that.
    """

    data: LinkData
    alone: frozenset[str]
    sealed: frozenset[str]

    @property
    def never_compared(self) -> frozenset[str]:
        """The records that are not linked, whatever anybody judges."""
        return self.alone | self.sealed

    @property
    def records(self) -> int:
        """How many records came in."""
        return int(self.data.records.num_rows) + len(self.alone) + len(self.sealed)


def read_scope(run_id: int, extract_ids: Sequence[int]) -> Scope:
    """Return who takes part in a run, after its notices of protection have been taken into the register."""
    with transaction() as connection:
        record_protections(connection, run_id)
        sealed = [each.record_id for each in protected_records(connection) if each.level == SEALED]
    everyone = read_link_data(extract_ids, load_settings().allow_synthetic)
    present = frozenset(everyone.records["record_id"].to_pylist()) if sealed else frozenset()
    # Who shares an identifier with a sealed record is not linked either, but stays known, each record alone.
    kept_out = seal_closure(everyone.identifiers, sealed) & present
    sealed_here = frozenset(sealed) & present
    return Scope(everyone.without(kept_out) if kept_out else everyone, kept_out - sealed_here, sealed_here)
