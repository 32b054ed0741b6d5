"""Phones and e-mail addresses by the rules of `normalise`, with a short way for most.

These are nearly all different, so once per distinct value does not help. The short way recognises, with Arrow's
compiled text functions, the values whose outcome is plain, and leaves every other one to the full rules; tests hold
the two ways together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.normalise.contacts import NormalisedContact, normalise_email, normalise_phone
from pipelines.normalise.plain_contacts import Plain, plain_emails, plain_phones
from pipelines.normalise.text import fold

Text: TypeAlias = pa.StringArray
# The end of a rule that was broken by a value which is compared all the same.
KEPT_AS_TEXT = "KEPT_AS_TEXT"
_FEWEST_CHARACTERS = 6
_NULL = pa.scalar(None, pa.string())


@dataclass(frozen=True)
class Outcome:
    """What became of each of some values: the values that are compared, null where there is none, and the rule.

    `rule` names what was wrong with a value that was there; null where nothing was.
    """

    values: dict[str, pa.Array]
    rule: pa.Array


def phones(raw: Text) -> Outcome:
    """Return phone numbers in E.164."""
    return _finish(raw, plain_phones(raw), normalise_phone, "PHONE")


def emails(raw: Text) -> Outcome:
    """Return e-mail addresses in lower case."""
    return _finish(raw, plain_emails(raw), normalise_email, "EMAIL")


def _finish(raw: Text, plain: Plain, rules: Callable[[str], NormalisedContact], what: str) -> Outcome:
    """Return the outcome: the plain values as they are, every other one by the full rules.

    What breaks the rules for a reason other than being a filler is kept as it stands: a mistyped address cannot be
    written to, but two records with the same one, or nearly the same, have more in common than a letter.
    """
    open_rows = pc.and_(pc.is_valid(raw), pc.invert(plain.known))
    judged = [_judge(text, rules(text), what) for text in raw.filter(open_rows).to_pylist()]
    values = pa.array([value for value, _ in judged], pa.string())
    problems = pa.array([problem for _, problem in judged], pa.string())
    nothing = pa.nulls(len(raw), pa.string())
    return Outcome(
        {"value": pc.replace_with_mask(pc.if_else(plain.known, plain.value, _NULL), open_rows, values)},
        pc.replace_with_mask(nothing, open_rows, problems),
    )


def _judge(text: str, found: NormalisedContact, what: str) -> tuple[str | None, str | None]:
    """Return the value that is compared and the rule that was broken."""
    if found.value is not None or found.status == "MISSING":
        return found.value, None
    kept = _as_it_stands(text) if found.status == "INVALID" else None
    return kept, f"{what}_{KEPT_AS_TEXT if kept else found.status}"


def _as_it_stands(text: str) -> str | None:
    """Return a value that breaks the rules without spaces, in lower case; None for words in place of a value."""
    kept = "".join(fold(text).lower().split())
    says_something = any(character.isdigit() or character == "@" for character in kept)
    return kept if says_something and len(kept) >= _FEWEST_CHARACTERS else None
