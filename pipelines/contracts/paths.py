"""Paths into a document: one small language for JSON, XML and FHIR.

    path    = ["/" | "../" ...] step ["/" step ...]      "/": from the document; "../": from the element above
    step    = name ["[" filter "]" ...] ["*"]            the last may be "@name", an attribute of XML
    filter  = path "=" text                              one of the values there is the text; an empty text: none is

A path starts from the element that makes the row, or from the document when it begins with `/`; `.` is the element
itself. Elements that repeat and arrays are one thing, and are stepped into by their name alone. A step takes the
first that its filters let through, or with `*` all of them; several values are joined by a blank. Names of XML are
local names, without a namespace.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

UP = ".."
SELF = "."
_RESERVED = frozenset("/[]*=")


class PathError(ValueError):
    """A path that cannot be read, with what was expected; paths come from contracts and hold no personal value."""


@dataclass(frozen=True)
class Filter:
    """What an element has to hold for a step to take it: `text` as one of the values at `path`."""

    path: Path
    text: str


@dataclass(frozen=True)
class Step:
    """One name on the way down; `every`: all elements of the name, not only the first."""

    name: str
    filters: tuple[Filter, ...] = ()
    every: bool = False


@dataclass(frozen=True)
class Path:
    """Where a value stands: so many elements up from the row (or from the document), then down the steps."""

    steps: tuple[Step, ...]
    up: int = 0
    from_document: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the steps."""
        return tuple(step.name for step in self.steps)


@cache
def parse_path(text: str) -> Path:
    """Return the path that a text spells.

    Raises:
        PathError: the text is no path.
    """
    if text == SELF:
        return Path(())
    from_document = text.startswith("/")
    parts = _split(text[1:] if from_document else text, "/")
    up = 0
    while up < len(parts) and parts[up] == UP:
        up += 1
    if from_document and up:
        raise PathError("expected a name after '/', not '..'")
    steps = tuple(_step(part) for part in parts[up:])
    if not steps:
        raise PathError("expected a name at the end of the path")
    if any(step.name.startswith("@") for step in steps[:-1]):
        raise PathError("an attribute (@name) is expected only as the last step")
    return Path(steps, up, from_document)


def parse_rows(text: str) -> Path:
    """Return the path of the elements that make the rows: names and filters from the document down.

    Raises:
        PathError: the text is no such path.
    """
    path = parse_path(text)
    if path.up or path.from_document:
        raise PathError("expected names from the document down, without '..' or '/' in front")
    if any(step.every or step.name.startswith("@") for step in path.steps):
        raise PathError(
            "expected the names of elements; each that is found makes a row, so no '*' and no '@'"
        )
    return path


def _split(text: str, sign: str) -> list[str]:
    """Return the parts of a text between the signs that stand outside of brackets."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if depth < 0:
            break
        if letter == sign and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    if depth != 0:
        raise PathError("expected every '[' to be closed by a ']'")
    return [*parts, text[start:]]


def _step(text: str) -> Step:
    """Return one step of a path."""
    every = text.endswith("*")
    body = text.removesuffix("*")
    name, bracket, rest = body.partition("[")
    if name != name.strip() or name in ("", UP, SELF, "@") or _RESERVED & set(name):
        raise PathError("expected a name at every step, '..' only in front")
    return Step(name, tuple(_filter(item) for item in _brackets(bracket + rest)), every)


def _brackets(text: str) -> list[str]:
    """Return what stands in each of the brackets that follow each other."""
    found, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        if depth == 0 and letter != "[":
            raise PathError("expected nothing but '*' behind a filter")
        depth += (letter == "[") - (letter == "]")
        if letter == "[" and depth == 1:
            start = position + 1
        if depth == 0:
            found.append(text[start:position])
    return found


def _filter(text: str) -> Filter:
    """Return one filter, which stood in brackets."""
    where, *literal = _split(text, "=")
    if not literal:
        raise PathError("expected [path=text] in brackets")
    path = parse_path(where)
    if path.up or path.from_document:
        raise PathError("a filter looks below its element: no '..' and no '/' in front")
    return Filter(path, "=".join(literal))
