"""Features of names: one table of distinct names, for given, middle and family names; all else is made from it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.link.columns import code_column, code_columns, whole
from pipelines.link.encode.encoded import Adjacency
from pipelines.link.encode.placing import Placing
from pipelines.link.features import (
    NONE,
    Bools,
    Codes,
    Derived,
    Feature,
    Ints,
    apply_derived,
    derive,
    derive_values,
    make_feature,
)
from pipelines.link.fused.hashing import hash_strings
from pipelines.link.names import is_family_evidence, name_tokens, phonetics, tokens, variants_of
from pipelines.link.values import fold_hashes

LETTERS = 256
THE_LETTERS = np.arange(LETTERS)


class NameFeatures:
    """The names of all records; codes of given, family and middle words point into one table."""

    def __init__(self, placing: Placing) -> None:
        self.placing = placing
        self.table = placing.data.names
        self.at = placing.rows("names")
        split = pc.split_pattern(whole(self.table["middle"].cast(pa.string())), " ")
        self.word_rows = self.at[pc.list_parent_indices(split).to_numpy()]
        columns = [self.table["given"], self.table["family"], split.flatten()]
        (self.given, self.family, self.words), self.values = code_columns(columns)
        self.texts: list[str] = self.values.to_pylist()

    def feature(self, name: str) -> Feature:
        """Return a feature of names by its name; raises KeyError when there is none of that name."""
        return BUILDERS[name](self)

    def of(self, at: Ints, codes: Codes) -> Feature:
        """Return the feature of codes into the table of names."""
        return make_feature(at, codes, len(self.values), self.placing.size, self.values)

    @cached_property
    def given_names(self) -> Feature:
        """The given names of each record, aliases too."""
        return self.of(self.at, self.given)

    @cached_property
    def family_names(self) -> Feature:
        """The family names of each record, aliases and former ones too."""
        return self.of(self.at, self.family)

    def middle(self) -> Feature:
        """Return the middle names of each record, several in one text."""
        codes, values = code_column(self.table["middle"])
        return make_feature(self.at, codes, len(values), self.placing.size, values)

    @cached_property
    def sounds(self) -> Derived:
        """The phonetic codes of each distinct name."""
        return derive_values(self.texts, phonetics)

    @cached_property
    def first_sound(self) -> Codes:
        """The first phonetic code of each distinct name, -1 when it has none; the last entry stands for no name."""
        starts, ends = self.sounds.offsets[:-1], self.sounds.offsets[1:]
        first = np.append(self.sounds.codes, NONE)[np.where(ends > starts, starts, len(self.sounds.codes))]
        return np.append(first, NONE).astype(np.int32)

    def sounding(self, feature: Feature) -> Feature:
        """Return the first phonetic code of each name: compared, a second one meets more strangers than kin."""
        if feature.offsets is None:
            return Feature(self.first_sound[feature.codes], None, len(self.sounds.values))
        records, codes = feature.record_of_each(), self.first_sound[feature.codes]
        return make_feature(records, codes, len(self.sounds.values), feature.records)

    def family_phonetic(self) -> Feature:
        """Return the phonetic codes of the family names and of each word in them, for blocking."""
        return derive(self.family_names, lambda name: _sounds_of((name, *tokens(name))))

    def either_order(self) -> Feature:
        """Return both names by sound, whichever stands first."""
        given, family = self.first_sound[self.given], self.first_sound[self.family]
        low, high = np.minimum(given, family).astype(np.int64), np.maximum(given, family)
        width = len(self.sounds.values)
        codes, pairs = _renumbered(np.where(low >= 0, low * width + high, NONE))
        hashes = np.append(hash_strings(self.sounds.values), np.uint64(0))
        one, other = np.divmod(np.maximum(pairs, 0), max(width, 1))
        values = fold_hashes(np.minimum(hashes[one], hashes[other]), np.maximum(hashes[one], hashes[other]))
        return self.placing.codes(self.at, codes, len(pairs), values.view(np.int64))

    def crossed(self, by_sound: bool, reverse: bool) -> Feature:
        """Return full names, or the same the other way round, of those that some record has in the other order."""
        table = (
            self.first_sound if by_sound else np.append(np.arange(len(self.values)), NONE).astype(np.int32)
        )
        given, family = table[self.given], table[self.family]
        width = np.int64(len(self.sounds.values) if by_sound else len(self.values))
        rows = _in_both(given, family, int(width))
        forward, backward = given[rows] * width + family[rows], family[rows] * width + given[rows]
        shared = np.intersect1d(forward, backward)
        mine = backward if reverse else forward
        place = np.searchsorted(shared, mine)
        found = np.append(shared, NONE)[place] == mine
        codes = np.where(found, place, NONE).astype(np.int32)
        return self.placing.codes(self.at[rows], codes, len(shared))

    def variants(self, feature: str) -> Adjacency:
        """Return which distinct names are variants of which, for `given` or `family` names."""
        offsets, codes = variants_of(self.texts, feature)
        return Adjacency(offsets, codes)


def _in_both(given: Codes, family: Codes, size: int) -> Ints:
    """Return the rows whose given name is somebody's family name, and the other way round."""
    as_given, as_family = np.zeros(size + 1, dtype=bool), np.zeros(size + 1, dtype=bool)
    as_given[given], as_family[family] = True, True
    present: Bools = (given >= 0) & (family >= 0)
    return np.flatnonzero(present & as_family[given] & as_given[family])


