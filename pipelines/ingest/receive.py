"""Receiving a delivery: its files are checked, archived, registered and landed; all of them, or none.

An agency's files for a period may come at once or one after the other. Each call takes the files it is given,
leaves out those it knows, and lands the others in one transaction. When all required files of the period are
there, the delivery is accepted in that same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from pipelines.contracts.agency import Contract
from pipelines.errors import DeliveryRejected, Problem
from pipelines.ingest import archive
from pipelines.ingest.checks import can_be_read, check_bytes, check_names, require_agreement
from pipelines.ingest.deliveries import Delivery, accept_delivery, latest_delivery
from pipelines.ingest.inbox import files_of
from pipelines.ingest.landing import FileToLand, LandedFile, land_file
from pipelines.ingest.register import (
    ACCEPTED,
    ACCEPTED_WITH_ERRORS,
    REJECTED,
    STAGE,
    Arrival,
    as_details,
    current_hashes,
    finish_extract,
    other_period_of,
    register_extract,
    write_report,
)
from pipelines.settings import load_settings
from pipelines.stage_report import StageReport
from pipelines.warehouse.engine import stage_lock, transaction

log = logging.getLogger("joinedup.ingest")


@dataclass
class _Reception:
    """What one call knows so far about the files it was given."""

    contract: Contract
    period: str
    force: bool
    run_id: int | None
    archive_dir: Path
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    reports: list[StageReport] = field(default_factory=list)

    @property
    def owner(self) -> str:
        """Under which name this call works in the archive."""
        return f"{self.contract.agency}-{self.period}"

    def problems_of(self, name: str) -> list[Problem]:
        """Return the problems of one file."""
        return [problem for problem in self.problems if problem.file == name]


def receive_delivery(
    contract: Contract,
    period: str,
    files: Mapping[str, Path] | Path,
    *,
    force: bool = False,
    today: date | None = None,
    run_id: int | None = None,
) -> Delivery:
    """Return the delivery that these files complete or correct; the same files again are a no-op.

    Args:
        contract: the agency's contract; files are read in the layout that it gives for the period.
        period: the month, `YYYY-MM`.
        files: paths by the contract's file names, or the agency's folder in the inbox.
        force: accept a person file whose bytes were those of another period.
        today: the day for which the agreement must be live.
        run_id: the run that the stage reports belong to.

    Without all required files `delivery_id` is None and `waiting_for` names the missing ones.

    Raises:
        DeliveryRejected: with every problem of every file; nothing of this call was landed.
    """
    require_agreement(contract, period, today or date.today())  # noqa: DTZ011 - agreements end with a local day
    contract = contract.at(period)
    given = files_of(contract, period, files) if isinstance(files, Path) else dict(files)
    problems = list(check_names(contract, period, given))
    if problems:
        raise DeliveryRejected(problems)
    reception = _Reception(contract, period, force, run_id, load_settings().archive_dir)
    with stage_lock(f"receive {contract.agency} {period}"), ExitStack() as copies:
        archive.sweep_incoming(reception.archive_dir, reception.owner)
        for path, names in _by_path(given).items():
            _copy_in(reception, names, path, copies)
        _leave_out_known(reception)
        if not reception.arrivals and not reception.problems:
            return _known_delivery(reception)
        return _take_in(reception)


def _by_path(files: Mapping[str, Path]) -> dict[Path, list[str]]:
    """Return which of the contract's files each path is: a workbook may hold several of them."""
    names: dict[Path, list[str]] = {}
    for name, path in files.items():
        names.setdefault(path, []).append(name)
    return names


def _copy_in(reception: _Reception, names: list[str], path: Path, copies: ExitStack) -> None:
    """Take one private copy of a file, and check its bytes as each of the contract's files that it is."""
    try:
        copy = archive.copy_in(path, names[0], reception.archive_dir, reception.owner)
    except DeliveryRejected as rejected:
        reception.problems += rejected.problems
        return
    copies.callback(copy.discard)
    contract = reception.contract
    version = str(contract.version)
    for name in names:
        reception.arrivals[name] = Arrival(contract.agency, name, reception.period, version, copy)
        reception.problems += check_bytes(copy, name, contract.files[name])


def _leave_out_known(reception: _Reception) -> None:
    """Leave out the files that are this period's already, and look for those that are another period's."""
    with transaction() as connection:
        known = current_hashes(connection, reception.contract.agency, reception.period)
        for name, arrival in list(reception.arrivals.items()):
            if known.get(name) == arrival.copy.sha256:
                del reception.arrivals[name]
            elif other := other_period_of(connection, arrival):
                _judge_repetition(reception, name, other)


