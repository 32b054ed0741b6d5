"""Households: which kinds there are, where they live, and the numbers their people carry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pipelines.synth.dice import Dice, Weighted
from pipelines.synth.families import Builder
from pipelines.synth.names import Tradition, load_traditions
from pipelines.synth.people import Household, Person
from pipelines.synth.places import NO_FIXED_ABODE, Address

SCHOOL_AGE = (4, 19)
HOUSEHOLD_KINDS = Weighted(
    {"couple": 0.3, "lone_parent": 0.2, "step_family": 0.08, "three_generations": 0.05, "childless": 0.1,
     "single": 0.22, "shared": 0.02, "uasc": 0.006, "no_fixed_abode": 0.012, "care": 0.012}
)  # fmt: skip
UASC_TRADITIONS = ("arabic", "african_muslim", "vietnamese")
Filler = Callable[[Builder, Household, Tradition], None]


def new_household(builder: Builder) -> Household:
    """Return the next household, complete with addresses, names and numbers."""
    dice = builder.dice
    kind = dice.draw(HOUSEHOLD_KINDS)
    household = Household(f"H{builder.counter + 1:08d}", kind, [])
    tradition = dice.draw(load_traditions())
    if kind == "uasc":
        tradition = builder.tradition(dice.pick(UASC_TRADITIONS))
    FILLERS[kind](builder, household, tradition)
    _settle(builder, household)
    for person in household.people:
        _furnish(builder, person)
    _place_for_adoption(builder, household)
    _restrict(builder, household)
    _make_known(builder, household)
    return household


def _partner(builder: Builder, tradition: Tradition) -> Tradition:
    """Return the tradition of a partner: mostly the same."""
    if builder.dice.chance(builder.rates["mixed_couple"]):
        return builder.dice.draw(load_traditions())
    return tradition


def _couple(builder: Builder, household: Household, tradition: Tradition) -> None:
    mother = builder.adult(household, "mother", "F", (22, 51), tradition)
    father = builder.adult(household, "father", "M", (20, 55), _partner(builder, tradition))
    if builder.dice.chance(0.62):
        builder.marry(mother, father)
    builder.children(household, mother, father, father.family if builder.dice.chance(0.9) else mother.family)


def _lone_parent(builder: Builder, household: Household, tradition: Tradition) -> None:
    mother = builder.adult(household, "mother", "F", (20, 51), tradition)
    if builder.dice.chance(0.35):
        # Separated: back under her own name, while the children keep their father's.
        mother.former_family = builder.tradition(tradition.name).new_family(builder.dice)
    family = mother.former_family if mother.former_family and builder.dice.chance(0.7) else mother.family
    builder.children(household, mother, None, family)


def _step_family(builder: Builder, household: Household, tradition: Tradition) -> None:
    mother = builder.adult(household, "mother", "F", (27, 51), tradition)
    father = builder.adult(household, "step_father", "M", (25, 55), _partner(builder, tradition))
    earlier = tradition.new_family(builder.dice)
    children = builder.children(household, mother, None, earlier)
    for child in children:
        child.other_family = mother.family
        if builder.dice.chance(0.25):
            child.former_family = child.family
            child.family = child.tradition.family_for(father.family, child.sex)
    if builder.dice.chance(0.5):
        builder.marry(mother, father)
    if builder.dice.chance(0.4):
        builder.children(household, mother, father, father.family)


def _three_generations(builder: Builder, household: Household, tradition: Tradition) -> None:
    grandfather = builder.adult(household, "grandparent", "M", (58, 84), tradition)
    grandmother = builder.adult(household, "grandparent", "F", (55, 82), tradition)
    builder.marry(grandmother, grandfather)
    mother = builder.adult(household, "mother", "F", (22, 44), tradition)
    father = builder.adult(household, "father", "M", (22, 45), tradition)
    father.family = grandfather.family
    if builder.dice.chance(0.12):
        father.given, father.suffix = grandfather.given, "Jnr" if builder.dice.chance(0.2) else ""
    builder.marry(mother, father)
    builder.children(household, mother, father, father.family)


def _childless(builder: Builder, household: Household, tradition: Tradition) -> None:
    wife = builder.adult(household, "adult", "F", (20, 85), tradition)
    years = (max(18, wife.age(builder.reference) - 6), min(95, wife.age(builder.reference) + 9))
    husband = builder.adult(household, "adult", "M", years, _partner(builder, tradition))
    if builder.dice.chance(0.7):
        builder.marry(wife, husband)


def _single(builder: Builder, household: Household, tradition: Tradition) -> None:
    is_woman = builder.dice.chance(0.42)
    person = builder.adult(household, "adult", "F" if is_woman else "M", (18, 92), tradition)
    if is_woman and builder.dice.chance(0.4):
        person.former_family = tradition.new_family(builder.dice)


def _shared(builder: Builder, household: Household, tradition: Tradition) -> None:
    for _ in range(builder.dice.between(3, 5)):
        sex = "M" if builder.dice.chance(0.55) else "F"
        builder.adult(household, "adult", sex, (18, 35), builder.dice.draw(load_traditions()))


def _uasc(builder: Builder, household: Household, tradition: Tradition) -> None:
    sex = "M" if builder.dice.chance(0.9) else "F"
    person = builder.adult(household, "child", sex, (14, 17), tradition)
    person.is_uasc = True
    person.home_office = f"{'ABCDEFGH'[builder.dice.below(8)]}{builder.dice.between(1_000_000, 9_999_999)}"


def _no_fixed_abode(builder: Builder, household: Household, tradition: Tradition) -> None:
    builder.adult(household, "adult", "M" if builder.dice.chance(0.8) else "F", (18, 70), tradition)


def _care(builder: Builder, household: Household, tradition: Tradition) -> None:
    """A looked-after child away from the family."""
    child = builder.adult(household, "child", "M" if builder.dice.chance(0.55) else "F", (8, 17), tradition)
    child.other_family = tradition.new_family(builder.dice)


FILLERS: dict[str, Filler] = {
    "couple": _couple, "lone_parent": _lone_parent, "step_family": _step_family, "childless": _childless,
    "three_generations": _three_generations, "single": _single, "shared": _shared, "uasc": _uasc,
    "no_fixed_abode": _no_fixed_abode, "care": _care,
}  # fmt: skip


def _place_for_adoption(builder: Builder, household: Household) -> None:
    """Let a couple adopt a child: one person, an old identity that is sealed and a new one that is not."""
    is_couple = household.kind in {"couple", "childless"}
    if not is_couple or not builder.dice.chance(builder.rates["placed_for_adoption"]):
        return
    dice, adopter = builder.dice, household.people[-1 if household.kind == "childless" else 1]
    child = builder.person(
        household, "child", "M" if dice.chance(0.5) else "F", builder.birthday(1, 8), adopter.tradition
    )
    child.family = adopter.family
    child.addresses = adopter.addresses[:1]
    _furnish(builder, child)
    old = Person(
        child.true_id, f"{household.household_id}X", "child", child.sex, child.born, child.tradition,
        child.ethnicity, child.given, child.middle, child.tradition.new_family(dice),
    )  # fmt: skip
    if dice.chance(0.3):
        child.given = child.tradition.given(dice, child.sex, child.born.year)
    old.nhs, old.is_sealed = builder.registry.nhs_number(), True
    # A pupil number that follows the child into the new identity is the trap: it must not join the two.
    old.upn = child.upn if dice.chance(0.4) else ""
    old.upn_unknown = "" if old.upn else "UN1"
    old.addresses = [builder.region.dwelling(dice)]
    household.adopted.append(old)


def _restrict(builder: Builder, household: Household) -> None:
    """Mark a household, or the mother and children of it, as restricted (S-flag)."""
    if builder.dice.chance(builder.rates["restricted"]):
        for person in household.people:
            person.is_restricted = person.role in {"mother", "child", "adult"}


def _make_known(builder: Builder, household: Household) -> None:
    """Set how far children's services and the police have to do with the household."""
    dice = builder.dice
    has_children = any(person.role == "child" for person in household.people)
    household.in_social_care = has_children and (
        household.kind in {"uasc", "care"} or dice.chance(builder.rates["known_social_care"])
    )
    household.police_factor = 0.65 + 0.7 * dice.random() + (0.25 if household.in_social_care else 0.0)


