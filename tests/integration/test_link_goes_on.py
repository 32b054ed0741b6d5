"""The second period's run goes on from the first's: it compares what changed, and ends where a full run would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.ingest_files import one, rows_of
from support.journey import FIRST, SECOND, Journey

from pipelines.identity.runs import read_link_run
from pipelines.linking import run as linking_run
from pipelines.linking.drift import measure_drift
from pipelines.linking.scope import read_scope
from pipelines.linking.scores import link_anew, link_data
from pipelines.warehouse.chain_rows import save_alone, save_clusters, save_edges, save_lineage
from pipelines.warehouse.chains import Place, read_before
from pipelines.warehouse.engine import transaction

pytestmark = pytest.mark.database

STATE = {
    "records": "SELECT record_id::text, content_hash FROM linked.record_of(:run) ORDER BY 1",
    "clusters": "SELECT record_id::text, cluster_id::text FROM linked.cluster_of(:run) ORDER BY 1",
    "edges": (
        "SELECT record_a::text, record_b::text, round(match_weight::numeric, 9), levels, is_link, is_barred"
        " FROM linked.edge_of(:run) ORDER BY 1, 2"
    ),
    "summaries": (
        "SELECT cluster_id::text, records, round(weakest_link_probability::numeric, 9),"
        " round(density::numeric, 9), was_cut, is_contested FROM linked.cluster_summary_of(:run) ORDER BY 1"
    ),
}


def state_of(run_id: int) -> dict[str, list[tuple[object, ...]]]:
    """Everything that a run holds in all."""
    return {name: rows_of(query, run=run_id) for name, query in STATE.items()}


@pytest.fixture(scope="module")
def runs(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The runs of both periods, in the warehouse as it is at the end."""
    with journey.warehouse_at("the end", tmp_path_factory.mktemp("home")):
        yield journey.results[f"run {FIRST}"], journey.results[f"run {SECOND}"]


def lineage(run_id: int) -> dict[str, Any]:
    (row,) = rows_of("SELECT chain_run, base_run, counts FROM linked.lineage WHERE run_id = :run", run=run_id)
    return dict(zip(("chain", "base", "counts"), row, strict=True))


def test_it_stands_on_the_run_before(runs: tuple[int, int]) -> None:
    first, second = (lineage(run_id) for run_id in runs)
    assert (first["chain"], first["base"]) == (runs[0], None)
    assert (second["chain"], second["base"]) == (runs[0], runs[0])
    records = one("SELECT count(*) FROM linked.record_of(:run)", run=runs[1])
    counts = second["counts"]
    assert counts["new"] + counts["changed"] + counts["unchanged"] == records
    assert counts.pop("purged") == 0
    assert min(counts.values()) > 0, "the population has records that come, change, stay and go"


def test_it_compares_only_pairs_of_what_is_new_or_changed(runs: tuple[int, int]) -> None:
    pairs = dict(
        rows_of("SELECT run_id, (details ->> 'pairs')::bigint FROM audit.stage_report WHERE stage = 'link'")
    )
    assert 0 < pairs[runs[1]] < pairs[runs[0]]
    query = (
        "SELECT count(*) FROM linked.edge e WHERE run_id = :run AND NOT EXISTS (SELECT FROM linked.record r"
        " WHERE r.run_id = :run AND r.record_id IN (e.record_a, e.record_b)) AND NOT EXISTS ("
        " SELECT FROM linked.edge o WHERE o.until_run = :run AND o.record_a = e.record_a AND o.record_b = e.record_b)"
    )
    assert one(query, run=runs[1]) == 0


def test_what_it_holds_in_all_is_what_a_full_run_finds(runs: tuple[int, int]) -> None:
    """Without memory: the fracture threshold of the definition is asked of pairs of one person only."""
    with transaction() as connection:
        inputs = read_link_run(connection, runs[1])
    scope = read_scope(runs[1], inputs.extract_ids)
    anew = link_anew(scope.data, str(inputs.model_version))
    kept = state_of(runs[1])
    table = anew.relinked.held.table
    alone = {record for record, _ in kept["clusters"]} - set(table["record_id"].to_pylist())
    assert alone == set(scope.alone)
    told = dict(zip(table["record_id"].to_pylist(), table["cluster_id"].to_pylist(), strict=True))
    differ = [record for record, cluster in kept["clusters"] if told.get(record, record) != cluster]
    assert len(differ) <= 0.002 * len(told), "drift by the fracture threshold is small"
    known = anew.relinked.known
    ids = anew.relinked.held.encoded.ids
    pairs = zip(ids(known.a).to_pylist(), ids(known.b).to_pylist(), strict=True)
    weights = dict(zip(pairs, known.weight.tolist(), strict=True))
    assert {(a, b): float(weight) for a, b, weight, *_ in kept["edges"]} == pytest.approx(weights, abs=1e-6)


def test_writing_it_again_changes_nothing(runs: tuple[int, int]) -> None:
    """As after a kill: the run takes back what it wrote, and the state is the same again."""
    before, first = state_of(runs[1]), state_of(runs[0])
    with transaction() as connection:
        inputs = read_link_run(connection, runs[1])
    scope = read_scope(runs[1], inputs.extract_ids)
    with transaction() as connection:
        connection.exec_driver_sql(f"UPDATE audit.run SET status = 'RUNNING' WHERE run_id = {runs[1]}")
    try:
        linked = link_data(scope.data, SECOND, retrain=False)
        assert linked.base is not None
        assert linked.base.run_id == runs[0]
        place = Place(runs[1], linked.base, linked.model.version, linking_run.linking_method())
        found = linking_run.difference(linked.before, linked.relinked, linked.content)
        with transaction() as connection:
            save_lineage(connection, place, linked.relinked.delta.counts)
            save_edges(connection, place, found)
            save_clusters(connection, place, found)
            save_alone(connection, place, scope.alone, frozenset())
    finally:
        with transaction() as connection:
            connection.exec_driver_sql(f"UPDATE audit.run SET status = 'SUCCEEDED' WHERE run_id = {runs[1]}")
    assert state_of(runs[1]) == before
    assert state_of(runs[0]) == first, "what the earlier run holds is as it was"


def test_what_it_left_can_be_read_back(runs: tuple[int, int]) -> None:
    before, kept = read_before(runs[1]), state_of(runs[1])
    assert before.record_ids.to_pylist() == [record for record, _ in kept["records"]]
    assert [int(each) for each in before.content.view("int64")] == [content for _, content in kept["records"]]
    assert len(before.edges) == len(kept["edges"])


def test_drift_is_measured_without_keeping_anything(runs: tuple[int, int]) -> None:
    before = state_of(runs[1])
    drift = measure_drift()
    assert (drift.run_id, drift.records) == (runs[1], len(before["records"]))
    assert 0 <= drift.share < 0.002
    assert state_of(runs[1]) == before


def test_another_method_compares_everybody_anew(
    runs: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pipelines.linking.scores.linking_method", lambda: "of another release of the software"
    )
    with transaction() as connection:
        inputs = read_link_run(connection, runs[1])
    linked = link_data(read_scope(runs[1], inputs.extract_ids).data, SECOND, retrain=False)
    assert linked.base is None
    assert linked.relinked.delta.counts["unchanged"] == 0
