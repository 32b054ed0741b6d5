"""The four checks that the stages call, one per stage: run the suites, keep what they found, return it.

Nothing here raises for data that is not as expected: what was found is written first, for the auditor; then
the stage asks `gate` whether the batch may go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Engine

from pipelines.contracts.expectations import Stage, Suite
from pipelines.quality.batches import Batch, of_extracts, of_link_run, of_release
from pipelines.quality.outcome import CheckScope, ExpectationOutcome
from pipelines.quality.report import write_run_report
from pipelines.quality.store import store_outcomes
from pipelines.quality.suites import for_agency, landing_suite, linked_suites, shared_suites


def check_landing(
    engine: Engine, scope: CheckScope, extracts: Mapping[str, int]
) -> tuple[ExpectationOutcome, ...]:
    """Return what the landed files of a delivery look like; `extracts` gives each file's extract id."""
    if scope.agency is None:
        raise ValueError("a landing check is about one agency")
    suites = [(landing_suite(scope.agency, file), extract) for file, extract in sorted(extracts.items())]
    return _check(
        engine, scope, "landing", [(suite, of_extracts(suite.table, [extract])) for suite, extract in suites]
    )


def check_normalised(
    engine: Engine, scope: CheckScope, extract_ids: Sequence[int]
) -> tuple[ExpectationOutcome, ...]:
    """Return what the normalised tables hold of these extracts."""
    suites = shared_suites("normalised")
    return _check(
        engine, scope, "normalised", [(suite, of_extracts(suite.table, extract_ids)) for suite in suites]
    )


def check_linked(
    engine: Engine, scope: CheckScope, link_run_id: int, with_people: bool = True
) -> tuple[ExpectationOutcome, ...]:
    """Return what a run's edges and clusters look like, and the people in the ledger unless told otherwise."""
    suites = [suite for suite in linked_suites() if with_people or not suite.table.startswith("identity.")]
    return _check(
        engine, scope, "linked", [(suite, of_link_run(suite.table, link_run_id)) for suite in suites]
    )


def check_release(engine: Engine, scope: CheckScope, release_id: int) -> tuple[ExpectationOutcome, ...]:
    """Return what the rows of a release look like, before anyone can read them."""
    suites = shared_suites("published")
    return _check(
        engine, scope, "published", [(suite, of_release(suite.table, release_id)) for suite in suites]
    )


def _check(
    engine: Engine, scope: CheckScope, stage: Stage, work: Iterable[tuple[Suite, Batch]]
) -> tuple[ExpectationOutcome, ...]:
    """Return the outcomes of every suite on its batch, written to the warehouse and to the run's report."""
    from pipelines.quality.runner import SuiteRunner  # here: importing Great Expectations takes seconds

    runner = SuiteRunner(engine, scope, stage)
    outcomes = tuple(
        outcome for suite, batch in work for outcome in runner.run(for_agency(suite, scope.agency), batch)
    )
    with engine.begin() as connection:
        store_outcomes(connection, scope, stage, outcomes)
    write_run_report(engine, scope.run_id)  # now, since a stopped batch reaches no later stage that would
    return outcomes
