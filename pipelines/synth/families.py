"""Families: parents, children, twins and namesakes, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.synth.dice import Dice, Weighted
from pipelines.synth.identities import Registry
from pipelines.synth.names import Tradition, load_traditions
from pipelines.synth.people import Household, Person
from pipelines.synth.places import Region
from pipelines.synth.profiles import Profile

CHILDREN = Weighted({1: 0.4, 2: 0.36, 3: 0.15, 4: 0.06, 5: 0.03})
DAYS_BETWEEN_BIRTHS = 300
TRIES = 20
MIXED_ETHNICITY = {"caribbean": "M1", "african_christian": "M2", "african_muslim": "M2", "arabic": "M9"}
ASIAN = ("south_asian_muslim", "indian", "chinese", "vietnamese")


@dataclass(slots=True)
class Builder:
    """Makes the people of one chunk, relative by relative."""

    dice: Dice
    registry: Registry
    region: Region
    rates: Profile
    reference: date
    counter: int

    def tradition(self, name: str) -> Tradition:
        """Return the tradition of that name."""
        return next(each for each in load_traditions().values if each.name == name)

    def person(self, household: Household, role: str, sex: str, born: date, tradition: Tradition) -> Person:
        """Return a new person of the household, named but without a family name."""
        self.counter += 1
        dice = self.dice
        person = Person(
            f"T{self.counter:08d}", household.household_id, role, sex, born, tradition,
            dice.draw(tradition.ethnicity), tradition.given(dice, sex, born.year), "", "",
        )  # fmt: skip
        if dice.chance(tradition.middle):
            person.middle = tradition.given(dice, sex, born.year - (25 if dice.chance(0.4) else 0))
            if person.middle == person.given:
                person.middle = ""
        prefixes, share = tradition.male_prefix
        if sex == "M" and prefixes and person.given not in prefixes and dice.chance(share):
            person.given, person.middle = dice.pick(prefixes), person.given
        household.people.append(person)
        return person

    def birthday(self, low: int, high: int) -> date:
        """Return a birth date of someone aged `low` to `high` at the reference date."""
        days = self.dice.between(low * 365 + low // 4 + 1, (high + 1) * 365 + high // 4 - 1)
        return self.reference - timedelta(days=days)

    def adult(
        self, household: Household, role: str, sex: str, ages: tuple[int, int], tradition: Tradition
    ) -> Person:
        """Return an adult with a family name of their own."""
        person = self.person(household, role, sex, self.birthday(*ages), tradition)
        person.family = self._family_name(tradition, sex)
        return person

    def _family_name(self, tradition: Tradition, sex: str) -> str:
        dice = self.dice
        if tradition.sikh and dice.chance(tradition.sikh):
            return "Kaur" if sex == "F" else "Singh"
        names, share = tradition.female_family
        if sex == "F" and names and dice.chance(share):
            return dice.pick(names)
        return tradition.family_for(tradition.new_family(dice), sex)

    def marry(self, wife: Person, husband: Person) -> None:
        """Give the wife her husband's name, where her tradition does so, and keep her own as the former one."""
        wife.is_married = husband.is_married = True
        if husband.family in {"Singh", "Kaur"}:
            return
        if self.dice.chance(wife.tradition.wife_takes_name):
            wife.former_family = wife.family
            wife.family = wife.tradition.family_for(husband.family, "F")
            if self.dice.chance(0.03):
                wife.family = f"{wife.former_family}-{husband.family}"

    def children(
        self, household: Household, mother: Person, father: Person | None, family: str
    ) -> list[Person]:
        """Return the children of a mother, with twins and namesakes of the father among them."""
        made: list[Person] = []
        oldest = min(24, max(0, mother.age(self.reference) - 17))
        tradition = father.tradition if father and self.dice.chance(0.6) else mother.tradition
        wanted = self.dice.draw(CHILDREN)
        while len(made) < wanted:
            born = self._spaced_birthday(min(oldest, 17 if self.dice.chance(0.9) else 24), made)
            count = 2 if self.dice.chance(self.rates["twins"]) else 1
            for order in range(count):
                child = self._child(household, (mother, father), born, tradition, family)
                child.birth_order = order + 1 if count > 1 else 0
                made.append(child)
        if father:
            self._namesake(father, made)
        self._rename_equal_siblings(made)
        self._expect(household, mother, tradition, family)
        return made

    def _spaced_birthday(self, oldest: int, siblings: list[Person]) -> date:
        """Return a birth date that a mother of these children can have had, after a few tries."""
        born = self.birthday(0, oldest)
        for _ in range(TRIES):
            if all(abs((born - sibling.born).days) > DAYS_BETWEEN_BIRTHS for sibling in siblings):
                break
            born = self.birthday(0, oldest)
        return born

    def _child(
        self,
        household: Household,
        parents: tuple[Person, Person | None],
        born: date,
        tradition: Tradition,
        family: str,
    ) -> Person:
        sex = "M" if self.dice.chance(0.512) else "F"
        child = self.person(household, "child", sex, born, tradition)
        child.mother = parents[0]
        child.family = tradition.family_for(family, sex)
        if family in {"Singh", "Kaur"}:
            child.family = "Kaur" if sex == "F" else "Singh"
        father = parents[1]
        child.other_family = parents[0].family if father else parents[0].former_family
        child.ethnicity = _child_ethnicity(parents[0], father)
        return child

    def _namesake(self, father: Person, children: list[Person]) -> None:
        """Name a son after his father, sometimes with the suffix that tells them apart."""
        sons = [child for child in children if child.sex == "M" and not child.birth_order]
        if sons and self.dice.chance(self.rates["namesake_son"]):
            sons[0].given = father.given
            sons[0].family = father.family
            if self.dice.chance(0.3):
                sons[0].middle = father.middle
            if self.dice.chance(0.15):
                sons[0].suffix = "Jnr"

    def _rename_equal_siblings(self, children: list[Person]) -> None:
        """Give another name to a child whose name an older sibling already has."""
        seen: set[tuple[str, str]] = set()
        for child in children:
            tries = 0
            while (child.given, child.middle) in seen and tries < TRIES:
                child.given = child.tradition.given(self.dice, child.sex, child.born.year)
                tries += 1
            seen.add((child.given, child.middle))

    def _expect(self, household: Household, mother: Person, tradition: Tradition, family: str) -> None:
        """Add a newborn without a name, or an unborn child, to some households."""
        roll = self.dice.random()
        if roll >= self.rates["newborn"] + self.rates["unborn"] or mother.age(self.reference) > 44:
            return
        is_unborn = roll < self.rates["unborn"]
        days = -self.dice.between(5, 130) if is_unborn else self.dice.between(1, 40)
        count = 2 if self.dice.chance(self.rates["twins"]) else 1
        born = self.reference - timedelta(days=days)
        for order in range(count):
            child = self._child(household, (mother, None), born, tradition, family)
            child.is_unborn, child.is_unnamed = is_unborn, True
            child.expected = born + timedelta(days=self.dice.between(-12, 12))
            child.birth_order = order + 1 if count > 1 else 0


def _child_ethnicity(mother: Person, father: Person | None) -> str:
    """Return the group of a child of these parents: mixed where they differ."""
    if father is None or father.ethnicity[:1] == mother.ethnicity[:1]:
        return mother.ethnicity
    other = father if mother.ethnicity.startswith("W") else mother
    if other.tradition.name in ASIAN:
        return "M3"
    return MIXED_ETHNICITY.get(other.tradition.name, "M9")
