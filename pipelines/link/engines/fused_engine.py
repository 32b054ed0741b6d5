"""The fused engine: block, compare and weigh in one compiled pass; memory grows with records, not pairs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import chain
from weakref import WeakKeyDictionary

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.block import RulePlan, forget_plans, plan_blocks, report_of
from pipelines.link.compare import Levels, Pairs
from pipelines.link.compiled import is_kept
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import DataEngine, Found, Progress
from pipelines.link.features import Bools, Ints
from pipelines.link.fused.kernel import Pass, levels_of_pairs
from pipelines.link.fused.pack import Packed, pack, pack_frequencies
from pipelines.link.fused.program import Program, write_program
from pipelines.link.fused.scan import pairs_before, scan
from pipelines.link.predicates import compared_texts, comparison_features
from pipelines.link.threads import core_count, on_all_cores
from pipelines.link.trained import TrainedModel

# Large enough that starting a stretch costs nothing, small enough that both cores end together and progress shows.
PAIRS_OF_A_STRETCH = 500_000
PAIRS_AT_ONCE = 100_000


log = logging.getLogger("joinedup")


def _tell_of_compiling(function: object) -> None:
    """Say why nothing seems to happen, when a pass is compiled for the first time on this machine."""
    if not is_kept(function):
        log.info("link: compiling the fused pass for this machine; once, and it takes about half a minute")


class FusedEngine(DataEngine):
    """Block, compare and weigh pairs by compiled code over integer codes, on all cores."""

    name = "fused"

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or core_count()
        # Of records that are still in use, the latest packing: training, clusters and checks ask again and again.
        self._packed: WeakKeyDictionary[Encoded, Packed] = WeakKeyDictionary()

    def find(
        self,
        trained: TrainedModel,
        encoded: Encoded,
        bound: float,
        progress: Progress | None = None,
        touched: Bools | None = None,
    ) -> Found:
        """Return the candidate pairs whose prior and comparison weights reach the bound; see `Engine`."""
        model = trained.definition
        plans = plan_blocks(model, encoded, trained.narrowing, touched)
        features, texts = comparison_features(model), compared_texts(model)
        keys = [plan.keys for plan in plans]
        packed = self._packed[encoded] = pack(encoded, features, texts, keys, self._packed.get(encoded))
        known = pack_frequencies(trained.frequencies(encoded), packed.columns)
        program = write_program(model, packed, encoded, (trained, known))
        forget_plans(encoded)
        return self._scan(program, packed, plans, bound, progress)

    def _scan(
        self,
        program: Program,
        packed: Packed,
        plans: tuple[RulePlan, ...],
        bound: float,
        progress: Progress | None,
    ) -> Found:
        _tell_of_compiling(scan)
        first, total, done = 1 + len(packed.columns), sum(plan.pairs for plan in plans), 0
        met, new = np.zeros(len(plans), np.int64), np.zeros(len(plans), np.int64)
        # The stretches of all rules in one row: no core waits for the other at the end of a rule.
        stretches = chain.from_iterable(
            _stretches(program, packed, plan, (rule, first), bound) for rule, plan in enumerate(plans)
        )
        parts = []
        for rule, pairs, part in on_all_cores(lambda stretch: stretch(), stretches, self.threads):
            parts.append(part[:3])
            met[rule], new[rule], done = met[rule] + part[3], new[rule] + part[4], done + pairs
            if progress is not None:
                progress(done, total)
        reports = [report_of(plan, int(new[rule]), int(met[rule])) for rule, plan in enumerate(plans)]
        nothing = (
            np.empty(0, np.int64),
            np.empty(0, np.int64),
            np.empty((0, len(program.comparisons)), np.int8),
        )
        a, b, levels = (np.concatenate(column) for column in zip(nothing, *parts, strict=True))
        # Where only some members of a block begin pairs, the other may stand before them.
        a, b = np.minimum(a, b), np.maximum(a, b)
        return Found(a, b, levels, sum(each.new_pairs for each in reports), tuple(reports))

    def _pack(self, model: LinkageModel, encoded: Encoded) -> Packed:
        features, texts, packed = comparison_features(model), compared_texts(model), self._packed.get(encoded)
        if packed is None or not (
            set(features) <= set(packed.columns) and set(texts) <= set(packed.letter_base)
        ):
            packed = self._packed[encoded] = pack(encoded, features, texts)
        return packed

    def levels(self, model: LinkageModel, encoded: Encoded, pairs: Pairs) -> Levels:
        """Return the level vectors of any pairs of positions."""
        packed = self._pack(model, encoded)
        program = write_program(model, packed, encoded)
        work = _work(program, packed)
        _tell_of_compiling(levels_of_pairs)
        levels = np.empty((len(pairs[0]), len(model.comparisons)), dtype=np.int8)

        def part(start: int) -> None:
            rows = slice(start, start + PAIRS_AT_ONCE)
            a, b = (np.ascontiguousarray(side[rows], dtype=np.int64) for side in pairs)
            levels_of_pairs(work, packed.cells.matrix, program.texts, a, b, levels[rows])

        list(on_all_cores(part, range(0, len(levels), PAIRS_AT_ONCE), self.threads))
        return levels


def _work(program: Program, packed: Packed) -> Pass:
    """Return what a compiled pass is given."""
    cells = packed.cells
    known = packed.values
    return (
        program.comparisons,
        program.levels,
        program.bits,
        program.lists,
        program.logs,
        (cells.several_starts, cells.several),
        (*known,),
    )


Part = tuple[Ints, Ints, Levels, int, int]
Result = tuple[int, int, Part]


def _stretches(
    program: Program, packed: Packed, plan: RulePlan, place: tuple[int, int], bound: float
) -> Iterator[Callable[[], Result]]:
    """Return work on the blocks of a rule, cut into stretches of about as many pairs each.

    `place` is the rule's, and the column of the first rule's keys.
    """
    rule, first = place
    work_of, pairs = _work(program, packed), (program.prior, program.unique)
    ends_of_heads = plan.head_ends
    before = pairs_before(plan.starts, ends_of_heads)
    cuts = np.arange(0.0, before[-1], PAIRS_OF_A_STRETCH)
    ends = np.unique(np.append(np.searchsorted(before, cuts), len(before) - 1))

    def work(begin: int, end: int) -> Callable[[], Result]:
        def run() -> Result:
            stretch = (begin, end, first, first + rule)
            blocks, texts = (plan.members, plan.starts, ends_of_heads), (program.texts, program.birth)
            found = scan(work_of, packed.cells.matrix, pairs, blocks, stretch, texts, bound)
            return rule, int(before[end] - before[begin]), found

        return run

    return (work(int(begin), int(end)) for begin, end in zip(ends[:-1], ends[1:], strict=True))
