"""The first story: canaries through the stages, called directly, and everything that they leave behind."""

from __future__ import annotations

import io
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.canary import Canaries, Evidence, Population, population_of
from support.canary_files import FLAWS, PERIOD, too_few_rows, write_delivery, write_expectations, write_flawed
from support.warehouse import Warehouse
from typer.testing import CliRunner

from pipelines import cli, stages
from pipelines.contracts.loader import load_contracts
from pipelines.demo.figures import read_summary
from pipelines.demo.render import print_summary
from pipelines.demo.run import DemoOptions
from pipelines.errors import JoinedupError, StageCrashed
from pipelines.settings import load_settings
from pipelines.stage import configure_logging
from pipelines.synth import SynthRequest, generate
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.server_files import locate

PEOPLE, SEED = 250, 20260901
AGENCIES = tuple(load_contracts())
BREAKABLE = {  # stage -> a table that it writes, and a function that it calls
    "receive": ("landing.health_demographics", "stages.receive_delivery"),
    "check_landing": ("audit.expectation_result", "stages.checks.check_landing"),
    "normalise_delivery": ("normalised.person_name", "stages.normalised_parts"),
    "check_normalised": ("audit.expectation_result", "stages.checks.check_normalised"),
    "announce": ("audit.run", "stages.link_requests.request_link"),
    "link_period": ("linked.edge", "linking.link_run"),
    "check_linked": ("audit.expectation_result", "stages.checks.check_linked"),
    "build_release": ("publication.person", "stages.build.build_release"),
    "check_release": ("audit.expectation_result", "stages.checks.check_release"),
    "publish_release": ("publication.release", "stages.swap.publish_release"),
    "reject_release": ("publication.release", "stages.swap.reject_release"),
    "write_reports": ("", "stages.reports.write_reports"),
}
# Runs a stage in a process of its own, which kills itself when the stage calls one function.
VICTIM = """
import os, signal, sys
from pipelines import stages
from pipelines.stage import configure_logging
import importlib
configure_logging(verbose=True)
stage, module, name, *arguments = sys.argv[1:]
module = importlib.import_module(module)
original = getattr(module, name)
def deadly(*args, **kwargs):
    original(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, name, deadly)
getattr(stages, stage)(*(int(each) if each.isdigit() else each for each in arguments))
"""


@dataclass
class Story:
    """What is under way: the canaries, where things lie, what was refused and what was left."""

    warehouse: Warehouse
    folder: Path
    canaries: Canaries = field(default_factory=Canaries)
    evidence: Evidence = field(default_factory=Evidence)
    refusals: list[str] = field(default_factory=list)
    population: Population = Population(frozenset())

    @property
    def extracts(self) -> Path:
        return self.folder / "extracts"

    def inbox(self, agency: str) -> Path:
        return load_settings().inbox_dir / agency

    def refused(self, expected: str, function: Callable[..., Any], *arguments: Any) -> None:
        """Call what must end with an error of one of these kinds, and keep everything that the error tells."""
        name = getattr(function, "__name__", str(function))
        try:
            function(*arguments)
        except JoinedupError as error:
            self.refusals.append(f"{name}: {type(error).__name__}")
            assert type(error).__name__ in expected.split(), f"{name}: {type(error).__name__} at {error}"
            self.evidence.add("errors", "\n".join(everything_told(error)))
            logging.getLogger("somebody").exception("a task failed")
        else:
            raise AssertionError(f"{name} was to end with {expected}")

    @contextmanager
    def expectations(self, *broken: tuple[str, str, str]) -> Iterator[None]:
        """Have the stages use expectations that fail; see `write_expectations`."""
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix="expectations-"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JOINEDUP_EXPECTATIONS_DIR", str(write_expectations(folder, *broken)))
            yield

    def database(self, *statements: str) -> None:
        """Run statements as the superuser."""
        self.warehouse.server.run_as_superuser(*statements, database=self.warehouse.database)

    def run(self, *command: str) -> int:
        """Return how a process ended, after keeping what it wrote."""
        done = subprocess.run([sys.executable, *command], capture_output=True, timeout=240, check=False)  # noqa: S603
        self.evidence.add("output", done.stdout.decode() + done.stderr.decode())
        return done.returncode


