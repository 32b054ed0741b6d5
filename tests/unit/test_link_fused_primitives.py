"""The fused engine's compiled steps: string similarity, hashes, blocks of equal keys; each against a plain one."""

from __future__ import annotations

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import duckdb
import jellyfish
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, JaroWinkler
from recordlinkage.algorithms.string import jarowinkler_similarity

from pipelines.errors import LinkageError
from pipelines.link.fused.agreement import nothing_held
from pipelines.link.fused.grouping import group_keys, order_of, renumber
from pipelines.link.fused.hashing import hash_strings, mix64, pair_hash
from pipelines.link.fused.strings import (
    Strings,
    is_one_edit,
    jaro_winkler,
    letter_shapes,
    string_table,
)

NAMES = [
    "SMITH",
    "SMYTHE",
    "JONES",
    "JOHNSTONE",
    "JOHNSON",
    "KHAN",
    "BEGUM",
    "O'BRIEN",
    "OBRIEN",
    "MACDONALD",
    "MCDONALD",
    "FITZGERALD",
    "LI",
    "LEE",
    "NG",
    "KOWALSKI",
    "KOWALSKA",
    "WOJCIECHOWSKA",
    "ABDULRAHMAN",
    "ABDUL-RAHMAN",
    "MOHAMMED",
    "MUHAMMAD",
    "MOHAMMAD",
    "CATHERINE",
    "KATHERINE",
    "KATHRYN",
    "ELIZABETH",
    "ELISABETH",
    "ELSPETH",
    "CHRISTOPHER",
    "KRISTOFER",
    "DE-SOUZA",
    "OYELARAN",
    "OLUWASEUN",
    "ANN",
    "ANNE",
    "ANNA",
    "A",
] + ["MARY ANN", "JEAN LUC", "VAN DER BERG", "DE LA CRUZ FERNANDEZ"]


def misspelt(name: str, luck: random.Random) -> str:
    letters = list(name)
    for _ in range(luck.randint(0, 3)):
        at = luck.randrange(len(letters) + 1)
        letters[at : at + luck.randint(0, 2)] = luck.choice(["", "A", "E", "S", "TH"])
    return "".join(letters) or "X"


def pairs_of_strings() -> list[tuple[str, str]]:
    """Pairs of names, of random strings of few letters, and of strings around and beyond 64 letters."""
    luck = random.Random(20)
    pairs = [(a, b) for a in NAMES for b in NAMES]
    pairs += [(name, misspelt(name, luck)) for name in NAMES for _ in range(50)]
    for alphabet in ("AB", "ABC", "ABCDEFG -'1"):
        for longest in (5, 9, 17, 30):
            for _ in range(800):
                sizes = luck.randint(1, longest), luck.randint(1, longest)
                pairs.append(tuple("".join(luck.choices(alphabet, k=size)) for size in sizes))  # type: ignore[arg-type]
    for _ in range(500):
        long = "".join(luck.choices("ABCDEFGH", k=luck.randint(55, 130)))
        pairs.append((long, misspelt(long, luck)))
    return pairs


PAIRS = pairs_of_strings()
TABLE = string_table([value for pair in PAIRS for value in pair])
SHAPES = letter_shapes(*TABLE)
TEXT = st.text(alphabet="ABCZ '-", max_size=20)


def similarity(table: Strings, i: int, j: int, floor: float = 0.0) -> float:
    return jaro_winkler((*table, letter_shapes(*table)), nothing_held(1), (0, i, j), floor)


@pytest.fixture(scope="module")
def similarities() -> np.ndarray:
    """Of each pair, with room that is used again and again."""
    texts, held = (*TABLE, SHAPES), nothing_held(1)
    return np.array([jaro_winkler(texts, held, (0, 2 * row, 2 * row + 1), 0.0) for row in range(len(PAIRS))])


def test_jaro_winkler_is_that_of_jellyfish_and_rapidfuzz_to_the_last_bit(similarities):
    assert similarities.tolist() == [jellyfish.jaro_winkler_similarity(a, b) for a, b in PAIRS]
    assert similarities.tolist() == [JaroWinkler.similarity(a, b) for a, b in PAIRS]


