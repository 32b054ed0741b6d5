"""What happens in mental health in one period: referrals, contacts, hospital stays, and detentions.

A referral is sent again in every period in which it is open, as a stay and a detention are; a contact once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.synth.defects import Roughener
from pipelines.synth.dice import Dice, Weighted
from pipelines.synth.identities import Registry
from pipelines.synth.layouts import MHS101_REFERRAL, MHS401_ACT_PERIOD, MHS501_SPELL
from pipelines.synth.mental_health import AT, iso
from pipelines.synth.records import Record, Row, Rows
from pipelines.synth.writer import PeriodFiles

SOURCES = Weighted({"A1": 0.5, "B1": 0.15, "E1": 0.05, "H1": 0.12, "I1": 0.08, "M9": 0.1})
REASONS = Weighted({"12": 0.3, "11": 0.25, "01": 0.08, "10": 0.15, "18": 0.12, "24": 0.1})
PRIORITIES = Weighted({"1": 0.08, "2": 0.22, "3": 0.7})
CONTACTS = Weighted({0: 0.35, 1: 0.35, 2: 0.2, 3: 0.1})
MECHANISMS = Weighted({"01": 0.6, "02": 0.25, "11": 0.15})
ATTENDED = Weighted({"5": 0.85, "7": 0.1, "3": 0.05})
COMMISSIONER = "QNS"
LONGEST_REFERRAL_DAYS = 700
REFERRAL, CONTACT, SPELL, ACT_PERIOD = "mhs101", "mhs201", "mhs501", "mhs401"
TABLES = (REFERRAL, CONTACT, SPELL, ACT_PERIOD)
# Where a row of these tables says when it began and when it ended.
BEGAN = {
    REFERRAL: MHS101_REFERRAL.at("ReferralRequestReceivedDate"),
    SPELL: MHS501_SPELL.at("StartDateHospProvSpell"),
    ACT_PERIOD: MHS401_ACT_PERIOD.at("StartDateMHActLegalStatusClass"),
}
ENDED = {
    REFERRAL: MHS101_REFERRAL.at("ServDischDate"),
    SPELL: MHS501_SPELL.at("DischDateHospProvSpell"),
    ACT_PERIOD: MHS401_ACT_PERIOD.at("EndDateMHActLegalStatusClass"),
}


@dataclass(slots=True)
class MentalHealthEvents:
    """Carries the care under each local id through a month, and writes what the trust submits about it."""

    dice: Dice
    registry: Registry

    def month(self, record: Record, start: date, end: date) -> Rows:
        """Return the rows of a record for the month from `start` to `end`, after letting the month pass."""
        known = record.further
        contacts: list[Row] = []
        died = record.person.died
        if died is not None and died <= end:
            self._close(record, max(died, start))
        else:
            self._live(record, start, end)
            for referral in self._open(record, REFERRAL):
                contacts += self._contacts(referral, start, end)
            self._perhaps_discharge(record, start, end)
        rows = {table: self._current(known.get(table, []), table, start) for table in ENDED}
        return {**rows, CONTACT: contacts}

    def _live(self, record: Record, start: date, end: date) -> None:
        """Refer whoever is new or comes again, and admit or discharge those under care."""
        if REFERRAL not in record.further:
            since = max(record.person.born, end - timedelta(days=LONGEST_REFERRAL_DAYS))
            self._refer(record, since + timedelta(days=self.dice.below((end - since).days + 1)))
        elif not self._open(record, REFERRAL) and self.dice.chance(0.03):
            self._refer(record, self._day(start, end))
        if self._open(record, SPELL):
            if self.dice.chance(0.5):
                self._end(record, (SPELL, ACT_PERIOD), self._day(start, end))
        elif record.person.age(start) >= 16 and self._open(record, REFERRAL) and self.dice.chance(0.02):
            self._admit(record, start, end)

    def _refer(self, record: Record, received: date) -> None:
        row = [
            self._id("S"), record.local_id, COMMISSIONER, iso(received), self._time(), self.dice.draw(SOURCES),
            self.dice.draw(REASONS), self.dice.draw(PRIORITIES), "",
        ]  # fmt: skip
        record.further.setdefault(REFERRAL, []).append(row)

    def _admit(self, record: Record, start: date, end: date) -> None:
        referral = self._open(record, REFERRAL)[-1]
        since = max(start, date.fromisoformat(referral[BEGAN[REFERRAL]]))
        day = iso(self._day(since, end))
        method = self.dice.pick(("11", "21", "28"))
        spell = [self._id("H"), referral[0], day, self._time(), "19", method, "", "", ""]
        record.further.setdefault(SPELL, []).append(spell)
        if self.dice.chance(0.45):
            legal = self.dice.pick(("02", "03"))
            period = [self._id("A"), record.local_id, day, self._time(), "", "", "", legal, ""]
            record.further.setdefault(ACT_PERIOD, []).append(period)

    def _contacts(self, referral: Row, start: date, end: date) -> list[Row]:
        since = max(start, date.fromisoformat(referral[BEGAN[REFERRAL]]))
        return [
            [
                self._id("C"), referral[0], iso(self._day(since, end)), self._time(),
                self.dice.draw(MECHANISMS), self.dice.draw(ATTENDED),
            ]
            for _ in range(self.dice.draw(CONTACTS))
        ]  # fmt: skip

    def _perhaps_discharge(self, record: Record, start: date, end: date) -> None:
        """End the care of some who are not in hospital, on the last day of the month: after every contact."""
        if not self._open(record, SPELL) and self.dice.chance(0.08):
            self._close(record, end)

    def _close(self, record: Record, day: date) -> None:
        self._end(record, tuple(ENDED), day)

    def _end(self, record: Record, tables: tuple[str, ...], day: date) -> None:
        """End what is open in these tables, on a day that is not before it began."""
        for table in tables:
            for row in self._open(record, table):
                row[ENDED[table]] = max(iso(day), row[BEGAN[table]])

    @staticmethod
    def _open(record: Record, table: str) -> list[Row]:
        return [row for row in record.further.get(table, []) if not row[ENDED[table]]]

    @staticmethod
    def _current(rows: list[Row], table: str, start: date) -> list[Row]:
        """Return copies of the rows that were open on some day of the month, for they go on changing."""
        return [list(row) for row in rows if not row[ENDED[table]] or row[ENDED[table]] >= iso(start)]

    def _day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.dice.below(max(1, (last - first).days + 1)))

    def _time(self) -> str:
        return f"{self.dice.between(8, 18):02d}:{self.dice.between(0, 59):02d}:00"

    def _id(self, letter: str) -> str:
        return f"{letter}{self.registry.local('mental_health_event'):08d}"


def emit_mental_health(
    events: MentalHealthEvents, rough: Roughener, records: list[Record], end: date, files: PeriodFiles
) -> None:
    """Write the trust's tables for the period that ends on `end`."""
    start = end.replace(day=1)
    # Every submission numbers its rows anew.
    numbered = [[*record.row, str(events.registry.local("row"))] for record in records]
    files.write("mhs001", rough.rows(numbered, AT["LocalPatientId"]))
    months = [events.month(record, start, end) for record in records]
    for table in TABLES:
        files.write(table, sorted(row for month in months for row in month[table]))
