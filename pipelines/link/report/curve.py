"""The threshold as a picture: what is expected at every match weight, and where the threshold stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipelines.link.report.axis import Axis
from pipelines.words import percent

WIDTH, HEIGHT = 880, 446
LEFT, RIGHT = 66, 864
UPPER, LOWER = (36.0, 196.0), (254.0, 384.0)
LEAST_RATE = 1e-4
# How far the picture goes beyond the threshold: the curves hardly change there.
BEYOND = 24.0
NO_POSTERIOR_BEYOND = 14.0


def threshold_chart(threshold: Mapping[str, Any]) -> Markup:
    """Return recall, F1 and the false-link rate over the match weight; empty when there is no scored pair."""
    points = threshold["points"]
    if len(points) < 2:
        return Markup("")
    lowest, highest = points[-1]["weight"], points[0]["weight"]
    chosen = threshold["weight"]
    x = Axis(lowest, max(min(highest, max(chosen, lowest) + BEYOND), lowest + 1.0), LEFT, RIGHT)
    shown = [point for point in points if point["weight"] <= x.high]
    least = min(min(point["recall"], point["f1"]) for point in shown)
    share = Axis(min(int(least * 10) / 10, 0.9), 1.0, UPPER[1], UPPER[0])
    rate = Axis(LEAST_RATE, 1.0, LOWER[1], LOWER[0], log=True)
    parts = [
        _grid(share, share.ticks(5)),
        _grid(rate, rate.ticks()),
        _weights(x),
        _target(rate, threshold["target"]),
        _line("recall", shown, x, ("recall", share)),
        _line("f1", shown, x, ("f1", share)),
        _line("false", shown, x, ("false_link_rate", rate)),
        _chosen(x, threshold),
        _heading(UPPER[0], "Links found (recall), and F1"),
        _heading(LOWER[0], "Links that are false; each line is a tenth of the one above"),
    ]
    return Markup(
        '<svg class="curve" viewBox="0 0 {w} {h}" role="img" aria-label="{label}"><title>{label}</title>'
        "{parts}</svg>"
    ).format(w=WIDTH, h=HEIGHT, label=_in_words(threshold), parts=Markup("").join(parts))


def _in_words(threshold: Mapping[str, Any]) -> str:
    expected = threshold["estimates"]
    return (
        f"Threshold at a match weight of {threshold['weight']:.1f} bits, a posterior of"
        f" {percent(threshold['probability'])}: {percent(expected['false_link_rate'])} of links expected to be"
        f" false, recall {percent(expected['recall'])}, F1 {percent(expected['f1'])}"
    )


def _grid(axis: Axis, ticks: Sequence[float]) -> Markup:
    line = Markup(
        '<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text x="{text}" y="{base:.1f}" text-anchor="end">{label}</text>'
    )
    places = [(axis.at(tick), _short(tick)) for tick in ticks]
    return Markup("").join(
        line.format(left=LEFT, right=RIGHT, y=y, text=LEFT - 8, base=y + 4, label=label)
        for y, label in places
    )


def _short(share: float) -> str:
    return f"{share * 100:.6g}\u00a0%"


def _heading(top: float, words: str) -> Markup:
    heading = Markup('<text class="heading" x="{x}" y="{y:.1f}">{words}</text>')
    return heading.format(x=LEFT, y=top - 12, words=words)


def _weights(x: Axis) -> Markup:
    """Return the axis of match weights with the posterior below each."""
    label = Markup(
        '<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        '<text x="{x:.1f}" y="{first}" text-anchor="middle">{weight:g}</text>'
        '<text class="soft" x="{x:.1f}" y="{second}" text-anchor="middle">{posterior}</text>'
    )
    base = LOWER[1]
    ticks = [
        label.format(x=x.at(tick), top=base, bottom=base + 5, first=base + 19, second=base + 34, weight=tick,
                     posterior=_posterior(tick))
        for tick in x.ticks(12)
    ]  # fmt: skip
    ends = Markup('<text class="soft" x="{x}" y="{y}" text-anchor="end">{words}</text>')
    words = "match weight in bits, and below it the posterior probability of one person"
    return Markup("").join([*ticks, ends.format(x=RIGHT, y=base + 54, words=words)])


def _posterior(weight: float) -> str:
    if abs(weight) >= NO_POSTERIOR_BEYOND:
        return ""
    share = 1.0 / (1.0 + 2.0**-weight)
    return percent(share)


def _target(rate: Axis, target: float | None) -> Markup:
    if target is None:
        return Markup("")
    return Markup(
        '<line class="target" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text class="target" x="{right}" y="{base:.1f}" text-anchor="end">target {label}</text>'
    ).format(left=LEFT, right=RIGHT, y=rate.at(target), base=rate.at(target) - 5, label=_short(target))


def _line(name: str, points: Sequence[Mapping[str, float]], x: Axis, shown: tuple[str, Axis]) -> Markup:
    column, y = shown
    places = " ".join(f"{x.at(point['weight']):.1f},{y.at(point[column]):.1f}" for point in points)
    return Markup('<polyline class="{name}" points="{places}"/>').format(name=name, places=places)


def _chosen(x: Axis, threshold: Mapping[str, Any]) -> Markup:
    """Return the mark of the threshold, its label on the side where there is room."""
    place = x.at(threshold["weight"])
    is_left = place > (LEFT + RIGHT) / 2
    label = f"threshold {threshold['weight']:.1f} bits, posterior {percent(threshold['probability'])}"
    return Markup(
        '<line class="chosen" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        '<text class="chosen" x="{at:.1f}" y="{base}" text-anchor="{anchor}">{label}</text>'
    ).format(
        x=place, top=UPPER[0] - 4, bottom=LOWER[1], at=place - 6 if is_left else place + 6,
        base=UPPER[1] + 14, anchor="end" if is_left else "start", label=label,
    )  # fmt: skip
