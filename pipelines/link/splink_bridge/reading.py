"""Reading the comparisons of a Splink model: which of ours each is, its levels, and what is not taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pipelines.contracts.conditions import LAST_CONDITION
from pipelines.contracts.model import Comparison, Level
from pipelines.link.splink_bridge.columns import Meaning, meanings, plain_name
from pipelines.link.splink_bridge.levels import Condition, read_condition
from pipelines.link.splink_bridge.own import own_meaning, types_of
from pipelines.link.splink_bridge.parse import Test, canonical, parse_condition, true_branches

SMALLEST = 1e-12
ELSE = "ELSE"
IS_NAME = re.compile("[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class SplinkLevel:
    """A level as it stands in the file, with its condition read as far as it can be."""

    label: str
    entry: Mapping[str, Any]
    sql: str | None
    tests: tuple[Test, ...] | None

    @property
    def is_else(self) -> bool:
        """Whether the level takes what is left."""
        return bool(self.entry["sql_condition"].strip().upper() == ELSE)


@dataclass(frozen=True)
class SplinkComparison:
    """A comparison as it stands in the file, without null levels; `silencing` are conditions that make it null."""

    label: str
    levels: tuple[SplinkLevel, ...]
    silencing: frozenset[str]
    own: tuple[Meaning, dict[str, Condition]] | None

    @property
    def column(self) -> str | None:
        """The column that the comparison is about, where it is about one only."""
        single = [level.tests[0].column for level in self.levels if level.tests and len(level.tests) == 1]
        return single[0] if single and len(set(single)) == 1 else None


@dataclass
class Taken:
    """A level that is taken, with the m and u of levels above it that are not."""

    condition: Condition
    m: float
    u: float
    term_frequency: bool
    level: SplinkLevel


@dataclass
class Comparisons:
    """The comparisons that were taken with their m and u, what their columns are, and what is not taken."""

    comparisons: list[Comparison] = field(default_factory=list)
    m: dict[str, tuple[float, ...]] = field(default_factory=dict)
    u: dict[str, tuple[float, ...]] = field(default_factory=dict)
    known: dict[str, Meaning] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_comparisons(entries: Sequence[Mapping[str, Any]], dialect: str) -> Comparisons:
    """Return the comparisons of a Splink model as ours."""
    found = Comparisons()
    read = [_read(entry, dialect) for entry in entries]
    own_fields = {each.own[0].field for each in read if each.own}
    columns = [each.column for each in read if each.column and not each.own]
    found.known = meanings(list(dict.fromkeys(columns)), own_fields)
    silenced: dict[str, str] = {}
    sqls: dict[str, list[str | None]] = {}
    for each in read:
        meaning = each.own[0] if each.own else found.known.get(each.column or "")
        taken = [] if meaning is None else _take_levels(found, each, meaning)
        if meaning is None or len(taken) < 2:
            why = (
                "it is not about one column that can be read"
                if meaning is None
                else "too few levels can be taken"
            )
            found.notes.append(f"comparison {each.label}: left out, {why}")
            continue
        name = _add(found, each.label, meaning, taken)
        sqls[name] = [each.level.sql for each in taken]
        silenced |= dict.fromkeys(each.silencing, name)
    found.comparisons = [_with_silences(each, sqls[each.name], silenced) for each in found.comparisons]
    for column, meaning in found.known.items():
        if meaning.kind == "text":
            found.notes.append(f"column {column} is the field {meaning.field}: name it so in the mapping")
    return found


def _read(entry: Mapping[str, Any], dialect: str) -> SplinkComparison:
    levels: list[SplinkLevel] = []
    silencing: set[str] = set()
    for number, level in enumerate(entry["comparison_levels"], start=1):
        sql = level["sql_condition"]
        if level.get("is_null_level"):
            silencing |= true_branches(sql, dialect)
            continue
        label = str(level.get("label_for_charts") or number)
        is_else = sql.strip().upper() == ELSE
        text, tests = (None, None) if is_else else (canonical(sql, dialect), parse_condition(sql, dialect))
        levels.append(SplinkLevel(label, level, text, tests))
    label = str(entry.get("output_column_name") or "without a name")
    own = own_meaning([level.sql for level in levels])
    return SplinkComparison(label, tuple(levels), frozenset(silencing), own)


def _take_levels(found: Comparisons, comparison: SplinkComparison, meaning: Meaning) -> list[Taken]:
    """Return the levels that can be taken, best first; empty when the last one, for what is left, is missing."""
    last = LAST_CONDITION.get(meaning.kind, "else")
    taken: list[Taken] = []
    waiting_m = waiting_u = 0.0
    for level in comparison.levels:
        where = f"comparison {comparison.label}, level {level.label}"
        read = _condition(comparison, level, meaning, last)
        m, u = level.entry.get("m_probability"), level.entry.get("u_probability")
        why = _why_not(read, m is not None and u is not None, taken)
        if read is None or why:
            found.notes.append(f"{where}: left out, {why}; what it has of m and u goes to the next level")
            waiting_m, waiting_u = waiting_m + float(m or 0.0), waiting_u + float(u or 0.0)
            continue
        if read.note:
            found.notes.append(f"{where}: {read.note}")
        frequency = _term_frequency(found, where, level)
        taken.append(Taken(read, float(m or 0.0) + waiting_m, float(u or 0.0) + waiting_u, frequency, level))
        waiting_m = waiting_u = 0.0
    return taken if taken and taken[-1].condition.when == last else []


def _condition(
    comparison: SplinkComparison, level: SplinkLevel, meaning: Meaning, last: str
) -> Condition | None:
    if level.is_else:
        return Condition(last)  # type: ignore[arg-type]
    own = comparison.own[1].get(level.sql or "") if comparison.own else None
    return own or read_condition(level.tests, meaning.kind)


def _why_not(read: Condition | None, has_numbers: bool, taken: list[Taken]) -> str:
    if read is None:
        return "its condition is not one that can be taken"
    if not has_numbers:
        return "it has no m or no u"
    return "a level above says the same here" if any(each.condition == read for each in taken) else ""


def _term_frequency(found: Comparisons, where: str, level: SplinkLevel) -> bool:
    column, tests = level.entry.get("tf_adjustment_column"), level.tests
    if not column:
        return False
    is_own = tests is not None and len(tests) == 1 and tests[0].column == str(column).lower().strip('"')
    if not is_own or tests is None or tests[0].relation not in {"equal", "shared"}:
        found.notes.append(
            f"{where}: its term frequency adjustment is not taken, it is not that of a shared value"
        )
        return False
    if level.entry.get("tf_adjustment_weight", 1.0) != 1.0:
        found.notes.append(f"{where}: the term frequency adjustment has full weight here")
    return True


def _add(found: Comparisons, label: str, meaning: Meaning, taken: list[Taken]) -> str:
    """Add a comparison and return its name."""
    name = free_name(plain_name(label), {each.name for each in found.comparisons})
    names: list[str] = []
    for each in taken:
        label = each.level.label
        names.append(free_name(label if IS_NAME.fullmatch(label) else each.condition.label, set(names)))
    levels = tuple(_level(level, each) for level, each in zip(names, taken, strict=True))
    found.m[name] = tuple(max(each.m, SMALLEST) for each in taken)
    found.u[name] = tuple(max(each.u, SMALLEST) for each in taken)
    found.comparisons.append(
        Comparison(
            name=name, kind=meaning.kind, field=meaning.field, levels=levels, types=dict(types_of(meaning))
        )
    )
    return name


def _level(name: str, taken: Taken) -> Level:
    condition = taken.condition
    return Level(
        name=name,
        when=condition.when,
        m=min(max(taken.m, SMALLEST), 1 - SMALLEST),
        u=min(max(taken.u, SMALLEST), 1 - SMALLEST),
        at_least=condition.at_least,
        years=condition.years,
        term_frequency=taken.term_frequency,
    )


def _with_silences(
    comparison: Comparison, sqls: Sequence[str | None], silenced: Mapping[str, str]
) -> Comparison:
    levels = tuple(
        level.model_copy(update={"silences": silenced[sql]}) if sql and sql in silenced else level
        for level, sql in zip(comparison.levels, sqls, strict=True)
    )
    return comparison.model_copy(update={"levels": levels})


def free_name(wanted: str, used: set[str]) -> str:
    """Return `wanted`, or with the first number from 2 that makes it differ from the names in use."""
    numbered = (f"{wanted}_{number}" for number in count(2))
    return wanted if wanted not in used else next(name for name in numbered if name not in used)
