"""Features of addresses: postcode, outward postcode, place, and the address as it is written."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.columns import as_mask, code_columns
from pipelines.link.encode.placing import Placing
from pipelines.link.features import Feature, empty_feature, make_feature

LOCATED = ("LIVE", "VALID_FORMAT")


def place_features(placing: Placing, name: str) -> dict[str, Feature]:
    """Return one of postcode, outward, place (UPRN, or postcode with building number) and lines.

    Pseudo postcodes, no fixed abode and confidential addresses are not places: they would join strangers.
    """
    table, at = placing.data.addresses, placing.rows("addresses")
    if name == "lines":
        if "lines" not in table.column_names:
            return {name: empty_feature(placing.size)}
        return {name: placing.column(at, table["lines"])}
    located = pa.array(as_mask(table["postcode_status"], LOCATED))
    if name != "place":
        return {name: placing.column(at, pc.if_else(located, table[name].cast(pa.string()), None))}
    number, uprn = table["building_number"].cast(pa.string()), table["uprn"].cast(pa.string())
    numbered = pc.binary_join_element_wise(table["postcode"].cast(pa.string()), number, "#")
    by_uprn = pc.binary_join_element_wise("U", uprn, "")
    codes, values = code_columns([pc.if_else(located, column, None) for column in (numbered, by_uprn)])
    both = np.concatenate([at, at])
    return {name: make_feature(both, np.concatenate(codes), len(values), placing.size, values)}
