"""How seconds and memory grow with the records, as an SVG picture: two panels, both axes logarithmic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from xml.sax.saxutils import escape

PANEL_WIDTH, PANEL_HEIGHT = 330, 250
LEFT, TOP, BETWEEN, BELOW = 62, 64, 74, 64
# Ours is a circle with its figures below the line, the others squares with theirs above.
COLOURS = {
    "fused": "#1d5f8a",
    "splink": "#b4551f",
    "recordlinkage": "#5d6b2f",
    "ours": "#1d5f8a",
    "rival": "#b4551f",
}
OURS = ("fused", "ours")
NAMES = {
    "fused": "joinedup (fused)",
    "splink": "Splink 5 (DuckDB)",
    "recordlinkage": "recordlinkage",
    "ours": "joinedup",
    "rival": "pandas, COPY and Splink 5",
}
STYLE = (
    "text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#222}"
    ".title{font-weight:600;font-size:14px}.tick,.unit{font-size:11.5px;fill:#555}.grid{stroke:#e3e3e3}"
    ".value{font-size:11.5px;paint-order:stroke;stroke:#fff;stroke-width:3px}polyline{fill:none;stroke-width:2.2}"
)

# Per contender its points: (records, amount).
Series = Mapping[str, Sequence[tuple[int, float]]]


@dataclass(frozen=True)
class Panel:
    """One picture: what it shows, the unit of its amounts, and the points of each contender."""

    title: str
    unit: str
    series: Series


@dataclass(frozen=True)
class _Axes:
    """Where a number of records and an amount stand in the picture."""

    left: float
    low_x: float
    high_x: float
    low_y: float
    high_y: float

    @classmethod
    def around(cls, left: float, series: Series) -> _Axes:
        records = [log10(x) for points in series.values() for x, _ in points]
        amounts = [log10(y) for points in series.values() for _, y in points]
        high = max(ceil(max(amounts) + 0.08), floor(min(amounts)) + 1)
        return cls(left, min(records) - 0.15, max(records) + 0.25, floor(min(amounts) - 0.05), high)

    def x(self, records: float) -> float:
        return self.left + PANEL_WIDTH * (log10(records) - self.low_x) / (self.high_x - self.low_x)

    def y(self, amount: float) -> float:
        return TOP + PANEL_HEIGHT * (self.high_y - log10(amount)) / (self.high_y - self.low_y)


def growth_svg(panels: Sequence[Panel], note: str) -> str:
    """Return the picture of all panels; a legend above, `note` below."""
    width = LEFT + len(panels) * (PANEL_WIDTH + BETWEEN) - BETWEEN + 30
    height = TOP + PANEL_HEIGHT + BELOW
    label = escape("; ".join(_in_words(panel) for panel in panels), {'"': "&quot;"})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{label}">',
        f"<title>{label}</title><style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        _legend([name for name in NAMES if any(name in panel.series for panel in panels)]),
    ]
    for at, panel in enumerate(panels):
        parts.append(_panel(panel, _Axes.around(LEFT + at * (PANEL_WIDTH + BETWEEN), panel.series)))
    parts.append(f'<text class="unit" x="{LEFT}" y="{height - 8}">{escape(note)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(names: Sequence[str]) -> str:
    parts, left = [], float(LEFT)
    for name in names:
        parts.append(_mark(name, left + 5, 16))
        parts.append(f'<text x="{left + 16:.0f}" y="20.5">{escape(NAMES[name])}</text>')
        left += 40 + 7.2 * len(NAMES[name])
    return "".join(parts)


def _panel(panel: Panel, axes: _Axes) -> str:
    title = f'<text class="title" x="{axes.left}" y="{TOP - 14}">{escape(panel.title)}</text>'
    parts = [title, _grid(axes, panel)]
    for name, points in panel.series.items():
        places = [(axes.x(records), axes.y(amount)) for records, amount in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" stroke="{COLOURS[name]}"/>')
        above = name not in OURS
        for (x, y), (_, amount) in zip(places, points, strict=True):
            parts.append(_mark(name, x, y))
            shown = f"{_short(amount)} {panel.unit}"
            height = y - 9 if above else y + 19
            parts.append(
                f'<text class="value" text-anchor="middle" x="{x:.1f}" y="{height:.1f}">{shown}</text>'
            )
    return "\n".join(parts)


def _grid(axes: _Axes, panel: Panel) -> str:
    """Return lines and labels: one per power of ten up, one per number of records across."""
    right, parts = axes.left + PANEL_WIDTH, []
    for power in range(int(axes.low_y), int(axes.high_y) + 1):
        y = axes.y(10.0**power)
        parts.append(f'<line class="grid" x1="{axes.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick" text-anchor="end" x="{axes.left - 6}" y="{y + 4:.1f}">'
            f"{_short(10.0**power)} {panel.unit}</text>"
        )
    bottom = TOP + PANEL_HEIGHT
    for records in sorted({records for points in panel.series.values() for records, _ in points}):
        x = axes.x(records)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{bottom + 17}">{_records(records)}</text>'
        )
    middle = axes.left + PANEL_WIDTH / 2
    parts.append(f'<text class="unit" text-anchor="middle" x="{middle}" y="{bottom + 34}">records</text>')
    return "\n".join(parts)


def _mark(name: str, x: float, y: float) -> str:
    if name in OURS:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.2" fill="{COLOURS[name]}"/>'
    return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{COLOURS[name]}"/>'


def _short(amount: float) -> str:
    return f"{amount:.2g}" if amount < 10 else f"{amount:,.0f}"


def _records(count: int) -> str:
    return f"{count / 1e6:g} million" if count >= 1_000_000 else f"{count:,}"


def _in_words(panel: Panel) -> str:
    """Return a panel as a sentence, for those who do not see it."""
    series = [
        f"{NAMES[name]} "
        + ", ".join(f"{_short(amount)} {panel.unit} for {_records(records)}" for records, amount in points)
        for name, points in panel.series.items()
    ]
    return f"{panel.title}: {'; '.join(series)}"