def test_jaro_winkler_is_that_of_recordlinkage_and_of_duckdb(similarities):
    frame = pd.DataFrame(PAIRS, columns=["a", "b"]).assign(row=range(len(PAIRS)))
    assert np.array_equal(similarities, jarowinkler_similarity(frame["a"], frame["b"]))
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        found = connection.sql(
            "select jaro_winkler_similarity(a, b) as s from frame order by row"
        ).fetchnumpy()
    assert np.abs(similarities - found["s"]).max() < 1e-12


def test_jaro_winkler_with_an_empty_string_is_nothing():
    table = string_table(["", "", "A"])
    assert similarity(table, 0, 1) == similarity(table, 0, 2) == similarity(table, 2, 0) == 0.0
    assert similarity(table, 0, 2, 0.5) == 0.0


def test_a_similarity_is_told_exactly_where_it_reaches_the_floor(similarities):
    texts, held = (*TABLE, SHAPES), nothing_held(1)
    for row, exact in enumerate(similarities):
        for floor in (exact, np.nextafter(exact, 2.0), 0.0, 0.4, 0.7, 0.88, 0.92, 1.0):
            told = jaro_winkler(texts, held, (0, 2 * row, 2 * row + 1), floor)
            assert told == (exact if exact >= floor else 0.0)


def test_a_text_held_against_many_is_as_similar_to_each_as_held_against_it_alone():
    """What was held before leaves no trace, in texts of one word, of 64 letters and beyond."""
    luck = random.Random(4)
    texts = [
        "ANNA.SMITH12@MAIL",
        "ANNA",
        *("".join(luck.choices("AB.@1", k=size)) for size in (9, 40, 63, 64, 65)),
    ]
    texts += [misspelt(text, luck)[:70] for text in texts]
    table, held = string_table(texts), nothing_held(1)
    known = (*table, letter_shapes(*table))
    for i in range(len(texts)):
        for j in range(len(texts)):
            told = jaro_winkler(known, held, (0, i, j), 0.0)
            assert told == jellyfish.jaro_winkler_similarity(texts[i], texts[j])


@given(st.text(alphabet="AB", max_size=40), TEXT, TEXT)
def test_a_common_beginning_however_long_changes_nothing_of_the_rule(beginning, one, other):
    one, other = beginning + one, beginning + other
    expected = jellyfish.jaro_winkler_similarity(one, other) if one and other else 0.0
    assert similarity(string_table([one, other]), 0, 1) == expected


def test_a_text_of_any_length_has_its_whole_length():
    long = "AB" * 50_000
    shapes = letter_shapes(*string_table([long]))
    assert (int(shapes[0, 3]) & 0xFFFFFFFF, int(shapes[0, 3]) >> 32) == (100_000, 100_000 - 8)


@settings(deadline=None)
@given(TEXT.filter(bool), TEXT.filter(bool))
def test_jaro_winkler_of_any_two_strings_is_symmetric_and_that_of_rapidfuzz(one, other):
    table = string_table([one, other])
    assert similarity(table, 0, 1) == similarity(table, 1, 0) == JaroWinkler.similarity(one, other)


def test_edits_are_those_of_optimal_string_alignment_for_all_short_strings():
    values, layer = [""], [""]
    for _ in range(4):
        layer = [value + letter for value in layer for letter in "ABC"]
        values += layer
    table = string_table(values)
    for i, one in enumerate(values):
        for j, other in enumerate(values):
            distance = OSA.distance(one, other)
            assert is_one_edit(*table, i, j) == (distance <= 1)


@settings(deadline=None, max_examples=300)
@given(TEXT, st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["", "A", "BA", "Z"])), max_size=3))
def test_edits_are_those_of_optimal_string_alignment_for_strings_that_are_alike(one, changes):
    other = one
    for at, letters in changes:
        other = other[:at] + letters + other[at + 1 :]
    table = string_table([one, other])
    distance = OSA.distance(one, other)
    assert is_one_edit(*table, 0, 1) == is_one_edit(*table, 1, 0) == (distance <= 1)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_table_of_strings_shares_the_letters_of_an_arrow_array(kind):
    array = pa.array(["LEFT OUT", "SMITH", "", "KHAN"], kind)[1:]
    table = string_table(array)
    assert [bytes(table.data[a:b]) for a, b in zip(table.offsets, table.offsets[1:], strict=False)] == [
        b"SMITH",
        b"",
        b"KHAN",
    ]
    assert np.shares_memory(table.data, np.frombuffer(array.buffers()[2], np.uint8))
    assert not table.data.flags.writeable


