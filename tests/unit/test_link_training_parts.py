"""Parts of training, each on its own: patterns, combining passes, the prior, and what there is to warn about."""

from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.model import LinkageModel, load_model
from pipelines.link.trained import PriorRecord
from pipelines.link.training.combine import Estimate, combined_counts, pass_weights
from pipelines.link.training.evidence import Evidence
from pipelines.link.training.mixture import Fit, MixtureClass
from pipelines.link.training.passes import plan_passes, run_passes
from pipelines.link.training.patterns import Patterns, count_patterns, merge_patterns
from pipelines.link.training.population import Priors, class_priors, estimate_priors
from pipelines.link.training.record import prior_sensitivity
from pipelines.link.training.rounds import Settled, weight_differences
from pipelines.link.training.starts import Trial
from pipelines.link.training.state import HOUSEHOLD_CLASSES, MATCH, State, start_state
from pipelines.link.training.warnings import training_warnings

M = np.array([0.9, 0.07, 0.03])
U = np.array([0.001, 0.009, 0.99])
MODEL = load_model()
COLUMN = {comparison.name: at for at, comparison in enumerate(MODEL.comparisons)}


def estimate(rule: str, size: float, m: np.ndarray, purity: float = 1.0) -> Estimate:
    return Estimate(rule, size * m, m, np.zeros(len(m), dtype=bool), purity)


def patterns(rows: list[dict[str, int]], counts: list[float]) -> Patterns:
    """Return patterns of the shipped model: the level of each comparison that is named, null elsewhere."""
    levels = np.full((len(rows), len(MODEL.comparisons)), -1, dtype=np.int8)
    for at, row in enumerate(rows):
        for name, level in row.items():
            levels[at, COLUMN[name]] = level
    return Patterns(levels, np.zeros(len(rows), dtype=np.int64), np.array(counts))


def evidence(
    union: Patterns, total: float, deterministic: float, household: Patterns | None = None
) -> Evidence:
    return Evidence(
        rules={"household": union if household is None else household},
        union=union,
        rest=patterns([{"given_name": 9, "family_name": 5, "date_of_birth": 8}], [1000.0]),
        rest_rate=1000 / total,
        pair_totals=np.array([total]),
        deterministic=np.array([deterministic]),
        random_pairs=1000,
        candidates=int(union.pairs),
    )


def settled(state: State, household: Fit | None = None) -> Settled:
    priors = Priors(state.match_prior, state.match_prior, np.array([True]))
    return Settled(state, (), priors, household, 1, 0.0)


def warned(state: State, seen: Evidence, end: Settled, priors: tuple[PriorRecord, ...] = ()) -> str:
    return "\n".join(training_warnings(MODEL, seen, Trial(MODEL, {"model": end}, "model"), priors))


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 1), st.integers(0, 2)), max_size=40))
def test_patterns_counted_by_table_are_those_counted_by_sorting(rows):
    array = np.array(rows, dtype=np.int64).reshape(-1, 3)
    levels, source = array[:, :2].astype(np.int8), array[:, 2]
    by_table = count_patterns(levels, source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.link.training.patterns.LARGEST_TABLE", 0)
        by_sorting = count_patterns(levels, source)
    for one, other in zip(vars(by_table).values(), vars(by_sorting).values(), strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(-1, 9), min_size=width, max_size=width), min_size=1, max_size=30
        )
    )
)
def test_patterns_are_the_distinct_rows_however_many_comparisons_there_are(rows):
    levels = np.array(rows, dtype=np.int8)
    found = count_patterns(levels, np.zeros(len(rows), dtype=np.int64))
    distinct, counts = np.unique(levels, axis=0, return_counts=True)
    assert dict(zip(map(tuple, found.levels), found.counts, strict=True)) == dict(
        zip(map(tuple, distinct), counts, strict=True)
    )


