"""Training as a whole: parameters that no seed moves, priors near the truth, households only where there are any."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support.link_population import population, quick_model, trained_on_population

from pipelines.contracts.model import load_model
from pipelines.link import FusedEngine, LinkData, TrainedModel, train
from pipelines.link.encode import encode
from pipelines.link.training.evidence import gather_evidence
from pipelines.link.training.train import train_encoded

HOUSEHOLDS = 414
RECORDS = 3000


@cache
def medium() -> tuple[LinkData, dict[str, str]]:
    """Return about 3,000 records with their truth."""
    tables, truth = population(HOUSEHOLDS, seed=5)
    return tables.data(), truth


@cache
def trained_on_medium(seed: int = 1) -> TrainedModel:
    model = load_model()
    return train_encoded(model, encode(model, medium()[0]), FusedEngine(), seed=seed)


def true_pairs(truth: dict[str, str], first: str, second: str) -> int:
    """Return how many pairs of records between two agencies are one person, by the first letters of their ids."""
    a, b = ([person for record, person in truth.items() if record[0] == each[0]] for each in (first, second))
    if first == second:
        return sum(a.count(person) * (a.count(person) - 1) // 2 for person in set(a))
    return sum(a.count(person) * b.count(person) for person in set(a))


def test_another_random_sample_moves_no_notable_weight():
    assert abs(medium()[0].records.num_rows - RECORDS) < 200
    one, other = trained_on_medium(1).parameters, trained_on_medium(2).parameters
    moved, compared = {}, 0
    for name in one.m:
        for level, (m, u) in enumerate(zip(one.m[name], one.u[name], strict=True)):
            if m >= 0.01 or (u >= 0.01 and m >= 0.001):
                compared += 1
                moved[name, level] = abs(
                    np.log2(m / u) - np.log2(other.m[name][level] / other.u[name][level])
                )
    assert compared > 20
    assert one.u != other.u
    assert max(moved.values()) < 0.3


def test_the_prior_of_each_pair_of_sources_is_near_the_truth():
    for record in trained_on_medium().training.priors:
        first, second = record.sources.split("|")
        matches = true_pairs(medium()[1], first, second)
        if matches >= 200:
            assert record.estimated * record.pairs == pytest.approx(matches, rel=0.12)
            assert record.used == record.estimated
        assert record.deterministic <= record.estimated * record.pairs * 1.01 + 1


def test_every_start_ends_in_the_same_place_and_the_record_says_so():
    training = trained_on_medium().training
    assert [each.start for each in training.starts] == ["model", "flatter", "sharper"]
    assert [each.chosen for each in training.starts].count(True) == 1
    best = next(each for each in training.starts if each.chosen)
    assert best.log_likelihood >= max(each.log_likelihood for each in training.starts) - 0.02
    assert all(each.converged and each.distance < 0.1 for each in training.starts)
    assert training.converged
    assert not any("start ends elsewhere" in warning for warning in training.warnings)


def test_the_record_of_training_survives_json():
    trained = trained_on_medium()
    again = TrainedModel.from_json(trained.to_json()).training
    assert again == trained.training
    content = json.loads(trained.training_json())
    assert content["sensitivity"].keys() == {"0.5", "0.9"}
    assert content["priors"][0].keys() >= {"assumed", "estimated", "used", "deterministic"}
    assert content["passes"][0]["weight"]
    assert content == json.loads(json.dumps(asdict(again)))


def test_people_at_one_address_are_counted():
    home = trained_on_medium().training.household
    assert home is not None
    assert home.takes_part
    assert home.members > home.matches > 500


def test_without_addresses_there_is_no_household_class():
    data = medium()[0]
    bare = LinkData(
        data.records, data.names, data.births, data.identifiers, data.addresses.slice(0, 0), data.contacts
    )
    trained = train(quick_model(), bare)
    assert trained.parameters.household is None
    assert all(prior.household == 0.0 for prior in trained.parameters.priors.values())
    assert trained.training.household is not None
    assert not trained.training.household.takes_part
    scored = FusedEngine().score(trained, bare)
    assert scored.report.links > 1000
    assert (scored.found.scores.household == 0).all()


def test_addresses_that_people_never_share_leave_no_household_class():
    tables, truth = population(200, seed=8)
    # Every person lives alone: the building number is the person's own.
    tables.rows["addresses"] = [(row[0], f"{truth[row[0]]}", *row[2:]) for row in tables.rows["addresses"]]
    assert train(quick_model(), tables.data()).parameters.household is None


def test_pairs_inside_a_source_of_unique_people_are_no_evidence_of_matches():
    data = medium()[0]
    unique = LinkData(
        *(
            getattr(data, name)
            for name in ("records", "names", "births", "identifiers", "addresses", "contacts")
        ),
        unique_sources=frozenset({"health"}),
    )
    model = quick_model()
    encoded = encode(model, unique)
    seen = gather_evidence(model, encoded, FusedEngine(), seed=1)
    code = encoded.agencies.index("health") * (len(encoded.agencies) + 1)
    assert seen.pair_totals[code] == 0
    assert code not in seen.union.source
    assert all(code not in rule.source for rule in seen.rules.values())
    assert code in seen.rest.source


def test_all_pairs_are_in_the_evidence_about_strangers_in_proportion():
    data = medium()[0]
    model = quick_model()
    encoded = encode(model, data)
    seen = gather_evidence(model, encoded, FusedEngine(), seed=1)
    total = encoded.size * (encoded.size - 1) / 2
    assert seen.strangers.pairs == pytest.approx(total * seen.rest_rate, rel=1e-6)
    whole = gather_evidence(load_model(), encoded, FusedEngine(), seed=2)
    assert whole.union.pairs == seen.union.pairs
    assert whole.deterministic.tolist() == seen.deterministic.tolist()


def test_candidate_pairs_are_counted_once_however_many_rules_meet_them():
    trained = trained_on_medium()
    encoded = encode(trained.definition, medium()[0])
    seen = gather_evidence(trained.definition, encoded, FusedEngine(), seed=1)
    assert seen.union.pairs == FusedEngine().find(trained, encoded, bound=20.0).pairs
    assert seen.candidates > seen.union.pairs


def test_the_same_record_order_or_not_every_part_of_the_record_is_the_same():
    data = medium()[0]
    order = pa.array(np.random.default_rng(1).permutation(data.records.num_rows))
    shuffled = LinkData(
        data.records.take(order), data.names, data.births, data.identifiers, data.addresses, data.contacts
    )
    model = quick_model()
    assert train(model, data).training == train(model, shuffled).training


def test_u_of_a_birth_date_is_that_of_strangers():
    births = medium()[0].births
    dates = pc.value_counts(births["date_of_birth"].combine_chunks()).to_pylist()
    size = births.num_rows
    chance = sum(each["counts"] * (each["counts"] - 1) for each in dates) / size / (size - 1)
    trained = trained_on_medium()
    matches = sum(each.used * each.pairs for each in trained.training.priors)
    same = trained.parameters.m["date_of_birth"][0] * matches / (size * (size - 1) / 2)
    assert trained.parameters.u["date_of_birth"][0] == pytest.approx(chance - same, rel=0.6)
    assert trained.parameters.u["date_of_birth"][0] < 0.2 * chance


def test_the_trained_population_has_no_start_that_ended_elsewhere():
    assert all(each.distance < 0.1 for each in trained_on_population().training.starts)
