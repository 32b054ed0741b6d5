"""Which record a row belongs to, and features made from the columns of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.columns import Column, code_column
from pipelines.link.data import LinkData
from pipelines.link.features import Codes, Feature, Ints, make_feature
from pipelines.link.order import order_of_texts


@dataclass(frozen=True)
class Placing:
    """The data, and for each record of `data.records` its place in the order of ids."""

    data: LinkData
    place: Ints

    @classmethod
    def of(cls, data: LinkData) -> tuple[Placing, Ints]:
        """Return the placing of some data, and the order: which record stands at each place."""
        order = order_of_texts(data.records["record_id"])
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return cls(data, place), order

    @property
    def size(self) -> int:
        """How many records there are."""
        return len(self.place)

    def rows(self, table: str) -> Ints:
        """Return the place of the record of each row of a table."""
        return self.place[self.data.positions(table)]

    def column(self, at: Ints, column: Column) -> Feature:
        """Return the feature whose values stand in a column, row by row with `at`."""
        codes, values = code_column(column)
        return make_feature(at, codes, len(values), self.size, values)

    def codes(self, at: Ints, codes: Codes, size: int, values: Ints | None = None) -> Feature:
        """Return the feature of codes that are already made; its values have no text, at most a hash."""
        return make_feature(at, codes, size, self.size, values)
