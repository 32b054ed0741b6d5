"""Decoys: people who do not exist, recombined from real fields, and the false links found among them."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.link_population import population

from pipelines.link.data import LinkData
from pipelines.link.thresholds.decoy_check import compare_false_links, judge_decoys, score_decoys
from pipelines.link.thresholds.decoys import NAMESAKE, RANDOM, SIBLING, TWIN, TYPES, Decoys, make_decoys
from pipelines.link.thresholds.edges import Edges, make_edges
from pipelines.link.thresholds.households import HouseholdPairs
from pipelines.link.thresholds.intervals import Rate, exact_rate, weighted_sum, wilson_rate
from pipelines.link.thresholds.recombine import append


@cache
def people() -> LinkData:
    return population(120, seed=7)[0].data()


@cache
def decoys() -> Decoys:
    return make_decoys(people(), {SIBLING: 60, TWIN: 60, NAMESAKE: 60, RANDOM: 60})


def values(data: LinkData, table: str, *columns: str) -> dict[str, set[tuple[object, ...]]]:
    """Return the distinct values of each record."""
    frame = getattr(data, table).to_pandas()
    rows = zip(frame["record_id"], zip(*(frame[column] for column in columns), strict=True), strict=True)
    found: dict[str, set[tuple[object, ...]]] = {}
    for record, value in rows:
        found.setdefault(record, set()).add(value)
    return found


def pairs_of(kind: str) -> list[tuple[str, str]]:
    """Return (decoy, home) record ids of one type."""
    made, ids = decoys().data.records["record_id"].to_pylist(), people().records["record_id"].to_pylist()
    number = TYPES.index(kind)
    rows = zip(made, decoys().home.tolist(), decoys().kind.tolist(), strict=True)
    return [(decoy, ids[home]) for decoy, home, each in rows if each == number]


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_made(kind):
    assert len(pairs_of(kind)) >= 50


def test_a_decoy_is_built_for_every_row_that_its_record_has():
    made = set(decoys().data.records["record_id"].to_pylist())
    assert len(made) == len(decoys())
    for table in ("names", "births", "identifiers", "addresses", "contacts"):
        assert set(getattr(decoys().data, table)["record_id"].to_pylist()) <= made


@pytest.mark.parametrize("kind", [SIBLING, TWIN])
def test_siblings_and_twins_share_family_name_address_and_contact_and_have_another_first_name(kind):
    for table, columns, shared in (
        ("names", ("family",), True),
        ("addresses", ("building_number", "postcode"), True),
        ("contacts", ("value",), True),
        ("names", ("given",), False),
    ):
        own, real = values(decoys().data, table, *columns), values(people(), table, *columns)
        for decoy, home in pairs_of(kind):
            mine, theirs = own.get(decoy, set()), real.get(home, set())
            assert mine == theirs if shared else not mine & theirs


def test_twins_share_the_birth_date_and_the_sex_and_siblings_do_not_share_the_birth_date():
    own, real = values(decoys().data, "births", "date_of_birth"), values(people(), "births", "date_of_birth")
    assert all(own[decoy] == real[home] for decoy, home in pairs_of(TWIN))
    assert not any(own[decoy] & real[home] for decoy, home in pairs_of(SIBLING))
    sex, home_sex = values(decoys().data, "records", "sex"), values(people(), "records", "sex")
    for decoy, home in pairs_of(TWIN):
        assert sex[decoy] == home_sex[home] or None in {each for (each,) in home_sex[home]}


def test_a_namesake_has_the_names_and_the_address_and_is_of_another_generation():
    own, real = (
        values(decoys().data, "names", "given", "family"),
        values(people(), "names", "given", "family"),
    )
    assert all(own[decoy] == real[home] for decoy, home in pairs_of(NAMESAKE))
    born, home_born = (values(data, "births", "date_of_birth") for data in (decoys().data, people()))
    for decoy, home in pairs_of(NAMESAKE):
        apart = abs(next(iter(born[decoy]))[0] - next(iter(home_born[home]))[0]).days / 365.25
        assert 13 <= apart <= 57


def test_a_random_decoy_has_every_field_from_another_record():
    rows = decoys().donors[decoys().kind == TYPES.index(RANDOM)]
    alike = [len(set(row.tolist())) for row in rows]
    assert np.mean(alike) > 7.5


def test_nobody_has_the_number_of_a_decoy_and_no_two_decoys_have_one():
    numbers = decoys().data.identifiers["value"].to_pylist()
    assert numbers and len(set(numbers)) == len(numbers)
    assert not set(numbers) & set(people().identifiers["value"].to_pylist())
    assert {len(each) for each in numbers} == {10}


def test_the_same_decoys_are_drawn_whatever_the_order_of_rows():
    shuffled = population(120, seed=7)[0].data(random.Random(3))
    again = make_decoys(shuffled, {SIBLING: 60, TWIN: 60, NAMESAKE: 60, RANDOM: 60})
    for table in ("records", "names", "births", "identifiers", "addresses", "contacts"):
        left, right = (getattr(each.data, table).to_pandas() for each in (decoys(), again))
        columns = list(left.columns)
        pd.testing.assert_frame_equal(
            left.sort_values(columns, ignore_index=True), right.sort_values(columns, ignore_index=True)
        )


def test_further_batches_have_other_homes():
    first, second = (make_decoys(people(), dict.fromkeys(TYPES, 40), batch=batch) for batch in (0, 1))
    for number in range(len(TYPES)):
        homes = [set(each.home[each.kind == number].tolist()) for each in (first, second)]
        assert homes[0] and homes[1] and not homes[0] & homes[1]


def test_data_of_one_record_or_none_give_no_decoys():
    alone = people().only(frozenset(people().records["record_id"].to_pylist()[:1]))
    assert len(make_decoys(alone)) == 0
    assert len(make_decoys(people().only(frozenset()))) == 0


def test_tables_may_name_records_by_position():
    ids = {each: at for at, each in enumerate(people().records["record_id"].to_pylist())}
    changed = {}
    for table in ("names", "births", "identifiers", "addresses", "contacts"):
        frame = getattr(people(), table)
        at = [ids[each] for each in frame["record_id"].to_pylist()]
        changed[table] = frame.append_column("record", [at])
    both = LinkData(records=people().records, **changed)
    made = make_decoys(both, dict.fromkeys(TYPES, 30))
    joined = append(both, made.data)
    names = np.array(joined.records["record_id"].to_pylist())
    for table in changed:
        rows = getattr(joined, table)
        assert names[rows["record"].to_numpy()].tolist() == rows["record_id"].to_pylist()


def linked_to_home(weight: float) -> Edges:
    """Return what a scoring would find that links every twin to its home and nobody else."""
    size = people().records.num_rows
    twins = np.flatnonzero(decoys().kind == TYPES.index(TWIN))
    return make_edges(size + len(decoys()), decoys().home[twins], size + twins, np.full(len(twins), weight))


def test_false_links_are_counted_per_type_and_put_together_by_how_common_each_type_is():
    found = score_decoys(lambda data: linked_to_home(5.0), people(), decoys())
    report = judge_decoys([found], 4.0, people().records.num_rows, HouseholdPairs(1000.0, 10.0, 10.0))
    twins = report.of(TWIN)
    assert twins.links_at_home == twins.decoys == twins.pairs_at_home
    assert twins.rate_at_home.estimate == 1.0 and twins.rate_at_home.low > 0.9
    assert report.of(SIBLING).links_at_home == report.of(RANDOM).links_elsewhere == 0
    assert report.implied_false_links.estimate == pytest.approx(10.0)
    assert report.implied_false_links.high > 10.0 + 1000.0 * 0.05
    above = judge_decoys([found], 6.0, people().records.num_rows, HouseholdPairs(1000.0, 10.0, 10.0))
    assert above.implied_false_links.estimate == 0.0


def test_two_batches_count_together():
    found = score_decoys(lambda data: linked_to_home(5.0), people(), decoys())
    once, twice = (judge_decoys([found] * times, 4.0, 100) for times in (1, 2))
    assert twice.of(TWIN).decoys == 2 * once.of(TWIN).decoys
    assert twice.of(TWIN).rate_at_home.low > once.of(TWIN).rate_at_home.low


def test_the_models_false_links_stand_beside_those_that_decoys_imply():
    found = score_decoys(lambda data: linked_to_home(5.0), people(), decoys())
    sure, less = compare_false_links([found], 100, HouseholdPairs(0.0, 10.0, 0.0), (0.999, 0.9))
    assert sure.implied.estimate == 0.0 and less.implied.estimate == pytest.approx(10.0)


def test_scoring_sees_the_decoys_among_the_whole_file():
    seen = []

    def score(data: LinkData) -> Edges:
        seen.append(data.records.num_rows)
        return make_edges(data.records.num_rows, [], [], [])

    score_decoys(score, people(), decoys())
    assert seen == [people().records.num_rows + len(decoys())]


def test_intervals_are_those_of_the_books():
    assert exact_rate(0, 100).high == pytest.approx(0.0362, abs=1e-4)
    assert exact_rate(5, 100).low == pytest.approx(0.0164, abs=1e-4)
    assert exact_rate(0, 0) == Rate(0.0, 0.0, 1.0)
    assert wilson_rate(0.5, 100).low == pytest.approx(0.4038, abs=1e-4)
    total = weighted_sum([10.0, 0.0], [Rate(0.1, 0.05, 0.2), Rate(0.5, 0.0, 1.0)])
    assert (total.estimate, total.low, total.high) == pytest.approx((1.0, 0.5, 2.0))