def test_patterns_without_a_comparison_keep_their_pairs():
    three = patterns([{"sex": 0, "contact": 0}, {"sex": 0, "contact": 1}, {"sex": 1}], [5.0, 7.0, 2.0])
    fewer = three.without([COLUMN["contact"]])
    assert len(fewer.counts) == 2
    assert fewer.level_counts(COLUMN["sex"], 2, np.ones(2)).tolist() == [12.0, 2.0]
    assert fewer.level_counts(COLUMN["contact"], 2, np.ones(2)).tolist() == [0.0, 0.0]
    assert merge_patterns([three, three]).pairs == 2 * three.pairs


def test_a_pass_that_strangers_have_got_into_counts_for_little():
    spoilt = 0.7 * M + 0.3 * U
    clean = [estimate("one", 2000, M), estimate("other", 1500, M)]
    among = [*clean, estimate("phone", 3000, spoilt, purity=0.3)]
    weights = pass_weights(among)
    assert weights[:2].tolist() == [1.0, 1.0]
    assert weights[2] <= 0.1
    shares = combined_counts(among, 50) / combined_counts(among, 50).sum()
    plain = sum(each.counts for each in among)
    assert abs(log2(shares[2] / M[2])) < 0.6 * abs(log2(plain[2] / plain.sum() / M[2]))


def test_sources_that_differ_take_no_weight_from_each_other():
    exact = estimate("national number", 9000, np.array([0.9999, 0.0001]))
    loose = estimate("local number", 8000, np.array([0.90, 0.10]))
    assert pass_weights([exact, loose]).tolist() == [1.0, 1.0]
    combined = combined_counts([exact, loose], 50)
    assert combined[1] / combined.sum() == pytest.approx((0.9 + 800) / 17_000)


def test_a_level_that_a_pass_cannot_see_is_estimated_by_the_others():
    swapped = np.array([False, True, False])
    blind = Estimate("family", np.array([9000.0, 0.0, 1000.0]), np.array([0.9, 1e-5, 0.1]), swapped, 1.0)
    seeing = estimate("phone", 1000, np.array([0.8, 0.1, 0.1]))
    counts = combined_counts([blind, seeing], 50)
    shares = counts / counts.sum()
    assert shares[1] == pytest.approx(0.1)
    assert shares[0] / shares[2] == pytest.approx(9800 / 1100)


def test_a_pass_blocked_on_the_family_name_is_blind_to_swapped_names():
    rows = patterns([{"given_name": 0, "contact": 0}], [100.0])
    rules = {rule.name: rows for rule in MODEL.blocking}
    passes = {
        each.rule: each for each in run_passes(MODEL, start_state(MODEL, 1), plan_passes(MODEL, rules), ())
    }
    swapped = {(COLUMN["given_name"], 1), (COLUMN["given_name"], 2)}
    assert passes["birth_family"].left_out == {COLUMN["date_of_birth"], COLUMN["family_name"]}
    assert passes["birth_family"].blind == swapped
    assert passes["contact"].blind == frozenset()


def test_the_prior_is_what_the_candidate_pairs_hold_whatever_recall_is_assumed():
    clear = {"given_name": 0, "family_name": 0, "date_of_birth": 0, "contact": 0}
    unclear = {"given_name": 9, "family_name": 5, "date_of_birth": 8, "contact": 1}
    seen = evidence(patterns([clear, unclear], [900.0, 60_000.0]), 2e6, deterministic=300.0)
    for recall in (0.2, 0.7):
        model = _assuming(recall)
        priors = estimate_priors(model, start_state(model, 1), seen)
        assert priors.assumed[0] * 2e6 == pytest.approx(300 / recall, rel=0.02)
        assert priors.estimated[0] * 2e6 == pytest.approx(900, rel=0.02)
        assert priors.used[0] == priors.estimated[0]


def test_the_prior_is_never_below_what_the_deterministic_rules_found():
    unclear = {"given_name": 9, "family_name": 5, "date_of_birth": 8}
    seen = evidence(patterns([unclear], [5000.0]), 2e6, deterministic=400.0)
    priors = estimate_priors(MODEL, start_state(MODEL, 1), seen)
    assert priors.estimated[0] * 2e6 >= 399


