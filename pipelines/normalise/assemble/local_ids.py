"""Whose a landed row is: the record behind the local person id as the agency wrote it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pyarrow as pa

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.loader import column_name
from pipelines.keys import record_id
from pipelines.normalise.assemble.context import NormaliseContext


def record_behind(key: bytes, agency: str, file: AgencyFile, written: str | None) -> str | None:
    """Return the record id behind a local person id as it stands in a file; None where it says nothing."""
    if written is None or written in file.format.null_literals:
        return None
    local = written.strip()
    return record_id(key, agency, local) if local else None


def local_id_column(file: AgencyFile) -> str | None:
    """Return the landing column with the local person id; None where the file has none of its own."""
    return column_name(file.local_id) if file.local_id in file.landed_columns else None


def leave_out(
    context: NormaliseContext, landed: Mapping[str, pa.Table], records: Collection[str]
) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """Return the landed rows of each file without those of some records, and how many rows that took away."""
    if not records:
        return dict(landed), {}
    kept = {name: _without(context, name, rows, records) for name, rows in landed.items()}
    return kept, {name: landed[name].num_rows - rows.num_rows for name, rows in kept.items()}


def _without(context: NormaliseContext, name: str, rows: pa.Table, records: Collection[str]) -> pa.Table:
    file = context.contract.files[name]
    column = local_id_column(file)
    if column is None:
        return rows
    agency = context.contract.agency
    coded = rows[column].combine_chunks().dictionary_encode()
    of = [record_behind(context.key, agency, file, written) for written in coded.dictionary.to_pylist()]
    theirs = np.array([*(record in records for record in of), False])
    codes = coded.indices.fill_null(len(of)).to_numpy(zero_copy_only=False).astype(np.int64)
    return rows.filter(pa.array(~theirs[codes]))
