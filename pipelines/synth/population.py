"""One chunk of the population through all periods: who lives, who is known where, and what changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.periods import period_end
from pipelines.synth.childrens_services import ChildrensServices
from pipelines.synth.defects import Roughener
from pipelines.synth.dice import Dice
from pipelines.synth.families import Builder
from pipelines.synth.fire_rescue import FireRescue
from pipelines.synth.health import Health
from pipelines.synth.households import new_household
from pipelines.synth.identities import Registry
from pipelines.synth.mental_health import MentalHealth
from pipelines.synth.mental_health_events import MentalHealthEvents
from pipelines.synth.people import Household, Person
from pipelines.synth.places import Region
from pipelines.synth.police import Police
from pipelines.synth.profiles import Profile, Profiles
from pipelines.synth.records import Chunk
from pipelines.synth.sightings import Eye
from pipelines.synth.social_care_events import SocialCareEvents

AGENCIES = ("childrens_services", "health", "mental_health", "police")
# A number of its own for the dice of mental health: who is known there changes nobody else's draws.
MENTAL_HEALTH_DICE = 5
NAMED_WITHIN_A_MONTH = 0.85
# A sequence of its own: the other agencies see what they saw before there was a fire service.
FIRE_DICE = 4
Maker = ChildrensServices | Health | MentalHealth | Police


@dataclass(slots=True)
class World:
    """What all chunks of a run share."""

    seed: int
    profiles: Profiles
    registry: Registry
    region: Region
    periods: Sequence[str]
    people_made: int = 0


class Simulation:
    """One chunk, built for the first period and then carried through the later ones."""

    def __init__(self, world: World, number: int, quota: int) -> None:
        self.world = world
        self.dice = Dice(world.seed, number)
        self.rates = world.profiles.population
        self.rough = Roughener(self.dice, world.profiles.defects)
        self.index = 0
        self.reference = period_end(world.periods[0])
        self.chunk = Chunk([], {agency: {} for agency in AGENCIES})
        self.childrens_services = ChildrensServices(
            self._eye(world.profiles.childrens_services), world.registry, self.rough
        )
        self.health = Health(self._eye(world.profiles.health), world.registry, self.rough)
        self.police = Police(self._eye(world.profiles.police), world.registry, self.rough)
        own = Dice(world.seed, number, MENTAL_HEALTH_DICE)
        self.mental_health = MentalHealth(
            Eye(own, world.profiles.mental_health, world.region, self.reference),
            world.registry,
            Roughener(own, world.profiles.defects),
        )
        self.mental_health_events = MentalHealthEvents(own, world.registry)
        self.social_care = SocialCareEvents(self.dice, world.registry)
        of_fire = Dice(world.seed, number, FIRE_DICE)
        self.fire_rescue = FireRescue(
            Eye(of_fire, world.profiles.fire_rescue, world.region, self.reference),
            world.registry,
            Roughener(of_fire, world.profiles.defects),
        )
        self._populate(quota)

    def _eye(self, rates: Profile) -> Eye:
        return Eye(self.dice, rates, self.world.region, self.reference)

    def people(self) -> Iterator[Person]:
        """Return everyone of the chunk, the sealed identities of adopted children among them."""
        for household in self.chunk.households:
            yield from household.people
            yield from household.adopted

    def _populate(self, quota: int) -> None:
        """Make households until the chunk has its people, and the records about them."""
        world = self.world
        builder = Builder(
            self.dice, world.registry, world.region, self.rates, self.reference, world.people_made
        )
        while builder.counter < world.people_made + quota:
            household = new_household(builder)
            surplus = builder.counter - world.people_made - quota
            if surplus > 0:
                del household.people[-surplus:]
                present = {person.true_id for person in household.people}
                household.adopted = [old for old in household.adopted if old.true_id in present]
            self.chunk.households.append(household)
            if len(world.periods) > 1 and self.dice.chance(self.rates["appeared"]):
                for person in household.people:
                    person.appears = self.dice.between(1, len(world.periods) - 1)
        world.people_made += quota
        for household in self.chunk.households:
            for person in (*household.people, *household.adopted):
                self._introduce(person, household, 0)

    def _introduce(self, person: Person, household: Household, index: int) -> None:
        """Let the agencies that know the person from this period on make their records."""
        if person.appears != index:
            return
        if person.is_unborn:
            if household.in_social_care:
                self._meet_childrens_services(person)
            else:
                person.appears = index + 1
            return
        known = [self._in_social_care(person, household), self._in_police(person, household)]
        in_health = person.is_sealed or self.dice.chance(self.rates["known_health"])
        if known[0]:
            self._meet_childrens_services(person)
            if self.dice.chance(self.world.profiles.childrens_services["second_record"]):
                self._meet_childrens_services(person)
        if known[1]:
            self._arrest(person)
            self._meet("police", person, self.dice.draw(self.police.eye.rates.records_per_head))
        if in_health or not any(known):
            self._meet("health", person, self.dice.draw(self.health.eye.rates.records_per_head))
        if self.mental_health.knows(person):
            eye = self.mental_health.eye
            self._meet("mental_health", person, eye.dice.draw(eye.rates.records_per_head))

    def _in_social_care(self, person: Person, household: Household) -> bool:
        if person.is_sealed:
            return True
        if not household.in_social_care:
            return False
        rate = "known_cs_child" if person.role == "child" else "known_cs_parent"
        return self.dice.chance(self.rates[rate])

    def _in_police(self, person: Person, household: Household) -> bool:
        age = person.age(self.reference)
        if person.is_sealed or age < 0 or person.is_unnamed:
            return False
        if age < 10:
            rate = self.rates["known_police_under_10"]
        elif age < 18:
            rate = self.rates["known_police_10_to_17"]
        else:
            rate = self.rates["known_police_18_to_44" if age < 45 else "known_police_45_up"]
        return self.dice.chance(rate * household.police_factor)

    def _arrest(self, person: Person) -> None:
        """Give a PNC id, and mostly a CRO number, to those who were once arrested."""
        age = person.age(self.reference)
        if age < 10:
            return
        rate = "arrested_youth" if age < 18 else "arrested_man" if person.sex == "M" else "arrested_woman"
        if self.dice.chance(self.rates[rate]):
            year = self.dice.between(max(1995, person.born.year + 10), self.reference.year)
            person.pnc = self.world.registry.pnc(year)
            person.cro = self.world.registry.cro(person.pnc) if self.dice.chance(0.7) else ""

    def _meet(self, agency: str, person: Person, count: int) -> None:
        maker = self._maker(agency)
        records = self.chunk.records[agency].setdefault(person, [])
        records.extend(maker.meet(person) for _ in range(count))

    def _meet_childrens_services(self, person: Person) -> None:
        record = self.childrens_services.meet(person)
        self.social_care.begin(record, self.reference)
        self.chunk.records["childrens_services"].setdefault(person, []).append(record)

    def advance(self, index: int) -> None:
        """Carry the chunk into the period with that index."""
        start = self.reference + timedelta(days=1)
        self.index = index
        self.reference = period_end(self.world.periods[index])
        for agency in AGENCIES:
            self._maker(agency).eye.reference = self.reference
        self.fire_rescue.eye.reference = self.reference
        self._forget()
        for household in self.chunk.households:
            self._live(household, start)
            for person in household.people:
                self._introduce(person, household, index)
        for records in self.chunk.records["childrens_services"].values():
            for record in records:
                self.social_care.advance(record, start, self.reference)
        self._correct()

    def _forget(self) -> None:
        """Let some records vanish from the agencies' systems."""
        for agency in AGENCIES:
            rate = getattr(self.world.profiles, agency)["vanished"]
            for person, records in self.chunk.records[agency].items():
                self.chunk.records[agency][person] = [
                    record for record in records if not self.dice.chance(rate)
                ]

    def _live(self, household: Household, start: date) -> None:
        """Let a household's month pass: births, names, marriages, moves."""
        for person in household.people:
            if person.is_unborn and person.born <= self.reference:
                person.is_unborn = False
                person.nhs = self.world.registry.nhs_number()
                self._renew(person, NAMED_WITHIN_A_MONTH)
                self._meet("health", person, 1)
            elif person.is_unnamed and person.born < start and self.dice.chance(NAMED_WITHIN_A_MONTH):
                person.is_unnamed = False
                self._renew(person, NAMED_WITHIN_A_MONTH)
            elif person.died is None and self.dice.chance(self.rates["died_in_month"]):
                person.died = start + timedelta(days=self.dice.below(27))
                self._renew(person, None)
            elif self._may_marry(person) and self.dice.chance(self.rates["married"]):
                person.former_family, person.is_married = person.family, True
                person.family = person.tradition.family_for(person.tradition.new_family(self.dice), "F")
                self._renew(person, None)
        if household.kind != "no_fixed_abode" and self.dice.chance(self.rates["moved"]):
            self._move(household, start)

    def _may_marry(self, person: Person) -> bool:
        return person.sex == "F" and not person.is_married and 18 <= person.age(self.reference) < 60

    def _move(self, household: Household, start: date) -> None:
        new, when = self.world.region.vacant(), start + timedelta(days=self.dice.below(27))
        for person in household.people:
            person.addresses = [new, *person.addresses]
            for agency in AGENCIES:
                maker = self._maker(agency)
                for record in self.chunk.of(agency, person):
                    if self.dice.chance(maker.eye.rates["learns_of_change"]):
                        maker.move(record, when)

    def _maker(self, agency: str) -> Maker:
        makers: dict[str, Maker] = {
            "childrens_services": self.childrens_services,
            "health": self.health,
            "mental_health": self.mental_health,
            "police": self.police,
        }
        return makers[agency]

    def _renew(self, person: Person, chance: float | None) -> None:
        """Let the agencies that hear of a change write their records of the person afresh."""
        for agency in AGENCIES:
            maker = self._maker(agency)
            for record in self.chunk.of(agency, person):
                if self.dice.chance(maker.eye.rates["learns_of_change"] if chance is None else chance):
                    maker.renew(record)

    def _correct(self) -> None:
        """Put some records right, and open some further ones for people already known."""
        for agency in AGENCIES:
            maker = self._maker(agency)
            for person, records in self.chunk.records[agency].items():
                for record in records:
                    if self.dice.chance(maker.eye.rates["corrected"]):
                        maker.renew(record)
                if records and agency != "childrens_services" and self.dice.chance(self.rates["new_record"]):
                    records.append(maker.meet(person))