def test_a_table_reads_nothing_beyond_its_last_string():
    array = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 3, 6], np.int32)), pa.py_buffer(b"ANNANA")]
    )
    assert similarity(string_table(array), 0, 1) == jellyfish.jaro_winkler_similarity("ANN", "ANA")


def test_a_table_of_no_strings_is_empty():
    assert string_table([]).offsets.tolist() == [0]
    assert letter_shapes(*string_table([])).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["OK", "ZOË"], "value 1 of a table of strings is not ASCII text"),
        (["OK", "ZO\x00"], "value 1 of"),
        (pa.array(["ZOË", "OK", "ÉVA"])[1:], "value 1 of"),
        (["OK", None], "1 of 2 strings are missing"),
        (pa.array([1, 2]), "not of int64"),
    ],
)
def test_what_is_no_ascii_text_is_refused_without_repeating_it(values, message):
    with pytest.raises(LinkageError, match=message) as refused:
        string_table(values)
    assert "ZO" not in str(refused.value) and "VA" not in str(refused.value)


def plain_groups(keys: list[int]) -> tuple[list[int], list[int], list[int]]:
    rows = defaultdict(list)
    for row, key in enumerate(keys):
        if key >= 0:
            rows[key].append(row)
    blocks = [rows[key] for key in sorted(rows) if len(rows[key]) > 1]
    group = [-1] * len(keys)
    for number, block in enumerate(blocks):
        for row in block:
            group[row] = number
    return sum(blocks, []), np.cumsum([0, *map(len, blocks)]).tolist(), group


def plain_numbers(keys: list[int]) -> list[int]:
    numbers: dict[int, int] = {}
    return [-1 if key < 0 else numbers.setdefault(key, len(numbers)) for key in keys]


def check_grouping(keys: list[int]) -> None:
    array = np.array(keys, np.int64)
    assert tuple(part.tolist() for part in group_keys(array)) == plain_groups(keys)
    codes, count = renumber(array)
    assert codes.tolist() == plain_numbers(keys)
    assert count == len({key for key in keys if key >= 0})


@given(st.lists(st.integers(0, 2**62 - 1) | st.integers(0, 5), max_size=200))
def test_rows_in_order_of_their_keys_the_first_of_equal_ones_first(keys):
    array = np.array(keys, dtype=np.int64)
    assert order_of(array).tolist() == np.argsort(array, kind="stable").tolist()


LARGEST = 2**63 - 1
KEYS = st.one_of(
    st.integers(-2, 5),
    st.integers(0, 2**40),
    st.integers(LARGEST - 3, LARGEST),
    st.integers(0, 7).map(lambda number: number << 50),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(KEYS, max_size=60))
def test_blocks_are_the_rows_that_share_a_key_and_numbers_follow_first_appearance(keys):
    check_grouping(keys)


@pytest.mark.parametrize("lowest", [1, 3, 40, 20_000])
@pytest.mark.parametrize("outlier", [7, 2**40, LARGEST])
def test_keys_too_long_to_stand_beside_their_row_are_sorted_all_the_same(lowest, outlier):
    """With 2**15 rows a word has room for 49 bits: the lowest are what decides here, in long runs and short."""
    luck = np.random.default_rng(lowest)
    keys = luck.integers(0, lowest, 2**15) + (luck.integers(0, 3, 2**15) << 45)
    keys[luck.integers(0, len(keys), 50)] = -1
    keys[[5, 17]] = outlier
    check_grouping(keys.tolist())


def test_keys_that_are_read_only_or_not_contiguous_are_grouped():
    keys = np.array([3, 9, 1, 9, 3, 9])[::2]
    keys.flags.writeable = False
    assert renumber(keys)[0].tolist() == [0, 1, 0]
    assert group_keys(keys).order.tolist() == [0, 2]


