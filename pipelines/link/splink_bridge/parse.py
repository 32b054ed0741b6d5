"""Read the SQL of a Splink level or rule as tests on columns; what is not understood is None, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sqlglot import Expr

Relation = Literal["equal", "similar", "edits", "days", "shared"]

# Parts of a value that Splink's own comparison library cuts out with these patterns, and the name we have for each.
PATTERNS = {"^[^@]+": "local_part", "^[A-Za-z]{1,2}[0-9][A-Za-z0-9]?": "outward"}
PREFIXES = {1: "initial", 4: "year", 7: "month"}
SECONDS_IN_A_DAY = 86_400
SIMILARITIES = frozenset({"jaro_winkler", "jaro_winkler_similarity"})
EDIT_DISTANCES = frozenset({"levenshtein", "damerau_levenshtein"})
INTERSECTIONS = frozenset({"list_intersect", "array_intersect"})
DATE_READERS = frozenset({"try_strptime", "strptime", "try_to_timestamp", "to_timestamp", "to_date"})


@dataclass(frozen=True)
class Side:
    """A column of one side of a pair, whole (`value`) or a part of it."""

    column: str
    part: str
    side: str


@dataclass(frozen=True)
class Test:
    """One test of a condition: how the two sides relate, and by how much where that matters."""

    relation: Relation
    left: Side
    right: Side
    amount: float = 0.0

    @property
    def column(self) -> str | None:
        """The column, where both sides are the same part of one column."""
        same = (self.left.column, self.left.part) == (self.right.column, self.right.part)
        return self.left.column if same else None


def parse_condition(sql: str, dialect: str) -> tuple[Test, ...] | None:
    """Return the tests that a condition asks for, all of which must hold; None when any part is not understood."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except sqlglot.ParseError:
        return None
    parts = list(tree.flatten()) if isinstance(tree, exp.And) else [tree]
    tests = [_test(part) for part in parts]
    return None if any(test is None for test in tests) else tuple(test for test in tests if test)


def canonical(sql: str, dialect: str) -> str | None:
    """Return a condition written one way whatever its spacing, quotes and letter case; None when it is no SQL."""
    import sqlglot

    try:
        return _canonical(sqlglot.parse_one(sql, read=dialect), dialect)
    except sqlglot.ParseError:
        return None


def _canonical(tree: Expr, dialect: str) -> str:
    from sqlglot import exp

    for identifier in tree.find_all(exp.Identifier):
        identifier.set("quoted", False)
    return tree.unnest().sql(dialect=dialect).lower()


