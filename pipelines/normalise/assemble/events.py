"""Building event rows: what happened and when, with coded attributes only."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pandas as pd

from pipelines.keys import event_id
from pipelines.normalise.assemble.context import EmitRows
from pipelines.normalise.assemble.distinct import constant, map_distinct_rows


def build_event(rows: EmitRows) -> pd.DataFrame:
    """Return one event row per turned row that has a type and a date."""
    kind, reference, start = rows.value("event_type"), rows.value("source_event_id"), rows.value("event_date")
    context = rows.context
    agency = context.contract.agency
    records = rows.record_ids[rows.mask]

    def identify(event_type: str | None, source: str | None, record: str, day: date | None) -> str:
        return event_id(context.key, agency, event_type or "", source, record, day)

    ids = map_distinct_rows([kind, reference, records, start], identify)
    attributes = {name: rows.rows.values[name][rows.mask] for name in rows.emit.attributes}
    built = rows.frame(
        {
            "event_id": ids,
            "agency": agency,
            "event_type": kind,
            "source_event_id": reference,
            "event_date": start,
            "event_end_date": rows.value("event_end_date"),
            "category": rows.value("category"),
            "outcome": rows.value("outcome"),
            "attributes": _as_json(attributes, rows.index),
        }
    )
    return built[kind.notna() & start.notna()]


def _as_json(columns: dict[str, pd.Series[Any]], index: pd.Index[Any]) -> pd.Series[Any]:
    """Return the columns as one JSON object per row, empty values left out; None where nothing is left."""
    if not columns:
        return constant(None, index)

    def encode(*values: Any) -> str | None:
        filled = {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in zip(columns, values, strict=True)
            if value is not None
        }
        return json.dumps(filled, sort_keys=True) if filled else None

    return map_distinct_rows(list(columns.values()), encode)
