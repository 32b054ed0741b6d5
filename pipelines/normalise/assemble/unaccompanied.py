"""Estimated birth dates of unaccompanied minors.

Guidance has children's services record the 15th when only the month is known; 1 January stands for the year
[SSD]. A Home Office registration number is what marks such a record.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from pipelines.normalise.assemble.distinct import field, map_distinct
from pipelines.normalise.dates import normalise_date_of_birth

ISO = "%Y-%m-%d"


def soften_estimated_births(frames: dict[str, pd.DataFrame], reference: date) -> None:
    """Lower, in place, the precision of birth dates of records with a Home Office number."""
    identifiers, births = frames.get("person_identifier"), frames.get("person_date_of_birth")
    if identifiers is None or births is None or births.empty:
        return
    unaccompanied = set(identifiers.loc[identifiers["identifier_type"] == "HO_REF", "record_id"])
    estimated = births["record_id"].isin(unaccompanied) & (births["precision"] == "DAY")
    softened = map_distinct(
        births.loc[estimated, "date_of_birth"],
        lambda day: normalise_date_of_birth(day.isoformat(), ISO, reference=reference, is_uasc=True),
    )
    for name in ("precision", "earliest", "latest"):
        births.loc[estimated, name] = field(softened, name)
