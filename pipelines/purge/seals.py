"""Sealed records keep apart also those who share a number with them; a purge must not bring these together."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from pipelines.errors import JoinedupError
from pipelines.identity.protection import SEALED, protected_records
from pipelines.link.seal import seal_closure
from pipelines.warehouse.bulk import read_arrow

SHOWN = 20


def require_nobody_unsealed(connection: Connection, records: Collection[str]) -> None:
    """Raise JoinedupError when others are kept apart only because they share a number with these records.

    With a record its numbers would go, and whoever shared one with a sealed record, be it through third records,
    would be linked from the next run on: to somebody, perhaps, who must not be found.
    """
    sealed = {each.record_id for each in protected_records(connection) if each.level == SEALED}
    if not sealed:
        return
    identifiers = read_arrow(
        "SELECT record_id, identifier_type, value, status FROM normalised.person_identifier"
    )
    freed = _freed(identifiers, sealed, frozenset(records))
    if freed:
        raise JoinedupError(
            f"{len(freed)} other record(s) are kept apart only because they share an identifier with a sealed one"
            " among or through these: seal them first (joinedup protect RECORD SEALED), then purge."
            f" They are {', '.join(sorted(freed)[:SHOWN])}"
        )


def _freed(identifiers: pa.Table, sealed: Collection[str], going: frozenset[str]) -> frozenset[str]:
    """Return the records that are in the closure of the sealed ones, and would not be without those that go."""
    ids = identifiers["record_id"].cast(pa.string())
    rest = identifiers.filter(pc.invert(pc.is_in(ids, value_set=pa.array(sorted(going), pa.string()))))
    before, after = seal_closure(identifiers, sealed), seal_closure(rest, frozenset(sealed) - going)
    return before - after - going - frozenset(sealed)
