"""PUBLISH: build the next release beside the live one, check it, ask a human if need be, swap it in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, PartitionedAssetTimetable, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from dag_parts import DEFAULT_ARGS, LINKED, PUBLISH_POOL, refusals_are_final

RESPONSE_TIMEOUT = timedelta(days=3)

PUBLISH_DOC = """
### Publish

Builds the next release from a linkage run beside the live one, checks it, and swaps it in.

| task | does | re-run |
|---|---|---|
| `build` | writes the release; nobody reads it yet. Fails for a period before the latest linked one | safe |
| `check` | expectations on the release; chooses `approve` or `publish` | safe |
| `approve` | only when warnings failed and no setting answers: waits for a person (Required Actions) | asks again |
| `publish` | swaps the release in, in one update, with who approved it and why | safe |
| `reports` | writes the expectation report and Data Docs | safe |
| `record_rejection` | after a rejection, or no answer in three days: records it, and fails the run | safe |

A critical expectation fails `check`, and the live release stays. A rejected release never looks like a
success: the run is red, and the warehouse records who rejected it and why. By hand: trigger it with the
parameter `link_run_id` of a linkage run.
"""

APPROVAL_BODY = """
Release **{{ ti.xcom_pull(task_ids='build') }}** was built and checked. No critical expectation failed, but
**{{ (ti.xcom_pull(task_ids='check', key='checked') or {}).get('warnings') }}** warning(s) did. Read the
expectation report first. Whoever answers is recorded with the reason given here. Without an answer in three
days it is rejected.
"""


def approvers() -> list[dict[str, str]]:
    """Return the Airflow users who may approve a release (JOINEDUP_APPROVERS, comma-separated)."""
    names = os.environ.get("JOINEDUP_APPROVERS") or "admin"
    return [{"id": name.strip(), "name": name.strip()} for name in names.split(",") if name.strip()]


class ReleaseApproval(ApprovalOperator):
    """An approval whose answer is kept also when it is a rejection, for which the parent writes no XCom."""

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Return the parent's answer after keeping who answered what, and why."""
        user = event.get("responded_by_user") or {}
        answer = {
            "choice": event["chosen_options"][0] if event.get("chosen_options") else self.REJECT,
            "by": user.get("name") or "nobody in time",
            "reason": str((event.get("params_input") or {}).get("reason") or "").strip(),
        }
        context["ti"].xcom_push(key="answer", value=answer)
        return super().execute_complete(context, event)


def requested_run(context: Mapping[str, Any]) -> int:
    """Return the linkage run to publish: from the event that started this run, or the parameter."""
    events = context["triggering_asset_events"].get(LINKED, [])
    run_ids = [int(event.extra["link_run_id"]) for event in events]
    if context["params"]["link_run_id"] is not None:
        run_ids.append(int(context["params"]["link_run_id"]))
    if not run_ids:
        raise AirflowFailException("Started by hand: give the parameter `link_run_id` of a linkage run")
    return max(run_ids)


@task(pool=PUBLISH_POOL)
@refusals_are_final
def build() -> int:
    """Return the id of the release built from the linkage run."""
    from pipelines import stages

    return stages.build_release(requested_run(get_current_context()))


@task.branch
@refusals_are_final
def check(release_id: int, *, ti: Any) -> str:
    """Return the next task: `approve` when a person must answer for warnings, else `publish`."""
    from pipelines import stages

    checked = stages.check_release(release_id)
    ti.xcom_push(key="checked", value=checked)
    return "approve" if checked["needs_approval"] and checked["answered_by"] is None else "publish"


@task(pool=PUBLISH_POOL, trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
@refusals_are_final
def publish(release_id: int, *, ti: Any) -> None:
    """Swap the release in, recording who approved it and why."""
    from pipelines import stages

    approved_by, reason = approval(
        ti.xcom_pull(task_ids="check", key="checked"), ti.xcom_pull(task_ids="approve", key="answer")
    )
    stages.publish_release(release_id, approved_by=approved_by, reason=reason)


def approval(checked: Mapping[str, Any], answer: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return who approved the release and why: a person, the setting, or the expectations themselves."""
    if answer is not None:
        if not answer["reason"]:
            raise AirflowFailException("Approved without a reason: clear `approve` and answer it again")
        return str(answer["by"]), str(answer["reason"])
    if checked["answered_by"] is not None:
        return str(checked["answered_by"]), f"{checked['warnings']} warning(s), answered by a setting"
    return "expectations", "no expectation that needs an answer failed"


@task
@refusals_are_final
def reports(release_id: int) -> None:
    """Write the reports of this release."""
    from pipelines import stages

    stages.write_reports(release_id)


@task(trigger_rule=TriggerRule.ALL_SKIPPED)
@refusals_are_final
def record_rejection(*, ti: Any) -> None:
    """Record the rejection in the warehouse, then fail, so that the run does not look like a success."""
    from pipelines import stages

    release_id = ti.xcom_pull(task_ids="build")
    answer = ti.xcom_pull(task_ids="approve", key="answer")
    reason = answer["reason"] or "no reason given"
    stages.reject_release(release_id, reason, rejected_by=answer["by"])
    raise AirflowFailException(f"Release {release_id} was rejected by {answer['by']}")


@dag(
    dag_id="publish",
    description="Build, check, approve and swap in the next release",
    schedule=PartitionedAssetTimetable(assets=LINKED),
    catchup=False,
    default_args=DEFAULT_ARGS,
    doc_md=PUBLISH_DOC,
    is_paused_upon_creation=False,
    max_active_runs=1,
    params={
        "link_run_id": Param(
            None, type=["null", "integer"], minimum=1, title="Linkage run", description="Only by hand."
        )
    },
    tags=["joinedup", "publish"],
)
def publish_dag() -> None:
    """Build the release, check it, ask if need be, swap it in, report."""
    release_id = build()
    checked = check(release_id)
    approve = ReleaseApproval(
        task_id="approve",
        doc_md="Wait for a person to approve or reject a release with warnings.",
        subject="Publish release {{ ti.xcom_pull(task_ids='build') }} although warnings failed?",
        body=APPROVAL_BODY,
        params={"reason": Param("", type="string", title="Reason", description="Recorded with the release.")},
        assigned_users=approvers(),
        response_timeout=RESPONSE_TIMEOUT,
        defaults=ApprovalOperator.REJECT,
        retries=0,
    )
    published = publish(release_id)
    checked >> [approve, published]
    approve >> published >> [reports(release_id), record_rejection()]


publish_dag()
