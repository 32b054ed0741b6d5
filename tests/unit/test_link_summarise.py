"""What holds a cluster together: small tables in, tables out."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipelines.link.summarise import summarise_clusters


def edges(*rows: tuple[str, str, float, bool]) -> pa.Table:
    a, b, weight, link = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "record_a": pa.array(a, pa.string()),
            "record_b": pa.array(b, pa.string()),
            "match_weight": pa.array(weight, pa.float64()),
            "is_link": pa.array(link, pa.bool_()),
        }
    )


def clusters(**records: str) -> pa.Table:
    return pa.table({"record_id": list(records), "cluster_id": list(records.values())})


def test_the_weakest_link_is_the_one_that_would_break_first() -> None:
    found = summarise_clusters(
        clusters(a="a", b="a", c="a", d="d"),
        edges(("a", "b", 12.0, True), ("b", "c", 8.0, True), ("a", "c", 7.0, True)),
    ).to_pylist()
    assert [row["records"] for row in found] == [3, 1]
    assert found[0]["weakest_link_probability"] == pytest.approx(1 / (1 + 2**-8))
    assert found[1]["weakest_link_probability"] is None
    assert not found[0]["is_contested"]


def test_a_cluster_with_a_compared_pair_that_is_no_link_is_contested() -> None:
    found = summarise_clusters(
        clusters(a="a", b="a", c="a"),
        edges(("a", "b", 12.0, True), ("b", "c", 8.0, True), ("a", "c", -1.0, False)),
    ).to_pylist()
    assert found[0]["is_contested"]


def test_a_refused_pair_between_two_clusters_contests_neither() -> None:
    found = summarise_clusters(clusters(a="a", b="b"), edges(("a", "b", -3.0, False))).to_pylist()
    assert [row["is_contested"] for row in found] == [False, False]


def test_no_edges_at_all_is_fine() -> None:
    assert summarise_clusters(clusters(a="a"), edges()).num_rows == 1