def _settle(builder: Builder, household: Household) -> None:
    """Give everyone addresses: the present one first, then where they lived before."""
    dice = builder.dice
    if household.kind == "no_fixed_abode":
        shared: list[Address] = [NO_FIXED_ABODE]
    elif household.kind in {"uasc", "care"} and dice.chance(0.8):
        shared = [builder.region.hostel(dice)]
    else:
        shared = [builder.region.vacant()]
    shared += [builder.region.dwelling(dice) for _ in range(dice.between(1, 3))]
    for person in household.people:
        age = person.age(builder.reference)
        known = shared[: 1 + min(len(shared) - 1, 1 + age // 6)] if age >= 2 else shared[:1]
        person.addresses = list(known)
        if person.role != "child":
            person.addresses += [builder.region.dwelling(dice) for _ in range(dice.between(1, 2))]
    landline = builder.registry.landline() if dice.chance(0.45) and household.kind != "no_fixed_abode" else ""
    for person in household.people:
        person.landline = landline


def _furnish(builder: Builder, person: Person) -> None:
    """Give the numbers and contacts that the person's age allows."""
    dice, registry, age = builder.dice, builder.registry, person.age(builder.reference)
    if not person.is_unborn:
        person.nhs = registry.nhs_number()
        if dice.chance(builder.rates["nhs_superseded"]):
            person.former_nhs = registry.nhs_number()
    if SCHOOL_AGE[0] <= age < SCHOOL_AGE[1] and person.role == "child":
        person.upn = registry.upn(person.born.year + 4)
    elif person.role == "child":
        person.upn_unknown = "UN1" if age < SCHOOL_AGE[0] else ""
    if age >= 12 and dice.chance(0.16):
        person.mobile = registry.mobile()
    if age >= 15 and dice.chance(0.35):
        person.email = _email(person, dice)
    if age >= 16:
        person.nino = registry.nino() if dice.chance(0.9) else ""
    if dice.chance(builder.rates["died"] * (0.2 if age < 40 else 2.0)) and age > 0:
        person.died = builder.reference - timedelta(days=dice.between(3, min(900, age * 365 - 1)))


def _email(person: Person, dice: Dice) -> str:
    """Return an address at a domain that is reserved for examples."""
    letters = [
        "".join(letter for letter in part.lower() if letter.isascii() and letter.isalnum()) or "x"
        for part in (person.given, person.family)
    ]
    domain = dice.pick(("example.org", "example.com"))
    return f"{letters[0]}.{letters[1]}{person.born.year % 100 if dice.chance(0.5) else dice.below(1000)}@{domain}"
