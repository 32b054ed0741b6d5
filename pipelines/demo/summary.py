"""What the demo found, as plain values: one dataclass, filled from the warehouse, shown and saved here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Linkage:
    """How well pairs of records inside published people agree with the truth."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class NamedLinkage:
    """The same measure for a part (a pair of agencies), or for a naive rule that we compare with."""

    name: str
    precision: float
    recall: float


@dataclass(frozen=True)
class StageRows:
    """How the rows of one agency's period went through one stage; they balance."""

    stage: str
    agency: str
    period: str
    rows_in: int
    rows_out: int
    quarantined: int
    duplicates: int
    withheld: int = 0


@dataclass(frozen=True)
class Expectations:
    """How many expectations passed, failed as a warning, and failed as critical."""

    passed: int
    warned: int
    failed: int


@dataclass(frozen=True)
class DemoSummary:
    """Everything the demo tells at its end."""

    people: int
    records: int
    seconds: float
    linkage: Linkage
    stages: Sequence[StageRows]
    expectations: Expectations
    links: int = 0
    by_agencies: Sequence[NamedLinkage] = ()
    baselines: Sequence[NamedLinkage] = ()
    skipped: Sequence[str] = ()
    notes: Sequence[str] = ()
    next_steps: Sequence[tuple[str, str]] = field(default_factory=tuple)

    def save(self, path: Path) -> None:
        """Write the figures that other programs read; what is only for people stays out."""
        figures = {
            "people": self.people,
            "records": self.records,
            "seconds": round(self.seconds, 1),
            "linkage": {name: round(value, 4) for name, value in asdict(self.linkage).items()},
            "stages": [asdict(stage) for stage in self.stages],
            "expectations": asdict(self.expectations),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