def everything_told(error: BaseException | None) -> Iterator[str]:
    """Yield all that a log, however thorough, could tell of an error and of those behind it."""
    if error is not None:
        yield "".join(traceback.format_exception(error))
        yield f"{error!r} {error.args} {getattr(error, '__notes__', '')}"
        yield from everything_told(error.__cause__ or error.__context__)


def tell_stage_story(warehouse: Warehouse, folder: Path) -> Story:
    """Return what was left after canaries went through every stage and every way to fail."""
    story = Story(warehouse, folder)
    generate(SynthRequest(PEOPLE, SEED, (PERIOD,), story.extracts, load_settings().truth_dir))
    story.population = population_of(story.extracts, (PERIOD,))
    with recorded(story.evidence):
        stages.prepare()
        refuse_flawed_deliveries(story)
        with story.expectations():
            deliver(story)
            run_id = link(story)
            publish(story, run_id)
            use_the_command_line(story, run_id)
            crash_the_command_line(story)
            summarise(story)
    collect(story, story.evidence)

    return story


@contextmanager
def recorded(evidence: Evidence) -> Iterator[None]:
    """Keep what is logged, by whomever, and what is written to standard output and error."""
    logged, printed = io.StringIO(), io.StringIO()
    root, ours = logging.getLogger(), logging.getLogger("joinedup")
    before = root.level, ours.level, list(ours.handlers)
    handler = logging.StreamHandler(logged)
    root.addHandler(handler)
    root.setLevel(logging.INFO)  # as Airflow sets it
    logging.captureWarnings(True)
    try:
        with tempfile.TemporaryFile() as stream, redirect_stdout(printed), redirect_stderr(printed):
            with _descriptors_to(stream.fileno()):
                configure_logging(verbose=True)
                yield
            stream.seek(0)
            evidence.add("output", printed.getvalue() + stream.read().decode("utf-8", "replace"))
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        root.setLevel(before[0])
        ours.setLevel(before[1])
        ours.handlers[:] = before[2]
        evidence.add("log", logged.getvalue())


@contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    """Send what libraries write past Python, to descriptors 1 and 2, to a file."""
    kept = os.dup(1), os.dup(2)
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        yield
    finally:
        for number, copy in enumerate(kept, start=1):
            os.dup2(copy, number)
            os.close(copy)


def refuse_flawed_deliveries(story: Story) -> None:
    for agency in AGENCIES:
        wanted = max(file.min_rows for file in load_contracts()[agency].files.values())
        for flaw in FLAWS if wanted > 1 else [flaw for flaw in FLAWS if flaw is not too_few_rows]:
            write_flawed(story.canaries, story.extracts, agency, story.inbox(agency), flaw)
            story.refused("DeliveryRejected", stages.receive, agency, PERIOD)
    stages.scan_inbox()
    assert story.run("-m", "pipelines.cli", "ingest", "health", PERIOD) == 5
    for agency in AGENCIES:
        shutil.rmtree(story.inbox(agency))


def deliver(story: Story) -> None:
    """Take every delivery to the normalised tables, each stage failing in every way first."""
    for agency in AGENCIES:
        write_delivery(story.canaries, story.extracts, agency, story.inbox(agency))
    break_stage(story, "receive", "health", PERIOD)
    story.database("ALTER TABLE landing.police_nominal ADD CONSTRAINT no_canary CHECK (surname !~* 'qvxkz')")
    story.refused("DatabaseRefused", stages.receive, "police", PERIOD)
    story.database("ALTER TABLE landing.police_nominal DROP CONSTRAINT no_canary")
    kill(story, "receive", "pipelines.ingest.receive", "land_file", "police", PERIOD)
    for agency in AGENCIES:
        delivery_id = stages.receive(agency, PERIOD)["delivery_id"]
        if agency == "health":
            delivery_id = fail_checks_of_a_delivery(story, delivery_id)
            break_stage(story, "check_landing", delivery_id)
            break_stage(story, "normalise_delivery", delivery_id)
            break_normalised_rows(story, delivery_id)
            kill(story, "normalise_delivery", "pipelines.stages", "save_normalised", str(delivery_id))
            stages.normalise_delivery(delivery_id)
            break_stage(story, "check_normalised", delivery_id)
            break_stage(story, "announce", delivery_id)
        stages.check_landing(delivery_id)
        stages.normalise_delivery(delivery_id)
        stages.check_normalised(delivery_id)
        if agency == "police":
            story.refused("LinkageError", stages.link_period, "2026-12")
        stages.announce(delivery_id)


