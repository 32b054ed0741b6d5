"""SQL of the tests that levels are made of: some value of one record and some value of the other meet a condition.

A column holds one value per record, or a list of values; null when there is none. Jaro-Winkler is DuckDB's (the
same as jellyfish's on folded ASCII, but for the last bit: `predicates.SIMILARITY_SLACK`). Edit distance is
Damerau's, unrestricted; up to one edit that is the same as optimal string alignment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

DAYS_IN_A_YEAR = 366

Part = Callable[[str, str], str]


@dataclass(frozen=True)
class Dialect:
    """What SQL calls the few functions that databases name differently; `{a}` and `{b}` are their arguments.

    `best_similarity` is a function of two whole lists, where a database has no similarity of ours to call inside.
    `part` is a part of a structure; where it works on what lambdas are given only, dates must be lists.
    """

    name: str
    overlap: str
    contains: str
    any_pair: str
    similarity: str
    edits: str
    part: str
    best_similarity: str | None = None
    dates_in_lists: bool = False


DUCKDB = Dialect(
    name="duckdb",
    overlap="list_has_any({a}, {b})",
    contains="list_contains({a}, {b})",
    any_pair=(
        "list_max(list_transform({a}, lambda x: list_max(list_transform({b}, lambda y:"
        " CASE WHEN {test} THEN 1 ELSE 0 END)))) = 1"
    ),
    similarity="jaro_winkler_similarity({a}, {b})",
    edits="damerau_levenshtein({a}, {b})",
    part="struct_extract({a}, '{b}')",
)
# Spark's jar of Splink has another variant of Jaro-Winkler: `best_similarity` is ours, see `backends.py`.
SPARK = Dialect(
    name="spark",
    overlap="arrays_overlap({a}, {b})",
    contains="array_contains({a}, {b})",
    any_pair=(
        "array_max(transform({a}, x -> array_max(transform({b}, y -> CASE WHEN {test} THEN 1 ELSE 0 END)))) = 1"
    ),
    similarity="jaro_winkler({a}, {b})",
    edits="damerau_levenshtein({a}, {b})",
    part="{a}.{b}",
    best_similarity="best_similarity({a}, {b})",
    dates_in_lists=True,
)


def calendar_part(value: str, part: str) -> str:
    """Return a part of a date held as a DATE, known to the day (DuckDB)."""
    if part == "digits":
        return f"strftime({value}, '%Y%m%d')"
    return f"year({value})" if part.startswith("year") else value


@dataclass(frozen=True)
class Renderer:
    """Renders tests in a dialect; features in `lists` are columns of lists, others hold one value per record.

    A feature has a column of its own name, dots as underscores, unless `names` has another for it. Where columns
    hold codes, `texts` is what the name of the column with their texts ends with.
    """

    dialect: Dialect
    lists: frozenset[str]
    part: Part | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    texts: str = ""

    def column(self, feature: str) -> str:
        """Return the name of a feature's column."""
        return self.names.get(feature, feature).replace(".", "_")

    def share(self, left: str, right: str) -> str:
        """Return the test that a value of `left` of either record is a value of `right` of the other."""
        one_way = self._share(left, right)
        return one_way if left == right else f"({one_way} OR {self._share(right, left)})"

    def _share(self, left: str, right: str) -> str:
        a, b = f"{self.column(left)}_l", f"{self.column(right)}_r"
        match left in self.lists, right in self.lists:
            case True, True:
                return self.dialect.overlap.format(a=a, b=b)
            case True, False:
                return self.dialect.contains.format(a=a, b=b)
            case False, True:
                return self.dialect.contains.format(a=b, b=a)
            case _:
                return f"{a} = {b}"

    def similar(self, feature: str, at_least: float) -> str:
        """Return the test that two values have at least this Jaro-Winkler similarity."""
        best = self.dialect.best_similarity
        if best is not None:
            column = self.column(feature) + self.texts
            sides = [
                f"{column}_{side}" if feature in self.lists else f"array({column}_{side})" for side in "lr"
            ]
            return f"{best.format(a=sides[0], b=sides[1])} >= {at_least!r}"
        return self._any_pair(
            feature, lambda x, y: f"{self.dialect.similarity.format(a=x, b=y)} >= {at_least!r}", texts=True
        )

    def edited(self, feature: str) -> str:
        """Return the test that two values are at most one edit apart."""
        return self._any_pair(feature, lambda x, y: f"{self.dialect.edits.format(a=x, b=y)} <= 1", texts=True)

    def date(self, feature: str, condition: str, years: int) -> str:
        """Return the test of a condition of dates; see `pipelines.link.dates` for what each means."""
        return self._any_pair(feature, lambda x, y: self._date(condition, years, x, y))

    def missing(self, present: tuple[str, ...]) -> str:
        """Return the test that either record has a value of none of these features."""
        sides = [
            " AND ".join(f"{self.column(feature)}_{side} IS NULL" for feature in present)
            for side in ("l", "r")
        ]
        return f"({' OR '.join(f'({each})' if len(present) > 1 else each for each in sides)})"

    def _any_pair(self, feature: str, test: Callable[[str, str], str], texts: bool = False) -> str:
        column = self.column(feature) + (self.texts if texts else "")
        a, b = f"{column}_l", f"{column}_r"
        if feature not in self.lists:
            return test(a, b)
        return self.dialect.any_pair.format(a=a, b=b, test=test("x", "y"))

    def _date(self, condition: str, years: int, x: str, y: str) -> str:
        """Return the test of two dates; where all are known to the day, nothing is said about spans."""
        of = self.part or (lambda value, part: self.dialect.part.format(a=value, b=part))
        both = f"({of(x, 'exact')} AND {of(y, 'exact')})"
        overlap = f"({of(x, 'day0')} <= {of(y, 'day1')} AND {of(y, 'day0')} <= {of(x, 'day1')})"
        width = f"greatest({of(x, 'day1')} - {of(x, 'day0')}, {of(y, 'day1')} - {of(y, 'day0')})"
        gap = f"greatest({of(x, 'year0')} - {of(y, 'year1')}, {of(y, 'year0')} - {of(x, 'year1')})"
        known = "" if self.part is calendar_part else f"{both} AND "
        apart = "" if self.part is calendar_part else f" AND NOT (NOT {both} AND {overlap})"
        match condition:
            case "equal":
                return f"{known}{of(x, 'day0')} = {of(y, 'day0')}"
            case "one_edit":
                return f"{known}{self.dialect.edits.format(a=of(x, 'digits'), b=of(y, 'digits'))} = 1"
            case "day_month_swapped":
                return f"{known}{of(x, 'digits')} = {_crossed(of(y, 'digits'))}"
            case "same_month":
                return f"{known}{_cut(of(x, 'digits'), 1, 6)} = {_cut(of(y, 'digits'), 1, 6)}"
            case "imprecise":
                return f"NOT {both} AND {overlap} AND {width} <= {DAYS_IN_A_YEAR}"
            case "age_range":
                return f"NOT {both} AND {overlap} AND {width} > {DAYS_IN_A_YEAR}"
            case "within_years":
                return f"{gap} <= {years}{apart}"
            case _:
                raise ValueError(f"no SQL for the date condition {condition}")


def _cut(text: str, start: int, length: int) -> str:
    return f"substring({text}, {start}, {length})"


def _crossed(digits: str) -> str:
    """Return yyyymmdd with month and day exchanged."""
    return f"concat({_cut(digits, 1, 4)}, {_cut(digits, 7, 2)}, {_cut(digits, 5, 2)})"


def first_level(tests: list[str], wanted: frozenset[int]) -> str:
    """Return the test that the first of `tests` that holds is one of `wanted`, by position."""
    last = max(wanted)
    branches = " ".join(
        f"WHEN {test} THEN {'TRUE' if at in wanted else 'FALSE'}" for at, test in enumerate(tests[: last + 1])
    )
    return f"CASE {branches} ELSE FALSE END"
