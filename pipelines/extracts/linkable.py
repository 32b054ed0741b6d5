"""How many records of an extract could be linked, and what each missing field costs.

The rule: a record can be linked when some blocking rule of the model would find it (it has all the keys), and it
would still reach the link probability against a record that differs a little in every field: the prior plus, for
each field that it has, the weight of the comparison's second level (of its first, where the second is "else"). The
weights are those that the model starts from, so the share is a forecast, not a promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.contracts.conditions import KEY_FIELDS, fields_of_key, is_open
from pipelines.contracts.model import LinkageModel
from pipelines.link.data import LinkData
from pipelines.link.encode.encoder import encode

Mask = np.ndarray[Any, np.dtype[np.bool_]]
TABLES = {
    "records": "person_record",
    "names": "person_name",
    "births": "person_date_of_birth",
    "identifiers": "person_identifier",
    "addresses": "person_address",
    "contacts": "person_contact",
}


@dataclass(frozen=True)
class Linkable:
    """How many records there are, how many could be linked, and how many more if a field stood in all of them."""

    records: int
    linkable: int
    gains: Mapping[str, int]


def count_linkable(model: LinkageModel, tables: Mapping[str, pa.Table]) -> Linkable:
    """Return how many of the normalised records could be linked, and the gain of completing each field."""
    data = LinkData(**{name: tables[table] for name, table in TABLES.items()})
    records = data.records.num_rows
    if not records:
        return Linkable(0, 0, {})
    encoded = encode(model, data)
    keys = {
        key: _present(encoded.features[key], records)
        for rule in model.blocking
        for key in rule.keys
        if key in encoded.features
    }
    filled = _fields(keys, records)
    now = _can_be_linked(model, keys, filled)
    gains = {}
    for field in filled:
        completed = {
            key: mask | _all_of(fields_of_key(key), {**filled, field: np.ones(records, bool)})
            if field in fields_of_key(key)
            else mask
            for key, mask in keys.items()
        }
        then = _can_be_linked(model, completed, {**filled, field: np.ones(records, bool)})
        gains[field] = int(then.sum() - now.sum())
    return Linkable(records, int(now.sum()), gains)


def _present(feature: Any, records: int) -> Mask:
    """Return which records have a value of a feature."""
    found: Mask = np.zeros(records, dtype=bool)
    found[feature.record_of_each()] = True
    return found


def _fields(keys: Mapping[str, Mask], records: int) -> dict[str, Mask]:
    """Return which records have each field, as the keys that are made from that field alone tell."""
    filled: dict[str, Mask] = {}
    for key, mask in keys.items():
        if not is_open(key) and len(KEY_FIELDS[key]) == 1:
            field = KEY_FIELDS[key][0]
            filled[field] = filled.get(field, np.zeros(records, bool)) | mask
    return filled


def _all_of(fields: tuple[str, ...], filled: Mapping[str, Mask]) -> Mask:
    together: Mask = np.logical_and.reduce([filled[field] for field in fields])
    return together


def _can_be_linked(model: LinkageModel, keys: Mapping[str, Mask], filled: Mapping[str, Mask]) -> Mask:
    """Return which records some blocking rule finds, and whose evidence would be enough."""
    rules = [[keys[key] for key in rule.keys] for rule in model.blocking if set(rule.keys) <= set(keys)]
    found = np.logical_or.reduce([np.logical_and.reduce(masks) for masks in rules])
    weight = np.full(len(found), log2(model.prior / (1 - model.prior)))
    for comparison in model.comparisons:
        if comparison.field in filled:
            level = comparison.levels[1 if len(comparison.levels) > 2 else 0]
            weight += log2(level.m / level.u) * filled[comparison.field]
    enough: Mask = weight >= log2(model.link_probability / (1 - model.link_probability))
    linkable: Mask = found & enough
    return linkable
