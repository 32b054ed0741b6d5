"""The pieces of a page about a linkage: macros, filters and a style sheet that any page may take in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.link.report import bars, curve, told
from pipelines.words import duration, number, percent, title

TEMPLATES = Path(__file__).parent / "templates"
SHEET = TEMPLATES / "linking.css"

FILTERS: dict[str, Callable[..., Any]] = {
    "title": title,
    "number": number,
    "percent": percent,
    "duration": duration,
    "between": told.between,
    "sentence": told.sentence,
    "one_in": told.one_in,
    "method": told.method,
    "objective": told.objective,
    "probability": told.probability,
    "signed": told.signed,
    "source_pair": told.source_pair,
    "household_prior": told.household_prior,
    "key": told.key,
    "rounds": told.rounds,
    "cuts": told.cuts,
    "furthest": told.furthest,
    "threshold_chart": curve.threshold_chart,
    "size_chart": bars.size_chart,
    "weight_axis": bars.weight_axis,
    "weight_scale": bars.weight_scale,
    "weight_bar": bars.weight_bar,
    "share_bar": bars.share_bar,
}
GLOBALS: dict[str, Any] = {"decoy_kinds": told.DECOY_KINDS}
