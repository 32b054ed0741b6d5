"""The side pass with decoys: false links per type, and the false-link rate that they imply.

A decoy's home is the record it was made from and the records firmly joined with it. Assumed when the rates are put
together: a pair of records of two people in one household is linked as often as a decoy of its type is linked to a
record of its home, and the model's household class says how many such pairs there are; a record is linked to
strangers as often as a random decoy is, not counting those whose fields the decoy was given. So

    false links = plain pairs * P(sibling) + twin pairs * P(twin) + namesake pairs * P(namesake)
                  + records * links per random decoy / 2

(half, because a link has two ends). Identifiers of decoys differ from everybody's, as those of other people do. The
intervals are those of the rates: how many pairs of each type there are is taken from the model as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.link.components import components
from pipelines.link.data import LinkData
from pipelines.link.thresholds.decoys import RANDOM, TYPES, Decoys
from pipelines.link.thresholds.edges import Bools, Edges, Floats, Ints, Score, weight_of
from pipelines.link.thresholds.households import NO_HOUSEHOLDS, HouseholdPairs
from pipelines.link.thresholds.intervals import Rate, exact_rate, weighted_sum
from pipelines.link.thresholds.recombine import append
from pipelines.link.thresholds.tables import sources

FIRM = weight_of(0.99)
CHECKED = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True)
class DecoyResult:
    """One type: decoys made; pairs with records of the home, and links among them; links elsewhere; rates.

    `links_to_donors` go to others whose field the decoy was given, `links_elsewhere` to records that share fields
    with it by chance. `rate_at_home` is per pair with a record of the home, `rate_elsewhere` per decoy.
    """

    kind: str
    decoys: int
    pairs_at_home: int
    links_at_home: int
    links_to_donors: int
    links_elsewhere: int
    rate_at_home: Rate
    rate_elsewhere: Rate


@dataclass(frozen=True)
class DecoyReport:
    """All types at one threshold, and the false-link rate implied (of links: edges at or above the threshold)."""

    weight: float
    types: tuple[DecoyResult, ...]
    expected_pairs: HouseholdPairs
    links: int
    implied_false_links: Rate
    implied_rate: Rate

    def of(self, kind: str) -> DecoyResult:
        """Return the result of one type; raises KeyError when it was not made."""
        return {each.kind: each for each in self.types}[kind]


@dataclass(frozen=True)
class DecoyPass:
    """Decoys scored: per edge to a real record its weight, decoy and place; per decoy the pairs with its home."""

    kind: Ints
    pairs_at_home: Ints
    weight: Floats
    decoy: Ints
    at_home: Bools
    to_donor: Bools
    real: Edges


def score_decoys(score: Score, data: LinkData, decoys: Decoys) -> DecoyPass:
    """Return the edges of the decoys to the real records, from a frozen model that blocks all records together."""
    size = data.records.num_rows
    edges = score(append(data, decoys.data)).allowed()
    a_is_real, b_is_real = edges.a < size, edges.b < size
    mixed = edges.where(a_is_real != b_is_real)
    decoy = np.maximum(mixed.a, mixed.b) - size
    near = np.minimum(mixed.a, mixed.b)
    real = edges.where(a_is_real & b_is_real)
    person = _firm(real, size)
    at_home = person[near] == person[decoys.home[decoy]]
    given = (person[decoys.donors[decoy]] == person[near][:, None]).any(axis=1)
    return DecoyPass(
        kind=decoys.kind,
        pairs_at_home=_pairs_at_home(data, decoys, person),
        weight=mixed.weight,
        decoy=decoy,
        at_home=at_home,
        to_donor=given & ~at_home,
        real=real,
    )


def _firm(real: Edges, size: int) -> Ints:
    """Return which person each real record belongs to for all that is firmly known."""
    firm = real.where(real.weight >= FIRM)
    return components(size, firm.a, firm.b)


def _pairs_at_home(data: LinkData, decoys: Decoys, person: Ints) -> Ints:
    """Return, per decoy, the records of its home that it may be linked to: not those of its own unique source."""
    names, codes = sources(data)
    home = person[decoys.home]
    count = np.bincount(person, minlength=1)[home] if len(person) else home
    decoy_names, decoy_codes = sources(decoys.data)
    for number, name in enumerate(decoy_names):
        if name in data.unique_sources and name in names:
            inside = np.bincount(person[codes == names.index(name)], minlength=int(person.max(initial=0)) + 1)
            count = count - np.where(decoy_codes == number, inside[home], 0)
    return np.asarray(count, dtype=np.int64)


def judge_decoys(
    passes: Sequence[DecoyPass], weight: float, records: int, households: HouseholdPairs = NO_HOUSEHOLDS
) -> DecoyReport:
    """Return false links per type at a threshold, and the false-link rate implied for the real records.

    Args:
        passes: one scored batch of decoys or several.
        weight: the join threshold.
        records: how many real records there are.
        households: the pairs of people in one household that the model expects among them.
    """
    results = tuple(_result(passes, number, weight) for number in range(len(TYPES)))
    links = int((passes[0].real.weight >= weight).sum()) if passes else 0
    weights = [records / 2.0 if each.kind == RANDOM else households.of(each.kind) for each in results]
    rates = [each.rate_elsewhere if each.kind == RANDOM else each.rate_at_home for each in results]
    implied = weighted_sum(weights, rates)
    rate = Rate(*(min(1.0, each / max(links, 1)) for each in (implied.estimate, implied.low, implied.high)))
    return DecoyReport(weight, results, households, links, implied, rate)


@dataclass(frozen=True)
class FalseLinks:
    """False links at and above a threshold: as the model's posteriors have it, and as the decoys imply."""

    weight: float
    probability: float
    expected: float
    implied: Rate


def compare_false_links(
    passes: Sequence[DecoyPass],
    records: int,
    households: HouseholdPairs,
    probabilities: Sequence[float] = CHECKED,
) -> tuple[FalseLinks, ...]:
    """Return the model's false links beside those that the decoys imply: is the posterior right where it counts?

    The decoys' intervals are wide where households are many and decoys few; a model's figure outside of them says
    that its posteriors are too sure (below) or too timid (above).
    """
    found = []
    for probability in probabilities:
        weight = weight_of(probability)
        real = passes[0].real
        expected = float((1.0 - real.probability[real.weight >= weight]).sum())
        report = judge_decoys(passes, weight, records, households)
        found.append(FalseLinks(weight, probability, expected, report.implied_false_links))
    return tuple(found)


def _result(passes: Sequence[DecoyPass], number: int, weight: float) -> DecoyResult:
    decoys = pairs = home = donors = elsewhere = linked = 0
    for each in passes:
        rows = (each.weight >= weight) & (each.kind[each.decoy] == number)
        by_chance = rows & ~each.at_home & ~each.to_donor
        decoys += int((each.kind == number).sum())
        pairs += int(each.pairs_at_home[each.kind == number].sum())
        home += int((rows & each.at_home).sum())
        donors += int((rows & each.to_donor).sum())
        elsewhere += int(by_chance.sum())
        linked += len(np.unique(each.decoy[by_chance]))
    # The pairs of one decoy stand or fall together: they count as one observation.
    per_decoy = max(pairs / max(decoys, 1), 1.0)
    at_home = exact_rate(home / per_decoy, pairs / per_decoy)
    per_linked = max(elsewhere / max(linked, 1), 1.0)
    some = exact_rate(linked, decoys)
    by_decoy = Rate(some.estimate * per_linked, some.low * per_linked, some.high * per_linked)
    return DecoyResult(TYPES[number], decoys, pairs, home, donors, elsewhere, at_home, by_decoy)