def _renumbered(keys: Ints) -> tuple[Codes, Ints]:
    """Return keys as codes from 0, negative ones as -1, and the key of each code."""
    codes, values = pd.factorize(keys)
    none = np.flatnonzero(values < 0)
    return np.where(np.isin(codes, none), NONE, codes).astype(np.int32), np.asarray(values)


def _sounds_of(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sound for name in names for sound in phonetics(name)))


def _family_tokens(name: str) -> tuple[str, ...]:
    """Return the words of a family name that are evidence of one family: KAUR and SINGH, shared alone, are not."""
    return tuple(token for token in name_tokens(name) if is_family_evidence(token))


def _letter(feature: Feature, single: bool = False) -> Feature:
    """Return the first letter of each value, or the letter of those values that are no more than one.

    The code of a letter is the letter, so that the codes of both can be compared.
    """
    letters = [
        ord(text[0]) % LETTERS if text and not (single and len(text) > 1) else NONE
        for text in feature.texts()
    ]
    table = np.append(letters, NONE).astype(np.int32)
    if feature.offsets is None:
        return Feature(table[feature.codes], None, LETTERS, THE_LETTERS)
    return make_feature(feature.record_of_each(), table[feature.codes], LETTERS, feature.records, THE_LETTERS)


BUILDERS: dict[str, Callable[[NameFeatures], Feature]] = {
    "given": lambda names: names.given_names,
    "family": lambda names: names.family_names,
    "middle": lambda names: names.middle(),
    "middle_token": lambda names: names.of(names.word_rows, names.words),
    "middle_word": lambda names: derive(names.of(names.word_rows, names.words), tokens),
    "middle_single": lambda names: _letter(names.middle(), single=True),
    "middle_initial": lambda names: _letter(names.middle()),
    "given_sound": lambda names: names.sounding(names.given_names),
    "family_sound": lambda names: names.sounding(names.family_names),
    "given_phonetic": lambda names: apply_derived(names.given_names, names.sounds),
    "family_phonetic": lambda names: names.family_phonetic(),
    "given_token": lambda names: derive(names.given_names, name_tokens),
    "family_token": lambda names: derive(names.family_names, _family_tokens),
    "given_initial": lambda names: _letter(names.given_names),
    "family_initial": lambda names: _letter(names.family_names),
    "given_single": lambda names: _letter(names.given_names, single=True),
    "family_single": lambda names: _letter(names.family_names, single=True),
    "sorted_names": lambda names: names.either_order(),
    "full": lambda names: names.crossed(by_sound=False, reverse=False),
    "reversed": lambda names: names.crossed(by_sound=False, reverse=True),
    "full_phonetic": lambda names: names.crossed(by_sound=True, reverse=False),
    "reversed_phonetic": lambda names: names.crossed(by_sound=True, reverse=True),
}
