"""The corpus: every defect in every kind of file that can have it, plain and packed."""

from __future__ import annotations

from collections.abc import Iterator

from support.formats import PACKERS
from support.hostile.cases import Case, rejected
from support.hostile.defects import DEFECTS, REFUSED_PACKINGS
from support.hostile.tables import TEXT, WRITERS, sound

from pipelines.contracts.columns import Kind


def corpus() -> Iterator[Case]:
    """Yield every case; the bytes of each are made when they are asked for."""
    for name, defect in DEFECTS.items():
        for kind, outcome in defect.outcomes.items():
            for packing in ["plain"] if defect.is_large else PACKERS:
                yield Case(name, kind, packing, lambda n=name, k=kind, p=packing: made(n, k, p), outcome)
    for name, (_, rule) in REFUSED_PACKINGS.items():
        for kind in TEXT:
            yield Case(name, kind, "packed", lambda n=name, k=kind: packed(n, k), rejected(rule))


def made(defect: str, kind: Kind, packing: str) -> bytes:
    """The bytes of a defect in a kind of file, packed."""
    change = DEFECTS[defect]
    return PACKERS[packing](change.content(WRITERS[kind](change.table(sound()))))


def packed(packing: str, kind: Kind) -> bytes:
    """A sound file in a packing that is refused."""
    return REFUSED_PACKINGS[packing][0](WRITERS[kind](sound()))
