"""Protection or purges that come after a release was built: its rows are changed before, or while, it is live."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from pipelines.identity.protection import EVER_SEALED
from pipelines.keys import PERSON, pseudonym
from pipelines.settings import load_settings

# People of the release's linkage run with a protected record, with their strictest level. Who has a record that was
# purged after that run is withheld like the sealed: a later release shows them without it.
_AFFECTED = text("""
    SELECT m.person_id, max(n.level) AS level
    FROM publication.release r
    JOIN identity.membership m ON m.valid_from_run <= r.link_run_id
         AND (m.valid_to_run IS NULL OR m.valid_to_run > r.link_run_id)
    JOIN (SELECT record_id, level, NULL AS after_run FROM identity.protection_notice
          UNION ALL SELECT record_id, 'SEALED', after_run FROM identity.purge) AS n USING (record_id)
    WHERE r.release_id = :release_id AND (n.after_run IS NULL OR r.link_run_id <= n.after_run)
    GROUP BY m.person_id
""")

_HIDE_LOCATION = text("""
    UPDATE publication.person SET outward_postcode = NULL
    WHERE release_id = :release_id AND person_pseudonym = ANY(:people) AND outward_postcode IS NOT NULL
""")

_TABLES_ABOUT_PEOPLE = ("person_event", "linked_person", "person")

# What tells where somebody went; also of who held a sealed record in another release than this one.
_NO_TRACE = (
    """DELETE FROM publication.person_successor WHERE release_id = :release_id
        AND (retired_pseudonym = ANY(:people) OR living_pseudonym = ANY(:people))""",
    """DELETE FROM publication.person_change WHERE release_id = :release_id
        AND (person_pseudonym = ANY(:people) OR other_pseudonym = ANY(:people))""",
)


@dataclass(frozen=True)
class Withheld:
    """How many people of a release lost their location, and how many left it."""

    locations: int
    people: int


def withhold_protected(connection: Connection, release_id: int) -> Withheld:
    """Return what was taken out of a stored release for the notices and tombstones that stand now.

    The small tables stay as built: a count rounded to 5 does not tell that one person left.
    """
    key = load_settings().key
    affected = connection.execute(_AFFECTED, {"release_id": release_id}).all()
    named = [(pseudonym(key, PERSON, str(row.person_id)), row.level) for row in affected]
    hidden = {"release_id": release_id, "people": [name for name, _ in named]}
    withheld = [name for name, level in named if level == "SEALED"]
    sealed = {"release_id": release_id, "people": withheld}
    locations = connection.execute(_HIDE_LOCATION, hidden).rowcount
    people = 0
    for table in _TABLES_ABOUT_PEOPLE:
        delete = text(f"""
            DELETE FROM publication.{table} WHERE release_id = :release_id AND person_pseudonym = ANY(:people)
        """)  # noqa: S608 - one of three constants
        people = connection.execute(delete, sealed).rowcount
    ever = connection.scalars(text(f"SELECT DISTINCT person_id FROM ({EVER_SEALED}) AS sealed"))  # noqa: S608
    never = [pseudonym(key, PERSON, str(person)) for person in ever]
    traced = {"release_id": release_id, "people": [*never, *withheld]}
    for statement in _NO_TRACE:
        connection.execute(text(statement), traced)
    return Withheld(locations, people)


def withhold_protected_everywhere(connection: Connection) -> dict[int, Withheld]:
    """Return what was taken out of each stored release; call it after adding a protection notice or a tombstone."""
    stored = connection.scalars(text("SELECT DISTINCT release_id FROM publication.person")).all()
    return {release_id: withhold_protected(connection, release_id) for release_id in sorted(stored)}
