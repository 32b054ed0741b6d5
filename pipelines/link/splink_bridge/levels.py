"""One level of a Splink comparison as a condition of ours."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.contracts.conditions import CONDITIONS
from pipelines.contracts.conditions import Condition as When
from pipelines.link.splink_bridge.parse import Test

DAYS_IN_A_YEAR = 365.25


@dataclass(frozen=True)
class Condition:
    """A condition of a level with its value, and what its meaning loses or gains here."""

    when: When
    at_least: float | None = None
    years: int | None = None
    note: str | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """A name for a level with this condition."""
        if self.at_least is not None:
            return f"{self.when}_{round(self.at_least * 100)}"
        if self.years is not None:
            return f"{self.when}_{self.years}"
        return "exact" if self.when == "equal" else self.when


def read_condition(tests: tuple[Test, ...] | None, kind: str) -> Condition | None:
    """Return the condition that a level's tests amount to in a comparison of this kind; None when there is none."""
    if tests is None or len(tests) != 1 or tests[0].column is None:
        return None
    found = _read(tests[0], kind)
    return found if found is not None and found.when in CONDITIONS[kind] else None


def _read(test: Test, kind: str) -> Condition | None:
    match test.relation, test.left.part:
        case "equal", "value":
            return Condition("same_postcode" if kind == "address" else "equal")
        case "shared", "value" if test.amount == 1:
            return Condition("equal")
        case "equal", "local_part":
            return Condition("same_local_part")
        case "equal", "outward":
            return Condition("same_outward")
        case "equal", "month":
            return Condition("same_month")
        case "equal", "year":
            return Condition("within_years", years=0)
        case "similar", "value" if test.amount > 0:
            return Condition("similar", at_least=test.amount)
        case "edits", "value" if test.amount == 1:
            return Condition("one_edit", note="two neighbours that changed places count as one edit here")
        case "days", "value" if test.amount >= DAYS_IN_A_YEAR:
            years = round(test.amount / DAYS_IN_A_YEAR)
            return Condition(
                "within_years", years=years, note="years are counted by the calendar here, not in days"
            )
        case _:
            return None
