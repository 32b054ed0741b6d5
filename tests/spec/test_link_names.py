"""Names that are one name, as a domain expert would list them, and names that are not."""

from __future__ import annotations

import csv
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.link.names import (
    VARIANTS_FILES,
    are_variants,
    is_family_evidence,
    name_tokens,
    phonetic,
    phonetics,
    variants_of,
)
from pipelines.settings import load_settings

MOST_NAMES_IN_A_GROUP = 12

GIVEN_VARIANTS = [
    # tradition, one name, another that is commonly the same person's
    ("Arabic", "MOHAMMED", "MUHAMMAD"),
    ("Arabic, abbreviated", "MOHAMMED", "MD"),
    ("Arabic, Somali spelling", "MOHAMMED", "MAXAMED"),
    ("Arabic, Turkish form", "MOHAMMED", "MEHMET"),
    ("Urdu", "USMAN", "UTHMAN"),
    ("Somali", "ABDIRAHMAN", "ABDULRAHMAN"),
    ("Persian", "FATEMEH", "FATIMA"),
    ("Punjabi", "HARJIT", "HARJEET"),
    ("Punjabi, V for W", "BALWINDER", "BALVINDER"),
    ("Bengali, B for V", "VIKRAM", "BIKRAM"),
    ("Gujarati", "DEEPAK", "DIPAK"),
    ("Tamil, TH for T", "KAVITA", "KAVITHA"),
    ("Irish", "SIOBHAN", "SHIVAUN"),
    ("Irish, English form", "SEAMUS", "JAMES"),
    ("Scottish", "RUAIRIDH", "RORY"),
    ("Welsh", "IEUAN", "IFAN"),
    ("Polish diminutive", "MALGORZATA", "GOSIA"),
    ("Polish, English form", "WERONIKA", "VERONICA"),
    ("Ukrainian", "OLEKSANDR", "ALEXANDER"),
    ("Romanian", "GHEORGHE", "GEORGE"),
    ("Chinese, Wade-Giles", "XIAOMING", "HSIAOMING"),
    ("Chinese, Cantonese", "LIANG", "LEUNG"),
    ("Yoruba", "OLUWASEUN", "SEUN"),
    ("Igbo", "CHUKWUEMEKA", "EMEKA"),
    ("Akan", "KOJO", "KWADWO"),
    ("Portuguese", "JOSE", "ZE"),
    ("English diminutive", "REGINALD", "REGGIE"),
    ("English diminutive of both", "SAM", "SAMANTHA"),
    ("English spelling", "KAYLEIGH", "KAYLEY"),
    ("translation", "MARIA", "MARY"),
]

FAMILY_VARIANTS = [
    ("Arabic", "HUSSAIN", "HUSSEIN"),
    ("Bengali", "CHOWDHURY", "CHOUDHURY"),
    ("Urdu", "SHEIKH", "SHAIKH"),
    ("Bengali, of two forms", "MUKHERJEE", "MUKHOPADHYAY"),
    ("Punjabi", "KAUR", "KOUR"),
    ("Chinese, Cantonese", "HUANG", "WONG"),
    ("Chinese, Wade-Giles", "ZHANG", "CHANG"),
    ("Irish", "OREILLY", "REILLY"),
    ("Scottish", "MACDONALD", "MCDONALD"),
    ("Polish, of a woman", "KOWALSKI", "KOWALSKA"),
    ("West African", "DIALLO", "JALLOW"),
    ("Portuguese, Spanish", "LOPES", "LOPEZ"),
]

NOT_VARIANTS = [
    # lists, names of two people however alike or however chained
    ("given", "ALEXANDER", "ALEXANDRA", "both are ALEX"),
    ("given", "SAMUEL", "SAMANTHA", "both are SAM"),
    ("given", "CHARLES", "CHARLOTTE", "both are CHARLIE"),
    ("given", "ELEANOR", "ELIZABETH", "both are ELLIE"),
    ("given", "AHMED", "MOHAMMED", "two names"),
    ("given", "HASSAN", "HUSSAIN", "two names, often of brothers"),
    ("given", "HARPREET", "GURPREET", "both are PREET"),
    ("given", "MANDEEP", "SANDEEP", "two names, often of brothers"),
    ("given", "OLUWASEUN", "OLUWASEYI", "two names, often of brothers"),
    ("given", "ANDREI", "ANDREAS", "both are translations of ANDREW"),
    ("family", "HUANG", "WANG", "both are WONG in Cantonese"),
    ("family", "HASSAN", "HUSSAIN", "two names"),
    ("family", "WILLIAMS", "WILSON", "two names"),
    ("family", "JACKIE", "JACQUELINE", "given names only"),
]


@pytest.mark.parametrize(("tradition", "one", "other"), GIVEN_VARIANTS)
def test_given_names_that_are_one_name(tradition, one, other):
    assert are_variants(one, other) and are_variants(other, one)


@pytest.mark.parametrize(("tradition", "one", "other"), FAMILY_VARIANTS)
def test_family_names_that_are_one_name(tradition, one, other):
    assert are_variants(one, other, "family") and are_variants(other, one, "family")


@pytest.mark.parametrize(("kind", "one", "other", "why"), NOT_VARIANTS)
def test_names_that_stay_apart(kind, one, other, why):
    assert not are_variants(one, other, kind)