def _judge_repetition(reception: _Reception, name: str, other: str) -> None:
    """Add a problem for a person file that was another period's already, a warning for any other file.

    Of people of whom there need be none, as in a month without a casualty, the same file is no surprise.
    """
    arrival = reception.arrivals[name]
    problem = Problem(name, "REPEATED_FILE", f"the same bytes were accepted for {other} already")
    file = reception.contract.files[name]
    if not (file.holds_people and file.min_rows):  # one that may be empty is the same whenever it is
        reception.warnings.append(problem)
    elif reception.force:
        reception.warnings.append(problem)
        reception.arrivals[name] = replace(arrival, is_forced=True)
    else:
        reception.problems.append(problem)


def _known_delivery(reception: _Reception) -> Delivery:
    """Return what is known of the delivery: no file of this call is new.

    Raises:
        DeliveryRejected: nothing was ever received for this period.
    """
    with transaction() as connection:
        known = latest_delivery(connection, reception.contract, reception.period)
    if known.delivery_id is None and not known.extract_ids:
        raise DeliveryRejected(
            [Problem(name, "MISSING_FILE", "the file is not there") for name in known.waiting_for]
        )
    log.info("%s %s: no new file, nothing to do", known.agency, known.period)
    return known


def _take_in(reception: _Reception) -> Delivery:
    """Return the delivery after its new files were landed, all in one transaction.

    Raises:
        DeliveryRejected: a file has a problem; the files with problems are registered as rejected.
    """
    try:
        with transaction() as connection:
            landed = [_land(connection, reception, arrival) for arrival in _readable(reception)]
            if reception.problems:
                raise DeliveryRejected(reception.problems)
            for file in landed:
                _accept(connection, reception, file)
            delivery = accept_delivery(connection, reception.contract, reception.period)
    except DeliveryRejected:
        _register_rejected(reception)
        raise
    for warning in reception.warnings:
        log.warning("%s %s: %s", reception.contract.agency, reception.period, warning)
    return delivery.with_news(tuple(reception.warnings), tuple(reception.reports))


def _readable(reception: _Reception) -> Iterator[Arrival]:
    """Yield the files that can be read at all; of those with a problem every other problem is looked for too."""
    for name, arrival in reception.arrivals.items():
        if can_be_read(arrival.copy, reception.contract.files[name]):
            yield arrival


def _land(connection: Connection, reception: _Reception, arrival: Arrival) -> LandedFile:
    """Return what came of one file, registered and landed under its id."""
    file = reception.contract.files[arrival.file]
    extract_id = register_extract(connection, arrival, ACCEPTED)
    if extract_id is None:
        raise AssertionError("an accepted extract always has an id")
    item = FileToLand(arrival.agency, arrival.period, arrival.file, file, arrival.copy.path, extract_id)
    landed = land_file(connection, item)
    reception.problems += landed.findings.problems
    reception.warnings += landed.findings.warnings
    return landed


def _accept(connection: Connection, reception: _Reception, landed: LandedFile) -> None:
    """Archive a landed file and write down what came of it."""
    report = landed.report
    arrival = reception.arrivals[str(report.file)]
    kept = archive.keep(arrival.copy, reception.archive_dir)
    warnings = [warning for warning in reception.warnings if warning.file == arrival.file]
    status = ACCEPTED_WITH_ERRORS if report.quarantined else ACCEPTED
    values = {"rows": report.rows_in, "status": status, "archive_path": kept.as_posix()}
    finish_extract(connection, landed.extract_id, **values)
    details = {**report.details, "status": status, "warnings": as_details(warnings)}
    report = replace(report, details=details)
    write_report(connection, report, reception.run_id, landed.seconds)
    reception.reports.append(report)
    log.info(
        "%s/%s %s: %d rows, %d landed, %d quarantined",
        *(arrival.agency, arrival.file, arrival.period, report.rows_in, report.rows_out, report.quarantined),
    )


def _register_rejected(reception: _Reception) -> None:
    """Register the files that have problems as rejected, with the rules and rows, and nothing of their content."""
    with transaction() as connection:
        for name, arrival in reception.arrivals.items():
            problems = reception.problems_of(name)
            if not problems:
                continue
            extract_id = register_extract(connection, arrival, REJECTED)
            details = {"extract_id": extract_id, "status": REJECTED, "problems": as_details(problems)}
            report = StageReport(STAGE, arrival.agency, name, arrival.period, details=details)
            write_report(connection, report, reception.run_id)
            log.warning(
                "%s/%s %s: rejected, %d problem(s)", arrival.agency, name, arrival.period, len(problems)
            )
