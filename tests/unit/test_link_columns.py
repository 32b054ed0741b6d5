"""Columns as codes: the same codes and values however a column is held, and whichever way they are found."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.link import columns
from pipelines.link.columns import code_column, code_columns, code_texts

TEXTS = st.lists(
    st.none() | st.sampled_from(["", "A", "B", "AB", "BA", "É"]) | st.text(max_size=12), max_size=40
)


def told(codes, values) -> list[str | None]:
    return [None if code < 0 else values[int(code)].as_py() for code in codes]


def cut(texts: list[str | None], at: int, kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts[:at], kind), pa.array(texts[at:], kind)])


@given(TEXTS, st.booleans())
def test_codes_are_by_first_appearance_whichever_way_they_are_found(texts, by_hash):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_repeats", lambda _: not by_hash)
        codes, values = code_texts(pa.array(texts, pa.large_string()))
    assert told(codes, values) == texts
    assert values.to_pylist() == list(dict.fromkeys(text for text in texts if text is not None))


@given(TEXTS, st.integers(0, 40))
def test_a_column_has_the_same_codes_in_pieces_and_as_a_dictionary(texts, at):
    plain = code_column(pa.array(texts, pa.string()))
    for column in (cut(texts, at, pa.string()), cut(texts, at, pa.string()).dictionary_encode(),
                   cut(texts, at, pa.dictionary(pa.int32(), pa.string()))):  # fmt: skip
        codes, values = code_column(column)
        assert (codes.tolist(), values.to_pylist()) == (plain[0].tolist(), plain[1].to_pylist())


@given(TEXTS, TEXTS)
def test_columns_together_share_one_table_and_an_empty_text_is_none(first, second):
    (a, b), values = code_columns([pa.array(first, pa.string()), pa.array(second, pa.string())])
    assert told(a, values) == [text or None for text in first]
    assert told(b, values) == [text or None for text in second]


def test_texts_whose_hashes_are_equal_are_told_apart(monkeypatch):
    monkeypatch.setattr(columns, "_repeats", lambda _: False)
    monkeypatch.setattr(
        columns, "hash_strings", lambda texts: columns.np.zeros(len(texts), columns.np.uint64)
    )
    codes, values = code_texts(pa.array(["A", "B", "A"], pa.large_string()))
    assert (codes.tolist(), values.to_pylist()) == ([0, 1, 0], ["A", "B"])


def test_a_column_of_nothing_has_no_values():
    for column in (pa.nulls(3), pa.array([], pa.string()), pa.chunked_array([], pa.string())):
        codes, values = code_column(column)
        assert (set(codes.tolist()) <= {-1}, len(values)) == (True, 0)