def test_variants_in_a_list_are_given_by_position():
    offsets, positions = variants_of(["PEGGY", "MUHAMMAD", "MARGARET", "ZQX", "MOHAMED", "MAISIE"], "given")
    assert offsets.dtype == np.int64 and positions.dtype == np.int32
    found = [positions[start:end].tolist() for start, end in zip(offsets[:-1], offsets[1:], strict=True)]
    assert found == [[2], [4], [0, 5], [], [1], [2]]


def names_of(kind: str) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    path = load_settings().schemas_dir / "codes" / VARIANTS_FILES[kind]
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            groups[row["group"]].append(row["name"])
    return groups


@pytest.mark.parametrize("kind", sorted(VARIANTS_FILES))
def test_groups_are_tight_and_written_as_names_are_compared(kind):
    groups = names_of(kind)
    too_big = {name for name, names in groups.items() if len(names) > MOST_NAMES_IN_A_GROUP}
    assert too_big <= {"MOHAMMED"}
    for group, names in groups.items():
        assert len(names) == len(set(names)) > 1, group
        assert group in names, group
        assert all(name.isascii() and name.isalpha() and name.isupper() for name in names), group


@pytest.mark.parametrize("kind", sorted(VARIANTS_FILES))
def test_no_two_common_names_are_variants_only_by_way_of_a_third(kind):
    common = {
        "given": ["MOHAMMED", "AHMED", "ALI", "HASSAN", "OMAR", "IBRAHIM", "AISHA", "FATIMA", "MARYAM"]
        + ["JOHN", "JAMES", "ROBERT", "MARGARET", "ELIZABETH", "CATHERINE", "SARAH", "ANDREW", "PAUL"],
        "family": ["KHAN", "AHMED", "HUSSAIN", "ALI", "PATEL", "SINGH", "KAUR", "BEGUM", "SMITH", "JONES"]
        + ["WONG", "CHAN", "LEE", "NGUYEN", "MURPHY", "MURRAY", "DAVIES", "EVANS", "THOMAS", "WALSH"],
    }[kind]
    offsets, _ = variants_of(common, kind)
    assert offsets[-1] == 0


@given(st.lists(st.sampled_from(sorted({n for g in names_of("given").values() for n in g})), unique=True))
def test_variants_are_symmetric_and_agree_with_the_test_of_two(names):
    offsets, positions = variants_of(names, "given")
    found = {(i, int(j)) for i in range(len(names)) for j in positions[offsets[i] : offsets[i + 1]]}
    assert found == {(j, i) for i, j in found}
    assert found == {
        (i, j) for i, a in enumerate(names) for j, b in enumerate(names) if i != j and are_variants(a, b)
    }


SOUNDS = [
    ("SMITH", "SMYTHE"),
    ("MOHAMMED", "MUHAMMAD"),
    ("KAUR", "KOUR"),
    ("OBRIEN", "OBRIAN"),
    ("NGUYEN", "NGUEN"),
    ("CATHERINE", "KATHRYN"),
]


@pytest.mark.parametrize(("one", "other"), SOUNDS)
def test_names_that_sound_alike(one, other):
    assert phonetic(one) == phonetic(other) != ""


def test_a_second_reading_of_a_name_has_a_second_code():
    assert set(phonetics("SCHMIDT")) & set(phonetics("SMITH"))
    assert phonetic("SCHMIDT") != phonetic("SMITH")
    assert phonetics("") == phonetics("12") == ()
    assert phonetic("") == ""


FAMILY_EVIDENCE = [
    ("KAUR", False),
    ("SINGH", False),
    ("BEGUM", False),
    ("BIBI", False),
    ("KHATOON BEGUM", False),
    ("KAUR SINGH", False),
    ("S KAUR", False),
    ("KAUR GILL", True),
    ("SINGH-SANDHU", True),
    ("BIN RASHID", True),
    ("KHAN", True),
    ("SMITH", True),
    ("", False),
]


@pytest.mark.parametrize(("family", "says_which_family"), FAMILY_EVIDENCE)
def test_kaur_singh_and_patronymic_markers_say_nothing_about_the_family(family, says_which_family):
    assert is_family_evidence(family) is says_which_family


SHARED_TOKENS = [
    # one writing, another, whether they share a token
    ("OBRIEN", "O BRIEN", True),
    ("O'BRIEN", "BRIEN", True),
    ("MACDONALD", "MC DONALD", True),
    ("MACLEOD", "MCLEOD", True),
    ("ALHASSAN", "AL HASSAN", True),
    ("ALHASSAN", "HASSAN", True),
    ("EL-SAYED", "ELSAYED", True),
    ("VAN DER BERG", "VANDERBERG", True),
    ("VANDERBERG", "BERG", True),
    ("DE SOUZA", "SOUZA", True),
    ("PATEL-GREEN", "GREEN PATEL", True),
    ("SMITH JONES", "JONES", True),
    ("ALFORD", "FORD", False),
    ("ALBERT", "BERT", False),
    ("MACEY", "MCEY", False),
    ("LE SMITH", "LE JONES", False),
    ("J SMITH", "J JONES", False),
]


@pytest.mark.parametrize(("one", "other", "shared"), SHARED_TOKENS)
def test_parts_of_names_however_they_are_joined(one, other, shared):
    assert bool(set(name_tokens(one)) & set(name_tokens(other))) is shared


@given(st.lists(st.sampled_from(["AL", "O", "MAC", "VAN", "DER", "HASSAN", "SMITH", "J"]), min_size=1))
def test_the_tokens_of_a_name_are_the_same_hyphenated(words):
    assert name_tokens(" ".join(words)) == name_tokens("-".join(words))
