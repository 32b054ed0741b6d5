"""What is true about a person: the facts that agencies then see, mishear and forget."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pipelines.synth.names import Tradition
from pipelines.synth.places import Address


@dataclass(slots=True, eq=False)
class Person:
    """One identity of a real person; an adopted child has two, with the same `true_id`."""

    true_id: str
    household_id: str
    role: str
    sex: str
    born: date
    tradition: Tradition
    ethnicity: str
    given: str
    middle: str
    family: str
    former_family: str = ""
    other_family: str = ""
    suffix: str = ""
    addresses: list[Address] = field(default_factory=list)
    nhs: str = ""
    former_nhs: str = ""
    upn: str = ""
    former_upn: str = ""
    upn_unknown: str = ""
    pnc: str = ""
    cro: str = ""
    nino: str = ""
    landline: str = ""
    mobile: str = ""
    email: str = ""
    home_office: str = ""
    died: date | None = None
    expected: date | None = None
    appears: int = 0
    birth_order: int = 0
    is_uasc: bool = False
    is_unborn: bool = False
    is_unnamed: bool = False
    is_restricted: bool = False
    is_sealed: bool = False
    is_married: bool = False
    mother: Person | None = None

    @property
    def address(self) -> Address:
        """Where the person lives now."""
        return self.addresses[0]

    @property
    def is_nfa(self) -> bool:
        """Whether the person has no fixed abode."""
        return self.addresses[0].is_nfa

    def age(self, on: date) -> int:
        """Return the age in whole years on a day."""
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))


@dataclass(slots=True, eq=False)
class Household:
    """People who live together, and how likely the agencies are to know them."""

    household_id: str
    kind: str
    people: list[Person]
    in_social_care: bool = False
    police_factor: float = 1.0
    adopted: list[Person] = field(default_factory=list)
