"""The pieces of a page about a linkage: pictures inside their frames, figures that add up, words without values."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.link_population import Tables, population, quick_model

from pipelines.link import FusedEngine, train
from pipelines.link.checks import MOST_RECORDS, check_threshold, clusters_by_row, reason_to_skip
from pipelines.link.engines.base import Scored
from pipelines.link.hold import Held, choose_join, hold_together
from pipelines.link.report import bars, curve, told
from pipelines.link.report.axis import Axis
from pipelines.link.report.content import as_data, describe_model
from pipelines.link.thresholds.assess import Objective
from pipelines.link.thresholds.choose import Estimates, Threshold
from pipelines.link.thresholds.rates import error_rates
from pipelines.link.thresholds.report import Held as HeldPairs
from pipelines.link.thresholds.report import ThresholdReport

finite = st.floats(-1e4, 1e4, allow_nan=False)
shares = st.floats(0.0, 1.0)


class TestAxis:
    @given(low=finite, length=st.floats(1e-3, 1e4), value=finite, most=st.integers(2, 20))
    def test_every_value_and_tick_lies_on_the_axis(
        self, low: float, length: float, value: float, most: int
    ) -> None:
        axis = Axis(low, low + length, 10.0, 110.0)
        assert 10.0 - 1e-6 <= axis.at(value) <= 110.0 + 1e-6
        ticks = axis.ticks(most)
        assert len(ticks) <= most + 1
        assert all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) for tick in ticks)

    def test_a_scale_of_tens_has_equal_steps(self) -> None:
        axis = Axis(1e-4, 1.0, 0.0, 100.0, log=True)
        assert [round(axis.at(tick), 6) for tick in axis.ticks()] == [0, 25, 50, 75, 100]
        assert axis.at(0.0) == 0.0


class TestBars:
    @given(
        st.lists(
            st.tuples(st.integers(1, 3000), st.integers(1, 500)), unique_by=lambda each: each[0], max_size=30
        )
    )
    def test_every_person_is_in_one_bar(self, counts: list[tuple[int, int]]) -> None:
        sizes = [{"records": records, "people": people} for records, people in counts]
        bands = bars.size_bands(sizes)
        assert sum(people for _, people in bands) == sum(people for _, people in counts)
        picture = str(bars.size_chart(sizes))
        assert all(
            0 <= float(left) <= bars.SIZE_WIDTH
            for left in re.findall(r'<rect class="people" x="([-\d.]+)"', picture)
        )

    @given(st.lists(finite, min_size=1, max_size=8))
    def test_a_weight_points_to_its_side_and_stays_in_its_frame(self, weights: list[float]) -> None:
        axis = bars.weight_axis([{"levels": [{"weight": each} for each in weights]}])
        for weight in weights:
            picture = str(bars.weight_bar(weight, axis))
            side, left, width = re.findall(
                r'class="(one|two)" x="([-\d.]+)" y="2" width="([\d.]+)"', picture
            )[0]
            assert side == ("one" if weight >= 0 else "two")
            assert float(left) >= -0.1 and float(left) + float(width) <= bars.WEIGHT_WIDTH + 0.1

    def test_a_share_of_nothing_is_no_bar(self) -> None:
        assert bars.share_bar(0, 0, "none") == ""


def threshold(**changes: object) -> Threshold:
    _, _, scored = linked()
    return replace(choose_join(scored, linked()[1].data(), Objective())[1], **changes)  # type: ignore[arg-type]


@cache
def linked() -> tuple[Held, Tables, Scored]:
    tables, _ = population(150, seed=8)
    data = tables.data()
    scored, _ = choose_join(FusedEngine().score(train(quick_model(), data), data), data, Objective())
    return hold_together(FusedEngine(), scored), tables, scored


class TestCurve:
    def test_it_marks_the_threshold_and_says_what_is_expected_there(self) -> None:
        chosen = as_data(threshold())
        picture = str(curve.threshold_chart(chosen))
        assert f"threshold {chosen['weight']:.1f} bits" in picture
        assert told.percent(chosen["estimates"]["recall"]) in picture
        assert picture.count("<polyline") == 3 and "target 0.5" in picture

    def test_every_point_lies_in_the_frame(self) -> None:
        picture = str(curve.threshold_chart(as_data(threshold())))
        for places in re.findall(r'points="([^"]+)"', picture):
            for place in places.split():
                x, y = map(float, place.split(","))
                assert curve.LEFT <= x <= curve.RIGHT and 0 <= y <= curve.HEIGHT

    def test_without_a_target_no_target_is_drawn(self) -> None:
        assert "target" not in str(curve.threshold_chart(as_data(threshold(target=None))))

    def test_without_scored_pairs_there_is_no_picture(self) -> None:
        assert curve.threshold_chart(as_data(threshold(points=()))) == ""


class TestTheThresholdInForce:
    def test_a_model_that_brings_its_threshold_is_told_the_same_of_the_same_data(self) -> None:
        _, tables, scored = linked()
        again, kept = choose_join(scored, tables.data(), Objective())
        fresh = replace(scored, trained=replace(scored.trained, join=None))
        _, chosen = choose_join(fresh, tables.data(), Objective())
        assert again.trained == scored.trained
        assert kept.estimates == chosen.estimates and kept.attained

    def test_another_target_is_another_threshold(self) -> None:
        _, tables, scored = linked()
        stricter, kept = choose_join(scored, tables.data(), Objective(target=0.0001))
        assert kept.target == 0.0001 and stricter.trained.join != scored.trained.join

    def test_clusters_stand_at_the_rows_of_their_records(self) -> None:
        held, tables, _ = linked()
        ids = tables.data().records["record_id"].to_pylist()
        of = dict(zip(held.encoded.record_ids.to_pylist(), held.labels.tolist(), strict=True))
        assert clusters_by_row(held).tolist() == [of[each] for each in ids]


class TestChecks:
    @pytest.mark.parametrize(
        ("records", "wanted", "made"),
        [
            (MOST_RECORDS, None, True),
            (MOST_RECORDS + 1, None, False),
            (MOST_RECORDS + 1, True, True),
            (2, False, False),
        ],
    )
    def test_beyond_a_size_they_are_made_when_asked_for(
        self, records: int, wanted: bool | None, made: bool
    ) -> None:
        assert (reason_to_skip(records, wanted) == "") == made

    def test_left_out_they_say_why_and_the_clusters_are_judged_all_the_same(self) -> None:
        held, tables, scored = linked()
        report = check_threshold(scored, tables.data(), threshold(), held, "not today")
        assert report.skipped == "not today" and report.decoys is None and report.hidden == ()
        sizes = np.bincount(held.labels)
        assert report.held is not None and report.held.pairs == int((sizes * (sizes - 1) // 2).sum())


@st.composite
def reports(draw: st.DrawFn) -> ThresholdReport:
    """A threshold with any estimates, and bounds for its clusters."""
    pairs, false = draw(st.integers(0, 10_000)), draw(shares)
    missed = draw(st.floats(0, 10_000))
    true = pairs * (1 - false)
    recall = true / (true + missed) if true + missed else 1.0
    estimates = Estimates(pairs, pairs, pairs * false, missed, false if pairs else 0.0, recall, 0.5)
    bounds = sorted([draw(shares), draw(shares)])
    return ThresholdReport(
        Threshold(5.0, 0.97, "false_link_rate", 0.005, True, estimates, ()),
        held=draw(st.sampled_from([None, HeldPairs(pairs, *bounds)])),
    )


@given(reports())
def test_an_interval_holds_its_estimate_and_every_part(report: ThresholdReport) -> None:
    rates = error_rates(report)
    for rate in (rates.false_link_rate, rates.missed_link_rate):
        assert 0.0 <= rate.low <= rate.estimate + 1e-9 <= rate.high + 2e-9 <= 1.0 + 3e-9
        for part in rate.parts:
            assert rate.low <= part.low and part.high <= rate.high
    if report.held is not None and report.held.pairs:
        assert rates.false_link_rate.low <= report.held.false_link_rate_low
        assert report.held.false_link_rate_high <= rates.false_link_rate.high


def test_a_described_model_holds_its_levels_and_no_value_of_a_record() -> None:
    _, tables, scored = linked()
    content = describe_model(scored.trained)
    assert [len(each["levels"]) for each in content["comparisons"]] == [
        len(each.levels) for each in scored.trained.definition.comparisons
    ]
    text = str(content).casefold()
    values = {family for _, _, _, family, _ in tables.rows["names"] if family and len(family) > 5}
    values |= {postcode for _, _, postcode, *_ in tables.rows["addresses"]}
    values |= {value for _, _, value, _ in tables.rows["contacts"]}
    assert len(values) > 200 and not any(value.casefold() in text for value in values if value)
