"""Sealed identities: who is excluded before blocking, so that no pair, edge or cluster can find them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.link.components import components
from pipelines.link.encode import EVIDENCE, WEAK_EVIDENCE


def seal_closure(identifiers: pa.Table, sealed: Iterable[str]) -> frozenset[str]:
    """Return the sealed records and every record that shares an identifier with one of them, transitively.

    `identifiers` has record_id, identifier_type, value, status. Current, former and unverified numbers all count:
    leaving a record out costs a link, letting it in may find someone who must not be found.
    """
    start = frozenset(str(record) for record in sealed)
    frame = identifiers.select(["record_id", "identifier_type", "value", "status"]).to_pandas()
    frame = frame.loc[frame["status"].isin(EVIDENCE | WEAK_EVIDENCE) & frame["value"].notna()]
    if not start or frame.empty:
        return start
    kind = frame["identifier_type"].replace({"UPN_FORMER": "UPN", "UPN_TEMP": "UPN"})
    record, records = pd.factorize(frame["record_id"].astype(str))
    number, _ = pd.factorize(kind.astype(str) + ":" + frame["value"].astype(str))
    labels = components(
        len(records) + int(number.max()) + 1, record.astype(np.int64), number.astype(np.int64) + len(records)
    )[: len(records)]
    touched = np.isin(labels, labels[np.isin(np.asarray(records, dtype=object), list(start))])
    return start | frozenset(str(each) for each in np.asarray(records, dtype=object)[touched])