def fail_checks_of_a_delivery(story: Story, delivery_id: int) -> int:
    """Return the delivery that follows ones of which a check failed: with values in the database's complaint."""
    with story.expectations(("landing", "health_demographics", "family_name")):
        story.refused("ExpectationsFailed", stages.check_landing, delivery_id)
    delivery_id = stages.requeue_delivery("health", PERIOD)["delivery_id"]
    stages.normalise_delivery(delivery_id)
    with story.expectations(("normalised", "person_name", "family_raw")):
        story.refused("ExpectationsFailed", stages.check_normalised, delivery_id)
    return int(stages.requeue_delivery("health", PERIOD)["delivery_id"])


def break_normalised_rows(story: Story, delivery_id: int) -> None:
    """Have the database refuse rows, and repeat them: a broken check, a doubled key, a column that is gone."""
    for change, undo in (
        ("ADD CONSTRAINT broken CHECK (family !~* 'qvxkz')", "DROP CONSTRAINT broken"),
        ("ADD CONSTRAINT broken UNIQUE (name_type, extract_id)", "DROP CONSTRAINT broken"),
        ("RENAME COLUMN family TO family_before", "RENAME COLUMN family_before TO family"),
    ):
        story.database("DELETE FROM normalised.person_name", f"ALTER TABLE normalised.person_name {change}")
        story.refused("DatabaseRefused", stages.normalise_delivery, delivery_id)
        story.database(f"ALTER TABLE normalised.person_name {undo}")


def break_stage(story: Story, name: str, *arguments: Any) -> None:
    """Have a stage fail with an unforeseen error of ours, then with one of the database; both quote a canary."""
    stage, (table, inner) = getattr(stages, name), BREAKABLE[name]
    for error in errors_with(story.canaries.at(f"an error inside {name}")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"pipelines.{inner}", raising(error))
            story.refused("StageCrashed", stage, *arguments)
    if table:
        break_table(story, table, name)
        story.refused("DatabaseRefused StageCrashed", stage, *arguments)
        mend_table(story, table)


def break_table(story: Story, table: str, name: str) -> None:
    """Have the database fail whenever a table is written to, with a canary in its complaint."""
    canary = story.canaries.at(f"a database error inside {name}")
    story.database(
        "CREATE OR REPLACE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM CAST('{canary}' AS integer); RETURN NULL; END $$",
        "GRANT EXECUTE ON FUNCTION public.fail() TO PUBLIC",
        "GRANT USAGE ON SCHEMA public TO joinedup_owner",
        f"CREATE TRIGGER fail AFTER INSERT OR UPDATE ON {table} EXECUTE FUNCTION public.fail()",
    )


def mend_table(story: Story, table: str) -> None:
    story.database(f"DROP TRIGGER fail ON {table}")


def errors_with(canary: str) -> Iterator[Exception]:
    """Yield errors as libraries raise them, with the value that they stumbled on."""
    noted = ValueError("could not convert")
    noted.add_note(canary)
    yield noted
    yield ExceptionGroup("several", [KeyError(canary), ValueError(canary)])
    yield UnicodeDecodeError("utf-8", canary.encode(), 0, 1, canary)


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


def kill(story: Story, stage: str, module: str, function: str, *arguments: str) -> None:
    """Kill a stage half way, in a process of its own."""
    assert story.run("-c", VICTIM, stage, module, function, *arguments) == -signal.SIGKILL


def link(story: Story) -> int:
    """Return the linkage run, after it failed in every way."""
    break_stage(story, "link_period", PERIOD)
    kill(story, "link_period", "pipelines.linking.run", "save_edges", PERIOD)
    run_id = stages.link_period(PERIOD)
    break_stage(story, "check_linked", run_id)
    with story.expectations(("linked", "edge", "record_a::text")):
        story.refused("ExpectationsFailed", stages.check_linked, run_id)
    stages.check_linked(run_id)
    return run_id


