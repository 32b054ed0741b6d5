"""The curve of expected error rates and the choice of a threshold: no label is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import LinkageError
from pipelines.link.thresholds.choose import (
    choose_by_expected_f1,
    choose_by_false_link_rate,
    estimates_at,
)
from pipelines.link.thresholds.correction import Correction
from pipelines.link.thresholds.curve import Setting, clusters_at, draw_curve, rate_inside
from pipelines.link.thresholds.edges import Edges, make_edges, probability_of, weight_of


def edges(size: int, *rows: tuple[int, int, float], barred: tuple[int, ...] = ()) -> Edges:
    a, b, weight = ([row[at] for row in rows] for at in range(3))
    return make_edges(size, a, b, weight, [each in barred for each in range(len(rows))])


def simulated(people: int, seed: int) -> tuple[Edges, np.ndarray]:
    """Return edges whose posteriors are right, by construction, with the person of each record."""
    dice = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), dice.integers(1, 5, people))
    pairs = [(x, y) for x in range(len(person)) for y in range(x + 1, x + 4) if y in range(len(person))]
    pairs = [(x, y) for x, y in pairs if person[x] == person[y]]
    strangers = dice.integers(0, len(person), (people, 2)).tolist()
    pairs += [(min(x, y), max(x, y)) for x, y in strangers if person[x] != person[y]]
    a, b = np.array(pairs).T
    # Two normal distributions of equal spread: log odds = prior + 4 * signal - 8.
    true = person[a] == person[b]
    signal = dice.normal(np.where(true, 4.0, 0.0), 1.0)
    prior = np.log2(true.sum() / (~true).sum())
    return make_edges(len(person), a, b, prior + (4.0 * signal - 8.0) / np.log(2)), person


def true_rates(clusters: np.ndarray, person: np.ndarray) -> tuple[float, float]:
    """Return the true false-link rate and recall of a partition."""
    pairs = [
        (x, y)
        for name in np.unique(clusters)
        for members in [np.flatnonzero(clusters == name)]
        for i, x in enumerate(members)
        for y in members[i + 1 :]
    ]
    found = sum(person[x] == person[y] for x, y in pairs)
    sizes = np.bincount(person)
    return 1 - found / max(len(pairs), 1), found / (sizes * (sizes - 1) // 2).sum()


def test_pairs_inside_clusters_are_counted_not_links_alone():
    curve = draw_curve(edges(4, (0, 1, 20.0), (1, 2, 19.0), (2, 3, 18.0)), Setting(refuse=False))
    assert curve.links.tolist() == [1, 2, 3]
    assert curve.pairs.tolist() == [1, 3, 6]


def test_a_single_link_is_false_with_what_its_posterior_leaves():
    curve = draw_curve(edges(2, (0, 1, weight_of(0.9))))
    assert curve.false_link_rate[0] == pytest.approx(0.1)
    assert curve.total == pytest.approx(0.9)


def test_a_chain_is_doubted_more_than_the_same_records_all_confirmed():
    chain = edges(3, (0, 1, 8.0), (1, 2, 7.0))
    ring = edges(3, (0, 1, 8.0), (1, 2, 7.0), (0, 2, 7.0))
    assert draw_curve(chain).false_link_rate[-1] > draw_curve(ring).false_link_rate[-1]


def test_two_parts_that_one_doubtful_edge_would_join_stay_apart():
    inside = [(0, 1, 20.0), (0, 2, 20.0), (1, 2, 20.0), (3, 4, 20.0), (3, 5, 20.0), (4, 5, 20.0)]
    bridge = edges(6, *inside, (2, 3, 2.0))
    assert len(np.unique(clusters_at(bridge, 0.0))) == 2
    assert len(np.unique(clusters_at(bridge, 0.0, Setting(refuse=False)))) == 1


def test_a_barred_pair_keeps_its_records_apart_through_others_too():
    held = edges(3, (0, 1, 20.0), (1, 2, 19.0), (0, 2, 25.0), barred=(2,))
    found = clusters_at(held, 0.0)
    assert found[0] == found[1] != found[2]


def test_a_source_that_holds_each_person_once_keeps_its_records_apart_through_others_too():
    setting = Setting(unique_source=np.array([70, -1, 70]))
    found = clusters_at(edges(3, (0, 1, 20.0), (1, 2, 19.0)), 0.0, setting)
    assert found[0] == found[1] != found[2]


def test_records_and_edges_in_another_order_give_the_same_curve():
    found, _ = simulated(80, seed=4)
    dice = np.random.default_rng(0)
    order, names = dice.permutation(len(found.weight)), dice.permutation(found.size)
    moved = make_edges(found.size, names[found.a][order], names[found.b][order], found.weight[order])
    assert draw_curve(moved).true_pairs == pytest.approx(draw_curve(found).true_pairs)


@given(
    st.integers(2, 12).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.lists(
                st.tuples(st.integers(0, size - 1), st.integers(0, size - 1), st.floats(-30, 60)),
                max_size=30,
            ),
        )
    )
)
def test_estimates_are_rates_and_never_exceed_what_is_there(case):
    size, rows = case
    kept = list({(min(a, b), max(a, b)): (min(a, b), max(a, b), w) for a, b, w in rows if a != b}.values())
    found = make_edges(size, *([row[at] for row in kept] for at in range(3)))
    for refuse in (True, False):
        curve = draw_curve(found, Setting(refuse=refuse))
        assert (np.diff(curve.pairs) >= 0).all() and (np.diff(curve.true_pairs) >= 0).all()
        assert (curve.true_pairs <= curve.pairs + 1e-9).all()
        assert (curve.pairs <= size * (size - 1) / 2).all()
        assert ((curve.recall >= 0) & (curve.recall <= 1 + 1e-9)).all()
        threshold = choose_by_false_link_rate(curve)
        assert threshold.estimates.false_link_rate <= 0.005
        assert threshold.probability >= 0.5
        best = choose_by_expected_f1(curve)
        assert not len(curve.f1) or best.estimates.f1 == pytest.approx(curve.f1.max())
        for each in (threshold, best):
            assert each.estimates == estimates_at(curve, each.weight) or not len(curve.weight)


def test_where_posteriors_are_right_the_estimated_rates_are_near_the_true_ones():
    found, person = simulated(3000, seed=1)
    curve = draw_curve(found, Setting(refuse=False))
    threshold = choose_by_false_link_rate(curve, target=0.02)
    clusters = clusters_at(found, threshold.weight, Setting(refuse=False))
    false_rate, recall = true_rates(clusters, person)
    assert false_rate == pytest.approx(threshold.estimates.false_link_rate, abs=0.01)
    assert recall == pytest.approx(threshold.estimates.recall, abs=0.03)
    assert 0.01 < threshold.estimates.false_link_rate <= 0.02


def test_the_threshold_of_highest_expected_f1_is_near_the_best_with_the_truth_in_hand():
    found, person = simulated(1000, seed=2)

    def f1(weight: float) -> float:
        false_rate, recall = true_rates(clusters_at(found, weight), person)
        return 2 * (1 - false_rate) * recall / (1 - false_rate + recall)

    best = max(f1(weight) for weight in np.arange(-6.0, 8.0))
    assert f1(choose_by_expected_f1(draw_curve(found)).weight) >= best - 0.01


def test_a_lower_target_never_lowers_the_threshold():
    curve = draw_curve(simulated(500, seed=3)[0])
    chosen = [choose_by_false_link_rate(curve, target).weight for target in (0.05, 0.01, 0.005, 0.001)]
    assert chosen == sorted(chosen)


def test_without_edges_the_threshold_is_the_posterior_that_keeps_to_the_target():
    threshold = choose_by_false_link_rate(draw_curve(edges(3, barred=())), target=0.01)
    assert threshold.probability == pytest.approx(0.99)
    assert threshold.attained and threshold.estimates.pairs == 0 and threshold.points == ()


def test_where_all_edges_are_certain_the_threshold_does_not_rise_to_them():
    threshold = choose_by_false_link_rate(draw_curve(edges(4, (0, 1, 60.0), (2, 3, 60.0))), target=0.01)
    assert threshold.estimates.links == 2
    assert threshold.probability == pytest.approx(0.99)


def test_tied_edges_are_linked_together_or_not_at_all():
    tied = edges(6, (0, 1, 3.0), (2, 3, 3.0), (4, 5, 3.0))
    assert choose_by_false_link_rate(draw_curve(tied), target=0.2).estimates.links == 3
    assert choose_by_false_link_rate(draw_curve(tied), target=0.05).estimates.links == 0


def test_a_target_out_of_reach_links_nothing_and_says_so():
    threshold = choose_by_false_link_rate(draw_curve(edges(2, (0, 1, 3.0))), target=0.001)
    assert not threshold.attained and threshold.weight > 3.0


def test_no_threshold_lies_below_even_odds_whatever_the_target():
    threshold = choose_by_false_link_rate(draw_curve(edges(4, (0, 1, 3.0), (2, 3, -1.0))), target=0.9)
    assert threshold.probability >= 0.5 and threshold.estimates.links == 1


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1])
def test_a_target_that_is_no_rate_is_refused(target):
    with pytest.raises(LinkageError):
        choose_by_false_link_rate(draw_curve(edges(2, (0, 1, 3.0))), target)


def test_a_correction_moves_the_posterior_and_not_the_order():
    correction = Correction(shift=-2.0, scale=0.5)
    curve = draw_curve(edges(4, (0, 1, 20.0), (2, 3, 10.0)), Setting(correction=correction))
    assert curve.probability.tolist() == pytest.approx(probability_of(np.array([8.0, 3.0])).tolist())
    threshold = choose_by_false_link_rate(curve, 0.01, correction)
    assert 10.0 < threshold.weight <= 20.0
    assert threshold.probability == pytest.approx(0.99)


def test_clusters_that_hold_more_than_their_edges_carry_are_doubted():
    found = edges(4, (0, 1, 20.0), (2, 3, 20.0))
    assert rate_inside(found, np.array([0, 0, 2, 2])) == pytest.approx((2, 0.0, 0.0), abs=1e-4)
    assert rate_inside(found, np.array([0, 0, 0, 0])) == pytest.approx((6, 4 / 6, 4 / 6), abs=1e-4)


def test_bounds_of_what_clusters_hold_differ_where_pairs_inside_speak_against_each_other():
    _, low, high = rate_inside(edges(3, (0, 1, 8.0), (1, 2, 7.0)), np.array([0, 0, 0]))
    assert 0.0 < low < high < 1.0
