"""Which rows of addresses are at a hub: by UPRN, by address, by postcode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipelines.contracts.model import HubLimits
from pipelines.link.encode.dwellings import Dwellings, hub_keys
from pipelines.link.encode.placing import Placing
from pipelines.link.features import Bools, Feature
from pipelines.link.hubs import KINDS, Hubs, among, named, shared_by_unrelated


@dataclass(frozen=True)
class HubRows:
    """The hubs that a model knows, None where it asks for none; which rows are at one; of how many records."""

    hubs: Hubs | None
    rows: Bools
    records: int


def find_hub_rows(
    placing: Placing,
    dwellings: Callable[[], Dwellings],
    limits: HubLimits | None,
    known: Hubs | None,
    families: Callable[[], Feature],
) -> HubRows:
    """Return the rows of addresses at a hub: of those known, or else of those found among these records."""
    rows = np.zeros(placing.data.addresses.num_rows, dtype=bool)
    if limits is None:
        return HubRows(None, rows, 0)
    keys, at = hub_keys(dwellings()), placing.rows("addresses")
    if known is None:
        least = {kind: limits.postcode if kind == "postcode" else limits.address for kind in KINDS}
        known = {
            kind: named(
                np.concatenate(
                    [
                        shared_by_unrelated(at[each >= 0], each[each >= 0], families(), least[kind])
                        for each in keys[kind]
                    ]
                )
            )
            for kind in KINDS
        }
    for kind in KINDS:
        for each in keys[kind]:
            rows |= among(each, known.get(kind, ()))
    return HubRows(known, rows, len(np.unique(at[rows])))
