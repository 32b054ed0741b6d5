"""A data set with its truth: one row a record, and how `joinedup link` is told to read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml

from pipelines.link.features import Ints

Kind = Literal["febrl3", "febrl4", "fake_1000", "synthetic"]
MAPPING = "mapping.yaml"


@dataclass(frozen=True)
class DataSet:
    """Records with the columns source, key (unique within its source), person, and the data's own.

    Args:
        kind: which configuration of a tool belongs to the data (its documented one).
        fields: the mapping of `joinedup link`, the same for every source.
        unique_people: whether each source is known to hold each person once.
    """

    name: str
    kind: Kind
    flat: pd.DataFrame
    fields: dict[str, Any]
    unique_people: bool = False

    @property
    def size(self) -> int:
        """How many records there are."""
        return len(self.flat)

    @property
    def people(self) -> Ints:
        """The person of each record, numbered from 0."""
        return np.asarray(pd.factorize(self.flat["person"])[0], dtype=np.int64)

    @property
    def columns(self) -> pd.DataFrame:
        """What a linker may see: everything but the truth."""
        return self.flat.drop(columns="person")

    def positions(self, sources: list[str], keys: list[str]) -> Ints:
        """Return where these records stand."""
        known = pd.MultiIndex.from_frame(self.flat[["source", "key"]])
        found = known.get_indexer(pd.MultiIndex.from_arrays([sources, keys]))
        if (found < 0).any():
            raise LookupError("a record that the data set does not have")
        return np.asarray(found, dtype=np.int64)

    def write(self, folder: Path) -> dict[str, Path]:
        """Return the files written, one for each source, with the mapping beside them."""
        files = {}
        for source, rows in self.columns.groupby("source"):
            files[str(source)] = folder / f"{source}.csv"
            rows.drop(columns="source").to_csv(files[str(source)], index=False)
        entry = {"record_id": "key", "unique_people": self.unique_people, "fields": self.fields}
        text = yaml.safe_dump({"sources": {source: entry for source in files}})
        (folder / MAPPING).write_text(text, encoding="utf-8")
        return files
