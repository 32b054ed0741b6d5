"""Decoys: people who do not exist, made by recombining real fields; a link between a decoy and a record is false.

Four types, each as near to a real record (its home) as people of one household are:

- sibling: family name, address and contact of the home; first name and birth date of two other records, the birth
  date within 15 years of the home's;
- twin: the same, with the home's birth date and a first name of the same sex;
- namesake: first, middle and family name and address of the home; a birth date 18 to 45 years away;
- random: every field from another record.

What is not said comes from yet other records, each field from its own, so that a decoy shares one field at most
with any record but its home. Identifiers come as a record has them, with characters exchanged: a decoy carries as
many numbers as people do, and nobody's. Records are drawn by hash of their ids. Homes are used once per type, so
that hardly two decoys resemble each other; edges between decoys do not count in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.link.data import LinkData
from pipelines.link.thresholds.edges import Bools, Ints
from pipelines.link.thresholds.people import People, look_at
from pipelines.link.thresholds.recombine import Donors, build, together
from pipelines.link.thresholds.tables import hash_numbers

Picker = Callable[[Ints], Bools]

SIBLING, TWIN, NAMESAKE, RANDOM = "sibling", "twin", "namesake", "random"
TYPES = (SIBLING, TWIN, NAMESAKE, RANDOM)
# Siblings are by far the most common, so their rate has to be known best.
DECOYS_OF_TYPE = {SIBLING: 6000, TWIN: 2000, NAMESAKE: 2000, RANDOM: 2000}
DECOYS_PER_RECORD = 0.25
FEWEST_DECOYS = 200
TRIES = 40
DAYS_IN_A_YEAR = 365.25
SIBLING_YEARS = (1.0, 15.0)
GENERATION_YEARS = (18.0, 45.0)


@dataclass(frozen=True)
class Decoys:
    """Records of people who do not exist.

    `kind` is a position in `TYPES`, `home` a row of the real records; `donors` has one row per decoy, with the rows
    of the real records that its fields come from, the home among them.
    """

    data: LinkData
    kind: Ints
    home: Ints
    donors: Ints

    def __len__(self) -> int:
        return len(self.kind)


def make_decoys(
    data: LinkData,
    of_type: Mapping[str, int] = DECOYS_OF_TYPE,
    batch: int = 0,
    shared_extras: frozenset[str] = frozenset(),
) -> Decoys:
    """Return decoys of each type, in all at most a quarter of the records (800 for small data).

    Args:
        data: the real records.
        of_type: how many decoys of each type are wanted.
        batch: which part of the homes is used, from 0: further batches give further decoys for further passes.
        shared_extras: the extra fields that people of one household share, such as a town.
    """
    size = data.records.num_rows
    people = look_at(data)
    share = size * DECOYS_PER_RECORD / max(sum(of_type.values()), 1)
    drawn = []
    for kind in TYPES if size > 1 else ():
        wanted = min(of_type[kind], size, max(FEWEST_DECOYS, int(of_type[kind] * share)))
        drawn.append(_draw(people, kind, wanted, batch))
    kinds = [number for number, each in enumerate(drawn) for _ in each.home]
    everyone = together(drawn)
    return Decoys(
        build(data, drawn, shared_extras),
        np.array(kinds, dtype=np.int64),
        everyone.home,
        everyone.matrix(),
    )


def _draw(people: People, kind: str, wanted: int, batch: int) -> Donors:
    """Return the homes of one type and the record that each field comes from; homes without a fit are left out."""
    every = np.arange(people.size)
    home = every[np.argsort(hash_numbers(people.ids, f"home:{kind}"), kind="stable")]
    suitable = _suitable(people, kind)
    home = home[suitable[home]][batch * wanted : (batch + 1) * wanted]
    ring = _Ring(people, kind, home)
    fits = np.ones(len(home), dtype=np.bool_)
    frame = ring.pick("frame", every, lambda donor: donor != home)
    if kind == NAMESAKE:
        given = home
    else:
        named = np.flatnonzero(people.given >= 0)
        given = ring.pick("given", named, lambda donor: _another_name(people, kind, home, donor))
    if kind in (SIBLING, NAMESAKE):
        born = _years_away(people, home, kind)
    elif kind == TWIN:
        born = home
    else:
        born = ring.pick("born", np.flatnonzero(people.has_birth), lambda donor: donor != home)
    fits &= (frame >= 0) & (given >= 0) & (born >= 0)
    family, address, contact = home, home, home
    if kind == RANDOM:
        family, address = (
            ring.pick(name, every, lambda donor: donor != home) for name in ("family", "address")
        )
    if kind in (RANDOM, NAMESAKE):
        contact = ring.pick("contact", every, lambda donor: donor != home)
    other = ring.pick("extra", every, lambda donor: donor != home)
    chosen = Donors(kind, home, frame, given, family, born, address, contact, other)
    return chosen.where(fits)


def _suitable(people: People, kind: str) -> Bools:
    """Return the records that can be a home: named, and with a birth date where the type depends on it."""
    named = (people.given >= 0) & people.has_family
    return np.ones(people.size, np.bool_) if kind == RANDOM else np.asarray(named & (people.born > 0))


def _another_name(people: People, kind: str, home: Ints, donor: Ints) -> Bools:
    """Return where a donor's first name is none of the home's, and of its sex where a twin is made."""
    other = (donor != home) & ~people.shares_given(home, donor)
    if kind != TWIN:
        return np.asarray(other)
    same = (people.sex[donor] == people.sex[home]) | (people.sex[home] < 0)
    return np.asarray(other & same)


def _years_away(people: People, home: Ints, kind: str) -> Ints:
    """Return a record with a birth date so many years from the home's, drawn by hash; -1 where there is none."""
    low, high = SIBLING_YEARS if kind == SIBLING else GENERATION_YEARS
    numbers = hash_numbers([people.ids[each] for each in home.tolist()], f"years:{kind}")
    years = low + (high - low) * (numbers % 1009) / 1009.0
    distance = (np.where(numbers // 1009 % 2 == 0, years, -years) * DAYS_IN_A_YEAR).astype(np.int64)
    dated = np.flatnonzero(people.born > 0)
    order = dated[np.argsort(people.born[dated], kind="stable")]
    result = np.full(len(home), -1, dtype=np.int64)
    for sign in (1, -1):
        aim = people.born[home] + sign * distance
        found = order[np.clip(np.searchsorted(people.born[order], aim), 0, max(len(order) - 1, 0))]
        apart = np.abs(people.born[found] - people.born[home]) / DAYS_IN_A_YEAR
        fits = (result < 0) & (apart >= 0.75 * low) & (apart <= 1.25 * high)
        result[fits] = found[fits]
    return result


class _Ring:
    """Picks a donor per home: a hash says where to begin among the candidates, and the first that fits is taken."""

    def __init__(self, people: People, kind: str, home: Ints) -> None:
        self.people, self.kind, self.home = people, kind, home
        self.names = [people.ids[each] for each in home.tolist()]

    def pick(self, field: str, candidates: Ints, fits: Picker) -> Ints:
        """Return a candidate per home that fits; -1 where the first few do not."""
        result = np.full(len(self.home), -1, dtype=np.int64)
        if not len(candidates) or not len(self.home):
            return result
        ring = candidates[np.argsort(self.people.shuffle[candidates], kind="stable")]
        begin = hash_numbers(self.names, f"{field}:{self.kind}"[:16]) % len(ring)
        for step in range(min(TRIES, len(ring))):
            donor = ring[(begin + step) % len(ring)]
            take = (result < 0) & fits(donor)
            result[take] = donor[take]
            if bool((result >= 0).all()):
                break
        return result
