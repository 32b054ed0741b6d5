"""INGEST and NORMALISE: one DAG per agency, made from its contract, and the inbox watcher.

`ingest_<agency>` takes one delivery (all files of one agency for one period) from the inbox to the
normalised tables. A delivery that completes its period, or corrects a complete one, announces the period
on the asset `delivered`, which starts `link`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, PartitionedAtRuntime, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException
from dag_parts import (
    DEFAULT_ARGS,
    DELIVERED,
    AgencyHeader,
    is_unattended,
    period_param,
    read_agencies,
    refusals_are_final,
)

INGEST_DOC = """
### Ingest {title}

Takes one delivery of **{title}** ({cadence}) from the inbox to the normalised tables.

| task | does | re-run |
|---|---|---|
| `receive` | registers, checks, archives and lands the files of the period | the same files twice are a no-op |
| `check_landing` | expectations on the landed rows; a critical failure stops here | safe |
| `normalise` | to the shared schema; rows balance or it raises | replaces what this delivery wrote |
| `check_normalised` | expectations on the normalised rows | safe |
| `announce` | says once, when the period became complete or was corrected, that `link` may start | safe |

Start it by hand with the parameter `period`. `force` accepts a person file equal to last period's.
Only ids pass between tasks. A refused file fails `receive` at once, without retries: its message lists
every problem, and nothing was landed.
"""

WATCH_DOC = """
### Watch the inbox

Every minute: finds deliveries in the inbox that are complete, stable in size and not yet received, and
starts the agency's `ingest` DAG for each. One set of files starts one run, however often it is seen.
Paused at first, unless `JOINEDUP_UNATTENDED=1`.
"""


@task
@refusals_are_final
def receive(agency: str) -> int:
    """Return the id of the delivery that was received; skip the rest when nothing is left to do."""
    from pipelines import stages

    params = get_current_context()["params"]
    received = stages.receive(agency, params["period"], force=params["force"])
    if received["waiting_for"]:
        raise AirflowSkipException(f"The delivery still waits for: {', '.join(received['waiting_for'])}")
    if received["delivery_id"] is None:
        raise AirflowSkipException("Already delivered: the same files for the same period are a no-op")
    return int(received["delivery_id"])


@task
@refusals_are_final
def check_landing(delivery_id: int) -> None:
    """Check the landed rows; a critical expectation that fails ends the run."""
    from pipelines import stages

    stages.check_landing(delivery_id)


@task
@refusals_are_final
def normalise(delivery_id: int) -> None:
    """Normalise the delivery to the shared schema."""
    from pipelines import stages

    stages.normalise_delivery(delivery_id)


@task
@refusals_are_final
def check_normalised(delivery_id: int) -> None:
    """Check the normalised rows; a critical expectation that fails ends the run."""
    from pipelines import stages

    stages.check_normalised(delivery_id)


@task(outlets=[DELIVERED])
@refusals_are_final
def announce(delivery_id: int, *, outlet_events: Any) -> None:
    """Announce the period when this delivery completes or corrects it; otherwise skip, with no event."""
    from pipelines import stages

    request = stages.announce(delivery_id)
    if request is None:
        raise AirflowSkipException("The period still waits for another agency")
    outlet_events[DELIVERED].add_partitions(request["period"])
    outlet_events[DELIVERED].extra = {"request_id": request["request_id"], "cause": request["cause"]}


def ingest_dag(header: AgencyHeader) -> DAG:
    """Return the ingest DAG of one agency."""

    @dag(
        dag_id=f"ingest_{header.agency}",
        description=f"One delivery of {header.title}: receive, check, normalise, check, announce",
        schedule=PartitionedAtRuntime(),
        catchup=False,
        default_args=DEFAULT_ARGS | {"owner": header.owner},
        doc_md=INGEST_DOC.format(title=header.title, cadence=header.cadence),
        is_paused_upon_creation=False,
        max_active_runs=1,
        params={
            "period": period_param(required=True),
            "force": Param(
                False, type="boolean", title="Force", description="Accept a repeated person file."
            ),
        },
        tags=["joinedup", "ingest", header.agency],
    )
    def ingest() -> None:
        delivery_id = receive(header.agency)
        checked = check_landing(delivery_id)
        normalised = normalise(delivery_id)
        checked_again = check_normalised(delivery_id)
        checked >> normalised >> checked_again >> announce(delivery_id)

    return ingest()


@task
@refusals_are_final
def find_deliveries() -> list[dict[str, str]]:
    """Return the deliveries in the inbox: agency, period and a fingerprint of their set of files."""
    from pipelines import stages

    return [{key: found[key] for key in ("agency", "period", "fingerprint")} for found in stages.scan_inbox()]


@task
def start_ingest(agency: str, period: str, fingerprint: str) -> None:
    """Start the agency's ingest run for this set of files, or skip when it was started before.

    This is what TriggerDagRunOperator raises; importing the operator would double the parse time.
    """
    raise DagRunTriggerException(
        trigger_dag_id=f"ingest_{agency}",
        dag_run_id=f"inbox__{period}__{fingerprint}",
        conf={"period": period},
        reset_dag_run=False,
        skip_when_already_exists=True,
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=0,
        deferrable=False,
    )


@dag(
    dag_id="watch_inbox",
    description="Start an ingest run for every complete delivery in the inbox",
    schedule=timedelta(minutes=1),
    catchup=False,
    default_args=DEFAULT_ARGS | {"retries": 0},
    doc_md=WATCH_DOC,
    is_paused_upon_creation=not is_unattended(),
    max_active_runs=1,
    tags=["joinedup", "ingest", "watcher"],
)
def watch_inbox() -> None:
    """Find complete deliveries and start their ingest runs."""
    start_ingest.expand_kwargs(find_deliveries())


for agency_header in read_agencies():
    ingest_dag(agency_header)
watch_inbox()
