"""A run that goes on from an earlier one: only what changed is compared, only what that affects is clustered again.

What is not looked at again stays as it was: the cluster of a record depends on nothing but the records, pairs and
constraints of its own connected component, and a component none of whose records is new, changed, or has lost a
pair is the component that it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.clusters.graph import connected
from pipelines.link.encode import Encoded
from pipelines.link.engines.base import Engine, Progress, Scored, score_encoded
from pipelines.link.features import Bools, Ints
from pipelines.link.forced import source_of, with_judged
from pipelines.link.fused.arrays import Words
from pipelines.link.hold import Held, Part, Weighed, hold_pairs
from pipelines.link.incremental.before import Before, BeforeEdges
from pipelines.link.incremental.delta import GONE, Delta, compare_content
from pipelines.link.incremental.known import Known, accepted_pairs, known_pairs
from pipelines.link.judged import Judged, forced_pairs
from pipelines.link.trained import TrainedModel


@dataclass(frozen=True)
class Relinked:
    """What a run finds when it goes on from an earlier one.

    Args:
        delta: what changed.
        scored: the pairs that were compared now, with their levels.
        known: all pairs, those that are carried over first.
        held: the clusters of all records, looked at again only where `looked_at` says so.
        is_link: per pair of `known`, whether it is held.
        looked_at: the positions of the records whose clusters were made anew.
        cluster: per record, the position of the first record of its cluster before; -1 where it had none.
    """

    delta: Delta
    scored: Scored
    known: Known
    held: Held
    is_link: Bools
    looked_at: Ints
    cluster: Ints

    def after(self, content: Words) -> Before:
        """Return what this run leaves behind; `content` are the hashes of its records."""
        known, held = self.known, self.held
        edges = BeforeEdges(known.a, known.b, known.weight, known.barred, self.is_link)
        return Before(held.encoded.record_ids, content, held.first, edges)


def relink(
    engine: Engine,
    trained: TrainedModel,
    encoded: Encoded,
    content: Words,
    before: Before,
    *,
    progress: Progress | None = None,
    judged: Judged | None = None,
    look_at: Ints | None = None,
) -> Relinked:
    """Return what linking finds among encoded records, going on from what an earlier run left.

    Args:
        engine: which compares.
        trained: the model version; the earlier run was made under the same.
        encoded: the records of today.
        content: their content hashes, in the order of `encoded`.
        before: what the earlier run left behind; `nothing_before()` for a first run.
        progress: told how many pairs of how many were enumerated.
        judged: what people decided about records.
        look_at: positions whose clusters are to be made anew, though nothing of them changed.
    """
    delta = compare_content(before, encoded.record_ids, content)
    scored = score_encoded(engine, trained, encoded, progress, delta.touched)
    return go_on(engine, scored, delta, before, judged, look_at)


def go_on(
    engine: Engine,
    scored: Scored,
    delta: Delta,
    before: Before,
    judged: Judged | None = None,
    look_at: Ints | None = None,
) -> Relinked:
    """Return what follows from the pairs that were compared now, and those that the earlier run left."""
    encoded, judged = scored.encoded, judged or Judged.none()
    forced = forced_pairs(judged, *source_of(encoded), scored.trained.definition.maximum_cluster)
    known = known_pairs(before, delta, scored, forced)
    if len(forced[0]):
        scored = with_judged(engine, scored, judged, (known.a, known.b))
        known = known_pairs(before, delta, scored, forced)
    cluster, lost = earlier_clusters(before, delta, encoded)
    accepted = accepted_pairs(known, scored.trained, cluster)
    seeds = [np.flatnonzero(delta.touched), known.left, lost, *([] if look_at is None else [look_at])]
    looked_at = _affected(encoded.size, known, accepted, np.concatenate(seeds))
    inside = np.zeros(encoded.size, dtype=bool)
    inside[looked_at] = True
    rows = np.flatnonzero(inside[known.a] & inside[known.b])
    weighed = Weighed(known.a[rows], known.b[rows], known.weight[rows], accepted[rows])
    held = hold_pairs(engine, scored.trained, encoded, weighed, Part(looked_at, cluster, judged))
    # What leads out of a component is no link: an accepted pair is inside, or in a component that stays as it was.
    is_link = known.was_link & (inside[known.a] == inside[known.b])
    is_link[rows] = held.is_link
    return Relinked(delta, scored, known, held, is_link, looked_at, cluster)


def earlier_clusters(before: Before, delta: Delta, encoded: Encoded) -> tuple[Ints, Ints]:
    """Return, per record of today, a number for the cluster that it was in; and whose clusters lost a record.

    The number is -1 where it was in none, and the position of the record that names the cluster where that is
    still there. A record is lost to its cluster when it is gone or is not what it was.
    """
    result = np.full(encoded.size, GONE, dtype=np.int64)
    here = np.flatnonzero(delta.place != GONE)
    # A cluster whose first record is gone has a number beyond all positions.
    named = delta.place[before.first]
    first = np.where(named == GONE, encoded.size + before.first, named)
    result[delta.place[here]] = first[here]
    is_lost = np.append(delta.touched, True)[delta.place]
    is_hit = np.zeros(encoded.size + len(first) + 1, dtype=bool)
    is_hit[first[is_lost]] = True
    return result, np.flatnonzero(is_hit[result])


def _affected(size: int, known: Known, accepted: Bools, seeds: Ints) -> Ints:
    """Return the positions of all records whose component has a seed, in order."""
    component = connected(size, known.a, known.b, accepted)
    hit = np.zeros(size, dtype=bool)
    hit[component[seeds]] = True
    return np.flatnonzero(hit[component])
