"""Training: EM finds what made the data, nothing depends on the order of rows, and a model is its own version."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from support.link_population import Tables, population, quick_model, trained_on_population

from pipelines.contracts.model import load_model
from pipelines.errors import LinkageError
from pipelines.link import TrainedModel, train
from pipelines.link.training.mixture import Free, MixtureClass, fit_mixture
from pipelines.link.training.patterns import Patterns
from pipelines.link.training.sample import random_pairs

M = (np.array([0.9, 0.08, 0.02]), np.array([0.7, 0.3]), np.array([0.95, 0.05]))
U = (np.array([0.01, 0.04, 0.95]), np.array([0.2, 0.8]), np.array([0.05, 0.95]))


def simulated(pairs: int, share: float, missing: float) -> Patterns:
    """Return simulated pairs with known m, u and share of matches; a share of values is missing."""
    dice = np.random.default_rng(4)
    is_match = dice.random(pairs) < share
    columns = []
    for m, u in zip(M, U, strict=True):
        levels = np.where(is_match, dice.choice(len(m), pairs, p=m), dice.choice(len(u), pairs, p=u))
        columns.append(np.where(dice.random(pairs) < missing, -1, levels))
    rows, counts = np.unique(np.stack(columns, axis=1).astype(np.int8), axis=0, return_counts=True)
    return Patterns(rows, np.zeros(len(rows), dtype=np.int64), counts.astype(float))


def start() -> list[MixtureClass]:
    vague = [np.array([0.6, 0.2, 0.2]), np.array([0.6, 0.4]), np.array([0.6, 0.4])]
    return [
        MixtureClass("match", 0.5, dict(enumerate(vague))),
        MixtureClass("random", 0.5, dict(enumerate(U))),
    ]


def test_em_recovers_m_and_the_share_of_matches_when_u_is_known():
    fit = fit_mixture(
        simulated(200_000, 0.3, missing=0.2),
        start(),
        [Free(at, ("match",)) for at in range(3)],
        load_model().training,
    )
    assert fit.converged
    assert fit.of("match").share == pytest.approx(0.3, abs=0.01)
    for at, m in enumerate(M):
        assert fit.of("match").vectors[at] == pytest.approx(m, abs=0.015)
        assert fit.of("random").vectors[at] == pytest.approx(U[at])


def test_em_that_ran_out_of_iterations_says_so():
    settings = load_model().training.model_copy(update={"iterations": 2})
    fit = fit_mixture(simulated(5000, 0.3, 0.0), start(), [Free(0, ("match",))], settings)
    assert (fit.converged, fit.iterations) == (False, 2)
    assert fit.last_change > settings.tolerance


def test_random_pairs_do_not_depend_on_anything_but_ids_and_seed():
    ids = pa.array(sorted(f"record {number}" for number in range(500)))
    a, b = random_pairs(ids, 2000, seed=1)
    assert (a < b).all()
    assert len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(a) >= 2000
    assert not np.array_equal(random_pairs(ids, 2000, seed=2)[0], a)


def test_the_same_model_comes_from_any_order_of_rows():
    tables, _ = population(120, seed=3)
    model = quick_model()
    first, second = train(model, tables.data()), train(model, tables.data(random.Random(9)))
    assert first.version == second.version
    assert first.to_json() == second.to_json()


def test_u_is_the_frequency_among_strangers_and_m_is_high_where_records_agree():
    parameters = trained_on_population().parameters
    assert parameters.u["sex"][0] == pytest.approx(0.5, abs=0.03)
    assert parameters.m["sex"][0] > 0.99
    assert parameters.u["date_of_birth"][0] < 0.0005
    assert parameters.m["date_of_birth"][0] == pytest.approx(0.96, abs=0.03)
    assert parameters.m["nhs_number"][0] > 0.95


def test_the_household_class_is_found_without_truth():
    home = trained_on_population().parameters.household
    assert home is not None
    assert home.shared["family_name"][0] > 0.7
    assert 0.002 < home.twins < 0.06
    assert 0.002 < home.namesakes < 0.08


def test_the_prior_is_per_pair_of_sources():
    priors = trained_on_population().parameters.priors
    assert set(priors) == {
        "childrens_services|childrens_services",
        "childrens_services|health",
        "childrens_services|police",
        "health|health",
        "health|police",
        "police|police",
    }
    assert priors["childrens_services|health"].match > 10 * priors["health|health"].match


def test_the_training_record_reports_passes_and_warnings():
    training = trained_on_population().training
    assert all(each.iterations >= 1 for each in training.passes)
    assert {"nhs_number", "birth_family"} <= {each.rule for each in training.passes}
    assert "pass identifier was skipped: fewer than 50 pairs" in training.warnings
    assert any("given_name.initial was never observed" in warning for warning in training.warnings)
    assert next(each for each in training.passes if each.rule == "birth_given").left_out == (
        "given_name",
        "date_of_birth",
    )


def test_a_model_survives_json_and_notices_when_it_was_altered():
    trained = trained_on_population()
    text = trained.to_json()
    again = TrainedModel.from_json(text)
    assert again == trained
    assert again.version == trained.version
    with pytest.raises(LinkageError, match="altered"):
        TrainedModel.from_json(
            text.replace('"assumed_recall": 0.7, "rules"', '"assumed_recall": 0.6, "rules"')
        )


def test_no_name_stands_in_the_stored_model():
    text = trained_on_population().to_json()
    names = population(900, seed=11)[0].rows["names"]
    for given_name in {row[1] for row in names if row[1] and len(row[1]) > 5}:
        assert given_name not in text


def test_training_on_almost_nothing_keeps_the_starting_values():
    tables = Tables()
    for record in ("a", "b", "c"):
        tables.record(record)
    trained = train(quick_model(), tables.data())
    for comparison in load_model().comparisons:
        m = np.array([level.m for level in comparison.levels])
        assert trained.parameters.m[comparison.name] == pytest.approx(m / m.sum())
    assert "pass nhs_number was skipped: fewer than 50 pairs" in trained.training.warnings
