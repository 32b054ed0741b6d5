"""From landed text to rows of the shared schema: read back, cleaned column by column, and copied in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import pandas as pd

from benchmarks.pipeline.rival import childrens_services, health, police
from benchmarks.pipeline.rival.copying import copy_in, copy_out
from benchmarks.pipeline.rival.deliveries import Delivery
from benchmarks.pipeline.rival.tables import Tables
from pipelines.warehouse.engine import transaction

AGENCIES: dict[str, Callable[[dict[str, pd.DataFrame]], list[Tables]]] = {
    "childrens_services": childrens_services.normalise,
    "health": health.normalise,
    "police": police.normalise,
}


def normalise(delivery: Delivery) -> None:
    """Write what a delivery's landed files make; rows about nobody whom the delivery knows are left out."""
    with transaction() as connection:
        landed = {
            file: copy_out(
                connection,
                f"SELECT * FROM landing.{delivery.agency}_{file} WHERE extract_id = {extract} ORDER BY row_number",  # noqa: S608
            )
            for file, extract in delivery.extracts.items()
        }
    made: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for tables in AGENCIES[delivery.agency](landed):
        for name, frame in tables.items():
            made[name].append(frame)
    known = pd.concat(made["person_record"])["record_id"]
    with transaction() as connection:
        for name, frames in made.items():
            frame = pd.concat(frames)
            copy_in(connection, f"normalised.{name}", frame[frame["record_id"].isin(known)])
