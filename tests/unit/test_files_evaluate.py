"""Pairwise quality and B-cubed: by hand on a small case, and against the plain definition on any."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import FilesRejected
from pipelines.files.evaluate import evaluate_clusters, evaluate_files

Row = tuple[str, str, str]


def clusters_of(rows: list[Row]) -> pa.Table:
    source, record, person = zip(*rows, strict=True)
    return pa.table(
        {"source": pa.array(source).dictionary_encode(), "record_id": record, "person_id": person}
    )


def truth_of(rows: list[Row]) -> pa.Table:
    source, record, person = zip(*rows, strict=True)
    return pa.table({"source": source, "record_id": record, "person": person})


def test_a_small_case_by_hand() -> None:
    clusters = clusters_of(
        [("a", "1", "x"), ("a", "2", "x"), ("b", "1", "x"), ("b", "2", "y"), ("b", "3", "z")]
    )
    truth = truth_of([("a", "1", "P"), ("b", "1", "P"), ("b", "2", "P"), ("a", "2", "Q"), ("b", "9", "Q")])
    found = evaluate_clusters(clusters, truth)
    assert (found.records, found.without_truth, found.not_linked) == (4, 1, 1)
    assert (found.overall.true_links, found.overall.false_links, found.overall.missed_links) == (1, 2, 2)
    assert (found.within.true_links, found.within.false_links, found.within.missed_links) == (0, 1, 1)
    assert (found.across.true_links, found.across.false_links, found.across.missed_links) == (1, 1, 1)
    assert found.b_cubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)
    assert found.b_cubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 + 1 / 3) / 4)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=25)
)
def test_any_partition_by_the_plain_definition(rows: list[tuple[str, int, int]]) -> None:
    clusters = clusters_of([(source, str(at), f"c{cluster}") for at, (source, cluster, _) in enumerate(rows)])
    truth = truth_of([(source, str(at), f"p{person}") for at, (source, _, person) in enumerate(rows)])
    found = evaluate_clusters(clusters, truth)
    pairs = list(combinations(rows, 2))
    both = sum(i[1] == j[1] and i[2] == j[2] for i, j in pairs)
    inside = sum(i[1] == j[1] and i[2] == j[2] and i[0] == j[0] for i, j in pairs)
    assert found.overall.true_links == both
    assert found.overall.false_links == sum(i[1] == j[1] for i, j in pairs) - both
    assert found.overall.missed_links == sum(i[2] == j[2] for i, j in pairs) - both
    assert found.within.true_links == inside and found.across.true_links == both - inside
    assert sum(part.true_links for part in found.by_pair.values()) == both
    shares = [
        sum(i[1] == j[1] and i[2] == j[2] for j in rows) / sum(i[1] == j[1] for j in rows) for i in rows
    ]
    assert found.b_cubed.precision == pytest.approx(sum(shares) / len(rows))


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        pyarrow.parquet.write_table(
            clusters_of([("a", "1", "x"), ("a", "2", "x")]), tmp_path / "clusters.parquet"
        )
        (tmp_path / "report.json").write_text("{}")
        return tmp_path

    def test_the_figures_are_written_beside_the_clusters(self, folder: Path) -> None:
        (folder / "truth.csv").write_text("person,record_id,source\nP,1,a\nP,2,a\n")
        evaluate_files(folder, folder / "truth.csv")
        written = json.loads((folder / "evaluation.json").read_text())
        assert written["pairs"]["overall"]["f1"] == 1.0 and written["b_cubed"]["recall"] == 1.0

    def test_one_source_need_not_be_named(self, folder: Path) -> None:
        (folder / "truth.csv").write_text("record_id;person\n1;P\n2;Q\n")
        assert evaluate_files(folder, folder / "truth.csv").overall.precision == 0.0

    @pytest.mark.parametrize(
        ("truth", "told"),
        [
            ("source,id,person\na,1,P\n", "expected the columns source, record_id, person"),
            ("source,record_id,person\na,1,P\na,1,Q\n", "row 1: a record stands twice"),
            ("source,record_id,person\na,1,\n", "row 1, column person: empty"),
            ("source,record_id,person\nb,1,P\n", "none of its records"),
        ],
    )
    def test_a_truth_that_cannot_be_used_says_why(self, truth: str, told: str, folder: Path) -> None:
        (folder / "truth.csv").write_text(truth)
        with pytest.raises(FilesRejected, match=told):
            evaluate_files(folder, folder / "truth.csv")

    def test_a_folder_of_no_finished_run_is_refused(self, folder: Path) -> None:
        (folder / "report.json").unlink()
        (folder / "truth.csv").write_text("source,record_id,person\na,1,P\n")
        with pytest.raises(FilesRejected, match="of a run"):
            evaluate_files(folder, folder / "truth.csv")
