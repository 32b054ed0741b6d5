"""A correction of the posterior: a shift and a scale on the log odds."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.link.thresholds.edges import Floats


@dataclass(frozen=True)
class Correction:
    """Corrected odds = shift + scale * weight, in bits; the scale is above zero, so no two edges change order."""

    shift: float = 0.0
    scale: float = 1.0

    def apply(self, weight: Floats) -> Floats:
        """Return the corrected log2 odds."""
        return self.shift + self.scale * weight


UNCHANGED = Correction()
