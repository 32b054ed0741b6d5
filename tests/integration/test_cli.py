"""The command line: the four verbs and the tools around them, as a person types them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from support.journey import AGENCIES, FIRST, SECOND, put_in_place
from support.warehouse import Server, Warehouse, fresh_warehouse
from typer.testing import CliRunner, Result

from pipelines import cli
from pipelines.errors import DeliveryRejected, JoinedupError
from pipelines.ingest.status import DeliveryStatus, IngestStatus
from pipelines.settings import load_settings

pytestmark = pytest.mark.database

COMMANDS = (
    *("prepare", "watch", "ingest", "link", "publish", "roll-back", "status", "explain", "model", "sql"),
    *("review", "judge", "judgements", "changes", "withdrawal", "drift"),
    *("evaluate", "protect", "quarantine", "access", "contracts", "dictionary", "synth", "demo", "up"),
)


def joinedup(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli.app, list(words))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    told = joinedup(command, "--help")
    assert told.exit_code == 0
    assert "Usage" in told.output


class TestFromTheInboxToARelease:
    @pytest.fixture(scope="class")
    def first_period(
        self, warehouse_server: Server, population: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[dict[str, Result]]:
        """What each command printed on the way from the first period's files to a release."""
        with fresh_warehouse(warehouse_server, tmp_path_factory.mktemp("home")):
            put_in_place(population)
            said = {"prepare": joinedup("prepare"), "watch": joinedup("watch")}
            for agency in AGENCIES:
                said[f"ingest {agency}"] = joinedup("ingest", agency, FIRST)
            said["again"] = joinedup("ingest", AGENCIES[0], FIRST)
            said["link"] = joinedup("link", FIRST)
            run_id = str(re.findall(r"linkage run (\d+);", said["link"].output)[-1])
            said["publish without a reason"] = joinedup("publish", run_id)
            said["publish"] = joinedup("publish", run_id, "--reason", "warnings read")
            truth = load_settings().truth_dir / f"{FIRST}.csv"
            said["evaluate"] = joinedup("evaluate", run_id, "--truth", str(truth))
            for command in ("status", "model"):
                said[command] = joinedup(command)
            said["quarantine"] = joinedup("quarantine", "list")
            yield said

    def test_each_command_succeeds(self, first_period: dict[str, Result]) -> None:
        failed = {name for name, said in first_period.items() if said.exit_code != 0}
        assert failed <= {"publish without a reason"}

    def test_the_last_delivery_says_what_to_type_next(self, first_period: dict[str, Result]) -> None:
        assert f"joinedup link {FIRST}" in first_period[f"ingest {AGENCIES[-1]}"].output

    def test_the_same_files_again_are_nothing_new(self, first_period: dict[str, Result]) -> None:
        assert "Nothing new" in first_period["again"].output

    def test_a_release_with_warnings_waits_for_a_reason(self, first_period: dict[str, Result]) -> None:
        said = first_period["publish without a reason"]
        assert said.exit_code == 1 and "--reason" in said.output
        assert "is live" in first_period["publish"].output

    def test_status_shows_each_agency_and_the_live_release(self, first_period: dict[str, Result]) -> None:
        output = first_period["status"].output
        assert "Live: release" in output and "NORMALISED" in output

    def test_the_model_is_shown_with_its_passes(self, first_period: dict[str, Result]) -> None:
        assert "EM, one pass per blocking rule" in first_period["model"].output

    def test_the_quarantine_is_shown_by_reason(self, first_period: dict[str, Result]) -> None:
        assert "TEST_RECORD" in first_period["quarantine"].output

    def test_the_links_are_measured(self, first_period: dict[str, Result]) -> None:
        assert "precision" in first_period["evaluate"].output


class TestWhatIsRefused:
    def test_a_rejected_file_lists_every_problem_and_no_value(
        self, warehouse: Warehouse, population: Path
    ) -> None:
        inbox = load_settings().inbox_dir
        shutil.copytree(population / "inbox" / "health", inbox / "health")
        path = inbox / "health" / f"PDS_DEMOGRAPHICS_{FIRST.replace('-', '')}.csv"
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([header.replace("NHS_NO", "NHSNO"), *rows]), encoding="utf-8")
        refused = joinedup("ingest", "health", FIRST)
        assert isinstance(refused.exception, DeliveryRejected)
        assert "NHS_NO" in str(refused.exception) and "nothing was landed" in str(refused.exception)
        surname = rows[0].split(",")[2]
        assert surname not in str(refused.exception)

    def test_an_unknown_agency_is_told_which_there_are(self, warehouse: Warehouse) -> None:
        refused = joinedup("ingest", "coastguard", FIRST)
        assert isinstance(refused.exception, JoinedupError)
        assert "police" in str(refused.exception)

    def test_linking_without_deliveries_names_the_agencies(self, warehouse: Warehouse) -> None:
        refused = joinedup("link", SECOND)
        assert f"nothing usable from {', '.join(AGENCIES)}" in str(refused.exception)

    def test_explaining_needs_two_records_or_a_person(self, warehouse: Warehouse) -> None:
        assert joinedup("explain").exit_code == 2

    def test_an_error_of_ours_ends_with_its_exit_code_and_no_traceback(
        self, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.argv", ["joinedup", "link", SECOND])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 9
        assert "Traceback" not in capsys.readouterr().err


def test_status_cuts_no_reason_short(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = {"REQUIRED_MISSING:cine_referral_date": 1234, "REQUIRED_INVALID:cppl_cp_plan_start_date": 7}
    waits = ("cin_episodes", "linked_identifiers")
    delivery = DeliveryStatus(
        "childrens_services", FIRST, "PARTIAL", date(2026, 10, 5), 50, quarantined=reasons, waiting_for=waits
    )
    found = IngestStatus((delivery,), (), None)
    monkeypatch.setattr("pipelines.ingest.status.ingest_status", lambda: found)
    output = joinedup("status").output
    last_column = "".join(line.split("│")[-2] for line in output.splitlines() if line.startswith("│"))
    shown = last_column.replace(" ", "")
    assert all(f"{reason}{rows}" in shown for reason, rows in reasons.items())
    assert "…" not in output


def test_contracts_are_listed_with_their_files() -> None:
    told = joinedup("contracts")
    assert told.exit_code == 0
    assert "ssd_person" in told.output and "NOMINAL" in told.output


def test_the_dictionary_is_up_to_date() -> None:
    assert joinedup("dictionary", "--check").exit_code == 0
