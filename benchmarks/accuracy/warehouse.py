"""Our linking as the warehouse does it, on all names, dates and addresses of each record."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.accuracy.contender import Contender, Pairs, Setting, as_bits
from benchmarks.accuracy.ours import EXPECTED_F1, TARGET, TARGETS, Ours, component_settings
from benchmarks.accuracy.synthetic import Population
from pipelines.contracts.model import load_model
from pipelines.link import FusedEngine, choose_join, hold_together, train_encoded
from pipelines.link.encode import encode
from pipelines.link.engines.base import Scored, score_encoded
from pipelines.link.features import Ints
from pipelines.link.thresholds import choose
from pipelines.link.thresholds.assess import Objective

ASKED = {TARGET: Objective(choose.FALSE_LINK_RATE, 0.005), EXPECTED_F1: Objective(choose.EXPECTED_F1)}


def link_whole(population: Population) -> Ours:
    """Return our answer to a population, every record with all that the agencies hold about it."""
    engine, definition, started = FusedEngine(), load_model(), time.monotonic()
    encoded = encode(definition, population.whole)
    scored = score_encoded(engine, train_encoded(definition, encoded, engine), encoded)
    seconds = time.monotonic() - started
    at = population.positions([str(each) for each in encoded.record_ids.tolist()])

    def clusters(objective: Objective) -> tuple[Ints, float]:
        chosen, _ = choose_join(scored, population.whole, objective)
        labels = np.empty(population.flat.size, dtype=np.int64)
        labels[at] = hold_together(engine, chosen).labels
        return labels, as_bits(chosen.trained.link_probability)

    found = {name: clusters(objective) for name, objective in ASKED.items()}
    settings = tuple(Setting(name, threshold) for name, (_, threshold) in found.items())
    tried = [clusters(Objective(choose.FALSE_LINK_RATE, target))[0] for target in TARGETS]
    own = {name: labels for name, (labels, _) in found.items()}
    name = "joinedup, all names and addresses"
    pairs = _pairs(scored, at)
    contender = Contender(name, pairs, component_settings(population.flat.size, pairs), seconds)
    return Ours(contender, own, settings, [*own.values(), *tried])


def _pairs(scored: Scored, at: Ints) -> Pairs:
    free = ~scored.found.barred
    a, b = (at[side[free]] for side in scored.found.pairs)
    return Pairs(a, b, scored.found.scores.total[free])
