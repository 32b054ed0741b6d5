"""LINK: decide which records are one person, once per complete period, and the daily cut-off.

`link` starts when a period is announced on the asset `delivered`: its last required delivery came in,
a complete period was corrected, or the cut-off passed. It can also be started by hand with a period.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import CronTriggerTimetable, Param, PartitionedAssetTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from dag_parts import (
    DEFAULT_ARGS,
    DELIVERED,
    LINK_POOL,
    LINKED,
    is_unattended,
    period_param,
    refusals_are_final,
    requested_period,
)

LINK_DOC = """
### Link

Trains the linkage model, scores candidate pairs, and clusters records into people, for one period, from
each agency's latest accepted delivery.

| task | does | re-run |
|---|---|---|
| `link` | one linkage run; the run manifest fixes the extracts it used | the same inputs are the same run |
| `check_linked` | expectations on edges, clusters and people; then starts `publish` | safe |

Starts by itself once per announced period. By hand: trigger it with the parameter `period`; `retrain`
trains the model again instead of using the one that the warehouse keeps.
"""

CUTOFF_DOC = """
### Cut-off

Every morning: announces periods whose cut-off has passed although a delivery is missing, so that `link`
works with what may be carried forward. Paused at first, unless `JOINEDUP_UNATTENDED=1`.
"""


@task(pool=LINK_POOL)
@refusals_are_final
def link() -> int:
    """Return the id of the linkage run made for the period."""
    from pipelines import stages

    context = get_current_context()
    return stages.link_period(requested_period(context), retrain=context["params"]["retrain"])


@task(outlets=[LINKED])
@refusals_are_final
def check_linked(link_run_id: int, *, outlet_events: Any) -> None:
    """Check the linkage run, then hand it to `publish`."""
    from pipelines import stages

    stages.check_linked(link_run_id)
    outlet_events[LINKED].add_partitions(requested_period(get_current_context()))
    outlet_events[LINKED].extra = {"link_run_id": link_run_id}


@dag(
    dag_id="link",
    description="Decide which records are one person, for one period",
    schedule=PartitionedAssetTimetable(assets=DELIVERED),
    catchup=False,
    default_args=DEFAULT_ARGS,
    doc_md=LINK_DOC,
    is_paused_upon_creation=False,
    max_active_runs=1,
    params={
        "period": period_param(required=False),
        "retrain": Param(False, type="boolean", title="Retrain", description="Train the model again."),
    },
    tags=["joinedup", "link"],
)
def link_dag() -> None:
    """Link one period and check the result."""
    check_linked(link())


@task(outlets=[DELIVERED])
@refusals_are_final
def announce_overdue(*, outlet_events: Any) -> None:
    """Announce the periods whose cut-off has passed; skip when there is none."""
    from pipelines import stages

    periods = stages.due_cutoffs()
    if not periods:
        raise AirflowSkipException("No period is past its cut-off")
    outlet_events[DELIVERED].add_partitions(list(periods))
    outlet_events[DELIVERED].extra = {"cause": "cutoff"}


@dag(
    dag_id="link_cutoff",
    description="Announce periods whose cut-off has passed",
    schedule=CronTriggerTimetable("0 6 * * *", timezone="Europe/London"),
    catchup=False,
    default_args=DEFAULT_ARGS,
    doc_md=CUTOFF_DOC,
    is_paused_upon_creation=not is_unattended(),
    max_active_runs=1,
    tags=["joinedup", "link", "watcher"],
)
def link_cutoff() -> None:
    """Look for overdue periods once a day."""
    announce_overdue()


link_dag()
link_cutoff()
