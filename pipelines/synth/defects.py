"""Defects of files rather than of people: labels in code columns, NULL literals, broken and doubled rows."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.synth.dice import Dice
from pipelines.synth.profiles import Profile
from pipelines.synth.records import Row


class Roughener:
    """Applies the defects of the profile's section `defects` to rows."""

    __slots__ = ("dice", "rates")

    def __init__(self, dice: Dice, rates: Profile) -> None:
        self.dice = dice
        self.rates = rates

    def text(self, row: Row, columns: Sequence[int]) -> None:
        """Leave a trailing space or lower case in one of the text columns, now and then."""
        roll = self.dice.random()
        place = columns[self.dice.below(len(columns))]
        if roll < self.rates["trailing_space"]:
            row[place] = f"{row[place]}  " if row[place] else ""
        elif roll < self.rates["trailing_space"] + self.rates["lower_case"]:
            for column in columns:
                row[column] = row[column].lower()

    def null(self, row: Row, columns: Sequence[int]) -> None:
        """Write NULL into an empty optional column, now and then."""
        if self.dice.chance(self.rates["null_literal"]):
            place = self.dice.pick(columns)
            row[place] = row[place] or "NULL"

    def newline(self, text: str) -> str:
        """Return the text with a line break after its first word, now and then."""
        if " " in text and self.dice.chance(self.rates["newline_in_address"]):
            return text.replace(" ", "\n", 1)
        return text

    def labelled(self, code: str, label: str) -> str:
        """Return the code, or now and then the code with its label in the same cell."""
        return f"{code} - {label}" if self.dice.chance(self.rates["code_with_label"]) else code

    def date_of_birth(self, text: str, impossible: str) -> str:
        """Return the date, or now and then one that no calendar has."""
        return impossible if text and self.dice.chance(self.rates["impossible_date"]) else text

    def rows(self, rows: list[Row], id_column: int) -> list[Row]:
        """Return an export's rows with some doubled and some without their local id."""
        out: list[Row] = []
        doubled, emptied = self.rates["exact_duplicate_row"], self.rates["empty_local_id"]
        for row in rows:
            out.append(row)
            roll = self.dice.random()
            if roll < doubled:
                out.append(row)
            elif roll < doubled + emptied:
                broken = list(row)
                broken[id_column] = ""
                out.append(broken)
        return out
