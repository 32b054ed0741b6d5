"""Hubs: what many unrelated people share is no evidence, and which they are is part of the model version."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.link_population import Tables, trained_on_population

from pipelines.contracts.model import HubLimits, LinkageModel, load_model
from pipelines.errors import LinkageError
from pipelines.link import FusedEngine, LinkData, TrainedModel
from pipelines.link.compare import compare_pairs
from pipelines.link.describe import describe_model
from pipelines.link.encode import encode
from pipelines.link.features import make_feature
from pipelines.link.hubs import shared_by_unrelated
from pipelines.link.incremental.content import content_hashes

SURNAMES = ("ASHWORTH", "BUTLER", "CRAWFORD", "DUNMORE", "ELLIS", "FARROW", "GREGORY", "HOLT")


def asking_for(address: int = 6, postcode: int = 100) -> LinkageModel:
    return load_model().model_copy(update={"hubs": HubLimits(address=address, postcode=postcode)})


def sharers(
    surnames: tuple[str, ...], uprn: str | None = None, numbers: tuple[str, ...] = ("9",)
) -> LinkData:
    """One record for each surname, all at one postcode, with the numbers of the street in turn."""
    tables = Tables()
    for at, surname in enumerate(surnames):
        tables.record(f"r{at}")
        tables.name(f"r{at}", "SAM", surname)
        tables.birth(f"r{at}", "1990-04-07")
        tables.address(f"r{at}", numbers[at % len(numbers)], "BD1 1AA")
    data = tables.data()
    uprns = pa.array([uprn] * data.addresses.num_rows, pa.string())
    return replace(data, addresses=data.addresses.drop_columns(["uprn"]).append_column("uprn", uprns))


def address_level(model: LinkageModel, data: LinkData, known: object = None) -> str:
    encoded = encode(model, data, known)
    comparison = model.comparison("address")
    column = model.comparisons.index(comparison)
    level = compare_pairs(model, encoded, (np.array([0]), np.array([1])))[0, column]
    return (*comparison.level_names(), "null")[level]


def test_at_an_address_of_many_unrelated_people_the_address_says_nothing() -> None:
    assert address_level(asking_for(), sharers(SURNAMES)) == "null"
    assert address_level(asking_for(), sharers(SURNAMES[:5])) == "same_dwelling"


def test_a_large_family_and_many_records_of_one_person_are_no_hub() -> None:
    assert address_level(asking_for(), sharers(("ASHWORTH",) * 40)) == "same_dwelling"
    assert address_level(asking_for(), sharers(("ASHWORTH", "BUTLER") * 20)) == "same_dwelling"


def test_a_uprn_and_a_postcode_can_be_hubs_too() -> None:
    apart = tuple(str(number) for number in range(1, 9))
    assert address_level(asking_for(), sharers(SURNAMES, numbers=apart)) == "same_postcode"
    assert address_level(asking_for(), sharers(SURNAMES, "1001", apart)) == "null"
    assert address_level(asking_for(postcode=6), sharers(SURNAMES, numbers=apart)) == "null"
    found = {
        kind: [len(hubs[kind]) for hubs in (encode(asking_for(*limits), data).hubs or {},)]
        for kind, limits, data in (
            ("uprn", (6, 100), sharers(SURNAMES, "1001", apart)),
            ("postcode", (6, 6), sharers(SURNAMES, numbers=apart)),
            ("address", (6, 100), sharers(SURNAMES)),
        )
    }
    assert found == {"uprn": [1], "postcode": [1], "address": [1]}


def test_rooms_are_counted_as_their_house_and_flats_are_not() -> None:
    for kind, level in (("ROOM", "null"), ("FLAT", "same_building")):
        data = sharers(SURNAMES)
        flats = pa.array([f"{kind} {at}" for at in range(len(SURNAMES))], pa.string())
        data = replace(data, addresses=data.addresses.append_column("flat", flats))
        assert address_level(asking_for(), data) == level


def test_a_model_keeps_its_hubs_whoever_comes_in_later() -> None:
    model, crowd, few = asking_for(), sharers(SURNAMES), sharers(SURNAMES[:2])
    hubs = encode(model, crowd).hubs
    assert address_level(model, few, hubs) == "null"
    none = encode(model, few).hubs
    assert address_level(model, crowd, none) == "same_dwelling"


def test_sharers_of_a_hub_gain_no_weight() -> None:
    """Their weight is that of the same two people without any address."""
    crowd = sharers(SURNAMES)
    trained = replace(TrainedModel.untrained(asking_for()), hubs=encode(asking_for(), crowd).hubs)
    homeless = replace(crowd, addresses=crowd.addresses.slice(0, 0))
    weights = [
        {
            (row["record_a"], row["record_b"]): row["match_weight"]
            for row in FusedEngine().score(_keeping_all(trained), data).edges.to_pylist()
        }
        for data in (crowd, homeless)
    ]
    assert weights[0] == weights[1] and weights[0]


def _keeping_all(trained: TrainedModel) -> TrainedModel:
    return replace(trained, definition=trained.definition.model_copy(update={"edge_probability": 1e-9}))


def test_hubs_are_part_of_the_version_and_of_the_file() -> None:
    trained = replace(
        trained_on_population(), hubs={"uprn": (), "address": ("00000000000000ff",), "postcode": ()}
    )
    assert trained.version != replace(trained, hubs=None).version
    assert TrainedModel.from_json(trained.to_json()) == trained
    content = json.loads(trained.to_json())
    content["hubs"]["address"] = []
    with pytest.raises(LinkageError, match="altered"):
        TrainedModel.from_json(json.dumps(content))


def test_a_model_from_before_hubs_keeps_its_version() -> None:
    """A file of then has neither the key of hubs in its definition nor the list."""
    old = TrainedModel.untrained(load_model().model_copy(update={"hubs": None}))
    content = json.loads(old.to_json())
    del content["hubs"], content["training"]["hubs"], content["training"]["at_hubs"]
    assert "hubs" not in content["definition"]
    assert TrainedModel.from_json(json.dumps(content)).version == old.version
    assert encode(old.definition, sharers(SURNAMES)).hubs is None


def test_the_report_counts_hubs_by_kind_and_names_none() -> None:
    trained = trained_on_population()
    found = replace(
        trained,
        hubs={"uprn": (), "address": ("00000000000000ff",), "postcode": ()},
        training=replace(trained.training, at_hubs=31),
    )
    assert "0 by uprn, 1 by address, 0 by postcode; 31 records carry one" in describe_model(found)


def test_what_tells_of_an_address_is_part_of_a_records_content() -> None:
    data = sharers(SURNAMES)
    flats = [pa.array([flat, *[None] * 7], pa.string()) for flat in ("FLAT 1", "FLAT 2")]
    one, other = (
        content_hashes(replace(data, addresses=data.addresses.append_column("flat", each))) for each in flats
    )
    assert (one != other).tolist() == [True, *[False] * 7]


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3)), min_size=1),
    st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=8, max_size=8),
    st.integers(2, 4),
)
def test_hubs_are_what_counting_by_hand_finds(
    rows: list[tuple[int, int]], names: list[set[int]], limit: int
) -> None:
    records, keys = (np.array(side, dtype=np.int64) for side in zip(*rows, strict=True))
    flat = [(record, name) for record, each in enumerate(names) for name in each]
    at, codes = (np.array([row[side] for row in flat], dtype=np.int64) for side in (0, 1))
    families = make_feature(at, codes.astype(np.int32), 5, 8)
    expected = [
        key
        for key in sorted(set(keys.tolist()))
        if _unrelated([names[record] for record, other in set(rows) if other == key]) >= limit
    ]
    assert shared_by_unrelated(records, keys, families, limit).tolist() == expected


def _unrelated(people: list[set[int]]) -> int:
    groups: list[set[int]] = []
    for names in (each for each in people if each):
        related = [group for group in groups if group & names]
        groups = [group for group in groups if not group & names] + [names.union(*related)]
    return len(groups)
