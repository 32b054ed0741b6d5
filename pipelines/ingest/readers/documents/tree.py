"""The part of a document that is held in memory: elements of names, and what made one unusable.

JSON and XML become the same: an element is a dict of name -> the values of that name, in the order of the file; a
value is an element, a text, None (null) or a flaw. An array is nothing but several values of one name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# The text of an XML element that has attributes, beside them; no name can be empty.
TEXT = ""

DUPLICATE_KEY = "DUPLICATE_KEY"
OVERSIZED_FIELD = "OVERSIZED_FIELD"
OVERSIZED_ELEMENT = "OVERSIZED_ELEMENT"
BAD_CHARACTER = "BAD_CHARACTER"
WRONG_SHAPE = "WRONG_SHAPE"


@dataclass(frozen=True)
class Flaw:
    """What stands in the place of a value that cannot be used: the reason code, and the text as received."""

    reason: str
    raw: str = ""


Element = dict[str, list["Value"]]
Value = Element | str | None | Flaw


class DocumentError(Exception):
    """Why the document cannot be read on: the rule and the message of a problem, without any value."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(rule)
        self.rule, self.message = rule, message


@dataclass
class Known:
    """An element that some path leads to or through; what no path knows is not kept."""

    children: dict[str, Known] = field(default_factory=dict)
    is_value: bool = False
    is_ignored: bool = False
    is_unit: bool = False
    is_checked: bool = False

    def at(self, names: tuple[str, ...]) -> Known:
        """Return the element at the end of the names, made known with all on the way."""
        place = self
        for name in names:
            place = place.children.setdefault(name, Known())
        return place

    @property
    def is_silent(self) -> bool:
        """Whether the element is ignored as a whole."""
        return self.is_ignored and not (self.children or self.is_value or self.is_unit)

    def spread_ignored(self) -> None:
        """Ignore what is below an ignored element too."""
        for child in self.children.values():
            child.is_ignored = child.is_ignored or self.is_ignored
            child.spread_ignored()
