"""Features of contacts, and of the further fields of a file."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from pipelines.link.columns import as_mask, code_column
from pipelines.link.encode.placing import Placing
from pipelines.link.features import NONE, Feature, derive, make_feature
from pipelines.link.names import tokens

USABLE_CONTACT = ("SYNTHETIC", "UNVERIFIED", "VALID")


def contact_features(placing: Placing) -> dict[str, Feature]:
    """Return phones and e-mail addresses, the e-mail addresses alone, and the part of them before the @."""
    table, at = placing.data.contacts, placing.rows("contacts")
    codes, values = code_column(table["value"])
    codes = np.where(as_mask(table["status"], USABLE_CONTACT), codes, NONE).astype(np.int32)
    contact = make_feature(at, codes, len(values), placing.size, values)
    is_email = pc.match_substring(values, "@").to_numpy(zero_copy_only=False).astype(bool)
    emails = np.where(np.append(is_email, False)[codes], codes, NONE).astype(np.int32)
    email = make_feature(at, emails, len(values), placing.size, values)
    return {"contact": contact, "contact_email": email, "contact_local": derive(email, _local_part)}


def _local_part(value: str) -> tuple[str, ...]:
    local, _, domain = value.partition("@")
    return (local,) if local and domain else ()


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
