"""Reading back what we write ourselves: the SQL of every condition over exported columns, and what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pipelines.contracts.conditions import CONDITIONS, FIELDS, NEEDS_VALUE
from pipelines.contracts.model import Comparison, Level, LinkageModel, load_model
from pipelines.link.predicates import compile_comparisons
from pipelines.link.splink_bridge.columns import Meaning
from pipelines.link.splink_bridge.exporting import export_renderer, write_plain
from pipelines.link.splink_bridge.levels import Condition
from pipelines.link.splink_bridge.parse import canonical

# Stand for the number in a condition that has one; no model says these.
AT_LEAST, YEARS = 0.987654, 9876
NUMBER = r"([0-9]+(?:\.[0-9]+)?)"


@dataclass(frozen=True)
class _Pattern:
    """A condition as we write it: an expression whose group, if it has one, is the number in it."""

    expression: re.Pattern[str]
    when: str

    def read(self, sql: str) -> Condition | None:
        found = self.expression.fullmatch(sql)
        if found is None:
            return None
        needed = NEEDS_VALUE.get(self.when)
        if needed == "at_least":
            return Condition(self.when, at_least=float(found.group(1)))  # type: ignore[arg-type]
        if needed == "years":
            return Condition(self.when, years=int(found.group(1)))  # type: ignore[arg-type]
        return Condition(self.when)  # type: ignore[arg-type]


def own_meaning(sqls: Sequence[str | None]) -> tuple[Meaning, dict[str, Condition]] | None:
    """Return what a comparison that we wrote is, and the condition of each SQL of its levels; None for others.

    `sqls` are the conditions of its levels in canonical form. Of several meanings the one that reads most counts.
    """
    best: tuple[Meaning, dict[str, Condition]] | None = None
    for meaning in _candidates(" ".join(sql for sql in sqls if sql)):
        found = {sql: read for sql in sqls if sql and (read := _read(meaning, sql)) is not None}
        if found and (best is None or len(found) > len(best[1])):
            best = meaning, found
    return best


def types_of(meaning: Meaning) -> Mapping[str, str]:
    """Return the identifier types of a comparison: those shipped for the field, else one named after it."""
    if meaning.kind != "identifier":
        return {}
    for comparison in load_model().comparisons:
        if comparison.field == meaning.field:
            return comparison.types
    name = meaning.field.partition(".")[2].upper()
    return {name: name}


def _candidates(sql: str) -> list[Meaning]:
    fixed = [
        Meaning(kind, field)  # type: ignore[arg-type]
        for kind, fields in FIELDS.items()
        for field in fields
        if not field.endswith(".") and re.search(rf"\b{field if kind != 'date' else 'date_of_birth'}_", sql)
    ]
    address = [Meaning("address", "address")]
    extras = [Meaning("text", f"extra.{name}") for name in _named(sql, "extra")]
    identifiers = [Meaning("identifier", f"identifier.{name}") for name in _named(sql, "identifier")]
    return list(dict.fromkeys([*fixed, *address, *extras, *identifiers]))


def _named(sql: str, prefix: str) -> list[str]:
    """Return the names of fields of a file's own whose columns stand in some SQL."""
    found = re.findall(rf"\b{prefix}_(\w+?)(?:_weak_kind|_weak|_kind|_token)?_[lr]\b", sql)
    return [name for name in dict.fromkeys(found) if name not in {"weak", "kind", "weak_kind"}]


def _read(meaning: Meaning, sql: str) -> Condition | None:
    return next((read for pattern in _patterns(meaning) if (read := pattern.read(sql)) is not None), None)


@cache
def _patterns(meaning: Meaning) -> tuple[_Pattern, ...]:
    """Return the conditions of a field as we write them, over columns of one value and over lists."""
    shipped = load_model()
    whens = [when for when in CONDITIONS[meaning.kind] if when != "else"]
    levels = [_level(when) for when in whens]
    last = [] if meaning.kind == "identifier" else [_level("else")]
    comparison = Comparison(
        name="any",
        kind=meaning.kind,
        field=meaning.field,
        levels=(*levels, *last),
        types=dict(types_of(meaning)),
    )
    model: LinkageModel = shipped.model_copy(update={"comparisons": (comparison,), "blocking": ()})
    found = []
    for aliases in (False, True):
        written = write_plain(compile_comparisons(model), export_renderer(model, aliases))
        for branch in written.tests[0].branches:
            sql = canonical(branch.condition, "duckdb") if branch.condition != "ELSE" else None
            if sql is not None:
                found.append(_Pattern(_expression(sql), comparison.levels[branch.level].when))
    return tuple(found)


def _level(when: str) -> Level:
    needed = {"at_least": AT_LEAST, "years": YEARS}
    value = {NEEDS_VALUE[when]: needed[NEEDS_VALUE[when]]} if when in NEEDS_VALUE else {}
    return Level(name=when, when=when, m=0.5, u=0.5, **value)


def _expression(sql: str) -> re.Pattern[str]:
    escaped = re.escape(sql)
    for stand_in in (AT_LEAST, YEARS):
        escaped = escaped.replace(re.escape(str(stand_in)), NUMBER)
    return re.compile(escaped)