def true_branches(sql: str, dialect: str) -> frozenset[str]:
    """Return the conditions, in canonical form, for which a CASE in some SQL is true."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(sql, read=dialect)
    except sqlglot.ParseError:
        return frozenset()
    return frozenset(
        _canonical(branch.this, dialect)
        for case in tree.find_all(exp.Case)
        for branch in case.args["ifs"]
        if isinstance(branch.args["true"], exp.Boolean) and branch.args["true"].this
    )


def _test(node: Expr) -> Test | None:
    from sqlglot import exp

    node = node.unnest()
    match node:
        case exp.EQ():
            return _make("equal", [node.this, node.expression])
        case exp.ArrayOverlaps():
            return _make("shared", [node.this, node.expression], 1)
        case exp.GTE():
            return _at_least(node.this.unnest(), _number(node.expression))
        case exp.LTE():
            return _at_most(node.this.unnest(), _number(node.expression))
        case exp.LT() if _called(node.this.unnest()) in EDIT_DISTANCES:
            number = _number(node.expression)
            return None if number is None else _at_most(node.this.unnest(), number - 1)
        case _:
            return None


def _at_least(node: Expr, number: float | None) -> Test | None:
    from sqlglot import exp

    if number is None:
        return None
    if _called(node) in SIMILARITIES:
        return _make("similar", _arguments(node), number)
    counts = isinstance(node, exp.ArraySize | exp.Length)
    if counts and (_called(node.this) in INTERSECTIONS or isinstance(node.this, exp.ArrayIntersect)):
        return _make("shared", _arguments(node.this), number)
    return None


def _at_most(node: Expr, number: float | None) -> Test | None:
    from sqlglot import exp

    if number is None:
        return None
    if _called(node) in EDIT_DISTANCES:
        return _make("edits", _arguments(node), number)
    if not isinstance(node, exp.Abs):
        return None
    inner = node.this.unnest()
    if isinstance(inner, exp.DateDiff) and str(inner.args.get("unit", "DAY")).upper() == "DAY":
        return _make("days", [inner.this, inner.expression], number)
    if isinstance(inner, exp.Sub) and all(
        isinstance(each, exp.TimeToUnix) for each in (inner.left, inner.right)
    ):
        return _make("days", [inner.left.this, inner.right.this], number / SECONDS_IN_A_DAY)
    return None


def _make(relation: Relation, nodes: list[Expr], amount: float = 0.0) -> Test | None:
    """Return the test of two sides, left first; None unless one is a left and one a right column."""
    sides = [_side(node) for node in nodes]
    known = sorted((side for side in sides if side is not None), key=lambda side: side.side)
    if len(known) != len(nodes) or [side.side for side in known] != ["l", "r"]:
        return None
    return Test(relation, known[0], known[1], amount)


def _side(node: Expr) -> Side | None:
    """Return the column below functions that change its spelling or type only, and the part that is cut out."""
    from sqlglot import exp

    part = "value"
    while not isinstance(node, exp.Column):
        cut = _cut(node)
        if cut is not None and part == "value":
            part = cut
        elif not _is_spelling(node):
            return None
        node = node.this if isinstance(node.this, exp.Expr) else node.expressions[0]
    if node.table.lower() in {"l", "r"}:
        return Side(node.name.lower(), part, node.table.lower())
    name, _, side = node.name.lower().rpartition("_")
    return Side(name, part, side) if name and side in {"l", "r"} and not node.table else None


def _cut(node: Expr) -> str | None:
    from sqlglot import exp

    match node:
        case exp.RegexpExtract():
            return PATTERNS.get(node.expression.name)
        case exp.Substring() if _number(node.args.get("start")) == 1:
            return PREFIXES.get(int(_number(node.args.get("length")) or 0))
        case exp.Left():
            return PREFIXES.get(int(_number(node.expression) or 0))
        case exp.Year():
            return "year"
        case _:
            return None


def _is_spelling(node: Expr) -> bool:
    """Return whether a function leaves a folded value what it is: letter case, spaces, type, empty as null."""
    from sqlglot import exp

    kinds = (
        exp.Paren,
        exp.Lower,
        exp.Upper,
        exp.Trim,
        exp.Cast,
        exp.TsOrDsToDate,
        exp.StrToTime,
        exp.StrToDate,
    )
    if isinstance(node, exp.Nullif):
        return bool(node.expression.name == "")
    return isinstance(node, kinds) or _called(node) in DATE_READERS


def _called(node: Expr) -> str:
    """Return the name of the function that a node calls; empty for what is no call that we know."""
    from sqlglot import exp

    match node:
        case exp.JarowinklerSimilarity():
            return "jaro_winkler_similarity"
        case exp.Levenshtein():
            return "levenshtein"
        case exp.Anonymous():
            return str(node.this).lower()
        case _:
            return ""


def _arguments(node: Expr) -> list[Expr]:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous | exp.ArrayIntersect):
        return list(node.expressions)
    return [node.this, node.expression]


def _number(node: Expr | None) -> float | None:
    from sqlglot import exp

    while isinstance(node, exp.Cast | exp.Paren):
        node = node.this
    return float(node.name) if isinstance(node, exp.Literal) and not node.is_string else None
