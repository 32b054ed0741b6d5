"""The gate between stages: critical failures stop the batch, the rest is passed on to whoever must know."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.errors import ExpectationsFailed
from pipelines.quality.outcome import ExpectationOutcome


def gate(outcomes: Iterable[ExpectationOutcome]) -> tuple[ExpectationOutcome, ...]:
    """Return the failed warnings, for a human to decide on before anything is published.

    Raises:
        ExpectationsFailed: a critical expectation failed, or one could not be evaluated; the message names
            each rule, its table and its counts, never a value.
    """
    failed = [outcome for outcome in outcomes if not outcome.success]
    stopping = [outcome for outcome in failed if outcome.stops_the_batch]
    if stopping:
        lines = "\n".join(f"  - {outcome}" for outcome in stopping)
        raise ExpectationsFailed(f"{len(stopping)} expectation(s) stop this batch:\n{lines}")
    return tuple(outcome for outcome in failed if outcome.severity == "warning")
