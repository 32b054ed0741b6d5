"""The rows of a unit, and the values of a row: paths followed through elements."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.contracts.paths import Filter, Path, Step
from pipelines.ingest.readers.documents.plan import Plan
from pipelines.ingest.readers.documents.tree import TEXT, WRONG_SHAPE, Flaw, Value

KEPT_OF_RAW = 10_000


class RowError(Exception):
    """Why a row cannot be landed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Row:
    """One row: its texts in the order of the landed columns, or why it is set aside, with the text as received."""

    texts: tuple[str | None, ...]
    reason: str | None = None
    raw: str = ""


def rows_of(unit: Value, document: Value, plan: Plan) -> Iterator[Row]:
    """Yield the rows of a unit; `document` is what is known of the document itself."""
    level = plan.unit_level
    for chosen in _chosen((unit,), plan.rows[level - 1].filters if level else ()):
        for chain in _chains((chosen,), plan.rows[level:]):
            yield _row(chain, document, plan.columns)


def _chosen(values: Sequence[Value], filters: Sequence[Filter]) -> Iterator[Value]:
    """Yield the values that the filters let through; one of which that cannot be said is a flaw."""
    for value in values:
        try:
            if isinstance(value, Flaw) or all(_holds(value, condition) for condition in filters):
                yield value
        except RowError as error:
            yield Flaw(error.reason, as_text(value))


def _chains(chain: tuple[Value, ...], steps: Sequence[Step]) -> Iterator[tuple[Value, ...]]:
    """Yield the elements from the unit down to each row; one that cannot be used makes one row."""
    last = chain[-1]
    if not steps or isinstance(last, Flaw):
        yield chain
    elif isinstance(last, dict):
        for value in _chosen(last.get(steps[0].name, ()), steps[0].filters):
            yield from _chains((*chain, value), steps[1:])
    elif last:
        yield (*chain[:-1], Flaw(WRONG_SHAPE, last))


def _row(chain: tuple[Value, ...], document: Value, columns: Sequence[Path | None]) -> Row:
    last = chain[-1]
    try:
        if isinstance(last, Flaw):
            raise RowError(last.reason)
        return Row(tuple([_text_of(path, chain, document) for path in columns]))
    except RowError as error:
        raw = last.raw if isinstance(last, Flaw) else as_text(last)
        return Row((), error.reason, raw[:KEPT_OF_RAW])


def _text_of(path: Path | None, chain: tuple[Value, ...], document: Value) -> str | None:
    if path is None:
        return None
    return text_at(document if path.from_document else chain[-1 - path.up], path)


def text_at(start: Value, path: Path) -> str | None:
    """Return the text at the end of a path's steps; raises RowError where there is something else."""
    found = _values_at((start,), path.steps)
    if len(found) < 2:
        return _scalar(found[0]) if found else None
    texts = [text for text in map(_scalar, found) if text]
    return " ".join(texts) if texts else None


def _values_at(values: Sequence[Value], steps: Sequence[Step]) -> Sequence[Value]:
    """Return the values at the end of the steps; raises RowError where an element is unusable or a text."""
    for step in steps:
        found: list[Value] = []
        for value in values:
            for below in _below(value, step.name):
                if step.filters and not all(_holds(below, condition) for condition in step.filters):
                    continue
                found.append(below)
                if not step.every:
                    break
        values = found
    return values


def _below(value: Value, name: str) -> Sequence[Value]:
    if isinstance(value, dict):
        return value.get(name, ())
    if isinstance(value, Flaw):
        raise RowError(value.reason)
    if value:
        raise RowError(WRONG_SHAPE)
    return ()


def _scalar(value: Value) -> str | None:
    if isinstance(value, Flaw):
        raise RowError(value.reason)
    if isinstance(value, dict):
        if TEXT not in value:
            raise RowError(WRONG_SHAPE)
        return _scalar(value[TEXT][0])
    return value


def _holds(value: Value, condition: Filter) -> bool:
    """Return whether one of the values at the filter's path is its text; an empty text: whether none is there."""
    values: list[Value] = [value]
    for step in condition.path.steps:
        below = [
            item for element in values if isinstance(element, dict) for item in element.get(step.name, ())
        ]
        values = [item for item in below if all(_holds(item, inner) for inner in step.filters)]
    texts = [_scalar(item) for item in values if not _is_bare_element(item)]
    if condition.text == "":
        return not any(texts)
    return condition.text in texts


def _is_bare_element(value: Value) -> bool:
    return isinstance(value, dict) and TEXT not in value


def as_text(value: Value) -> str:
    """Return an element as text, for the quarantine: JSON, with what the contract knows of it."""
    text = json.dumps(_plain(value), ensure_ascii=False)
    return text.replace("\\u0000", "\N{REPLACEMENT CHARACTER}")


def _plain(value: Value) -> object:
    if isinstance(value, Flaw):
        return {"unusable": value.reason}
    if isinstance(value, dict):
        return {name: [_plain(item) for item in values] for name, values in value.items()}
    return value
