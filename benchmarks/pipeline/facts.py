"""What a contender's warehouse holds in the end, counted by the same queries for all.

A process of its own that runs after the contender, also after one that failed: neither its time nor its memory
counts. `python -m benchmarks.pipeline.facts JOURNAL TRUTH`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from sqlalchemy import text

from benchmarks.pipeline.task import Journal, read_facts
from pipelines.contracts.loader import landing_tables
from pipelines.evaluation import evaluate_run
from pipelines.warehouse.engine import transaction

_EXPECTATIONS = text(
    "SELECT stage, table_name, agency, expectation_id, severity, success FROM audit.expectation_result"
    " ORDER BY result_id"
)
_LIVE = text("SELECT count(*) FROM publication.person JOIN publication.current_release USING (release_id)")


def tell_landed(journal: Journal) -> None:
    """Tell how many rows each landing table holds."""
    with transaction() as connection:
        landed = {
            table: connection.scalar(text(f'SELECT count(*) FROM landing."{table}"'))  # noqa: S608 - from contracts
            for table in landing_tables()
        }
    journal.tell(landed=landed)


def tell_linked(journal: Journal, link_run_id: int, truth: Path) -> None:
    """Tell how many people a linkage run found, and how right it is."""
    with transaction() as connection:
        query = text("SELECT count(DISTINCT cluster_id) FROM linked.cluster_of(:run_id)")
        people = connection.scalar(query, {"run_id": link_run_id})
    quality = evaluate_run(link_run_id, truth).overall
    journal.tell(people=people, precision=quality.precision, recall=quality.recall)


def tell_checks(journal: Journal) -> None:
    """Tell which expectations were run at each stage, which of them failed, and how many people are live."""
    ran, failed = defaultdict(list), defaultdict(list)
    with transaction() as connection:
        for row in connection.execute(_EXPECTATIONS):
            name = f"{row.table_name} {row.expectation_id}" + (f" ({row.agency})" if row.agency else "")
            ran[row.stage].append(name)
            if not row.success:
                failed[row.stage].append(f"{name}: {row.severity}")
        journal.tell(expectations=ran, failed=failed, live=connection.scalar(_LIVE))


def main() -> None:
    """Tell everything about the warehouse of this home."""
    path, truth = Path(sys.argv[1]), Path(sys.argv[2])
    journal, known = Journal(path), read_facts(path)
    tell_landed(journal)
    tell_checks(journal)
    if "link_run" in known:
        tell_linked(journal, int(known["link_run"]), truth)


if __name__ == "__main__":
    main()
