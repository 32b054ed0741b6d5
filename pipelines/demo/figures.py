"""The demo's figures, read from the warehouse and the truth."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from pipelines.demo.run import DemoOptions
from pipelines.demo.summary import DemoSummary, Expectations, Linkage, NamedLinkage, StageRows
from pipelines.evaluation import evaluate_run
from pipelines.link.evaluate import LinkageQuality
from pipelines.settings import load_settings
from pipelines.synth.baselines import Baseline, baselines
from pipelines.warehouse.engine import transaction

ALL_AGENCIES = "all"

_STAGES = text("""
    SELECT s.stage, coalesce(s.agency, :all) AS agency, s.period, sum(s.rows_in) AS rows_in,
           sum(s.rows_out) AS rows_out, sum(s.quarantined) AS quarantined, sum(s.duplicates) AS duplicates,
           sum(s.withheld) AS withheld
    FROM audit.stage_report s
    JOIN (SELECT kind, period, inputs ->> 'agency' AS agency, max(run_id) AS run_id FROM audit.run
          WHERE status = 'SUCCEEDED' GROUP BY 1, 2, 3) latest USING (run_id)
    GROUP BY s.stage, s.agency, s.period, latest.kind
    ORDER BY s.period, array_position(ARRAY['ingest', 'normalise', 'link', 'publish'], s.stage), s.agency
""")
_EXPECTATIONS = text("""
    SELECT count(*) FILTER (WHERE success) AS passed,
           count(*) FILTER (WHERE NOT success AND severity <> 'critical') AS warned,
           count(*) FILTER (WHERE NOT success AND severity = 'critical') AS failed
    FROM audit.expectation_result
""")
_LIVE = text("""
    SELECT r.release_id, r.run_id, r.link_run_id, r.approved_by, r.approval_reason,
           to_char(r.as_of, 'YYYY-MM') AS period, p.people, p.records,
           (SELECT count(*) FROM linked.edge_of(r.link_run_id) e WHERE e.is_link) AS links
    FROM publication.release r JOIN publication.current_release c USING (release_id),
    LATERAL (SELECT count(*) AS people, coalesce(sum(record_count), 0) AS records
             FROM publication.person WHERE release_id = r.release_id) p
""")
_WAS_PUBLISHED = text("""
    SELECT EXISTS (SELECT FROM publication.release
                   WHERE to_char(as_of, 'YYYY-MM') = :period AND status IN ('LIVE', 'SUPERSEDED'))
""")
_EXAMPLE = text("""
    SELECT person_pseudonym FROM publication.person WHERE release_id = :release_id AND agency_count > 2
    ORDER BY weakest_link_probability, person_pseudonym LIMIT 1
""")
_PAIR = text("""
    SELECT record_a, record_b FROM linked.edge_of(:run_id) WHERE is_link
    ORDER BY match_weight, record_a, record_b LIMIT 1
""")


def was_published(period: str) -> bool:
    """Return whether a release of this period is live, or was."""
    with transaction() as connection:
        return bool(connection.scalar(_WAS_PUBLISHED, {"period": period}))


def read_summary(options: DemoOptions, extracts: Path) -> DemoSummary:
    """Return what the demo found; `seconds` is for the caller to fill in."""
    with transaction() as connection:
        live = connection.execute(_LIVE).one()
        stages = [
            StageRows(**{name: _plain(value) for name, value in row.items()})
            for row in _stage_rows(connection)
        ]
        expectations = Expectations(**connection.execute(_EXPECTATIONS).mappings().one())
        example = connection.execute(_EXAMPLE, {"release_id": live.release_id}).scalar()
        pair = connection.execute(_PAIR, {"run_id": live.link_run_id}).one_or_none()
    truth = load_settings().truth_dir
    quality = evaluate_run(live.link_run_id, truth / f"{live.period}.csv")
    return DemoSummary(
        people=live.people,
        records=int(live.records),
        seconds=0.0,
        linkage=Linkage(quality.overall.precision, quality.overall.recall, quality.overall.f1),
        stages=stages,
        expectations=expectations,
        links=live.links,
        by_agencies=list(_parts(quality)),
        baselines=[_baseline(each) for each in baselines(extracts, truth, live.period)],
        notes=_notes(live),
        next_steps=list(next_steps(example, pair)),
    )


def _stage_rows(connection: Connection) -> list[Any]:
    return list(connection.execute(_STAGES, {"all": ALL_AGENCIES}).mappings())


def _plain(value: Any) -> Any:
    """Return a sum as an int; PostgreSQL sums bigint as numeric."""
    return value if isinstance(value, str) else int(value)


def _parts(quality: LinkageQuality) -> Iterator[NamedLinkage]:
    yield NamedLinkage("across agencies", quality.across.precision, quality.across.recall)
    for pair, part in quality.by_pair.items():
        yield NamedLinkage(" and ".join(pair.split("|")), part.precision, part.recall)


def _baseline(found: Baseline) -> NamedLinkage:
    return NamedLinkage(found.rule, found.precision, found.recall)


def _notes(live: Any) -> list[str]:
    return [
        f"Release {live.release_id} of {live.period}: approved by {live.approved_by} ({live.approval_reason}).",
        "The join threshold follows from a target false-link rate; the truth chose no threshold and no parameter.",
    ]


def next_steps(example: str | None, pair: Any) -> Iterator[tuple[str, str]]:
    """Yield what to do next and the command for it, which finds this home again from any shell."""
    program = f"{_same_home()}.venv/bin/joinedup"
    query = "SELECT agencies, people, is_suppressed FROM published.agency_overlap ORDER BY agencies"
    yield "Query the joined view as the analyst:", f'{program} sql --role analyst -c "{query}"'
    yield "Open a session:", f"{program} sql --role analyst"
    reports = load_settings().reports_dir
    yield "Open the expectation report:", str(reports / "expectations" / "index.html")
    yield "Open Great Expectations' Data Docs:", str(reports / "data_docs" / "index.html")
    if pair:
        yield "See why the weakest link is a link:", f"{program} explain {pair.record_a} {pair.record_b}"
    if example:
        yield "See what holds a person together:", f"{program} explain --person {example}"
    yield "Open Airflow's UI with these DAGs:", f"{_same_home()}make up"


def _same_home() -> str:
    """Return what a command begins with to find this home again; nothing where it is the usual one."""
    home = os.environ.get("JOINEDUP_HOME")
    return f"JOINEDUP_HOME={shlex.quote(home)} " if home else ""
