"""Months one after another: whoever is together as said is linked, published, and read as the analyst reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from support.people import Delivered, Held, link_by_hand

from pipelines.keys import PERSON, pseudonym
from pipelines.publish.build import build_release
from pipelines.publish.swap import publish_release
from pipelines.settings import load_settings
from pipelines.warehouse.engine import transaction


class Months:
    """Each link is of the next month of 2026 and done on its 20th day."""

    def __init__(self) -> None:
        self.month = 0

    def link(self, *people: Sequence[Held], **more: Any) -> int:
        """Link these people in the next month; return the run."""
        self.month += 1
        records = [held for members in people for held in members]
        together = [[held for held in members if held.protection != "SEALED"] for members in people]
        more.setdefault("people", [members for members in together if members])
        with transaction() as connection:
            run_id = link_by_hand(connection, Delivered(f"2026-{self.month:02}", records, **more))
            connection.execute(
                text("UPDATE audit.run SET finished_at = CAST(:at AS timestamptz) WHERE run_id = :run_id"),
                {"at": f"2026-{self.month:02}-20 23:30+00", "run_id": run_id},
            )
        return run_id

    def publish(self, *people: Sequence[Held], **more: Any) -> int:
        """Link and publish them; return the release."""
        release_id = build_release(self.link(*people, **more)).release_id
        publish_release(release_id, "ann", "all fine")
        return release_id


def name_of(held: Held) -> str:
    """The pseudonym of the person who has this record now."""
    with transaction() as connection:
        person = connection.scalar(
            text(
                "SELECT person_id FROM identity.membership"
                " WHERE record_id = CAST(:record AS uuid) AND valid_to_run IS NULL"
            ),
            {"record": held.record},
        )
    return pseudonym(load_settings().key, PERSON, str(person))


def rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    """The rows that a query finds, as the pipeline's login."""
    with transaction() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]
