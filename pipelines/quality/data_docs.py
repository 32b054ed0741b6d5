"""GX Data Docs in the reports folder: complete and styled with the network off, and without a value."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import great_expectations as gx
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from pipelines.contracts.expectations import STAGES
from pipelines.errors import JoinedupError
from pipelines.quality import data_docs_view
from pipelines.quality.batches import Batch
from pipelines.quality.gx_store import results_backend, results_folder
from pipelines.quality.runner import to_gx
from pipelines.quality.scrub import quiet_logs
from pipelines.quality.suites import all_suites
from pipelines.settings import load_settings

FOLDER = "data_docs"
LATEST_RESULTS = 500
_RESULTS = "validation_results_store"
_RENDERERS = "great_expectations.render.renderer"


def build_data_docs() -> Path:
    """Return the index of the Data Docs, built anew beside the old ones and moved into their place.

    Raises:
        JoinedupError: a page is missing; GX logs such failures and goes on.
    """
    reports = load_settings().reports_dir
    reports.mkdir(parents=True, exist_ok=True)
    results_folder().mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(results_folder() / "build.lock"):
        fresh = Path(mkdtemp(dir=reports, prefix=".data_docs-"))
        try:
            _build(fresh)
            _replace(reports / FOLDER, fresh)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return reports / FOLDER / "index.html"


def _build(folder: Path) -> None:
    """Write the site into an empty folder."""
    defaults = InMemoryStoreBackendDefaults()
    stores: dict[str, Any] = {**defaults.stores, _RESULTS: _results_store()}
    config = DataContextConfig(
        stores=stores,
        expectations_store_name=defaults.expectations_store_name,
        validation_results_store_name=_RESULTS,
        checkpoint_store_name=defaults.checkpoint_store_name,
        data_docs_sites={"joinedup": _site(folder, defaults.expectations_store_name)},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    with quiet_logs():
        context = gx.get_context(mode="ephemeral", project_config=config)
        for suite in _suites():
            context.suites.add(suite)
        context.build_data_docs()
    shutil.rmtree(folder / "static", ignore_errors=True)  # GX's pictures, which our frame does not show
    _require_complete(folder)


def _results_store() -> dict[str, Any]:
    return {"class_name": "ValidationResultsStore", "store_backend": results_backend()}


def _site(folder: Path, suites_store: str) -> dict[str, Any]:
    """Return the settings of the site: GX's content, our frame."""
    ours = data_docs_view.__name__
    page = {"module_name": ours, "class_name": data_docs_view.OfflinePage.__name__}
    backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {**backend, "suppress_store_backend_id": True},
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "view": {"module_name": ours, "class_name": data_docs_view.OfflineIndex.__name__},
            "validation_results_limit": LATEST_RESULTS,
        },
        "site_section_builders": {
            "expectations": {
                "class_name": "DefaultSiteSectionBuilder",
                "source_store_name": suites_store,
                "renderer": {"module_name": _RENDERERS, "class_name": "ExpectationSuitePageRenderer"},
                "view": page,
            },
            "validations": {
                "class_name": "DefaultSiteSectionBuilder",
                "source_store_name": _RESULTS,
                "renderer": {"module_name": ours, "class_name": data_docs_view.SeverityPage.__name__},
                "view": page,
                "validation_results_limit": LATEST_RESULTS,
            },
            "profiling": "None",
        },
    }


def _suites() -> Iterator[ExpectationSuite]:
    """Yield the suites in force; ids stand for the runs and releases that a check would fill in."""
    for stage in STAGES:
        for suite in all_suites(stage):
            anywhere = Batch(suite.table, "true", {"run_id": 0, "release_id": 0})
            rules = [to_gx(rule, anywhere) for rule in suite.expectations]
            yield ExpectationSuite(suite.table, expectations=rules)


def _require_complete(folder: Path) -> None:
    results = len(list((results_folder() / "validations").rglob("*.json")))
    pages = len(list((folder / "validations").rglob("*.html")))
    if pages < min(results, LATEST_RESULTS) or not (folder / "index.html").exists():
        raise JoinedupError(f"Data Docs are incomplete: {pages} pages for {results} validation results")


def _replace(old: Path, fresh: Path) -> None:
    """Put a folder in the place of another one."""
    aside = fresh.with_name(fresh.name + "-old")
    if old.exists():
        old.rename(aside)
    fresh.chmod(0o755)
    fresh.rename(old)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a lock among the processes of this machine; a killed one loses it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
