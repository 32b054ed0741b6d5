"""The bare loop: the pairs of the same blocks, met and forgotten; what no pass over pairs can be faster than."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.speed.case import load_case
from benchmarks.speed.records import read_records
from benchmarks.speed.task import Answer, Task, contend
from pipelines.link.block import plan_blocks
from pipelines.link.compiled import compiled
from pipelines.link.encode import encode
from pipelines.link.features import Codes, Ints
from pipelines.link.fused.scan import pairs_before
from pipelines.link.threads import on_all_cores

PAIRS_AT_ONCE = 5_000_000.0


def enumerate_pairs(task: Task, answer: Answer) -> None:
    """Load, encode, plan the blocks, and meet every pair in them; pairs are counted once per rule."""
    model = load_case(task.case)
    with answer.timed("load"):
        data = read_records(Path(task.data))
    with answer.timed("encode"):
        encoded = encode(model, data)
    with answer.timed("plan"):
        plans = plan_blocks(model, encoded)
    with answer.timed("score"):
        for plan in plans:
            before = pairs_before(plan.starts, plan.head_ends)
            cuts = np.searchsorted(before, np.arange(0.0, before[-1], PAIRS_AT_ONCE))
            ends = np.unique(np.append(cuts, len(before) - 1))
            parts = [
                (plan.members, plan.starts, int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)
            ]
            list(on_all_cores(lambda part: meet(*part), parts))
    answer.pairs = sum(plan.pairs for plan in plans)


@compiled
def meet(members: Codes, starts: Ints, begin: int, end: int) -> int:
    """Return a sum that depends on every pair of a stretch of blocks, so that none can be left out."""
    total = 0
    block = np.searchsorted(starts, begin, side="right") - 1
    while block < len(starts) - 1 and starts[block] < end:
        for i in range(max(begin, starts[block]), min(end, starts[block + 1])):
            for j in range(i + 1, starts[block + 1]):
                total += members[i] ^ members[j]
        block += 1
    return total


if __name__ == "__main__":
    contend(enumerate_pairs)
