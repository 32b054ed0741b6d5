"""Synthetic populations with known truth: the agencies' files made, read and normalised, without a warehouse."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.accuracy.dataset import DataSet
from benchmarks.accuracy.public_data import plain
from pipelines.contracts.agency import Contract
from pipelines.contracts.loader import load_contracts
from pipelines.ingest.readers import open_reader
from pipelines.keys import record_id
from pipelines.link import LinkData, seal_closure
from pipelines.link.features import Ints
from pipelines.normalise.assemble.context import NormaliseContext
from pipelines.normalise.assemble.delivery import normalise_files
from pipelines.periods import period_end
from pipelines.synth import SynthRequest, generate
from pipelines.synth.layouts import LAYOUTS
from pipelines.warehouse.linkage import TABLES

PERIOD = "2026-09"
KEY = b"benchmark-key-known-to-everybody"
IDENTIFIERS = {"NHS": "nhs_number", "UPN": "upn", "PNC": "pnc", "CRO": "cro"}
FIELDS: dict[str, Any] = {
    "forename": "given",
    "middle_names": "middle",
    "surname": "family",
    "date_of_birth": {"column": "date_of_birth", "format": "%Y-%m-%d"},
    "sex": "sex",
    "address": "address",
    "postcode": "postcode",
    "phone": "mobile",
    "email": "email",
    **{f"identifier.{column}": column for column in IDENTIFIERS.values()},
}
USABLE = pa.array(["VALID", "SYNTHETIC", "UNVERIFIED"])


@dataclass(frozen=True)
class Population:
    """A population flattened to one row a record, and as the warehouse would link it: all names and addresses."""

    flat: DataSet
    whole: LinkData

    def positions(self, record_ids: list[str]) -> Ints:
        """Return where these records stand among the flat ones."""
        found = pd.Index(self.flat.flat["key"]).get_indexer(pd.Index(record_ids))
        return np.asarray(found, dtype=np.int64)


def population(people: int, seed: int) -> Population:
    """Return the synthetic population of this size and seed, one period of every agency."""
    with tempfile.TemporaryDirectory(prefix="joinedup-accuracy-") as folder:
        inbox, truth = Path(folder) / "inbox", Path(folder) / "truth"
        generate(SynthRequest(people, seed, (PERIOD,), inbox, truth))
        return read_population(f"synthetic, seed {seed}", inbox, truth)


def read_population(name: str, inbox: Path, truth: Path) -> Population:
    """Return the population of the files in `inbox`, without sealed identities and who shares their numbers."""
    persons = _truth(truth / f"{PERIOD}.csv")
    tables = [_normalise(contract, inbox / agency) for agency, contract in load_contracts().items()]
    whole = LinkData(
        **{ours: pa.concat_tables([each[theirs] for each in tables]) for ours, theirs in TABLES.items()}
    )
    known = set(whole.records["record_id"].to_pylist())
    sealed = set(persons.loc[persons["is_sealed"] == "1", "record_id"]) & known
    whole = whole.without(seal_closure(whole.identifiers, sealed))
    flat, person = flatten(whole), persons.set_index("record_id")["true_person_id"]
    flat.insert(0, "person", person.reindex(flat["key"]).to_numpy(dtype=object))
    return Population(DataSet(name, "synthetic", plain(flat), FIELDS), whole)


def _truth(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str)
    keys = zip(frame["agency"], frame["source_person_id"], strict=True)
    frame["record_id"] = [record_id(KEY, agency, local) for agency, local in keys]
    return frame


def _normalise(contract: Contract, folder: Path) -> dict[str, pa.Table]:
    """Return an agency's files as tables of the shared schema: the normaliser that the warehouse uses."""
    layouts = {layout.file_name(PERIOD): layout for layout in LAYOUTS if layout.agency == contract.agency}
    contract, landed = contract.at(PERIOD), {}
    for number, (name, file) in enumerate(contract.files.items(), start=1):
        path = next((folder / each for each in layouts if re.fullmatch(file.pattern, each)), None)
        if path is not None and any(emit.table in TABLES.values() for emit in file.emits):
            batches = [batch.rows for batch in open_reader(path, name, file).batches()]
            table = pa.Table.from_batches(batches)
            landed[name] = table.append_column("extract_id", pa.repeat(pa.scalar(number), table.num_rows))
    context = NormaliseContext(contract, period_end(PERIOD), KEY, allow_synthetic=True)
    return dict(normalise_files(context, landed).tables)


def flatten(data: LinkData) -> pd.DataFrame:
    """Return one row a record: its first name, day of birth and address, one number of each kind, its contacts."""
    flat = data.records.select(["record_id", "agency", "sex"]).to_pandas().set_index("record_id")
    flat["sex"] = flat["sex"].where(flat["sex"].isin(["M", "F"]))
    parts = [
        _first(data.names, ["given", "middle", "family"]),
        _first(data.births.filter(pc.equal(data.births["precision"], "DAY")), ["date_of_birth"]),
        _first(data.addresses, ["address", "postcode"]),
    ]
    for kind, column in IDENTIFIERS.items():
        parts.append(_value(data.identifiers, "identifier_type", kind, column))
    for kind in ("MOBILE", "EMAIL"):
        parts.append(_value(data.contacts, "contact_type", kind, kind.lower()))
    for part in parts:
        flat = flat.join(part, how="left")
    flat = flat.reset_index(names="key").rename(columns={"agency": "source"})
    ordered: pd.DataFrame = flat.sort_values(["source", "key"])
    return ordered


def _first(table: pa.Table, columns: list[str]) -> pd.DataFrame:
    frame: pd.DataFrame = table.select(["record_id", *columns]).to_pandas(date_as_object=True)
    return frame.drop_duplicates("record_id").set_index("record_id")


def _value(table: pa.Table, kind_column: str, kind: str, name: str) -> pd.DataFrame:
    usable = pc.and_(pc.equal(table[kind_column], kind), pc.is_in(table["status"], value_set=USABLE))
    found: pd.DataFrame = _first(table.filter(usable), ["value"]).rename(columns={"value": name})
    return found
