"""Bars: what a level weighs, to the left or to the right; people by their records; shares of a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipelines.link.report.axis import Axis
from pipelines.words import number

WEIGHT_WIDTH, WEIGHT_HEIGHT = 300, 14
SIZE_WIDTH, SIZE_HEIGHT, SIZE_BASE, SIZE_TOP = 880, 230, 186, 30
# Sizes shown one by one; larger ones stand in bands that double.
SINGLE_SIZES = 9
SHARE_WIDTH = 160


def weight_axis(comparisons: Sequence[Mapping[str, Any]]) -> Axis:
    """Return the axis that all levels of a model share."""
    weights = [
        level["weight"] for each in comparisons for level in each["levels"] if level["weight"] is not None
    ]
    low, high = min([-1.0, *weights]), max([1.0, *weights])
    return Axis(float(math.floor(low)), float(math.ceil(high)), 2.0, WEIGHT_WIDTH - 2.0)


def weight_bar(weight: float | None, axis: Axis) -> Markup:
    """Return a bar to the right for evidence of one person, to the left for evidence of two."""
    if weight is None:
        return Markup('<span class="quiet">no weight</span>')
    middle, end = axis.at(0.0), axis.at(weight)
    label = f"{weight:+.1f} bits, evidence {'of one person' if weight >= 0 else 'of two people'}"
    return Markup(
        '<svg class="weight" viewBox="0 0 {w} {h}" role="img" aria-label="{label}"><title>{label}</title>'
        '<rect class="{side}" x="{x:.1f}" y="2" width="{width:.1f}" height="{thick}"/>'
        '<line x1="{middle:.1f}" x2="{middle:.1f}" y1="0" y2="{h}"/></svg>'
    ).format(
        w=WEIGHT_WIDTH, h=WEIGHT_HEIGHT, label=label, side="one" if weight >= 0 else "two", middle=middle,
        x=min(middle, end), width=max(abs(end - middle), 1.0), thick=WEIGHT_HEIGHT - 4,
    )  # fmt: skip


def weight_scale(axis: Axis) -> Markup:
    """Return the scale above the bars, in bits."""
    ticks = Markup("").join(
        Markup('<text x="{x:.1f}" y="11" text-anchor="middle">{tick:g}</text>').format(
            x=axis.at(tick), tick=tick
        )
        for tick in axis.ticks(6)
        if axis.start + 8 <= axis.at(tick) <= axis.end - 8
    )
    return Markup('<svg class="weight scale" viewBox="0 0 {w} {h}" aria-hidden="true">{ticks}</svg>').format(
        w=WEIGHT_WIDTH, h=WEIGHT_HEIGHT, ticks=ticks
    )


def size_bands(sizes: Sequence[Mapping[str, int]]) -> list[tuple[str, int]]:
    """Return how many people have how many records: sizes up to nine one by one, then in bands that double."""
    if not sizes:
        return []
    largest = max(each["records"] for each in sizes)
    bounds = list(range(1, min(largest, SINGLE_SIZES) + 1))
    edge = SINGLE_SIZES + 1
    bands = [(size, size) for size in bounds]
    while edge <= largest:
        bands.append((edge, edge * 2 - 1))
        edge *= 2
    return [
        (
            str(low) if low == high else f"{low}–{high}",
            sum(each["people"] for each in sizes if low <= each["records"] <= high),
        )
        for low, high in bands
    ]


def size_chart(sizes: Sequence[Mapping[str, int]]) -> Markup:
    """Return people by their number of records, as bars; empty when there is nobody."""
    bands = size_bands(sizes)
    if not bands:
        return Markup("")
    most = max(people for _, people in bands)
    step = SIZE_WIDTH / max(len(bands), 4)
    width = min(step * 0.62, 70.0)
    bars = Markup("").join(
        _size_bar((place + 0.5) * step, width, band, most) for place, band in enumerate(bands)
    )
    label = "; ".join(f"{number(people)} people with {size} records" for size, people in bands if people)
    return Markup(
        '<svg class="sizes" viewBox="0 0 {w} {h}" role="img" aria-label="{label}"><title>{label}</title>'
        '<line class="grid" x1="0" x2="{w}" y1="{base}" y2="{base}"/>{bars}'
        '<text class="soft" x="{w}" y="{low}" text-anchor="end">records held to be one person</text></svg>'
    ).format(w=SIZE_WIDTH, h=SIZE_HEIGHT, base=SIZE_BASE, low=SIZE_HEIGHT - 6, label=label, bars=bars)


def _size_bar(middle: float, width: float, band: tuple[str, int], most: int) -> Markup:
    size, people = band
    height = max((SIZE_BASE - SIZE_TOP) * people / most, 1.5) if people else 0.0
    return Markup(
        '<rect class="people" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        '<text x="{middle:.1f}" y="{above:.1f}" text-anchor="middle">{people}</text>'
        '<text x="{middle:.1f}" y="{below}" text-anchor="middle">{size}</text>'
    ).format(
        left=middle - width / 2, top=SIZE_BASE - height, width=width, height=height, middle=middle,
        above=SIZE_BASE - height - 6, people=number(people), below=SIZE_BASE + 18, size=size,
    )  # fmt: skip


def share_bar(value: float, whole: float, label: str) -> Markup:
    """Return how much of a whole a value is, as a bar; empty where the whole is nothing."""
    if whole <= 0:
        return Markup("")
    width = SHARE_WIDTH * min(value / whole, 1.0)
    return Markup(
        '<svg class="share" viewBox="0 0 {w} 10" preserveAspectRatio="none" role="img" aria-label="{label}">'
        '<title>{label}</title><rect x="0" y="0" width="{width:.1f}" height="10"/></svg>'
    ).format(w=SHARE_WIDTH, width=max(width, 1.0) if value else 0.0, label=label)
