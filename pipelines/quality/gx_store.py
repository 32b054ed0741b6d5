"""What Great Expectations found, kept as its own JSON, from which the Data Docs are made."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.store.validation_results_store import ValidationResultsStore
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)

from pipelines.contracts.expectations import Stage
from pipelines.quality.outcome import CheckScope
from pipelines.settings import load_settings

RESULTS = "validations"


def run_name(scope: CheckScope, stage: Stage) -> str:
    """Return how the Data Docs call a check: run, stage, period, agency."""
    parts = [f"run-{scope.run_id}", stage, scope.period, scope.agency]
    return "_".join(part for part in parts if part)


def results_folder() -> Path:
    """Return the folder that keeps what GX found."""
    return load_settings().home / "gx"


def results_backend() -> dict[str, Any]:
    """Return GX's settings for storing validation results in that folder."""
    return {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": RESULTS,
        "root_directory": str(results_folder()),
        "suppress_store_backend_id": True,
    }


def keep_result(scope: CheckScope, stage: Stage, result: ExpectationSuiteValidationResult) -> None:
    """Write a validation result, in the place of what an earlier attempt of the same run left there."""
    name = run_name(scope, stage)
    of_suite = results_folder().joinpath(RESULTS, *str(result.suite_name).split("."))
    shutil.rmtree(of_suite / name, ignore_errors=True)
    run = RunIdentifier(run_name=name, run_time=datetime.now(UTC))
    result.meta["run_id"] = run
    result.meta["validation_time"] = run.run_time
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(result.suite_name),
        run_id=run,
        batch_identifier=scope.agency or "all-agencies",
    )
    ValidationResultsStore(store_backend=results_backend()).set(key, result)
