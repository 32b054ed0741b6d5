"""Why two records are one person, or not: what is explained is what was stored."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from support.ingest_files import one, rows_of
from support.journey import SECOND, Journey
from support.warehouse import Warehouse

from pipelines.contracts.model import load_model
from pipelines.errors import LinkageError
from pipelines.evidence import as_record_id, explain_published_person, explain_records
from pipelines.keys import pseudonym, record_id
from pipelines.settings import load_settings

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def run_id(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The latest linkage run of a warehouse that nobody changes."""
    with journey.warehouse_at("the end", tmp_path_factory.mktemp("home")):
        yield journey.results[f"run {SECOND}"]


def edges(
    run_id: int, order: str, count: int = 5
) -> list[tuple[str, str, float, float, bool, dict[str, int]]]:
    return rows_of(
        "SELECT record_a::text, record_b::text, match_weight, match_probability, is_link, levels FROM linked.edge_of(:run_id)"
        f" ORDER BY {order}, record_a, record_b LIMIT {count}",
        run_id=run_id,
    )


class TestAPairThatWasCompared:
    @pytest.mark.parametrize(
        "order", ["match_weight DESC", "is_link DESC, match_weight", "is_link, match_weight DESC"]
    )
    def test_weighs_in_its_explanation_what_its_edge_weighs(self, run_id: int, order: str) -> None:
        """The strongest links, the weakest links, and the strongest pairs that are no link."""
        for a, b, weight, probability, _, levels in edges(run_id, order):
            told = explain_records(a, b)
            assert told.total == pytest.approx(weight, abs=1e-9)
            assert told.probability == pytest.approx(probability, abs=1e-12)
            assert told.prior + sum(term.weight for term in told.terms) + told.household == pytest.approx(
                told.total
            )
            assert {term.comparison for term in told.terms} == set(levels)
            assert {term.comparison for term in told.terms if term.level == "null"} == {
                name for name, level in levels.items() if level < 0
            }
            assert told.rules, "it was compared under some rule"

    def test_may_be_named_in_any_order_and_by_its_agencies_own_ids(self, run_id: int) -> None:
        ((a, b, *_),) = edges(run_id, "match_weight DESC", 1)
        names = [
            one(
                "SELECT DISTINCT agency || '/' || source_person_id FROM normalised.person_record"
                " WHERE record_id = CAST(:r AS uuid)",
                r=each,
            )
            for each in (b, a)
        ]
        assert [as_record_id(name) for name in names] == [b, a]
        assert explain_records(*names) == explain_records(a, b)

    def test_is_explained_without_a_value(self, run_id: int) -> None:
        ((a, b, *_),) = edges(run_id, "match_weight DESC", 1)
        text = explain_records(a, b).render().upper()
        values = rows_of(
            "SELECT given FROM normalised.person_name WHERE record_id::text IN (:a, :b) AND length(given) > 3"
            " UNION SELECT family FROM normalised.person_name WHERE record_id::text IN (:a, :b) AND length(family) > 3"
            " UNION SELECT value FROM normalised.person_identifier WHERE record_id::text IN (:a, :b)"
            " UNION SELECT postcode FROM normalised.person_address WHERE record_id::text IN (:a, :b)",
            a=a,
            b=b,
        )
        assert len(values) > 2
        assert [value for (value,) in values if value and f" {value} " in f" {text} "] == []


class TestAPairThatWasNeverCompared:
    def test_names_the_rule_that_it_came_nearest_to(self, run_id: int) -> None:
        names = {rule.name for rule in load_model().blocking}
        for a, b in strangers(run_id):
            told = explain_records(a, b)
            assert told.rules == ()
            assert told.nearest_rule and any(name in told.nearest_rule for name in names)
            assert not told.is_link
            assert "never compared: the nearest rule is" in told.render()


def strangers(run_id: int) -> list[tuple[str, str]]:
    """Pairs of records without an edge that share neither a name, a date of birth nor a place."""
    return rows_of(
        "WITH picked AS (SELECT DISTINCT ON (c.record_id) c.record_id, n.given, n.family, b.date_of_birth, a.outward"
        " FROM linked.cluster_of(:run_id) c JOIN normalised.person_name n USING (record_id)"
        " JOIN normalised.person_date_of_birth b USING (record_id) JOIN normalised.person_address a USING (record_id)"
        " ORDER BY c.record_id LIMIT 60)"
        " SELECT x.record_id::text, y.record_id::text FROM picked x JOIN picked y ON x.record_id < y.record_id"
        " AND left(x.given, 1) <> left(y.given, 1) AND left(x.family, 1) <> left(y.family, 1)"
        " AND extract(year FROM x.date_of_birth) <> extract(year FROM y.date_of_birth) AND x.outward <> y.outward"
        " WHERE NOT EXISTS (SELECT FROM linked.edge_of(:run_id) e WHERE e.record_a = x.record_id"
        " AND e.record_b = y.record_id) ORDER BY 1, 2 LIMIT 3",
        run_id=run_id,
    )


class TestAPublishedPerson:
    def test_is_explained_by_the_pseudonym(self, run_id: int) -> None:
        (name, weakest, records) = rows_of(
            "SELECT person_pseudonym, weakest_link_probability, record_count FROM published.person"
            " ORDER BY record_count DESC, person_pseudonym LIMIT 1"
        )[0]
        told = explain_published_person(name)
        assert len(told.record_ids) == records > 2
        assert told.weakest is not None
        assert told.weakest.match_weight == min(edge.match_weight for edge in told.edges)
        # Published is the weakest link that is needed: another path may make a weaker one dispensable.
        assert told.weakest.match_probability <= weakest
        assert any(edge.match_probability == pytest.approx(weakest) for edge in told.edges)
        assert {end for edge in told.edges for end in (edge.record_a, edge.record_b)} == set(told.record_ids)

    def test_is_explained_by_the_person_id_too(self, run_id: int) -> None:
        person = one(
            "SELECT person_id::text FROM identity.person WHERE retired_run IS NULL ORDER BY 1 LIMIT 1"
        )
        name = pseudonym(load_settings().key, "person", person)
        assert explain_published_person(person) == explain_published_person(name)


class TestWhoIsNotThere:
    def test_is_said_by_record_id(self, run_id: int) -> None:
        ((a, *_),) = edges(run_id, "match_weight DESC", 1)
        nobody = record_id(load_settings().key, "police", "never sent")
        with pytest.raises(LinkageError, match=f"not among the records of run {run_id}: {nobody}"):
            explain_records(a, "police/never sent")

    def test_is_told_how_a_record_is_named(self, run_id: int) -> None:
        with pytest.raises(LinkageError, match="by its record id, or as agency/local-id"):
            explain_records("Mary", str(uuid4()))

    def test_is_nobody(self, run_id: int) -> None:
        with pytest.raises(LinkageError, match="nobody is known"):
            explain_published_person("bcdfghjk")


def test_before_the_first_run_there_is_nothing_to_explain(warehouse: Warehouse) -> None:
    with pytest.raises(LinkageError, match="nothing was linked yet"):
        explain_records(str(uuid4()), str(uuid4()))
