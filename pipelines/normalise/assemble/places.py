"""Building rows about places: what happened at a property, about nobody in particular."""

from __future__ import annotations

import pandas as pd

from pipelines.keys import event_id
from pipelines.normalise.assemble.context import EmitRows
from pipelines.normalise.assemble.distinct import map_distinct, map_distinct_rows

NOBODY = ""


def build_place_event(rows: EmitRows) -> pd.DataFrame:
    """Return one place_event row per turned row that has a type and a date; it belongs to no record."""
    kind, reference, day = rows.value("event_type"), rows.value("source_event_id"), rows.value("event_date")
    context = rows.context
    agency = context.contract.agency
    ids = map_distinct_rows(
        [kind, reference, day],
        lambda event_type, source, on: event_id(context.key, agency, event_type or "", source, NOBODY, on),
    )
    built = rows.frame(
        {
            "place_event_id": ids,
            "agency": agency,
            "event_type": kind,
            "source_event_id": reference,
            "event_date": day,
            "category": rows.value("category"),
            "outcome": rows.value("outcome"),
            "uprn": map_distinct(rows.value("uprn"), lambda text: text if text and text.isdigit() else None),
        }
    )
    return built[kind.notna() & day.notna()].drop(columns="record_id")
