"""What a stage did with its rows: every input row is accounted for, or the stage raises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.errors import RowsDoNotBalance


@dataclass(frozen=True)
class StageReport:
    """The rows of one stage, as far as they concern one agency, file and period (None: all of them).

    `rows_out` are the input rows that contributed, not the rows that were written: a row may become several
    rows of the shared schema. Each input row is in exactly one of the four counts.
    """

    stage: str
    agency: str | None = None
    file: str | None = None
    period: str | None = None
    rows_in: int = 0
    rows_out: int = 0
    quarantined: int = 0
    duplicates: int = 0
    withheld: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accounted_for(self) -> int:
        """The input rows of which the end is known."""
        return self.rows_out + self.quarantined + self.duplicates + self.withheld

    def balanced(self) -> StageReport:
        """Return the report itself.

        Raises:
            RowsDoNotBalance: some input rows ended nowhere, or twice.
        """
        counts = (self.rows_in, self.rows_out, self.quarantined, self.duplicates, self.withheld)
        if self.rows_in != self.accounted_for or min(counts) < 0:
            raise RowsDoNotBalance(
                f"{self._place()}: {self.rows_in} rows in, but {self.rows_out} contributed"
                f" + {self.quarantined} quarantined + {self.duplicates} duplicate"
                f" + {self.withheld} withheld = {self.accounted_for}"
            )
        return self

    def as_row(self) -> dict[str, Any]:
        """Return the report as a row of `audit.stage_report`, without run and duration."""
        names = (
            "stage",
            "agency",
            "file",
            "period",
            "rows_in",
            "rows_out",
            "quarantined",
            "duplicates",
            "withheld",
        )
        return {**{name: getattr(self, name) for name in names}, "details": dict(self.details)}

    def _place(self) -> str:
        """Return what the report is about, in words."""
        return " ".join(part for part in (self.stage, self.agency, self.file, self.period) if part)


def total(reports: Iterable[StageReport]) -> StageReport:
    """Return one balanced report over several of a stage; agency, file and period stay where all agree.

    Raises:
        ValueError: there is no report, or they are of different stages.
        RowsDoNotBalance: the sum does not balance.
    """
    several = tuple(reports)
    stages = {report.stage for report in several}
    if len(stages) != 1:
        raise ValueError(f"reports of one stage are expected, not of {len(stages)}")
    return StageReport(
        stage=stages.pop(),
        agency=_shared(report.agency for report in several),
        file=_shared(report.file for report in several),
        period=_shared(report.period for report in several),
        rows_in=sum(report.rows_in for report in several),
        rows_out=sum(report.rows_out for report in several),
        quarantined=sum(report.quarantined for report in several),
        duplicates=sum(report.duplicates for report in several),
        withheld=sum(report.withheld for report in several),
    ).balanced()


def _shared(values: Iterable[str | None]) -> str | None:
    """Return the value on which all agree, else None."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None
