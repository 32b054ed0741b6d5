"""Small inline SVG pictures: a trend in a line, and where the rows of a stage went in a bar."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pipelines.quality.report_model import StageLine, TrendPoint
from pipelines.words import number, percent

WIDTH, HEIGHT, MARGIN = 96, 24, 4
BAR_WIDTH = 240
POINT = 2.4


def sparkline(points: Sequence[TrendPoint]) -> Markup:
    """Return the trend over the latest runs as inline SVG; a failure is a square, a success a dot."""
    if len(points) < 2:
        return Markup('<span class="quiet">first time</span>')
    places = list(zip(_across(len(points)), _heights([point.amount for point in points]), strict=True))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = Markup("").join(_mark(point, *place) for point, place in zip(points, places, strict=True))
    label = _in_words(points)
    return Markup(
        '<svg class="trend" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">'
        '<title>{label}</title><polyline points="{line}"/>{marks}</svg>'
    ).format(w=WIDTH, h=HEIGHT, label=label, line=line, marks=marks)


def _across(count: int) -> list[float]:
    step = (WIDTH - 2 * MARGIN) / (count - 1)
    return [MARGIN + place * step for place in range(count)]


def _heights(amounts: Sequence[float]) -> list[float]:
    """Return a height per amount, the largest at the top; equal amounts lie in the middle, zeros at the bottom."""
    low, high = min(amounts), max(amounts)
    if low == high:
        return [HEIGHT - MARGIN if high == 0 else HEIGHT / 2] * len(amounts)
    return [HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (amount - low) / (high - low) for amount in amounts]


def _mark(point: TrendPoint, x: float, y: float) -> Markup:
    if point.success:
        return Markup('<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>').format(x=x, y=y, r=POINT)
    left, top, side = x - POINT, y - POINT, 2 * POINT
    square = Markup('<rect class="failed" x="{left:.1f}" y="{top:.1f}" width="{side}" height="{side}"/>')
    return square.format(left=left, top=top, side=side)


def _in_words(points: Sequence[TrendPoint]) -> str:
    """Return the trend as a sentence, for those who do not see it."""
    before, now = points[-2].amount, points[-1].amount
    shown = percent if max(point.amount for point in points) <= 1 else number
    change = "unchanged" if before == now else f"{shown(before)} before"
    return f"{shown(now)} now, {change}, {len(points)} runs shown"


def rows_bar(line: StageLine) -> Markup:
    """Return a stacked bar of where the rows went; empty where there were none."""
    if not line.rows_in:
        return Markup("")
    parts = (
        ("kept", line.rows_out),
        ("duplicates", line.duplicates),
        ("withheld", line.withheld),
        ("quarantined", line.quarantined),
    )
    label = ", ".join(f"{number(rows)} {name}" for name, rows in parts if rows)
    bars, left = [], 0.0
    for name, rows in parts:
        width = max(BAR_WIDTH * rows / line.rows_in, 3) if rows else 0.0
        rect = Markup('<rect class="{name}" x="{left:.1f}" y="0" width="{width:.1f}" height="10"/>')
        bars.append(rect.format(name=name, left=min(left, BAR_WIDTH - width), width=width))
        left += width
    return Markup(
        '<svg class="rows" viewBox="0 0 {w} 10" preserveAspectRatio="none" role="img" aria-label="{label}">'
        "<title>{label}</title>{bars}</svg>"
    ).format(w=BAR_WIDTH, label=label, bars=Markup("").join(bars))
