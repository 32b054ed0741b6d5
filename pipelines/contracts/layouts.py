"""Layouts: how a file was laid out in the periods in which it differed from what its contract says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from pydantic import Field, field_validator

from pipelines.contracts.columns import Column, Pattern, Place, RenamedColumn, one_or_many
from pipelines.contracts.strict import Strict
from pipelines.periods import require_period

FIRST_PERIOD, LAST_PERIOD = "0000-01", "9999-12"


class LayoutColumn(Strict):
    """What differs about one column; what is left out stays as the contract says. See `Column`."""

    header: Pattern | None = None
    at: Place | None = None
    path: str | None = None
    date: tuple[str, ...] = ()
    codes: str | None = Field(default=None, pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")
    absent: bool = False

    _one_or_many = field_validator("date", mode="before")(one_or_many)

    def over(self, column: Column) -> Column:
        """Return a column of the contract as it is in this layout."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        kind = RenamedColumn if self.header is not None else type(column)
        return kind.model_validate({**dict(column), **given})


class Layout(Strict):
    """The columns that differ in some periods, `YYYY-MM`, from the first to the last; either end may be open."""

    first: str = Field(default=FIRST_PERIOD, alias="from")
    last: str = Field(default=LAST_PERIOD, alias="until")
    columns: dict[str, LayoutColumn] = Field(min_length=1)

    @field_validator("first", "last")
    @classmethod
    def _is_period(cls, value: str) -> str:
        return require_period(value)

    def covers(self, period: str) -> bool:
        """Whether files of this period are laid out so."""
        return self.first <= period <= self.last

    def over(self, columns: Mapping[str, Column]) -> dict[str, Column]:
        """Return the contract's columns as they are in this layout, in the same order."""
        return {
            name: self.columns[name].over(column) if name in self.columns else column
            for name, column in columns.items()
        }


def layout_problems(
    layouts: tuple[Layout, ...], columns: Mapping[str, Column], relied_on: set[str]
) -> Iterator[str]:
    """Yield what is wrong with a file's layouts; the columns that it relies on may not be absent."""
    for number, layout in enumerate(layouts):
        if layout.first > layout.last:
            yield f"layouts.{number}: from is expected not to be later than until"
        for name, changed in layout.columns.items():
            place = f"layouts.{number}.columns.{name}"
            if name not in columns:
                yield f"{place}: is not a column of the file"
            elif not changed.model_fields_set:
                yield f"{place}: expected to say what differs"
            elif changed.absent and (name in relied_on or columns[name].required):
                yield f"{place}: may not be absent, it is required, a key or the local id"
    for (one, first), (other, second) in combinations(enumerate(layouts), 2):
        if first.first <= second.last and second.first <= first.last:
            yield f"layouts.{other}: its periods overlap those of layouts.{one}"
