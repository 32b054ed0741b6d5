"""Everything about a threshold in one value: the choice, both error rates, and the three checks."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.link.thresholds.calibrate import CalibrationReport
from pipelines.link.thresholds.choose import Threshold
from pipelines.link.thresholds.decoy_check import DecoyReport, FalseLinks
from pipelines.link.thresholds.hidden import HiddenReport
from pipelines.link.thresholds.unique import UniqueReport


@dataclass(frozen=True)
class Held:
    """What the clusters as they were made hold: pairs, and bounds of the share of them that is two people."""

    pairs: int
    false_link_rate_low: float
    false_link_rate_high: float


@dataclass(frozen=True)
class ThresholdReport:
    """What was chosen and why it can be trusted; a check that could not be made is None, and `notes` says why.

    `skipped` says why no check was made at all; it is empty where they were made as far as the data allow.
    It holds counts, rates, names of sources and kinds of identifier; no value of any record.
    """

    threshold: Threshold
    held: Held | None = None
    decoys: DecoyReport | None = None
    false_links: tuple[FalseLinks, ...] = ()
    unique: UniqueReport | None = None
    hidden: tuple[HiddenReport, ...] = ()
    calibration: CalibrationReport | None = None
    notes: tuple[str, ...] = ()
    skipped: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        content = asdict(self)
        plain: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))
        return plain

    def to_json(self) -> str:
        """Return the report as JSON; keys are sorted, so that equal reports are equal texts."""
        return json.dumps(self.as_dict(), sort_keys=True)
