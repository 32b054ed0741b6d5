"""Features of contacts, and of the further fields of a file."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.columns import as_mask, code_column
from pipelines.link.encode.placing import Placing
from pipelines.link.features import NONE, Codes, Feature, derive, make_feature
from pipelines.link.names import tokens

USABLE_CONTACT = ("SYNTHETIC", "UNVERIFIED", "VALID")


def contact_features(placing: Placing) -> dict[str, Feature]:
    """Return phones and e-mail addresses, the e-mail addresses alone, and the part of them before the @."""
    table, at = placing.data.contacts, placing.rows("contacts")
    codes, values = code_column(table["value"])
    usable: Codes = np.where(as_mask(table["status"], USABLE_CONTACT), codes, NONE).astype(np.int32)
    parts = pc.split_pattern(values, "@", max_splits=1)
    is_email = np.asarray(pc.equal(pc.list_value_length(parts), 2).to_numpy(zero_copy_only=False), dtype=bool)
    emails: Codes = np.where(np.append(is_email, False)[usable], usable, NONE).astype(np.int32)
    local, locals_ = code_column(pc.if_else(pa.array(is_email), pc.list_element(parts, 0), None))
    return {
        "contact": make_feature(at, usable, len(values), placing.size, values),
        "contact_email": make_feature(at, emails, len(values), placing.size, values),
        "contact_local": make_feature(
            at, np.append(local, NONE)[usable], len(locals_), placing.size, locals_
        ),
    }


def extra_features(placing: Placing, name: str) -> dict[str, Feature]:
    """Return the values of one further field of a file, and the tokens in them."""
    field = name.removesuffix("_token")
    table, at = placing.data.extras, placing.rows("extras")
    mine = as_mask(table["field"], [field.partition(".")[2]])
    codes, values = code_column(table["value"])
    codes = np.where(mine, codes, NONE).astype(np.int32)
    feature = make_feature(at, codes, len(values), placing.size, values)
    if name == field:
        return {field: feature}
    return {field: feature, f"{field}_token": derive(feature, tokens)}
