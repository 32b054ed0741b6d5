"""Hostile and broken files: each ends as its defect declares, with the place and the rule and without a value."""

from __future__ import annotations

import resource

import pytest
from support.formats import read_bytes
from support.hostile.cases import Case, outcome_of
from support.hostile.corpus import corpus, made
from support.hostile.defects import DEFECTS
from support.hostile.tables import SECRET, WRITERS, expected_file

from pipelines.contracts.columns import Kind

CASES = list(corpus())
# What one file may need beside what is there already, in kilobytes; the largest unpack to ten million bytes or more.
MEMORY = 400 << 10


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_file_ends_as_its_defect_declares(case: Case) -> None:
    content = case.make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows, set_aside, findings = read_bytes(content, expected_file(case.kind))
    found = outcome_of(findings, len(rows), [row.reason for row in set_aside])
    assert found == case.outcome, [str(problem) for problem in findings.problems]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY
    if not findings.problems:
        assert findings.rows == len(rows) + len(set_aside)
    for problem in [*findings.problems, *findings.warnings]:
        assert SECRET not in str(problem)
        assert "HYPERLINK" not in str(problem)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_cut_short_anywhere_never_gives_a_row_that_it_did_not_hold(kind: Kind) -> None:
    whole = made("nothing wrong", kind, "plain")
    rows, _, _ = read_bytes(whole, expected_file(kind))
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        found, set_aside, findings = read_bytes(whole[:length], expected_file(kind))
        if findings.problems:
            continue
        assert findings.rows == len(found) + len(set_aside)
        # Of a text cut inside the last value of its last row nobody can tell, short of knowing how many rows to expect.
        certain = len(found) if whole[:length].endswith(b"\n") else max(0, len(found) - 1)
        assert found[:certain] == rows[:certain]


def test_every_outcome_there_is_is_declared_somewhere() -> None:
    outcomes = {outcome.status for defect in DEFECTS.values() for outcome in defect.outcomes.values()}
    assert outcomes == {"accepted", "accepted with errors", "rejected"}
