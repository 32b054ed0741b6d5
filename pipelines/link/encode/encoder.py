"""The encoder: builds the features that a model needs, each group of them from one table, when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.conditions import is_open
from pipelines.contracts.model import Comparison, LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.columns import code_column, whole
from pipelines.link.data import LinkData
from pipelines.link.encode.births import BirthFeatures
from pipelines.link.encode.contacts import contact_features, extra_features
from pipelines.link.encode.dwellings import Dwellings
from pipelines.link.encode.encoded import Adjacency, Encoded
from pipelines.link.encode.hubs import HubRows, find_hub_rows
from pipelines.link.encode.identifiers import identifier_features
from pipelines.link.encode.names import NameFeatures
from pipelines.link.encode.places import PLACES, place_features
from pipelines.link.encode.placing import Placing
from pipelines.link.features import Codes, Feature
from pipelines.link.hubs import Hubs
from pipelines.link.predicates import compile_comparisons, features_of
from pipelines.link.threads import on_all_cores

Build = Callable[[], Feature]
SEXES = pa.array(["F", "M"], pa.string())


def encode(model: LinkageModel, data: LinkData, hubs: Hubs | None = None) -> Encoded:
    """Return the features of `data` that `model` uses; the order of input rows does not matter.

    `hubs` are those of a trained model; without them, a model that asks for hubs finds those among these records.

    Raises:
        LinkageError: a record id stands twice, or a row belongs to a record that is not among the records.
    """
    return _Encoder(model, data, hubs).encoded()


class _Encoder:
    def __init__(self, model: LinkageModel, data: LinkData, hubs: Hubs | None) -> None:
        self.model, self.data, self.known_hubs = model, data, hubs
        self.placing, self.order = Placing.of(data)
        self.made: dict[str, Feature] = {}

    def encoded(self) -> Encoded:
        ids = whole(self.data.records["record_id"].cast(pa.string())).take(pa.array(self.order))
        if self.placing.size > 1 and bool(pc.any(pc.equal(ids[1:], ids[:-1])).as_py()):
            raise LinkageError("linking: a record id stands twice in the records")
        wanted = sorted(features_of(self.model))
        at_hubs = self.hub_rows  # before the features, which are made at one time
        groups = groupby(sorted(wanted, key=self._table), key=self._table)
        list(
            on_all_cores(
                lambda names: [self.feature(name) for name in names], [[*each] for _, each in groups]
            )
        )
        features = {name: self.feature(name) for name in wanted}
        agencies, agency = self._agencies()
        return Encoded(
            record_ids=ids,
            agencies=agencies,
            agency=agency,
            features=features,
            source_row=self.order,
            variants=self._variants(features),
            unique=tuple(name in self.data.unique_sources for name in agencies),
            hubs=at_hubs.hubs,
            at_hubs=at_hubs.records,
        )

    def _agencies(self) -> tuple[tuple[str, ...], Codes]:
        codes, values = code_column(self.data.records["agency"])
        names = values.to_pylist()
        ranked = sorted(range(len(names)), key=lambda at: names[at])
        rank = np.empty(len(names), dtype=np.int32)
        rank[ranked] = np.arange(len(names))
        used = sorted(set(np.unique(codes).tolist()), key=lambda code: names[code])
        final = np.full(len(names), -1, dtype=np.int32)
        final[used] = np.arange(len(used))
        return tuple(names[code] for code in used), final[codes][self.order]

    def _variants(self, features: Mapping[str, Feature]) -> dict[str, Adjacency]:
        asked = {
            predicate.left
            for comparison in compile_comparisons(self.model)
            for predicate in comparison.predicates
            if predicate.operation == "variant"
        }
        return {name: self.names.variants(name) for name in sorted(asked)}

    @cached_property
    def names(self) -> NameFeatures:
        return NameFeatures(self.placing)

    @cached_property
    def hub_rows(self) -> HubRows:
        return find_hub_rows(
            self.placing,
            lambda: self.dwellings,
            self.model.hubs,
            self.known_hubs,
            lambda: self.feature("family_phonetic"),
        )

    @cached_property
    def dwellings(self) -> Dwellings:
        return Dwellings(self.data.addresses)

    @cached_property
    def births(self) -> BirthFeatures:
        return BirthFeatures(self.placing)

    def _table(self, name: str) -> str:
        """Return which table a feature is made from: features of different tables can be made at one time."""
        if (number := self._identifier_of(name)) is not None:
            return number.field
        if is_open(name):
            return name.removesuffix("_token")
        if name == "sex" or name.startswith("contact"):
            return name.partition("_")[0]
        if name in PLACES:
            return "addresses"
        return "births" if name.startswith(("birth", "date_of_birth")) else "names"

    def feature(self, name: str) -> Feature:
        """Return a feature by name; features of one table are made together."""
        if name not in self.made:
            self.made |= self._group(name)
        return self.made[name]

    def _group(self, name: str) -> Mapping[str, Feature]:
        if (number := self._identifier_of(name)) is not None:
            return identifier_features(self.placing, number, self.model.verified_code)
        if is_open(name):
            return extra_features(self.placing, name)
        match self._table(name):
            case "sex":
                return {"sex": self._sex()}
            case "contact":
                return contact_features(self.placing)
            case "addresses":
                return place_features(self.placing, lambda: self.dwellings, name, ~self.hub_rows.rows)
            case "births":
                return {name: self.births.feature(name)}
            case _:
                return {name: self.names.feature(name)}

    def _identifier_of(self, name: str) -> Comparison | None:
        """Return the comparison of identifiers that a feature belongs to, if any."""
        numbers = (each for each in self.model.comparisons if each.kind == "identifier")
        return next((each for each in numbers if _is_of(name, each)), None)

    def _sex(self) -> Feature:
        sex = self.data.records["sex"]
        known = pc.if_else(pc.is_in(sex.cast("string"), value_set=SEXES), sex.cast("string"), None)
        return self.placing.column(self.placing.place, known)


def _is_of(name: str, comparison: Comparison) -> bool:
    rest = name.removeprefix(comparison.field)
    return name.startswith(comparison.field) and (not rest or rest.startswith("_"))
