"""Judgements: what people decided about records, kept for ever, and what of it counts now.

The table `identity.judgement` only grows. A judgement is about records and not about persons, so it outlives runs,
models and ids. For each pair of records the latest judgement that has not expired counts; *unsure* takes an earlier
one back and leaves the pair to the evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Literal

from sqlalchemy import Connection, insert, select, text

from pipelines.errors import JoinedupError
from pipelines.link.judged import DIFFERENT, SAME, UNSURE, Ruling
from pipelines.warehouse.tables import judgement

EVERYTHING = "everything"
VERDICTS = (SAME, DIFFERENT, UNSURE)
# A judgement of n records is one of n (n - 1) / 2 pairs.
MOST_RECORDS = 50

State = Literal["live", "live in part", "superseded", "expired"]


@dataclass(frozen=True)
class Judgement:
    """What somebody decided about two records or more, and until when it counts; the reason is not read."""

    judgement_id: int
    verdict: str
    records: tuple[str, ...]
    decided_by: str
    decided_at: datetime
    scope: str = EVERYTHING
    expires_at: datetime | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every pair of its records, each in order."""
        return list(combinations(sorted(set(self.records)), 2))

    def has_expired(self, at: datetime) -> bool:
        """Whether it no longer counts at this time."""
        return self.expires_at is not None and self.expires_at <= at


def add_judgement(
    connection: Connection,
    records: Sequence[str],
    verdict: str,
    reason: str,
    decided_by: str,
    *,
    scope: str = EVERYTHING,
    expires_at: datetime | None = None,
) -> int:
    """Return the id of a new judgement, which counts from the next linkage run on.

    Raises:
        JoinedupError: the verdict is unknown, there are fewer than two different records or too many, one was never
            registered, the reason, the scope or who decided is empty, or it would have expired already.
    """
    named = sorted(set(records))
    _check(verdict, named, {"reason": reason, "scope": scope, "name of who decided": decided_by}, expires_at)
    known = connection.scalar(
        text("SELECT count(*) FROM identity.record WHERE record_id = ANY(CAST(:records AS uuid[]))"),
        {"records": named},
    )
    if known != len(named):
        raise JoinedupError(f"{len(named) - int(known or 0)} of these records were never registered")
    values = {
        "verdict": verdict,
        "records": named,
        "scope": scope.strip(),
        "decided_by": decided_by.strip(),
        "reason": reason.strip(),
        "expires_at": expires_at,
    }
    added = insert(judgement).values(values).returning(judgement.c.judgement_id)
    return int(connection.execute(added).scalar_one())


def _check(verdict: str, records: Sequence[str], said: dict[str, str], expires_at: datetime | None) -> None:
    """Raise JoinedupError unless the judgement says all that it has to."""
    if verdict not in VERDICTS:
        raise JoinedupError(f"a verdict is one of {', '.join(VERDICTS)}")
    if not 2 <= len(records) <= MOST_RECORDS:
        raise JoinedupError(f"a judgement is about 2 to {MOST_RECORDS} different records")
    for what, value in said.items():
        if not value.strip():
            raise JoinedupError(f"a judgement needs a {what}")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise JoinedupError("a judgement cannot expire before it is made")


def read_judgements(connection: Connection) -> list[Judgement]:
    """Return every judgement that was ever made, in their order."""
    columns = (judgement.c[name] for name in Judgement.__dataclass_fields__)
    rows = connection.execute(select(*columns).order_by(judgement.c.judgement_id))
    return [Judgement(**{**row._mapping, "records": tuple(map(str, row.records))}) for row in rows]


def read_reasons(connection: Connection) -> dict[int, str]:
    """Return why each judgement was made, by its id. People may have written about people in it."""
    return {
        int(row.judgement_id): str(row.reason)
        for row in connection.execute(select(judgement.c.judgement_id, judgement.c.reason))
    }


def rulings_of(judgements: Iterable[Judgement], at: datetime) -> list[Ruling]:
    """Return what counts at a time for each pair of records: the latest judgement that has not expired; sorted."""
    latest: dict[tuple[str, str], Judgement] = {}
    for each in sorted(judgements, key=lambda each: each.judgement_id):
        if not each.has_expired(at):
            latest.update(dict.fromkeys(each.pairs, each))
    return sorted(Ruling(*pair, each.verdict, each.judgement_id) for pair, each in latest.items())


def live_judgements(connection: Connection, at: datetime | None = None) -> list[Ruling]:
    """Return what counts for each pair of records, now unless another time is given; sorted by pair."""
    return rulings_of(read_judgements(connection), at or datetime.now(UTC))


@dataclass(frozen=True)
class JudgedNow:
    """What counts now for each pair of records, and every record that a judgement ever named.

    Of those records the clusters are made anew in each run, since what was judged about them may count no longer.
    `made` are the ids of all judgements, `expired` of those that count no longer.
    """

    rulings: list[Ruling]
    named: list[str]
    made: tuple[int, ...] = ()
    expired: tuple[int, ...] = ()


NOBODY_JUDGED = JudgedNow([], [])


def read_judgements_now(connection: Connection) -> JudgedNow:
    """Return what people decided, as it counts now."""
    return judged_at(read_judgements(connection), datetime.now(UTC))


def judged_at(judgements: Sequence[Judgement], at: datetime) -> JudgedNow:
    """Return what counts at a time of these judgements."""
    return JudgedNow(
        rulings_of(judgements, at),
        sorted({record for each in judgements for record in each.records}),
        tuple(each.judgement_id for each in judgements),
        tuple(each.judgement_id for each in judgements if each.has_expired(at)),
    )


def states_of(judgements: Sequence[Judgement], at: datetime) -> dict[int, State]:
    """Return whether each judgement counts: for all of its pairs, for some, or no longer."""
    counts = {(each.record_a, each.record_b): each.judgement_id for each in rulings_of(judgements, at)}
    return {each.judgement_id: _state(each, counts, at) for each in judgements}


def _state(each: Judgement, counts: dict[tuple[str, str], int], at: datetime) -> State:
    if each.has_expired(at):
        return "expired"
    mine = sum(counts[pair] == each.judgement_id for pair in each.pairs)
    if mine == 0:
        return "superseded"
    return "live" if mine == len(each.pairs) else "live in part"


def as_run_input(judged: JudgedNow) -> dict[str, object] | None:
    """Return by what a run knows what was judged: another judgement, or one that expired, makes another run.

    Both only ever grow, so that no run is taken for an earlier one.
    """
    if not judged.made:
        return None
    return {"last": max(judged.made), "expired": len(judged.expired)}
