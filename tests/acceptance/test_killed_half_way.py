"""Killed half way, with `kill -9`, and started again: each stage ends in the state of one that was left alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.contents import contents, differences
from support.journey import FIRST, LAST, SECOND, WHO, WHY, Journey, files_now
from support.victim import killed_at

from pipelines import stages
from pipelines.warehouse.staging import sweep_staging

pytestmark = [pytest.mark.database, pytest.mark.slow]

# By stage: where it is killed. The function is named by the module that calls it, with the nth call of it.
MOMENTS = {
    "receive": {
        "after one file has landed": "pipelines.ingest.receive.land_file:1:after",
        "its reports not yet given to its run": "pipelines.stages._adopt_reports:1:after",
    },
    "requeue_delivery": {
        "after one file has landed again": "pipelines.ingest.requeue.land_file:1:after",
        "its reports not yet given to its run": "pipelines.stages._adopt_reports:1:after",
    },
    "check_landing": {
        "what was found not committed": "pipelines.quality.checks.store_outcomes:1:after",
    },
    "normalise_delivery": {
        "while rows are being loaded": "pipelines.warehouse.normalised.copy_rendered:3:after",
        "before the commit": "pipelines.stages.save_report:3:after",
    },
    "check_normalised": {
        "what was found kept and on no page": "pipelines.quality.checks.write_run_report:1:before",
    },
    "announce": {
        "its run finished and nothing announced": "pipelines.stages.finish_run:1:after",
        "announced but not committed": "pipelines.ingest.link_requests._write:1:after",
        "announced and nobody told": "pipelines.ingest.link_requests.request_link:1:after",
    },
    "the first link_period": {"after the model is trained": "pipelines.linking.run.save_model:1:after"},
    "link_period": {
        "after the sealed are known": "pipelines.linking.scope.seal_closure:1:after",
        "after the edges": "pipelines.linking.run.save_edges:1:after",
        "people changed and not told why": "pipelines.identity.people.keep_people:1:after",
        "before the commit": "pipelines.linking.run.finish_run:1:after",
    },
    "check_linked": {
        "what was found not committed": "pipelines.quality.checks.store_outcomes:1:after",
        "checked and on one page of two": "pipelines.quality.reports.write_reports:1:before",
    },
    "build_release": {
        "before the commit": "pipelines.publish.build.keep_manifest:1:after",
        "built but its report not written": "pipelines.stages.save_report:1:before",
    },
    "check_release": {
        "what was found kept and on no page": "pipelines.quality.checks.write_run_report:1:before",
    },
    "reject_release": {
        "rejected but not committed": "pipelines.publish.swap._decide:1:after",
        "rejected but its manifest not written": "pipelines.publish.swap.write_manifest:1:before",
    },
    "publish_release": {
        "swapped but not committed": "pipelines.publish.swap._decide:1:after",
        "live but its manifest not written": "pipelines.publish.swap.write_manifest:1:before",
        "live but old releases not dropped": "pipelines.publish.swap.drop_old_releases:1:before",
    },
    "write_reports": {
        "after the first page": "pipelines.quality.reports.write_run_report:1:after",
        "between the old Data Docs and the new": "pipelines.quality.data_docs._replace:1:before",
    },
}


def arguments_of(stage: str, journey: Journey) -> tuple[Any, ...]:
    """What the stage is called with at its stop."""
    delivery_id = journey.results["delivery"]
    release_id = journey.results[f"release {SECOND}"]
    return {
        "receive": (LAST, SECOND),
        "requeue_delivery": (LAST, SECOND),
        "the first link_period": (FIRST,),
        "check_landing": (delivery_id,),
        "normalise_delivery": (delivery_id,),
        "check_normalised": (delivery_id,),
        "announce": (delivery_id,),
        "link_period": (SECOND,),
        "check_linked": (journey.results[f"run {SECOND}"],),
        "build_release": (journey.results[f"run {SECOND}"],),
        "check_release": (release_id,),
        "reject_release": (release_id, WHY, WHO),
        "publish_release": (release_id, WHO, WHY),
        "write_reports": (release_id,),
    }[stage]


@pytest.mark.parametrize(
    ("stage", "moment"),
    [
        pytest.param(stage, moment, id=f"{stage}-{words}".replace(" ", "_"))
        for stage, moments in MOMENTS.items()
        for words, moment in moments.items()
    ],
)
def test_a_stage_that_was_killed_and_started_again_ends_as_if_undisturbed(
    stage: str, moment: str, journey: Journey, tmp_path: Path
) -> None:
    name, arguments = stage.split()[-1], arguments_of(stage, journey)
    with journey.warehouse_at(f"before {stage}", tmp_path):
        killed_at(moment, name, *arguments)
        getattr(stages, name)(*arguments)
        sweep_staging()
        assert differences(contents(), journey.after[stage]) == {}
        assert files_now() == journey.files[stage]


ELSEWHERE = {
    "prepare": "tests/integration/test_warehouse_prepare.py",
    "due_cutoffs": "writes one row, in one transaction",
    "scan_inbox": "writes one file, which is moved into place",
}


def test_no_stage_is_left_out() -> None:
    ours = [each for each in vars(stages).values() if getattr(each, "__module__", "") == stages.__name__]
    all_stages = {each.__name__ for each in ours if hasattr(each, "__wrapped__")}
    assert all_stages == {stage.split()[-1] for stage in MOMENTS} | ELSEWHERE.keys()


def test_every_stage_leaves_a_trace_that_the_comparison_sees(journey: Journey) -> None:
    """Were the comparison blind to what a stage writes, the tests above would prove nothing."""
    written = list(journey.after)
    same = [b for a, b in pairwise(written) if not differences(journey.after[a], journey.after[b])]
    assert same == ["write_reports"], "which writes files only"
    assert set(journey.files["write_reports"]) >= {
        "reports/data_docs/index.html",
        "reports/expectations/run-N.html",
    }
