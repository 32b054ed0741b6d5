"""What has to be withdrawn after a run: published links that hold no more, and where and when they were shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from pipelines.contracts.shared import SharedTable, published_tables
from pipelines.keys import PERSON, pseudonym
from pipelines.publish.live_times import LiveTime, live_times
from pipelines.publish.undone import LedgerRun, read_ledger_run, read_undone
from pipelines.settings import load_settings

# Every person of a release is in these two, whether its rows are kept or not.
ALWAYS = ("person", "linked_person")

Rows = Mapping[tuple[int, str], Mapping[str, int]]  # by release and pseudonym: rows by view


@dataclass(frozen=True)
class Shown:
    """A release that showed a link: under which pseudonym, when it was live, and the rows of each view.

    `views` is None where the rows of the release are no longer kept.
    """

    release_id: int
    as_of: date
    pseudonym: str
    live: tuple[LiveTime, ...]
    views: Mapping[str, int] | None


@dataclass(frozen=True)
class UndoneLink:
    """Two records, each with its agency, that are one person no more, and the releases that showed them as one."""

    records: tuple[tuple[str, str], tuple[str, str]]
    causes: tuple[str, ...]
    shown: tuple[Shown, ...]

    @property
    def agencies(self) -> frozenset[str]:
        """The agencies that hold the two records: one or two."""
        return frozenset(agency for agency, _ in self.records)


@dataclass(frozen=True)
class Withdrawal:
    """How many links a run undid, and those among them that a release had shown."""

    run: LedgerRun
    undone: int
    links: tuple[UndoneLink, ...]

    def by_agency(self) -> dict[str, list[UndoneLink]]:
        """Return the links by agency that holds a record of them, in alphabetical order."""
        agencies = sorted({agency for link in self.links for agency in link.agencies})
        return {agency: [link for link in self.links if agency in link.agencies] for agency in agencies}


def read_withdrawal(connection: Connection, run_id: int) -> Withdrawal:
    """Return what a run makes us withdraw; the same as often as it is asked, while nothing is published meanwhile.

    Raises:
        LinkageError: the ledger took no people from such a run.
    """
    run = read_ledger_run(connection, run_id)
    found = read_undone(connection, run)
    shown = _shown_by_number(connection, found.shown)
    links = tuple(
        UndoneLink(
            ((row.agency_a, row.record_a), (row.agency_b, row.record_b)),
            tuple(row.causes),
            tuple(shown[row.number]),
        )
        for row in found.links
        if shown[row.number]
    )
    return Withdrawal(run, len(found.links), links)


def _shown_by_number(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, list[Shown]]:
    """Return by link the releases that showed it; none of a kept release that the person was taken out of."""
    key, live = load_settings().key, live_times(connection)
    names = {person: pseudonym(key, PERSON, person) for person in {row.person_id for row in rows}}
    kept = set(connection.scalars(text("SELECT DISTINCT release_id FROM publication.person")))
    views = _rows_of(connection, names.values())
    shown: dict[int, list[Shown]] = defaultdict(list)
    for row in rows:
        name = names[row.person_id]
        where = views.get((row.release_id, name), {}) if row.release_id in kept else None
        if where is None or "person" in where:
            shown[row.number].append(Shown(row.release_id, row.as_of, name, live[row.release_id], where))
    return shown


def _rows_of(connection: Connection, names: Collection[str]) -> Rows:
    """Return how many stored rows of each view name each of these pseudonyms, by release."""
    found: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for view, table in published_tables().items():
        columns = _naming(table)
        if not columns:
            continue
        query = text(f"""
            SELECT t.release_id, named.name, count(*) AS rows
            FROM publication.{view} t, unnest(ARRAY[{", ".join(columns)}]) AS named (name)
            WHERE named.name = ANY(:names) GROUP BY t.release_id, named.name
        """)  # noqa: S608 - names from the shared schema
        for row in connection.execute(query, {"names": list(names)}):
            found[row.release_id, row.name][view] = row.rows
    return found


def _naming(table: SharedTable) -> list[str]:
    """Return the columns of a published table, as `t`, that name a person."""
    names = [column.name for column in table.columns if column.name.endswith("_pseudonym")]
    return [f"t.{name}" for name in names if name != "event_pseudonym"]
