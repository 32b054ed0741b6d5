"""Ids and pseudonyms depend on the key, keep their kinds apart, and never look like an identifier."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pipelines.keys import PSEUDONYM_LETTERS, event_id, person_id, pseudonym, record_id

KEY, OTHER_KEY = b"one key of some length", b"another key, as long"
texts = st.text(st.characters(codec="utf-8"), max_size=40)


@given(texts, texts)
def test_an_id_is_a_canonical_uuid_and_always_the_same(agency: str, local_id: str) -> None:
    found = record_id(KEY, agency, local_id)
    assert str(UUID(found)) == found
    assert UUID(found).version == 8
    assert found == record_id(KEY, agency, local_id)


@given(texts, texts, texts)
def test_moving_a_letter_from_agency_to_local_id_gives_another_record(a: str, b: str, letter: str) -> None:
    if letter:
        assert record_id(KEY, a + letter, b) != record_id(KEY, a, letter + b) or a + letter == a


@given(texts)
def test_another_key_gives_other_ids_and_pseudonyms(text: str) -> None:
    assert record_id(KEY, "police", text) != record_id(OTHER_KEY, "police", text)
    assert pseudonym(KEY, "person", text) != pseudonym(OTHER_KEY, "person", text)


@given(texts)
def test_kinds_never_meet(text: str) -> None:
    assert person_id(KEY, text) != record_id(KEY, "", text)
    assert pseudonym(KEY, "person", text) != pseudonym(KEY, "event", text)


@given(texts, st.sampled_from(["person", "event"]))
def test_a_pseudonym_is_consonants_only(text: str, kind: str) -> None:
    assert re.fullmatch(r"[b-df-hj-np-t]+", pseudonym(KEY, kind, text))
    assert len(pseudonym(KEY, kind, text)) == PSEUDONYM_LETTERS
    assert PSEUDONYM_LETTERS * 4 >= 80, "bits"


def test_without_a_reference_the_date_tells_events_apart() -> None:
    def event(reference: str | None, day: date) -> str:
        return event_id(KEY, "police", "POLICE.OCCURRENCE", reference, "record", day)

    first, second = date(2026, 9, 1), date(2026, 9, 2)
    assert event("OCC1", first) == event("OCC1", second), "a corrected date is the same event"
    assert event(None, first) != event(None, second)
    assert event(None, first) != event("2026-09-01", first)
