"""A synthetic population with many twins and every ethnic group well filled, and who in it is kin to whom."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

from benchmarks.accuracy.synthetic import PERIOD, Population, read_population
from pipelines.contracts.codes import load_code_map
from pipelines.synth.dice import Dice
from pipelines.synth.emit import emit_period
from pipelines.synth.identities import Registry
from pipelines.synth.people import Household, Person
from pipelines.synth.places import Region
from pipelines.synth.population import AGENCIES, Simulation, World
from pipelines.synth.profiles import Profile, Profiles, load_profiles
from pipelines.synth.writer import PeriodFiles

PEOPLE_PER_CHUNK = 5_000
TWINS = 0.12
# Of the households with nobody of another group, as many are kept as leave that group no larger than it must be.
WHITE_KEPT = 0.25
WHITE = "WHITE"
GROUPS = (WHITE, "MIXED", "ASIAN", "BLACK", "OTHER")
Couple = tuple[str, str]


@dataclass
class Kinship:
    """What the generator knows about its people, by their true id: group, household, and couples of kin."""

    group: dict[str, str] = field(default_factory=dict)
    household: dict[str, str] = field(default_factory=dict)
    twins: list[Couple] = field(default_factory=list)
    siblings: list[Couple] = field(default_factory=list)


def stratified_population(people: int, seed: int) -> tuple[Population, Kinship]:
    """Return a population drawn from about `people` people, and its kinship; its files are made as ever."""
    world = World(seed, _with_twins(load_profiles()), Registry(seed), Region(people), (PERIOD,))
    kinship = Kinship()
    with tempfile.TemporaryDirectory(prefix="joinedup-strata-") as folder:
        inbox, truth = Path(folder) / "inbox", Path(folder) / "truth"
        with PeriodFiles(inbox, truth, PERIOD) as files:
            for number in range(-(-people // PEOPLE_PER_CHUNK)):
                simulation = Simulation(world, number, PEOPLE_PER_CHUNK)
                _thin(simulation, Dice(seed, number, 1))
                for household in simulation.chunk.households:
                    _note(kinship, household)
                emit_period(simulation, files)
        return read_population("stratified", inbox, truth), kinship


def _with_twins(profiles: Profiles) -> Profiles:
    """Return the profiles with more twins; their errors and everything else stay."""
    rates = {**profiles.population, "twins": TWINS}
    return replace(profiles, population=Profile(rates, None))


def _thin(simulation: Simulation, dice: Dice) -> None:
    """Leave out most households of the largest group, with their records."""
    chunk = simulation.chunk
    chunk.households = [each for each in chunk.households if _is_wanted(each) or dice.chance(WHITE_KEPT)]
    kept = set(simulation.people())
    for agency in AGENCIES:
        records = chunk.records[agency]
        chunk.records[agency] = {person: records[person] for person in records if person in kept}


def _is_wanted(household: Household) -> bool:
    return any(group_of(person) != WHITE or person.birth_order for person in household.people)


def group_of(person: Person) -> str:
    """Return the broad ethnic group of a person; `NOT_STATED` where the population does not say."""
    return load_code_map("ethnicity_5", "canon")[person.ethnicity]


def _note(kinship: Kinship, household: Household) -> None:
    """Add a household: an adopted child's former identity is the child, so it is not noted again."""
    for person in household.people:
        kinship.group[person.true_id] = group_of(person)
        kinship.household[person.true_id] = household.household_id
    for first, second in _children_of_one_mother(household):
        are_twins = first.born == second.born and first.birth_order and second.birth_order
        (kinship.twins if are_twins else kinship.siblings).append((first.true_id, second.true_id))


def _children_of_one_mother(household: Household) -> Iterator[tuple[Person, Person]]:
    of_mother: defaultdict[str, list[Person]] = defaultdict(list)
    for person in household.people:
        if person.mother is not None and not person.is_unborn:
            of_mother[person.mother.true_id].append(person)
    for children in of_mother.values():
        yield from combinations(children, 2)
