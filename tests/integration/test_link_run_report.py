"""The page of a linkage run: how it was trained, where the threshold stands, and which errors are to be expected."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from support.ingest_files import one, rows_of
from support.journey import FIRST, SECOND, Journey
from support.warehouse import Warehouse

from pipelines.quality.report import render_run
from pipelines.quality.report_model import LinkingFacts, RunPage
from pipelines.quality.report_reader import read_run
from pipelines.warehouse.engine import engine
from pipelines.warehouse.linkage import read_model
from pipelines.words import percent, title

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def end(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The warehouse with both periods in it; the tests of this module leave it as it is."""
    with journey.warehouse_at("the end", tmp_path_factory.mktemp("home")) as warehouse:
        yield warehouse


def page_of(run_id: int) -> RunPage:
    with engine().connect() as connection:
        return read_run(connection, run_id)


def facts_of(run_id: int) -> LinkingFacts:
    facts = page_of(run_id).linking
    assert facts is not None
    return facts


def test_the_run_that_trained_the_model_has_checked_its_threshold(end: Warehouse, journey: Journey) -> None:
    run_id = journey.results[f"run {FIRST}"]
    facts = facts_of(run_id)
    assert facts.checked_in == run_id and facts.checks == facts.threshold_report
    assert not facts.checks["skipped"] and facts.checks["decoys"]["types"]
    assert "decoys" in facts.error_rates["false_link_rate"]["method"]


def test_a_later_run_with_the_same_model_has_estimates_of_its_own_and_points_to_the_checks(
    end: Warehouse, journey: Journey
) -> None:
    first, second = journey.results[f"run {FIRST}"], journey.results[f"run {SECOND}"]
    facts = facts_of(second)
    assert facts.model["version"] == facts_of(first).model["version"]
    assert facts.checked_in == first and facts.threshold_report["skipped"]
    assert facts.checks == facts_of(first).threshold_report
    assert facts.threshold_report["threshold"]["estimates"] != facts.checks["threshold"]["estimates"]
    assert f'href="run-{first}.html"' in render_run(page_of(second))


def test_the_threshold_is_judged_as_it_is_in_force(end: Warehouse, journey: Journey) -> None:
    for period in (FIRST, SECOND):
        run_id = journey.results[f"run {period}"]
        facts = facts_of(run_id)
        held = facts.threshold_report["held"]
        inside = "SELECT sum(records * (records - 1) / 2) FROM linked.cluster_summary_of(:run_id)"
        assert held["pairs"] == one(inside, run_id=run_id)
        # Barred pairs are above the threshold too, and pairs that the clusters do not hold.
        links = "SELECT count(*) FROM linked.edge_of(:run_id) WHERE is_link"
        assert facts.threshold_report["threshold"]["estimates"]["links"] >= one(links, run_id=run_id)


def test_the_page_shows_training_threshold_and_error_estimates(end: Warehouse, journey: Journey) -> None:
    run_id = journey.results[f"run {FIRST}"]
    facts, page = facts_of(run_id), render_run(page_of(run_id))
    with engine().connect() as connection:
        trained = read_model(connection, facts.model["version"])
    for comparison in trained.definition.comparisons:
        assert f'<th scope="rowgroup" colspan="5">{title(comparison.name)}</th>' in page
    assert page.count("bits, evidence of") >= sum(len(each.levels) for each in trained.definition.comparisons)
    assert page.count("last change") >= len(trained.training.passes) > 0
    for rate in facts.error_rates.values():
        assert percent(rate["estimate"]) in page and percent(rate["high"]) in page
    assert f"threshold {facts.threshold_report['threshold']['weight']:.1f} bits" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(|@import|<script""", page)


def test_no_value_of_a_record_is_kept_with_the_run_or_shown(end: Warehouse, journey: Journey) -> None:
    run_id = journey.results[f"run {FIRST}"]
    kept = str(one("SELECT details FROM audit.stage_report WHERE run_id = :run_id", run_id=run_id)).casefold()
    page = render_run(page_of(run_id)).casefold()
    rows = rows_of(
        "SELECT value FROM normalised.person_contact UNION SELECT value FROM normalised.person_identifier"
        " UNION SELECT postcode FROM normalised.person_address"
    )
    values = {value.casefold() for (value,) in rows if value and len(value) > 5}
    assert len(values) > 500
    assert not [value for value in values if value in kept or value in page]


def test_a_run_of_another_kind_says_nothing_of_a_linkage(end: Warehouse) -> None:
    other = one("SELECT min(run_id) FROM audit.run WHERE kind = 'ingest'")
    assert page_of(int(other)).linking is None
