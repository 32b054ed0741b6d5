"""The rows that a check looks at: one table, limited to the extracts, the run or the release in question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_TABLE = re.compile(r"[a-z_]+\.[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Batch:
    """A table and a condition made of integers only; `ids` fill the placeholders of a query."""

    table: str
    condition: str
    ids: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _TABLE.fullmatch(self.table):
            raise ValueError("a batch needs a table as schema.name")

    @property
    def query(self) -> str:
        """The SELECT that limits the table to the batch."""
        return f"SELECT * FROM {self.table} WHERE {self.condition}"  # noqa: S608 - integers and a checked name


def of_extracts(table: str, extract_ids: Sequence[int]) -> Batch:
    """Return the rows of a table that came from these extracts; none when there are none."""
    ids = ", ".join(str(int(extract_id)) for extract_id in sorted(extract_ids)) or "NULL"
    return Batch(table, f"extract_id IN ({ids})")


def of_link_run(table: str, run_id: int) -> Batch:
    """Return a run's rows of a linked table, its changes, or the memberships that held when it was done."""
    run = int(run_id)
    if table == "identity.membership":
        valid = f"valid_from_run <= {run} AND (valid_to_run IS NULL OR valid_to_run > {run})"
        return Batch(table, valid, {"run_id": run})
    if table == "identity.change":
        return Batch(table, f"run_id = {run}", {"run_id": run})
    # The same rows as those of the function linked.<table>_of(run).
    chain = f"(SELECT chain_run FROM linked.lineage WHERE run_id = {run})"  # noqa: S608 - an integer
    held = f"chain_run = {chain} AND run_id <= {run} AND (until_run IS NULL OR until_run > {run})"
    return Batch(table, held, {"run_id": run})


def of_release(table: str, release_id: int) -> Batch:
    """Return the rows of one release, live or not yet."""
    return Batch(table, f"release_id = {int(release_id)}", {"release_id": int(release_id)})
