"""Both outputs for the auditor, written to the reports folder: our expectation report and the GX Data Docs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from pipelines.quality.report import write_run_report


def write_reports(engine: Engine, run_id: int, with_data_docs: bool = True) -> Path:
    """Return the page of a run, written with the list of runs and, unless told otherwise, the Data Docs.

    May be called again, and by several processes: files are written beside and moved into place.
    """
    page = write_run_report(engine, run_id)
    if with_data_docs:
        from pipelines.quality.data_docs import build_data_docs  # here: Great Expectations takes seconds

        build_data_docs()
    return page
