"""The expectations, run by the project's own checks on the rival's rows; what fails is kept and stops nothing."""

from __future__ import annotations

from benchmarks.pipeline.rival.deliveries import Delivery
from benchmarks.pipeline.task import PERIOD
from pipelines.quality import checks
from pipelines.quality.outcome import CheckScope
from pipelines.warehouse.engine import engine


def check_files(delivery: Delivery) -> None:
    """Check the landed files of a delivery."""
    checks.check_landing(engine(), CheckScope(delivery.run_id, PERIOD, delivery.agency), delivery.extracts)


def check_rows(delivery: Delivery) -> None:
    """Check the normalised rows of a delivery."""
    scope = CheckScope(delivery.run_id, PERIOD, delivery.agency)
    checks.check_normalised(engine(), scope, list(delivery.extracts.values()))


def check_links(run_id: int) -> None:
    """Check edges, clusters and people of a linkage run."""
    checks.check_linked(engine(), CheckScope(run_id, PERIOD), run_id)


def check_view(release_id: int) -> None:
    """Check the rows of a release; its results belong to the latest run."""
    from sqlalchemy import text

    query = text("SELECT run_id FROM publication.release WHERE release_id = :release_id")
    with engine().connect() as connection:
        run_id = int(connection.execute(query, {"release_id": release_id}).scalar_one())
    checks.check_release(engine(), CheckScope(run_id, PERIOD), release_id)
