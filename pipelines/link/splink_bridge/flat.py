"""Encoded records as the flat table that exported settings want: for benchmarks, and a first look in Splink."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.contracts.model import LinkageModel
from pipelines.link.dates import unpack_spans
from pipelines.link.encode import Encoded
from pipelines.link.features import NONE, Feature, Ints, make_feature
from pipelines.link.predicates import comparison_features, compile_comparisons
from pipelines.link.splink_bridge.exporting import export_renderer
from pipelines.link.splink_bridge.tables import place_values, variant_feature


def flat_table(model: LinkageModel, encoded: Encoded, *, aliases: bool = False) -> pa.Table:
    """Return one row per record with the columns that `export_settings(..., aliases=aliases)` speaks of.

    Without `aliases` a column holds the first of a record's values. `unique_id` is the position of the record. What
    has no text of its own (both names in either order, single letters) is a number: equal where the text would be.
    """
    renderer = export_renderer(model, aliases)
    columns = {
        "unique_id": pa.array(np.arange(encoded.size, dtype=np.int32)),
        "record_id": encoded.record_ids,
    }
    for name, feature in _features(model, encoded).items():
        is_date = name == "birth"
        kept = _known_days(feature) if is_date else feature
        columns[renderer.column(name)] = place_values(kept, _values(kept, is_date), name in renderer.lists)
    return pa.table(columns)


def _features(model: LinkageModel, encoded: Encoded) -> dict[str, Feature]:
    """Return the features of comparisons and keys; days are taken from `birth`, where that is compared."""
    names = {*comparison_features(model), *(key for rule in model.blocking for key in rule.keys)}
    if "birth" in names:
        names.discard("date_of_birth")
    found = {name: encoded.features[name] for name in sorted(names)}
    for comparison in compile_comparisons(model):
        for each in comparison.predicates:
            if each.operation == "variant":
                adjacent = encoded.variants[each.left]
                found[f"{each.left}_variants"] = variant_feature(encoded.features[each.left], adjacent)
    return found


def _known_days(feature: Feature) -> Feature:
    """Return the dates that are known to the day, as days since 1970."""
    spans = unpack_spans(np.asarray(feature.values, dtype=np.int64))
    codes = feature.rows[1]
    kept = np.where(spans.exact[codes], codes, NONE).astype(np.int32)
    return make_feature(feature.record_of_each(), kept, feature.size, feature.records, spans.first)


def _are_hashes(values: pa.Array | Ints) -> bool:
    """Return whether values are numbers of 64 bits."""
    return isinstance(values, np.ndarray) and bool(np.abs(values).max(initial=0) > np.iinfo(np.int32).max)


def _values(feature: Feature, is_date: bool) -> pa.Array:
    """Return the value of each row of a feature; its code where it has no values, or they are hashes."""
    codes = feature.rows[1]
    if feature.values is None or _are_hashes(feature.values):
        return pa.array(codes, pa.int32())
    if isinstance(feature.values, pa.Array):
        return feature.values.take(pa.array(codes))
    numbers = pa.array(feature.values[codes].astype(np.int32), pa.int32())
    return numbers.cast(pa.date32()) if is_date else numbers
