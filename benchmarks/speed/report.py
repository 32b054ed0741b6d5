"""Tables in Markdown for docs/benchmarks.md, and what each target asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.markdown import row
from benchmarks.speed.agreement import Agreement, Truth
from benchmarks.speed.measure import Summary

PHASES = ("load", "encode", "train", "plan", "score", "cluster")
TITLES = {
    "fused": "joinedup, fused engine",
    "splink": "Splink 5 on DuckDB",
    "recordlinkage": "recordlinkage 0.16",
    "reference": "joinedup, reference engine",
    "enumeration": "bare loop over the pairs of the same blocks",
}


def phase_table(summaries: Mapping[str, Summary]) -> str:
    """Return the seconds of each phase, the whole job, processor seconds, peak memory and counts."""
    used = [phase for phase in PHASES if any(phase in each.phases for each in summaries.values())]
    columns = [*("block + compare + score" if phase == "score" else phase for phase in used)]
    head = ["", *columns, "**all**", "processor", "peak memory", "pairs", "edges", "clusters"]
    lines = [row(head), row(["---", *["---:"] * (len(head) - 1)])]
    for name, each in summaries.items():
        seconds = [f"{each.phases[phase]:.2f} s" if phase in each.phases else "" for phase in used]
        counts = [f"{count:,}" if count else "" for count in (each.pairs, each.edges, each.clusters)]
        total = [f"**{each.job:.1f} s**", f"{each.processor:.1f} s", f"{each.peak_mb / 1024:.2f} GB"]
        lines.append(row([TITLES[name], *seconds, *total, *counts]))
    return "\n".join(lines) + "\n"


def ratio_lines(summaries: Mapping[str, Summary], is_whole: bool) -> list[str]:
    """Return how the fused engine compares with each other contender, in one sentence each."""
    if "fused" not in summaries:
        return []
    ours, lines = summaries["fused"], []
    for name, each in summaries.items():
        if name == "fused":
            continue
        faster = each.phases["score"] / ours.phases["score"]
        if name == "enumeration":
            planned = ours.phases["score"] - each.phases["plan"]
            lines.append(
                f"block + compare + score takes {1 / faster:.1f} times the bare loop,"
                f" {planned / each.phases['score']:.1f} times without the planning of blocks"
            )
            continue
        line = f"block + compare + score: {faster:.1f} times faster than {TITLES[name]}"
        if is_whole:
            line += (
                f"; whole job: {each.job / ours.job:.1f} times faster at"
                f" {ours.peak_mb / each.peak_mb:.2f} of its peak memory"
            )
        lines.append(line)
    return lines


def agreement_lines(
    agreement: Agreement | None, truths: Mapping[str, Truth], pairs: Mapping[str, int]
) -> list[str]:
    """Return what both found: candidate pairs, edges above the join threshold, and how right those are."""
    same = len(set(pairs.values())) == 1
    lines = [
        "candidate pairs: "
        + ("the same number, " if same else "DIFFERENT numbers, ")
        + ", ".join(f"{name} {count:,}" for name, count in pairs.items())
    ]
    if agreement is not None:
        lines.append(
            f"links at the threshold: {agreement.both:,} in both, {agreement.first_only:,} by fused alone,"
            f" {agreement.second_only:,} by splink alone; the weights of one pair differ by"
            f" {agreement.largest_difference:.2g} bits at most"
        )
    lines += [
        f"{name}: precision {truth.precision:.4f}, recall {truth.recall:.4f} of pairs"
        for name, truth in truths.items()
    ]
    return lines


def growth_table(points: Sequence[tuple[int, Summary]]) -> str:
    """Return seconds, peak memory and pairs by number of records and contender."""
    head = ["records", "", "block + compare + score", "whole job", "peak memory", "pairs", "links' clusters"]
    lines = [row(head), row(["---:", "---", *["---:"] * 5])]
    for records, each in points:
        lines.append(
            row(
                [
                    f"{records:,}",
                    TITLES[each.name],
                    f"{each.phases['score']:.2f} s",
                    f"{each.job:.1f} s",
                    f"{each.peak_mb / 1024:.2f} GB",
                    f"{each.pairs:,}",
                    f"{each.clusters:,}",
                ]
            )
        )
    return "\n".join(lines) + "\n"
