"""Which records say who they are about: only those are linked.

Birth date, postcode and sex are what twins have in common, and in a large population strangers too. A record that
has nothing else is no evidence of who it is about, so no pair with it is an edge, whatever it weighs. It stays what
its agency's own key makes of it, until somebody judges it.
"""

from __future__ import annotations

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.data import LinkData
from pipelines.link.encode import Encoded, encode
from pipelines.link.features import Bools


def linkable(model: LinkageModel, encoded: Encoded) -> Bools:
    """Return which records, by position, have a value of what the model asks for: all where it asks for nothing.

    Of identifiers only firm ones count: neither numbers that fail their check nor those that are not verified.
    """
    if not model.linkable_by:
        return np.ones(encoded.size, dtype=bool)
    everybody = np.arange(encoded.size)
    fields = [encoded.features[model.comparison(name).field] for name in model.linkable_by]
    return np.asarray(np.any([field.has_value(everybody) for field in fields], axis=0))


def linkable_rows(model: LinkageModel, data: LinkData) -> Bools:
    """Return the same for each row of `data.records`."""
    encoded = encode(model, data)
    rows = np.empty(encoded.size, dtype=bool)
    rows[encoded.source_row] = linkable(model, encoded)
    return rows
