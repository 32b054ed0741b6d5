"""The benchmark of the whole pipeline counts what a contender did, also when it did not come to its end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.pipeline.account import GIGABYTE, Account, make_account, middle
from benchmarks.pipeline.memory import Meter
from benchmarks.pipeline.report import checks_table, flatness, growth_table, sentences, stage_table
from benchmarks.pipeline.task import PHASES, Journal, read_facts, with_needed

MEGABYTE = 2**20


def journal_of(folder: Path, *lines: dict[str, object]) -> Path:
    path = folder / "journal"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def account_of(contender: str, records: int, link: float, pairs: int, problem: str | None = None) -> Account:
    facts = {"pairs": pairs, "expectations": {"landing": ["a", "b"]}, "failed": {"landing": ["b: warning"]}}
    seconds = {"receive": 1.0, "link": link}
    return Account(contender, records, seconds, {"receive": GIGABYTE, "link": 2 * GIGABYTE}, facts, problem)


def test_a_phase_brings_along_what_it_cannot_do_without() -> None:
    assert with_needed(["normalise"]) == ("receive", "normalise")
    assert with_needed(["link", "normalise"]) == ("receive", "normalise", "link")
    assert with_needed(["publish"]) == ("receive", "normalise", "link", "build release", "publish")
    assert with_needed([]) == PHASES
    with pytest.raises(ValueError, match="no such phase: compare"):
        with_needed(["compare"])


def test_a_phase_of_several_agencies_adds_up_and_has_the_highest_peak(tmp_path: Path) -> None:
    path = journal_of(
        tmp_path,
        {"at": 10.0, "begin": "receive"},
        {"at": 12.0, "end": "receive"},
        {"at": 12.0, "begin": "link"},
        {"at": 12.05, "end": "link"},
        {"at": 20.0, "begin": "receive"},
        {"at": 23.0, "end": "receive"},
    )
    samples = [(9.0, 1), (11.0, 5), (11.9, 3), (19.0, 99), (21.0, 4)]
    account = make_account("ours", 7, path, samples, None)
    assert account.seconds == {"receive": 5.0, "link": pytest.approx(0.05)}
    assert account.peaks == {"receive": 5, "link": 3}  # too short to be weighed: what was weighed last before
    assert account.total == pytest.approx(5.05)


def test_who_is_stopped_says_in_which_phase_and_what_was_reached(tmp_path: Path) -> None:
    path = journal_of(
        tmp_path,
        {"at": 1.0, "begin": "receive"},
        {"at": 2.0, "end": "receive"},
        {"at": 2.0, "facts": {"pairs": 5}},
        {"at": 3.0, "begin": "link"},
    )
    account = make_account("rival", 7, path, [], "stopped at 8.1 GB")
    assert account.problem == "stopped at 8.1 GB in link"
    assert dict(account.seconds) == {"receive": 1.0}
    assert account.facts == {"pairs": 5}
    assert "FAILED: stopped at 8.1 GB in link" in sentences([account])[0]


def test_who_never_began_has_an_empty_account(tmp_path: Path) -> None:
    account = make_account("ours", 7, tmp_path / "nothing", [], "ended by signal 9")
    assert (account.total, account.peak, account.problem) == (0, 0, "ended by signal 9")
    assert "ended by signal 9" in "\n".join(growth_table([account]))


def test_a_journal_tells_what_was_written_last(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    with journal.timed("receive", "somebody"):
        journal.tell(pairs=1)
    journal.tell(pairs=2, people=3)
    assert read_facts(tmp_path / "journal") == {"pairs": 2, "people": 3}
    with pytest.raises(ValueError, match="no such phase"), journal.timed("lunch"):
        pass


def test_the_middle_run_counts_and_one_that_failed_last() -> None:
    quick, slow = account_of("ours", 7, 1.0, 5), account_of("ours", 7, 9.0, 5)
    failed = account_of("ours", 7, 0.1, 5, "ended by signal 9")
    assert middle([slow, quick, failed]) == slow
    assert middle([slow, quick]) == quick
    assert middle([failed]) == failed


def test_both_stand_side_by_side_stage_by_stage() -> None:
    ours, rival = account_of("ours", 100, 1.0, 50), account_of("rival", 100, 4.0, 20)
    table = stage_table([ours, rival])
    assert "| receive | 1.0 | 1.0 | 1.00 | 1.00 |" in table
    assert "| **all** | **2.0** | **5.0** | **2.00** | **2.00** |" in table
    assert sentences([ours, rival])[0].startswith("joinedup is 2.50 times as fast as a whole")


def test_expectations_that_only_one_ran_are_named() -> None:
    ours = account_of("ours", 100, 1.0, 50)
    rival = Account("rival", 100, {}, {}, {"expectations": {"landing": ["a"]}})
    assert "| landing | 2 | 1 | 1 | 0 |" in checks_table([ours, rival])
    assert "- only joinedup ran, at landing: b" in checks_table([ours, rival])


def test_the_cost_of_a_record_and_of_a_pair_is_compared_over_sizes() -> None:
    accounts = [account_of("ours", 100, 1.0, 50), account_of("ours", 200, 3.0, 100)]
    assert flatness(accounts) == [
        "joinedup: a record costs 1.00 times as much at its dearest as at its cheapest",
        "joinedup: a record in link costs 1.50 times as much at its dearest as at its cheapest",
        "joinedup: a candidate pair costs 1.50 times as much at its dearest as at its cheapest",
    ]
    assert flatness(accounts[:1]) == []


def test_the_memory_of_a_child_and_of_the_server_counts(tmp_path: Path) -> None:
    """A process that takes 100 MB in a child of its own, and the same as what a data folder names."""
    hold = "import sys, time; held = b'x' * (100 * 2**20); print('held', flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE)  # noqa: S603
    server = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE)  # noqa: S603
    try:
        for each in (process, server):
            assert each.stdout is not None and each.stdout.readline() == b"held\n"
        meter = Meter(process.pid, tmp_path)
        alone = meter.bytes_now()
        assert 100 * MEGABYTE < alone < 180 * MEGABYTE
        (tmp_path / "postmaster.pid").write_text(f"{server.pid}\n/data\n", encoding="utf-8")
        assert 100 * MEGABYTE < meter.bytes_now() - alone < 140 * MEGABYTE
        (tmp_path / "postmaster.pid").write_text(f"-{server.pid}\n", encoding="utf-8")
        assert abs(meter.bytes_now() - alone) < 20 * MEGABYTE
    finally:
        server.kill()
        server.wait()
        _kill_tree(process)
    assert meter.bytes_now() == 0


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    import psutil

    for child in psutil.Process(process.pid).children():
        child.kill()
    process.wait()
    time.sleep(0.1)
