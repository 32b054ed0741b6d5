"""The tables of docs/benchmarks.md, from results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.accuracy.compare import Result, Row
from benchmarks.accuracy.ours import EXPECTED_F1, TARGET
from benchmarks.accuracy.strata import StrataResult

HEADER = "| contender | clusters | threshold | precision | recall | F1 |\n|---|---|---|---:|---:|---:|"
NOTE = (
    "Lines marked * chose their threshold with the truth in hand. *Splink 5* is configured as its documents do"
    " for these data; *every column* adds those that it leaves out and ours compares. Brackets: 95 % intervals."
)


def result_lines(result: Result) -> Iterator[str]:
    """Yield the table of a data set, and what it says about the two settings."""
    yield f"\n### {result.data}: {result.records:,} records\n"
    yield HEADER
    for row in result.rows:
        yield _line(row)
    yield ""
    for row in result.rows:
        if row.setting == TARGET:
            others = result.splink_recall_at(row.precision).items()
            recalls = "; ".join(f"{name} at that precision {recall:.4f}" for name, recall in others)
            yield (
                f"- {row.contender}, {row.clusters}, {TARGET}: {1 - row.precision:.2%} of the pairs are false;"
                f" recall {row.recall:.4f}; {recalls}"
            )
        if row.setting == EXPECTED_F1:
            differences = "; ".join(
                f"less the best of {name} {found.estimate:+.4f} ({found.low:+.4f} to {found.high:+.4f})"
                for name, found in result.against_splink(row).items()
            )
            yield f"- {row.contender}, {row.clusters}, {EXPECTED_F1}: {row.f1:.4f}; {differences}"


def _line(row: Row) -> str:
    mark = " *" if row.uses_truth else ""
    figures = f"{row.precision:.4f} | {row.recall:.4f} | {row.f1:.4f}"
    return f"| {row.contender} | {row.clusters} | {row.setting}{mark} | {figures} |"


def strata_lines(result: StrataResult) -> Iterator[str]:
    """Yield the tables of the stratified population."""
    yield f"\n### Stratified population, {result.setting}: {result.people:,} people, {result.records:,} records\n"
    yield "| stratum | true pairs | recall | 95 % | F1 | 95 % |\n|---|---:|---:|---|---:|---|"
    for stratum in (result.overall, *result.strata):
        recall = stratum.recall
        yield (
            f"| {stratum.name} | {stratum.true_pairs:,} | {recall.estimate:.4f} |"
            f" {recall.low:.4f} to {recall.high:.4f} | {stratum.f1.estimate:.4f} |"
            f" {stratum.f1.low:.4f} to {stratum.f1.high:.4f} |"
        )
    gap = result.gap
    yield f"\nLargest gap in recall between two ethnic groups: {gap.estimate:.4f} (upper 95 %: {gap.high:.4f}).\n"
    yield "| false links between | record pairs | false | rate | upper 95 % | people pairs joined |"
    yield "|---|---:|---:|---:|---:|---:|"
    for kin in result.kin:
        yield (
            f"| {kin.name} | {kin.pairs:,} | {kin.false:,} | {kin.rate.estimate:.4%} | {kin.rate.high:.4%} |"
            f" {kin.joined} of {kin.couples:,} |"
        )


def markdown(results: Iterable[Result], strata: Iterable[StrataResult]) -> str:
    """Return all tables as Markdown."""
    lines = [NOTE]
    for result in results:
        lines += result_lines(result)
    for measured in strata:
        lines += strata_lines(measured)
    return "\n".join(lines) + "\n"
