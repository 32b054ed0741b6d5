"""The parameters while they are being trained, as arrays, and the classes that they describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipelines.contracts.model import LinkageModel
from pipelines.link.features import Floats
from pipelines.link.training.mixture import MixtureClass

MATCH, RANDOM, PLAIN, TWIN, NAMESAKE = "match", "random", "household", "twin", "namesake"
HOUSEHOLD_CLASSES = (PLAIN, TWIN, NAMESAKE)


@dataclass(frozen=True)
class State:
    """m and u by column, the household's own vectors by column, and priors by source pair code.

    `household` says whether the household class takes part: the model has one, and the data can support it.
    """

    m: tuple[Floats, ...]
    u: tuple[Floats, ...]
    shared: dict[int, Floats]
    birth: Floats
    twins: float
    namesakes: float
    match_prior: Floats
    household_prior: Floats
    household: bool


@dataclass(frozen=True)
class Columns:
    """Where the comparisons stand that the household class speaks about; -1 when the model has none."""

    given: int
    middle: int | None
    birth: int
    address: int
    shared: tuple[int, ...]


def household_columns(model: LinkageModel) -> Columns:
    """Return the columns of the household class."""
    home = model.household
    if home is None:
        return Columns(-1, None, -1, -1, ())
    at = {comparison.name: position for position, comparison in enumerate(model.comparisons)}
    middle = None if home.middle is None else at[home.middle]
    shared = tuple(at[name] for name in home.shared)
    return Columns(at[home.given], middle, at[home.birth], at[home.address], shared)


def starting_m(model: LinkageModel) -> tuple[Floats, ...]:
    """Return the m that the model starts from, by column."""
    return tuple(_normalised(level.m for level in comparison.levels) for comparison in model.comparisons)


def starting_u(model: LinkageModel) -> tuple[Floats, ...]:
    """Return the u that the model starts from, by column."""
    return tuple(_normalised(level.u for level in comparison.levels) for comparison in model.comparisons)


def start_state(model: LinkageModel, source_pairs: int) -> State:
    """Return the state that training starts from: the model's own m, u and shares."""
    m, u = starting_m(model), starting_u(model)
    at, home = household_columns(model), model.household
    return State(
        m=m,
        u=u,
        shared={column: m[column] for column in at.shared},
        birth=u[at.birth] if home else np.ones(1),
        twins=home.twins if home else 0.0,
        namesakes=home.namesakes if home else 0.0,
        match_prior=np.full(source_pairs, model.prior),
        household_prior=np.full(source_pairs, home.prior if home else 0.0),
        household=home is not None,
    )


def _normalised(values: Iterable[float]) -> Floats:
    vector = np.array(list(values))
    return np.asarray(vector / vector.sum())


def class_vectors(model: LinkageModel, state: State) -> dict[str, dict[int, Floats]]:
    """Return P(level | class) by column for each class."""
    classes = {MATCH: dict(enumerate(state.m)), RANDOM: dict(enumerate(state.u))}
    if not state.household:
        return classes
    at = household_columns(model)
    plain = {**classes[RANDOM], **state.shared, at.birth: state.birth}
    classes[PLAIN] = plain
    classes[TWIN] = {**plain, at.birth: state.m[at.birth]}
    classes[NAMESAKE] = {**plain, at.given: state.m[at.given]}
    if at.middle is not None:
        classes[NAMESAKE][at.middle] = state.m[at.middle]
    return classes


def class_priors(state: State) -> dict[str, Floats]:
    """Return the share of the pairs that belongs to each class, by source pair code."""
    match = state.match_prior
    if not state.household:
        return {MATCH: match, RANDOM: 1.0 - match}
    home = state.household_prior
    return {
        MATCH: match,
        RANDOM: 1.0 - match - home,
        PLAIN: home * (1.0 - state.twins - state.namesakes),
        TWIN: home * state.twins,
        NAMESAKE: home * state.namesakes,
    }


def classes_for(
    model: LinkageModel, state: State, left_out: frozenset[int], shares: dict[str, float]
) -> list[MixtureClass]:
    """Return the classes that can occur among pairs blocked on `left_out`, without those columns.

    Blocked on birth date there are no namesakes (theirs differ), and twins stand for plain members; blocked on
    given name the household holds only namesakes; blocked on both it holds nobody.
    """
    at, vectors = household_columns(model), class_vectors(model, state)
    absent = set()
    if at.birth in left_out:
        absent |= {NAMESAKE, TWIN}
    if at.given in left_out:
        absent |= {PLAIN, TWIN}
    return [
        MixtureClass(
            name, shares[name], {column: v for column, v in vector.items() if column not in left_out}
        )
        for name, vector in vectors.items()
        if name not in absent
    ]
