"""Which uncertain pairs a person should look at first: those on which most of what is published hangs.

First come *bridges*: a link without which a cluster would fall apart, or a pair that would join two clusters of
several records; the more records are at stake the earlier. Then pairs across agencies, then all others. Among
equals those nearest to the join threshold come first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.link.clusters.inputs import Codes
from pipelines.link.features import Bools, Floats, Ints

BRIDGE, CROSS_AGENCY, NEAR_THRESHOLD = KINDS = ("BRIDGE", "CROSS_AGENCY", "NEAR_THRESHOLD")

# A pair is uncertain as a link that is more doubtful than the share of false links that is aimed at (0.5 %), or as
# no link with 1 in 20 to be one person after all. What was accepted and then cut counts among the latter.
LEAST_PROBABILITY = 0.05
SURE_PROBABILITY = 0.995


@dataclass(frozen=True)
class Uncertain:
    """Uncertain pairs, one value each.

    Args:
        weight: in bits.
        is_link: whether the pair is a link that its cluster holds.
        smaller_side: how many records would leave with the smaller side if a link were not; 0 if none would.
        together: whether both records are in one cluster.
        records_a: how many records the cluster of the first record holds.
        records_b: how many records the cluster of the second record holds.
        across: whether the records are of two agencies.
    """

    weight: Floats
    is_link: Bools
    smaller_side: Codes
    together: Bools
    records_a: Ints
    records_b: Ints
    across: Bools


@dataclass(frozen=True)
class Ranked:
    """Rows of `Uncertain`, the weightiest first; why, as a place in `KINDS`; how many records hang on each."""

    rows: Ints
    why: Codes
    records: Ints


def rank_pairs(pairs: Uncertain, threshold: float, most: int) -> Ranked:
    """Return the first `most` pairs; among equals in everything the earlier row comes first.

    Args:
        pairs: what is uncertain, in an order that does not depend on chance.
        threshold: the weight in bits from which on a pair is a link.
        most: how many pairs to return at the most.
    """
    records = _at_stake(pairs)
    joins_several = ~pairs.together & (records > 1)
    is_bridge = (pairs.is_link & (pairs.smaller_side > 0)) | joins_several
    why = np.where(is_bridge, 0, np.where(pairs.across, 1, 2)).astype(np.int32)
    stake = np.where(is_bridge, records, 0)
    order = np.lexsort((np.abs(pairs.weight - threshold), ~pairs.across, -stake, why))[:most]
    return Ranked(order, why[order], records[order])


def _at_stake(pairs: Uncertain) -> Ints:
    """Return how many records the answer would join or part.

    Two people in one cluster part at least one record from the others, also where no link is a bridge.
    """
    parted = np.maximum(pairs.smaller_side, 1)
    joined = np.minimum(pairs.records_a, pairs.records_b)
    return np.where(pairs.together, parted, joined).astype(np.int64)
