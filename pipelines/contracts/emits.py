"""How a contract says which rows of the shared schema a row of an agency's file becomes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from pipelines.contracts.shared import normalised_tables
from pipelines.contracts.strict import Strict


class Condition(Strict):
    """A test of one column: among some values, containing a text, filled or empty."""

    column: str
    among: tuple[str, ...] | None = Field(default=None, alias="in")
    contains: str | None = None
    filled: bool | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        if sum(test is not None for test in (self.among, self.contains, self.filled)) != 1:
            raise ValueError("exactly one of in, contains, filled is expected")
        return self

    def columns(self) -> Iterator[str]:
        """The column that is tested."""
        yield self.column


class Source(Strict):
    """Where a value comes from: a column, one key of the JSON object in a column, or a constant.

    `then` names columns that continue the first one, as where each given name has a column of its own; what stands
    in them follows after a space.
    """

    column: str | None = None
    then: tuple[str, ...] = ()
    json_key: str | None = None
    value: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_column(cls, content: Any) -> Any:
        return {"column": content} if isinstance(content, str) else content

    @model_validator(mode="after")
    def _one_source(self) -> Source:
        if (self.column is None) == (self.value is None):
            raise ValueError("either a column or a value is expected")
        if self.json_key and not self.column:
            raise ValueError("json_key is expected together with a column")
        if self.then and (self.json_key or not self.column):
            raise ValueError("then is expected together with a column, and without json_key")
        return self

    def columns(self) -> Iterator[str]:
        """Every column that is read."""
        if self.column:
            yield self.column
        yield from self.then


class Emit(Strict):
    """One row of a shared table, made from each row of the file that meets the condition."""

    table: str
    when: Condition | None = None
    set: dict[str, Source] = Field(default_factory=dict)
    attributes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known_targets(self) -> Emit:
        tables = normalised_tables()
        if self.table not in tables:
            raise ValueError(f"table: expected one of {sorted(tables)}")
        inputs = tables[self.table].inputs
        for target in self.set:
            if target not in inputs:
                raise ValueError(f"set.{target}: expected one of {sorted(inputs)}")
        if self.attributes and "attributes" not in inputs:
            raise ValueError("attributes: expected only for table event")
        return self

    def columns(self) -> Iterator[str]:
        """Every column of the file that this emit reads."""
        if self.when:
            yield self.when.column
        for source in self.set.values():
            yield from source.columns()
        yield from self.attributes
