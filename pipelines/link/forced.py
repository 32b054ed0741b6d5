"""Links that hold whatever they weigh, because somebody judged the pair one person.

Clusters are made of links and weights (`clusters/`), so a judgement becomes a link that outweighs all evidence.
Only another judgement, or a source that holds each person once, is stronger. Where one of them prevents a forced
link, or where a forced link unites two verified numbers that differ, the clusters need attention.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.link.clusters import Links, Weigh
from pipelines.link.compare import Pairs
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import Engine, Scored, score_levels
from pipelines.link.features import Bools, Codes, Floats, Ints
from pipelines.link.judged import Judged, forced_pairs

# No pair of records weighs more, for or against; what a model finds are tens of bits.
MOST_EVIDENCE = 1000.0


@dataclass(frozen=True)
class Forced:
    """Forced links (a < b, each once): their weight in bits, whether they are barred, and their row among edges.

    The row is -1 where the pair is no edge.
    """

    pairs: Pairs
    weight: Floats
    barred: Bools
    row: Ints

    @property
    def rows(self) -> Ints:
        """The edges that are forced."""
        return self.row[self.row >= 0]

    def added_to(self, links: Links) -> Links:
        """Return these links after others."""
        return Links(
            np.concatenate([links.a, self.pairs[0]]),
            np.concatenate([links.b, self.pairs[1]]),
            np.concatenate([links.weight, self.weight]),
        )


def force(judged: Judged, source: tuple[Codes, Bools], edges: Pairs, weigh: Weigh, most: int) -> Forced:
    """Return the links that judgements force.

    Among forced links that cannot all be held, those with more evidence go first: so the weight is that of the
    evidence, raised above all that the other pairs of a cluster can weigh together.

    Args:
        judged: what people decided.
        source: the code of each record's source, and for each code whether that source holds each person once.
        edges: the run's edges.
        weigh: weighs any pairs.
        most: how many records a cluster may hold.
    """
    pairs = forced_pairs(judged, *source, most)
    if not len(pairs[0]):
        return Forced(pairs, np.empty(0), np.empty(0, dtype=bool), np.empty(0, np.int64))
    weight, barred = weigh(*pairs)
    evidence = np.clip(np.where(barred, -MOST_EVIDENCE, weight), -MOST_EVIDENCE, MOST_EVIDENCE)
    return Forced(pairs, evidence + above_all(most), barred, rows_of(edges, pairs, len(source[0])))


def source_of(encoded: Encoded) -> tuple[Codes, Bools]:
    """Return the code of each record's source, and for each code whether that source holds each person once."""
    return encoded.agency, np.array(encoded.unique, dtype=bool)


def above_all(most: int) -> float:
    """Return a weight that makes the mean over two parts higher than any evidence, also with one such link.

    Two parts of a cluster of k records have k^2 / 4 pairs at the most; each of them may take `MOST_EVIDENCE` away.
    A power of two is far from the end of double precision: with 500 records, sums keep a millionth of a bit.
    """
    return float(2.0 ** (2 * np.ceil(np.log2(most)) + np.ceil(np.log2(MOST_EVIDENCE))))


def rows_of(edges: Pairs, pairs: Pairs, size: int) -> Ints:
    """Return the row of each pair (sorted) among `edges` in any order; -1 where there is none."""
    known, wanted = edges[0] * size + edges[1], pairs[0] * size + pairs[1]
    hits = np.flatnonzero(np.isin(known, wanted))
    row = np.full(len(wanted), -1, np.int64)
    row[np.searchsorted(wanted, known[hits])] = hits
    return row


def in_need_of_attention(judged: Judged, forced: Forced, labels: Codes) -> Bools:
    """Return which clusters, by label, judgements contradict each other or the numbers in.

    These are the two clusters of each pair that was judged one person and is published as two, and clusters that
    unite verified numbers that differ.
    """
    left, right = (labels[each] for each in judged.same)
    needs = np.zeros(int(labels.max(initial=-1)) + 1, dtype=bool)
    needs[left[left != right]] = needs[right[left != right]] = True
    one, other = (labels[each] for each in forced.pairs)
    needs[one[forced.barred & (one == other)]] = True
    return needs


def with_judged(engine: Engine, scored: Scored, judged: Judged, known: Pairs | None = None) -> Scored:
    """Return the edges with those that judgements join and that were none, sorted by position as before.

    Pairs that are `known` from an earlier run need not be edges again.
    """
    encoded, found, model = scored.encoded, scored.found, scored.trained.definition
    pairs = forced_pairs(judged, *source_of(encoded), model.maximum_cluster)
    there = found.pairs
    if known is not None:
        there = np.concatenate([there[0], known[0]]), np.concatenate([there[1], known[1]])
    new = rows_of(there, pairs, encoded.size) < 0 if len(pairs[0]) else np.empty(0, dtype=bool)
    if not new.any():
        return scored
    pairs = pairs[0][new], pairs[1][new]
    levels = engine.levels(model, encoded, pairs)
    more = found.together(found, score_levels(scored.trained, encoded, pairs, levels))
    order = np.lexsort((more.pairs[1], more.pairs[0]))
    return replace(scored, found=more.where(order))
