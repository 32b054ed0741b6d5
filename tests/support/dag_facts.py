"""Print as JSON what Airflow finds in a DAG folder. Run in a process of its own: Airflow configures itself once."""

from __future__ import annotations

import json
import sys

from airflow.dag_processing.dagbag import DagBag


def describe(folder: str) -> dict[str, object]:
    sys.path.insert(0, folder)  # as the DAG processor does
    bag = DagBag(folder)
    return {
        "errors": {name: str(text).splitlines()[-1] for name, text in bag.import_errors.items()},
        "dags": {dag.dag_id: describe_dag(dag) for dag in bag.dags.values()},
    }


def describe_dag(dag) -> dict[str, object]:
    return {
        "doc": dag.doc_md or "",
        "tags": sorted(dag.tags),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "timetable": type(dag.timetable).__name__,
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "tasks": {task.task_id: describe_task(task) for task in dag.tasks},
    }


def describe_task(task) -> dict[str, object]:
    return {
        "owner": task.owner,
        "retries": task.retries,
        "retry_seconds": task.retry_delay.total_seconds(),
        "pool": task.pool,
        "upstream": sorted(task.upstream_task_ids),
        "trigger_rule": task.trigger_rule.value,
        "outlets": [outlet.name for outlet in task.outlets],
        "doc": describe_mapped(task) if task.is_mapped else task.doc_md,
        "assigned_users": getattr(task, "assigned_users", None),
        "defaults": getattr(task, "defaults", None),
        "response_seconds": (
            task.response_timeout.total_seconds() if getattr(task, "response_timeout", None) else None
        ),
    }


def describe_mapped(task) -> str:
    return task.partial_kwargs.get("doc_md") or task.python_callable.__doc__ or ""


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(describe(sys.argv[1])))
