"""Every format of rows, plain or packed: what is written is read back, and no bytes whatever make a reader fail."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.formats import HEADER, PACKERS, WIDTH, WRITERS, Rows, file_of, read_bytes

from pipelines.contracts.columns import Kind

FORMS = list(product(WRITERS, PACKERS))

# What a cell may hold in every format: no line ends, no control signs, none of a workbook's own error words.
signs = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"))
cells = st.text(signs, min_size=1, max_size=WIDTH).filter(
    lambda text: not text.startswith("#") and "_x" not in text
)
rows_of_text = st.lists(st.tuples(cells, cells, cells), max_size=6).filter(
    lambda rows: not any(is_special(row) for row in rows)
)


def is_special(row: tuple[str, ...]) -> bool:
    return tuple(map(str.casefold, row)) == HEADER or row[0].strip(":").casefold().endswith("total")


@pytest.mark.parametrize(("kind", "packing"), FORMS)
@settings(max_examples=25, deadline=None)
@given(rows=rows_of_text)
def test_any_table_is_read_back_as_it_was_written(kind: Kind, packing: str, rows: Rows) -> None:
    content = PACKERS[packing](WRITERS[kind](rows))
    found, set_aside, findings = read_bytes(content, file_of(kind))
    assert found == list(rows)
    assert (set_aside, findings.problems, findings.rows) == ([], [], len(rows))


SAMPLE = [("a1", "b1", "c1"), ("a2", "Zoë", "c2"), ("a3", "b3", "c3")] * 3


@cache
def written_once(kind: Kind, packing: str) -> bytes:
    """The sample as a file: the same bytes each time, though a workbook says when it was written."""
    return PACKERS[packing](WRITERS[kind](SAMPLE))


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes cut short, with some replaced, or with others in between."""
    broken = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(broken) - 1))
        broken[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    return bytes(broken[: draw(st.integers(0, len(broken)))] if draw(st.booleans()) else broken)


@pytest.mark.parametrize(("kind", "packing"), FORMS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_bytes_end_in_findings_and_rows_balance(
    kind: Kind, packing: str, data: st.DataObject
) -> None:
    content = data.draw(damaged(written_once(kind, packing)))
    found, set_aside, findings = read_bytes(content, file_of(kind))
    if not findings.problems:
        assert findings.rows == len(found) + len(set_aside)


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=60, deadline=None)
@given(
    start=st.sampled_from(
        [b"", b"\x1f\x8b\x08\0", b"PK\x03\x04", b"PK\x05\x06", bytes.fromhex("d0cf11e0a1b11ae1")]
    ),
    rest=st.binary(max_size=200),
)
def test_any_bytes_end_in_findings(kind: Kind, start: bytes, rest: bytes) -> None:
    found, set_aside, findings = read_bytes(start + rest, file_of(kind))
    if not findings.problems:
        assert findings.rows == len(found) + len(set_aside)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("packing", ["gzip", "zip"])
def test_a_packed_file_cut_short_anywhere_is_refused(kind: Kind, packing: str) -> None:
    whole = PACKERS[packing](WRITERS[kind](SAMPLE))
    for length in range(3, len(whole), max(1, len(whole) // 40)):
        _, _, findings = read_bytes(whole[:length], file_of(kind))
        assert findings.problems, length
