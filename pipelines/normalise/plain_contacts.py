"""Phones and e-mail addresses that are plainly well-formed: recognised by whole columns, without the libraries.

They are nearly all different, so once per distinct value does not help. Arrow's compiled text functions find the
values whose outcome is plain; every other value is left to the full rules. Tests hold the two ways together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.codes import load_terms
from pipelines.normalise.contacts import normalise_email, normalise_phone

Text: TypeAlias = pa.StringArray
EMAIL, VALID = "EMAIL", "VALID"
_LONGEST_LOCAL_PART = 64
_LONGEST_DOMAIN = 180
_BRITISH = r"^(?:\+44|0)[1-9][0-9]{9}$"
_REPEATED = "|".join(f"{digit}{{7}}$" for digit in range(10))
_SIMPLE_LOCAL = r"^[a-z0-9]+(?:[._+-][a-z0-9]+)*$"
_NULL = pa.scalar(None, pa.string())


@dataclass(frozen=True)
class Plain:
    """What some texts plainly are: the value, and for which texts it holds; the others need the rules."""

    value: pa.Array
    known: pa.BooleanArray


@dataclass(frozen=True)
class Reach:
    """A phone number in E.164 or a lower-case e-mail address, and its status; no value when it is neither."""

    value: str | None
    status: str


def plain_phones(raw: Text) -> Plain:
    """Return the British phone numbers in E.164."""
    digits = pc.replace_substring_regex(raw, r"[\s().-]+", "")
    plain = pc.fill_null(pc.match_substring_regex(digits, _BRITISH), False)
    value = pc.if_else(plain, pc.replace_substring_regex(digits, r"^(?:\+44|0)", "+44"), _NULL)
    filler = pc.or_(
        pc.match_substring_regex(value, _REPEATED),
        pc.is_in(value, value_set=pa.array(sorted(load_terms("phone_placeholders")))),
    )
    return Plain(value, pc.and_(plain, pc.invert(pc.fill_null(filler, False))))


def plain_emails(raw: Text) -> Plain:
    """Return the e-mail addresses with an ordinary domain in lower case."""
    text = pc.ascii_lower(pc.utf8_trim_whitespace(raw))
    parts = pc.extract_regex(text, r"^(?P<local>[^@]+)@(?P<domain>[^@]+)$")
    local, domain = pc.struct_field(parts, "local"), pc.struct_field(parts, "domain")
    plain = pc.and_(
        pc.and_(
            pc.match_substring_regex(local, _SIMPLE_LOCAL),
            pc.less_equal(pc.binary_length(local), _LONGEST_LOCAL_PART),
        ),
        pc.and_(_ordinary_domain(domain), pc.invert(_is_email_filler(text, local))),
    )
    return Plain(text, pc.fill_null(plain, False))


def _ordinary_domain(domain: pa.Array) -> pa.Array:
    """Return which domains are ones that an address may end in, by the full rules, judged once per domain."""
    coded = domain.dictionary_encode()
    verdicts = [
        len(each) <= _LONGEST_DOMAIN and normalise_email(f"someone@{each}").value == f"someone@{each}"
        for each in coded.dictionary.to_pylist()
    ]
    return pa.array(verdicts, pa.bool_()).take(coded.indices)


def _is_email_filler(text: pa.Array, local: pa.Array) -> pa.Array:
    locals_, wholes = (
        pa.array(sorted(term.lower() for term in load_terms(name)))
        for name in ("email_placeholder_local_parts", "email_placeholders")
    )
    return pc.or_(pc.is_in(local, value_set=locals_), pc.is_in(text, value_set=wholes))


def reach_all(kinds: Sequence[str | None], texts: Sequence[str | None]) -> list[Reach]:
    """Return each contact by its type: an e-mail address where it is EMAIL, else a phone number."""
    found = [Reach(None, "MISSING")] * len(texts)
    for is_email in (True, False):
        places = [place for place, kind in enumerate(kinds) if (kind == EMAIL) is is_email]
        chosen = [texts[place] for place in places]
        raw = pa.array(chosen, pa.string())
        plain = plain_emails(raw) if is_email else plain_phones(raw)
        rows = zip(places, chosen, plain.value.to_pylist(), plain.known.to_pylist(), strict=True)
        for place, text, value, is_plain in rows:
            found[place] = Reach(value, VALID) if is_plain else _by_the_rules(text, is_email)
    return found


def _by_the_rules(text: str | None, is_email: bool) -> Reach:
    """Return a contact as the full rules have it."""
    contact = normalise_email(text) if is_email else normalise_phone(text)
    return Reach(contact.value, contact.status)
