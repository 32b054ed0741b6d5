"""Keyed hashes: the ids of records, events and people, and the pseudonyms that analysts see.

Each is an HMAC-SHA256 under the secret of `Settings.key`, which never enters the database. Its kind and the
length of every part are hashed along, so that no two kinds of id, and no two ways to split a text, meet.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import date
from functools import cache

RECORD, EVENT, PERSON = "record", "event", "person"

# Sixteen consonants, one for each half byte: no digit, so a pseudonym never looks like an identifier or a
# postcode, and no vowel, so it never spells a name.
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")
PSEUDONYM_LETTERS = 24


def record_id(key: bytes, agency: str, source_person_id: str) -> str:
    """Return the id of a record, a UUID that depends on the key, the agency and its local person id only."""
    return _uuid(_digest(key, RECORD, (agency, source_person_id)))


def event_id(
    key: bytes,
    agency: str,
    event_type: str,
    source_event_id: str | None,
    record: str,
    event_date: date | None = None,
) -> str:
    """Return the id of an event; its date stands in where the agency sends no reference of its own."""
    if source_event_id is not None:
        return _uuid(_digest(key, EVENT, (agency, event_type, record, source_event_id)))
    day = "" if event_date is None else event_date.isoformat()
    return _uuid(_digest(key, "event without reference", (agency, event_type, record, day)))


def person_id(key: bytes, oldest_record: str, run_id: int | None = None) -> str:
    """Return the id of a new person whose oldest record this is.

    An id is never given twice. Where that of the record is another person's, the run that makes the new one is
    hashed along.
    """
    parts = (oldest_record,) if run_id is None else (oldest_record, str(run_id))
    return _uuid(_digest(key, PERSON, parts))


def pseudonym(key: bytes, kind: str, identity: str) -> str:
    """Return the published name of a person or an event: 24 consonants that carry 96 bits.

    Without the key it can neither be computed from the id nor traced back to it.
    """
    return _digest(key, f"published {kind}", (identity,)).hex()[:PSEUDONYM_LETTERS].translate(_LETTERS)


def _digest(key: bytes, kind: str, parts: Sequence[str]) -> bytes:
    message = _told(kind)
    for part in parts:
        data = part.encode()
        message += len(data).to_bytes(4, "big") + data
    return hmac.digest(key, message, "sha256")


@cache
def _told(kind: str) -> bytes:
    """Return a kind of id as it is hashed: its length and itself."""
    return len(kind.encode()).to_bytes(4, "big") + kind.encode()


def _uuid(digest: bytes) -> str:
    """Return 122 bits as a UUID of RFC 9562's version 8, which says "made by a rule of our own"."""
    text = digest[:16].hex()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
