"""Where judgements contradict each other or what a run found: for somebody to look at, and to judge again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from sqlalchemy import Connection, text

from pipelines.identity.protection import SEALED, protected_records
from pipelines.link.judged import SAME, Ruling

Kind = Literal["APART", "NOT_COMPARED", "AGAINST_NUMBERS"]


class Contradiction(NamedTuple):
    """A pair that was judged one person, and what is against it in a run.

    APART: published as two people, since another judgement or a source that holds each person once is against it.
    NOT_COMPARED: one of the records is withheld. AGAINST_NUMBERS: held together, with verified numbers that differ;
    without a judgement of its own where that follows from others.
    """

    kind: Kind
    record_a: str
    record_b: str
    judgement_id: int | None


def contradictions(connection: Connection, run_id: int, rulings: Iterable[Ruling]) -> list[Contradiction]:
    """Return the judgements of one person that a run could not follow, and where they unite differing numbers."""
    same = {(each.record_a, each.record_b): each.judgement_id for each in rulings if each.verdict == SAME}
    clusters = _clusters(connection, run_id, {record for pair in same for record in pair})
    sealed = {each.record_id for each in protected_records(connection) if each.level == SEALED}
    found = []
    for pair, judgement_id in same.items():
        kind = _against(pair, clusters, sealed)
        if kind is not None:
            found.append(Contradiction(kind, *pair, judgement_id))
    united = (
        Contradiction("AGAINST_NUMBERS", *pair, same.get(pair))
        for pair in _united_numbers(connection, run_id)
    )
    return sorted([*found, *united], key=lambda each: each[:3])


def _against(pair: tuple[str, str], clusters: dict[str, str], sealed: set[str]) -> Kind | None:
    """Return why a pair is not in one cluster; None when it is, or when the run does not have both records."""
    a, b = (clusters.get(record) for record in pair)
    if set(pair) & sealed:
        return "NOT_COMPARED"
    return "APART" if a is not None and b is not None and a != b else None


def _clusters(connection: Connection, run_id: int, records: set[str]) -> dict[str, str]:
    """Return the cluster of each of these records that the run holds."""
    rows = connection.execute(
        text("""
            SELECT CAST(record_id AS text), CAST(cluster_id AS text) FROM linked.cluster_of(:run_id)
            WHERE record_id = ANY(CAST(:records AS uuid[]))
        """),
        {"run_id": run_id, "records": sorted(records)},
    )
    return {str(record): str(cluster) for record, cluster in rows}


def _united_numbers(connection: Connection, run_id: int) -> list[tuple[str, str]]:
    """Return the links that are barred: only judgements make such."""
    rows = connection.execute(
        text("""
            SELECT CAST(record_a AS text), CAST(record_b AS text) FROM linked.edge_of(:run_id)
            WHERE is_link AND is_barred ORDER BY record_a, record_b
        """),
        {"run_id": run_id},
    )
    return [(str(a), str(b)) for a, b in rows]