def test_with_hardly_a_candidate_pair_the_prior_is_the_assumed_one():
    seen = evidence(patterns([{"given_name": 0, "date_of_birth": 0}], [20.0]), 2e6, deterministic=10.0)
    priors = estimate_priors(MODEL, start_state(MODEL, 1), seen)
    assert priors.used[0] == priors.assumed[0]


def test_the_sensitivity_to_the_assumed_recall_is_a_number_of_bits():
    seen = evidence(patterns([{"given_name": 0}], [5000.0]), 2e8, deterministic=4000.0)
    found = prior_sensitivity(MODEL, seen)
    assert found["0.5"] == pytest.approx(log2(0.7 / 0.5), abs=0.05)
    assert found["0.9"] == pytest.approx(log2(0.7 / 0.9), abs=0.05)


def test_a_class_that_takes_no_part_has_no_share():
    state = replace(start_state(MODEL, 1), household=False)
    assert set(class_priors(state)) == {"match", "random"}
    assert sum(class_priors(state).values()) == pytest.approx(1.0)


def test_a_weight_with_term_frequencies_differs_by_its_m_alone():
    state = start_state(MODEL, 1)
    given = COLUMN["given_name"]
    other = replace(state, u=tuple(u * 2 if at == given else u for at, u in enumerate(state.u)))
    apart = weight_differences(MODEL, state, other)[given]
    assert apart[0] == 0.0
    assert apart[4] == pytest.approx(1.0)


def test_priors_that_lie_a_bit_apart_are_a_warning():
    state = start_state(MODEL, 1)
    seen = evidence(patterns([{"given_name": 0}], [100.0]), 2e6, 10.0)
    record = PriorRecord("a|b", 2_000_000, 100, assumed=0.0001, estimated=0.00045, used=0.00045)
    assert "prior a|b: the estimate from the candidate pairs is +2.2 bits" in warned(
        state, seen, settled(state), (record,)
    )
    near = replace(record, estimated=0.00019)
    assert "prior a|b" not in warned(state, seen, settled(state), (near,))


@pytest.mark.parametrize(("siblings", "is_warned"), [(600.0, True), (30.0, False)])
def test_matches_at_one_address_with_two_given_names_are_a_warning(siblings, is_warned):
    state = start_state(MODEL, 1)
    home = patterns([{"given_name": 0}, {"given_name": 9}], [1000.0, siblings])
    names = (MATCH, *HOUSEHOLD_CLASSES)
    fit = Fit(
        tuple(MixtureClass(name, 0.25, {}) for name in names),
        np.array([[1.0, 0.0, 0.0, 0.0]] * 2), 1, 0.0, True, 0.0,
    )  # fmt: skip
    seen = evidence(home, 2e6, 10.0, household=home)
    assert ("matches may be households" in warned(state, seen, settled(state, fit))) is is_warned


def test_a_level_that_has_lost_its_meaning_is_a_warning():
    state = start_state(MODEL, 1)
    sex = COLUMN["sex"]
    turned = replace(state, m=tuple(np.array([0.1, 0.9]) if at == sex else m for at, m in enumerate(state.m)))
    seen = evidence(patterns([{"sex": 0}, {"sex": 1}], [100.0, 100.0]), 2e6, 10.0)
    assert "level sex.else was expected to speak against a match" not in warned(state, seen, settled(state))
    assert "level sex.else was expected to speak against a match" in warned(turned, seen, settled(turned))


def test_a_weight_that_rests_on_a_handful_of_strangers_is_a_warning():
    state = start_state(MODEL, 1)
    rows = patterns([{"date_of_birth": 2, "given_name": 9, "family_name": 5}], [8.0])
    seen = evidence(rows, 2e6, 1.0)
    assert "u of date_of_birth.one_edit rests on about 8 pairs of strangers" in warned(
        state, seen, settled(state)
    )


def _assuming(recall: float) -> LinkageModel:
    rules = MODEL.deterministic.model_copy(update={"assumed_recall": recall})
    return MODEL.model_copy(update={"deterministic": rules})
