"""Builds the units of a document from what a parser meets, keeping only what some path knows."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.ingest.readers.batches import LONGEST_FIELD
from pipelines.ingest.readers.documents.tree import (
    BAD_CHARACTER,
    DUPLICATE_KEY,
    OVERSIZED_ELEMENT,
    OVERSIZED_FIELD,
    TEXT,
    DocumentError,
    Element,
    Flaw,
    Known,
    Value,
)

DEEPEST = 200  # elements within elements; the parser of XML stops at 256 itself
LARGEST_UNIT = 16_000_000  # characters of text, each element and value counted as EACH more
EACH = 64
MOST_UNEXPECTED = 50


class Builder:
    """Takes names, beginnings, values and ends in the order of the document; gives units.

    `name` (or `key`, which minds repetition) says of what the next values and beginnings are, until the next one or
    the end of the element. A unit is complete once it is in `done`, from where the caller takes it.
    """

    def __init__(self, known: Known) -> None:
        self.done: list[Value] = []
        self.unexpected: dict[tuple[str, ...], None] = {}
        self.is_first_step_met = not known.children
        # Says, of an element that is to be checked, why it cannot be used.
        self.check: Callable[[Element], Flaw | None] | None = None
        self._names: list[str] = []
        self._places: list[Known] = []
        self._elements: list[Element] = []
        self._next_name = ""
        self._next: Known | None = known
        self._unit_depth = 0  # how many elements are open above the unit and with it; 0: none is being built
        self._size = 0
        self._skipped = 0

    @property
    def is_in_checked(self) -> bool:
        """Whether the innermost open element is one to check when it ends."""
        return bool(self._places) and not self._skipped and self._places[-1].is_checked

    def key(self, name: str) -> None:
        """Say what the next value is of; a name that the element had before makes its values unusable."""
        if self._skipped:
            return
        element = self._elements[-1]
        if name in element:
            if not self._unit_depth:
                raise DocumentError(DUPLICATE_KEY, "a name stands twice in one element around the rows")
            element[name] = [Flaw(DUPLICATE_KEY)]
        self.name(name)
        if self._next is not None:
            element.setdefault(name, [])

    def name(self, name: str) -> None:
        """Say what the next values and beginnings are of."""
        if self._skipped:
            return
        place = self._places[-1]
        self._next_name = name
        self._next = place.children.get(name)
        if self._next is None and not place.is_ignored:
            self._note_unexpected(name)
        if len(self._places) == 1:
            self.is_first_step_met = self.is_first_step_met or self._next is not None

    def begin(self) -> None:
        """Begin an element under the name."""
        if self._skipped or self._next is None or self._next.is_silent:
            self._skipped += 1
            self._mind_depth(len(self._places) + self._skipped)
            return
        self._mind_depth(len(self._places))
        element: Element = {}
        place = self._next
        if self._unit_depth:
            self._put(element)
        elif place.is_unit:
            self._unit_depth, self._size = len(self._places) + 1, 0
        self._names.append(self._next_name)
        self._places.append(place)
        self._elements.append(element)
        self._next = None

    def end(self) -> None:
        """End the innermost element."""
        if self._skipped:
            self._skipped -= 1
            return
        element, place = self._elements.pop(), self._places.pop()
        value: Value = element
        if place.is_checked and self.check is not None and self._unit_depth:
            flaw = self.check(element)
            if flaw is not None:
                value = flaw
                if self._unit_depth <= len(self._places) and self._size <= LARGEST_UNIT:
                    self._elements[-1][self._names[-1]][-1] = flaw
        if self._unit_depth == len(self._places) + 1:
            self._unit_depth = 0
            self.done.append(Flaw(OVERSIZED_ELEMENT) if self._size > LARGEST_UNIT else value)
        self._next, self._next_name = place, self._names.pop()

    def value(self, text: str | None) -> None:
        """Take a value under the name."""
        if self._skipped or self._next is None:
            return
        if self._unit_depth:
            self._put(self._usable(text))
        elif self._next.is_unit:
            self.done.append(self._usable(text))

    def leaf(self, text: str) -> None:
        """Take an element of XML without elements in it; where elements are expected, its text is none of ours."""
        if self._next is not None and not self._next.is_value and not self._skipped:
            self.begin()
            self.end()
        else:
            self.value(text if text.strip() else "")

    def text(self, text: str) -> None:
        """Take the text of the innermost element, which has attributes beside it."""
        if not self._skipped and self._unit_depth and self._places[-1].is_value:
            self._elements[-1][TEXT] = [self._usable(text if text.strip() else "")]

    def _usable(self, text: str | None) -> Value:
        if text is None:
            return None
        self._size += len(text)
        if len(text) > LONGEST_FIELD:
            return Flaw(OVERSIZED_FIELD, text[:LONGEST_FIELD])
        return Flaw(BAD_CHARACTER) if "\0" in text else text

    def _put(self, value: Value) -> None:
        """Keep a value under the name, as long as the unit is of a size that can be held."""
        self._size += EACH
        if self._size <= LARGEST_UNIT:
            self._elements[-1].setdefault(self._next_name, []).append(value)

    def _mind_depth(self, depth: int) -> None:
        if depth > DEEPEST:
            raise DocumentError("TOO_DEEP", f"elements stand within elements, more than {DEEPEST} deep")

    def _note_unexpected(self, name: str) -> None:
        if len(self.unexpected) < MOST_UNEXPECTED:
            self.unexpected[(*self._names[1:], name)] = None


class HeadBuilder(Builder):
    """Builds what is wanted of the document itself, and is content once all of it was met."""

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self._wanted = known.children.keys()

    def name(self, name: str) -> None:
        """Say what is next; something unwanted after all that is wanted ends the head."""
        if len(self._places) == 1 and not self._skipped and name not in self._wanted:
            element = self._elements[0]
            if self._wanted <= element.keys() and not self.done:
                self.done.append(element)
        super().name(name)