def test_grouping_runs_in_several_threads_at_once():
    keys = [np.random.default_rng(seed).integers(0, 50_000, 100_000) for seed in range(4)]
    alone = [group_keys(each) for each in keys]
    with ThreadPoolExecutor(4) as threads:
        for one, other in zip(alone, threads.map(group_keys, keys), strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# Made with the reference implementation of XXH64, for seed 0 and seed 2**64 - 1, of so many letters of LETTERS.
LETTERS = bytes(33 + (7 * number) % 90 for number in range(100)).decode()
KNOWN_HASHES = {
    3: (0xF86757B2E77A69F7, 0x2C3F421BCF2B110C),
    4: (0x02B59D8D1C968183, 0x3639D44AB837C58D),
    7: (0xA56ACAB0CC471604, 0xD53E7ACC7B4242B7),
    8: (0x35888A941DC7377, 0x9A0D69D119D9E314),
    12: (0xF21C5D8BDE8E3243, 0xC3F090BA26BFD164),
    31: (0x1A24A51ED5FF4D42, 0x4A38DD87AE5278E7),
    32: (0x4CA13653C93F6F8E, 0x3C128C9B7482E4E2),
    33: (0xC01D514399546F8A, 0x6DAFF7035D769ADD),
    63: (0x7A33F646A1368E4E, 0x8BD7D424CF0E4424),
    64: (0x71D60F37C1767836, 0xD78D3B78490B277B),
    100: (0xF1C6ABC30A93B4CA, 0x976CE70B3A8DDC7),
}


@pytest.mark.parametrize("length", KNOWN_HASHES)
def test_a_hash_of_a_string_is_xxh64(length):
    text = pa.array([LETTERS[:length]])
    assert (hash_strings(text, 0)[0], hash_strings(text, 2**64 - 1)[0]) == KNOWN_HASHES[length]
    assert hash_strings(pa.array([""]))[0] == 0xEF46DB3751D8E999


def test_slices_and_chunks_are_hashed_as_the_whole():
    values = ["", "A", "ÅSA", "police:000001", "health:" + "9" * 40, "B"] * 3
    whole = hash_strings(pa.array(values), 3)
    assert len(set(whole.tolist())) == 6
    assert np.array_equal(hash_strings(pa.array(values)[4:11], 3), whole[4:11])
    assert np.array_equal(hash_strings(pa.array(values, pa.large_string())[2:], 3), whole[2:])
    chunked = pa.chunked_array([values[:7], [], values[7:]], pa.string())
    assert np.array_equal(hash_strings(chunked, 3), whole)
    assert np.array_equal(hash_strings(chunked[5:10], 3), whole[5:10])
    assert len(hash_strings(pa.chunked_array([], pa.string()))) == 0


def test_a_missing_string_has_no_hash():
    with pytest.raises(LinkageError, match="missing"):
        hash_strings(pa.array(["A", None]))


def test_a_million_record_ids_have_a_million_hashes():
    ids = pc.binary_join_element_wise("police", pa.array(np.arange(1_000_000)).cast(pa.string()), ":")
    hashes = hash_strings(ids)
    assert len(np.unique(hashes)) == len(ids)
    bits = (hashes[:100_000, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.01


def test_one_letter_or_one_bit_changes_half_of_a_hash():
    texts = [f"police:{number:06d}" for number in range(500)]
    changed = hash_strings(pa.array(texts)) ^ hash_strings(
        pa.array([text[:-3] + "X" + text[-2:] for text in texts])
    )
    mixed = [mix64(np.uint64(n)) ^ mix64(np.uint64(n ^ (1 << bit))) for n in range(40) for bit in range(64)]
    for differences in (changed, np.array(mixed, np.uint64)):
        counts = np.bitwise_count(differences)
        assert abs(counts.mean() - 32) < 1
        assert counts.min() > 8


def test_mix64_is_the_finaliser_of_splitmix64_also_for_signed_integers():
    assert mix64(np.uint64(0x9E3779B97F4A7C15)) == 0xE220A8397B1DCDAF
    assert mix64(np.int64(12345)) == mix64(np.uint64(12345))


def test_a_pair_has_one_hash_in_either_order_and_no_other_pair_has_it():
    numbers = [np.uint64(number) for number in (*range(150), 2**64 - 1, 2**63)]
    pairs = [(a, b) for at, a in enumerate(numbers) for b in numbers[at:]]
    hashes = [pair_hash(a, b) for a, b in pairs]
    assert len(set(hashes)) == len(pairs)
    assert hashes == [pair_hash(b, a) for a, b in pairs]
