"""Hubs: addresses that many unrelated people share, such as a hostel, a hospital, or a council's own postcode.

Who shares a hub shares nothing that tells people apart, so what is known to be one is no address. Which they are
is found when a model is trained and frozen with it, as narrowed blocks are (`narrowing.py`): each as a hash.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipelines.link.components import components
from pipelines.link.features import Bools, Feature, Ints, ragged_range

Hubs = Mapping[str, tuple[str, ...]]
"""By kind (uprn, address, postcode): sorted hashes."""
KINDS = ("uprn", "address", "postcode")


def named(keys: Ints) -> tuple[str, ...]:
    """Return the hashes of addresses as a model keeps them."""
    return tuple(f"{key:016x}" for key in np.unique(keys).tolist())


def among(keys: Ints, kept: tuple[str, ...]) -> Bools:
    """Return which hashes are among those that a model keeps."""
    return np.isin(keys, np.array([int(key, 16) for key in kept], dtype=np.int64))


def shared_by_unrelated(records: Ints, keys: Ints, families: Feature, limit: int) -> Ints:
    """Return the keys that at least `limit` unrelated people have, from (record, key) rows.

    Two records at a key are related where they have a family name in common, by sound, or are both related to a
    third one there. So a record that stands once for each agency counts once, and so does a family. Who has no
    family name is not counted.
    """
    rows = np.unique(np.stack([keys, records]), axis=1)
    found, place, counts = np.unique(rows[0], return_inverse=True, return_counts=True)
    likely = counts[place] >= limit
    place, who = place[likely], rows[1][likely]
    offsets, codes = families.rows
    names = np.diff(offsets)[who]
    node = np.repeat(np.arange(len(who)), names)
    name = codes[np.repeat(offsets[:-1][who], names) + ragged_range(names)].astype(np.int64)
    families_here, other = np.unique(place[node] * max(families.size, 1) + name, return_inverse=True)
    labels = components(len(who) + len(families_here), node, len(who) + other)
    named_nodes = np.flatnonzero(names > 0)
    pairs = np.unique(np.stack([place[named_nodes], labels[named_nodes]]), axis=1)
    people = np.bincount(pairs[0], minlength=len(found))
    return np.asarray(found[people >= limit], dtype=np.int64)
