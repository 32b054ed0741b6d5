"""The Splink engine: blocking, comparison and weights by Splink, on DuckDB (which uses the disk) or on Spark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipelines.contracts.model import LinkageModel
from pipelines.errors import LinkageError
from pipelines.link.block import RulePlan, RuleReport, plan_blocks, report_of
from pipelines.link.compare import Levels, Pairs
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import SLACK, DataEngine, Found, Progress, score_levels
from pipelines.link.features import Bools, Ints
from pipelines.link.splink_bridge.backends import Backend, Database, DuckDB
from pipelines.link.splink_bridge.comparisons import Written, levels_of_gammas
from pipelines.link.splink_bridge.prepare import ID, Prepared, prepare
from pipelines.link.splink_bridge.require import require_splink
from pipelines.link.trained import TrainedModel

if TYPE_CHECKING:
    from splink import Linker


class SplinkEngine(DataEngine):
    """Block, compare and weigh pairs with Splink; what it finds is weighed again where its weight is a bound."""

    name = "splink"

    def __init__(self, backend: Backend | None = None) -> None:
        require_splink()
        self.backend = backend or DuckDB()

    def find(
        self,
        trained: TrainedModel,
        encoded: Encoded,
        bound: float,
        progress: Progress | None = None,
        touched: Bools | None = None,
    ) -> Found:
        """Return the candidate pairs whose prior and comparison weights reach the bound; see `Engine`.

        Raises:
            LinkageError: the blocking rules exceed the model's pair budget, Splink is not installed, or only some
                records are to be looked at, which Splink does not offer.
        """
        if touched is not None:
            raise LinkageError("linking: the engine splink always compares all records")
        plans = plan_blocks(trained.definition, encoded, trained.narrowing)
        prepared = prepare(trained, encoded, plans, self.backend.dialect)
        with self.backend.open(prepared.records) as database:
            linker = _linker(database, prepared)
            blocked = linker.inference.compute_blocked_pairs_for_predict()
            reports = _reports(database, blocked.physical_name, prepared, plans)
            found = linker.inference.predict(threshold_match_weight=bound - SLACK, warning_mode="never")
            both, levels = _vectors(database.read(found), prepared.written)
        pairs = sum(report.new_pairs for report in reports)
        if progress is not None:
            progress(pairs, pairs)
        scores = score_levels(trained, encoded, both, levels).scores
        kept = np.flatnonzero(scores.total - scores.household >= bound)
        return Found(both[0][kept], both[1][kept], levels[kept], pairs, reports)

    def levels(self, model: LinkageModel, encoded: Encoded, pairs: Pairs) -> Levels:
        """Return the level vectors of any pairs of positions."""
        prepared = prepare(TrainedModel.untrained(model), encoded, (), self.backend.dialect)
        asked = pa.table(
            {"match_key": np.arange(len(pairs[0])), "join_key_l": pairs[0], "join_key_r": pairs[1]}
        )
        with self.backend.open(prepared.records) as database:
            linker = _linker(database, prepared)
            linker.table_management.register_blocked_pairs_for_predict(database.register(asked))
            found = linker.inference.predict(warning_mode="never")
            return _vectors(database.read(found).sort_by("match_key"), prepared.written)[1]


def _linker(database: Database, prepared: Prepared) -> Linker:
    from splink import Linker

    linker = Linker(database.records, prepared.settings, log_level=None, validate_settings=False)
    for column, table in prepared.frequencies.items():
        linker.table_management.register_term_frequency_lookup(database.register(table), column)
    return linker


def _reports(
    database: Database, blocked: str, prepared: Prepared, plans: Sequence[RulePlan]
) -> tuple[RuleReport, ...]:
    """Return what each rule did: the pairs that it is the first to meet, and all that meet it.

    Splink's own `match_key` does not say the former: it is text, and of several the first by alphabet is kept.
    """
    tests = [f"coalesce({test}, FALSE)" for test in prepared.rule_tests]
    first = "CASE " + " ".join(f"WHEN {test} THEN {at}" for at, test in enumerate(tests)) + " END"
    counts = ", ".join(
        f"count(*) FILTER (WHERE {first} = {at}), count(*) FILTER (WHERE {test})"
        for at, test in enumerate(tests)
    )
    records = database.records.physical_name
    found = database.first_row(
        f"SELECT {counts} FROM {blocked} JOIN {records} l ON l.{ID} = join_key_l"  # noqa: S608 - our own names
        f" JOIN {records} r ON r.{ID} = join_key_r"
    )
    return tuple(report_of(plan, int(found[2 * at]), int(found[2 * at + 1])) for at, plan in enumerate(plans))


def _vectors(table: pa.Table, written: Written) -> tuple[tuple[Ints, Ints], Levels]:
    """Return the pairs in a table of Splink's predictions, and their level vectors."""
    a, b = (table[f"{ID}_{side}"].to_numpy().astype(np.int64) for side in ("l", "r"))
    levels = np.empty((len(a), len(written.compiled)), dtype=np.int8)
    for at, comparison in enumerate(written.compiled):
        gammas = table[f"gamma_{comparison.name}"].to_numpy().astype(np.int64)
        levels[:, at] = levels_of_gammas(written.tests[at], gammas)
    return (a, b), levels