def publish(story: Story, run_id: int) -> None:
    """Publish a release, after it failed in every way."""
    break_stage(story, "build_release", run_id)
    kill(story, "build_release", "pipelines.publish.build", "_fill", str(run_id))
    release_id = stages.build_release(run_id)
    break_stage(story, "check_release", release_id)
    with story.expectations(("published", "person", "outward_postcode")):
        story.refused("ExpectationsFailed", stages.check_release, release_id)
    assert stages.check_release(release_id)["needs_approval"]
    break_stage(story, "publish_release", release_id, "ann", "looked at it")
    break_stage(story, "reject_release", release_id, "no")
    stages.publish_release(release_id, "ann", "looked at it")
    break_stage(story, "write_reports", release_id)
    stages.write_reports(release_id)


def use_the_command_line(story: Story, run_id: int) -> None:
    """Ask the command line what it tells about people and rows, and let it fail."""
    with transaction() as connection:
        pair = connection.exec_driver_sql("SELECT record_a, record_b FROM linked.edge WHERE is_link").first()
        person = connection.exec_driver_sql("SELECT person_pseudonym FROM published.person").scalar()
    assert pair is not None
    truth = load_settings().truth_dir / f"{PERIOD}.csv"
    for command in (
        ("status",),
        ("watch",),
        ("quarantine", "list"),
        ("explain", str(pair[0]), str(pair[1])),
        ("explain", "--person", str(person)),
        ("evaluate", str(run_id), "--truth", str(truth)),
    ):
        done = CliRunner().invoke(cli.app, list(command))
        story.evidence.add("output", done.output)
        assert done.exit_code == 0, f"{command}: {done.exception!r}"


def crash_the_command_line(story: Story) -> None:
    """Let a command that calls no stage fail with an error that nobody foresaw, and that quotes a canary."""
    command = ["joinedup", "explain", "health/1", "health/2"]
    for error in errors_with(story.canaries.at("an error inside a command")):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
            patch.setattr("pipelines.evidence.latest_link_run", raising(error))
            patch.setattr(sys, "argv", command)
            cli.main()
        assert ended.value.code == StageCrashed.exit_code


def summarise(story: Story) -> None:
    """Write and print what the demo tells at its end."""
    home = load_settings().home
    options = DemoOptions(PEOPLE, SEED, AGENCIES, (PERIOD,), home)
    summary = read_summary(options, story.extracts)
    summary.save(home / "demo" / "summary.json")
    out = io.StringIO()
    print_summary(Console(file=out, width=200), summary, home / "demo" / "summary.json")
    story.evidence.add("demo summary", out.getvalue())


def collect(story: Story, evidence: Evidence) -> None:
    """Add what stands in the warehouse and in files where no value may be."""
    settings = load_settings()
    add_database(evidence)
    evidence.add_files("server log", locate(story.warehouse.server.home).data, "log")
    evidence.add_files("GX results", settings.home / "gx")
    evidence.add_files("Data Docs", settings.reports_dir / "data_docs")
    evidence.add_files("expectation reports", settings.reports_dir / "expectations")
    evidence.add_files("manifests", settings.reports_dir / "manifests")
    evidence.add_files("demo summary", settings.home / "demo", "summary.json")
    evidence.add_names("file names", settings.home, but_not=["inbox"])


def add_database(evidence: Evidence) -> None:
    """Add every row of the audit schema, the reasons of quarantined rows, and what the auditor reads of links."""
    with transaction() as connection:
        names = connection.exec_driver_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'audit'"
        ).scalars()
        queries = [("audit", f"SELECT t::text FROM audit.{name} AS t") for name in names]
        queries += [
            ("quarantine reasons", "SELECT t::text FROM quarantine.reasons AS t"),
            ("link evidence", "SELECT concat_ws(' ', name, definition, training) FROM linked.model"),
            ("link evidence", "SELECT t::text FROM linked.edge AS t"),
            ("link evidence", "SELECT t::text FROM identity.record AS t"),
        ]
        for place, query in queries:
            evidence.add(place, "\n".join(map(str, connection.exec_driver_sql(query).scalars())))
