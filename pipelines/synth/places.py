"""Addresses of the fictional region: real postcodes from the ONS list, invented towns and streets."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache

from pipelines.errors import SettingsError
from pipelines.synth.dice import Dice

HOUSEHOLDS_PER_POSTCODE = 15
PLACE_SEED = 20260902
# One area first, its neighbours only when a population needs more postcodes than it has.
AREAS = (("BD", 24), ("HX", 7), ("HD", 9), ("WF", 17), ("LS", 29))
STREETS = (
    "Albert", "Alma", "Ash Grove", "Balmoral", "Bank", "Beech", "Bradfield", "Bridge", "Canal", "Carlton",
    "Castle", "Cavendish", "Cedar", "Chapel", "Church", "Clarence", "Clifton", "Corporation", "Cromwell", "Dale",
    "Devonshire", "Duke", "Elm", "Factory", "Field", "Garden", "George", "Gladstone", "Grange", "Green",
    "Hawthorn", "High", "Hill Top", "Holly", "Hope", "Jubilee", "King", "Lansdowne", "Laurel", "Lime",
    "Manor", "Mill", "Moor", "Mount", "New", "Oak", "Oxford", "Park", "Princess", "Quarry", "Queen", "Railway",
    "Rose", "Salisbury", "School", "Spring", "St John's", "St Mary's", "Station", "Sycamore", "Thornhill",
    "Union", "Victoria", "Vale", "Wellington", "West", "Willow", "Windsor", "Wood", "York",
)  # fmt: skip
KINDS = (
    ("Street", "St"), ("Road", "Rd"), ("Avenue", "Ave"), ("Close", "Cl"), ("Lane", "Ln"), ("Drive", "Dr"),
    ("Terrace", "Terr"), ("Crescent", "Cres"), ("Grove", "Gr"), ("Place", "Pl"), ("Court", "Ct"), ("Mount", "Mt"),
)  # fmt: skip
SHORT_KINDS = dict(KINDS)
TOWNS = (
    "Aldersby", "Brackenshaw", "Calderwick", "Denholm Cross", "Eastmoor", "Fellgate", "Greystone", "Harthill",
    "Ingleby Park", "Kirkstead", "Longbeck", "Millthorpe", "Netherfold", "Overdale", "Pinderby", "Ravensike",
)  # fmt: skip
COUNTY = "Northshire"
HOSTELS = (
    "Canal House",
    "St Jude's Hostel",
    "The Foyer",
    "Bridge House",
    "Hollins Children's Home",
    "Larch Court",
)


@dataclass(frozen=True, slots=True)
class Address:
    """One dwelling; `flat` and `building` may be empty."""

    flat: str
    building: str
    number: str
    street: str
    kind: str
    town: str
    postcode: str
    uprn: str
    easting: int
    northing: int
    is_nfa: bool = False

    @property
    def street_line(self) -> str:
        """The house number and the street, as written on an envelope."""
        return f"{self.number} {self.street} {self.kind}".strip()


NO_FIXED_ABODE = Address("", "", "", "", "", "", "", "", 0, 0, is_nfa=True)


@cache
def postcodes() -> tuple[str, ...]:
    """Return the region's postcodes, area by area, in a fixed random order within each area."""
    ordered: list[str] = []
    for place, (area, districts) in enumerate(AREAS):
        codes: list[str] = []
        for district in range(1, districts + 1):
            codes.extend(_outcode(f"{area}{district}"))
        ordered.extend(Dice(PLACE_SEED, place).shuffled(sorted(codes)))
    return tuple(ordered)


def _outcode(outcode: str) -> list[str]:
    """Return the postcodes of an outcode; an outcode without a list has none."""
    name = f"uk_postcodes_parsing.outcodes.{outcode.lower()}"
    try:
        incodes = importlib.import_module(name).INCODES
    except ModuleNotFoundError as error:
        if error.name != name:
            raise SettingsError("the synthetic population needs uk-postcodes-parsing") from error
        return []
    return [f"{outcode} {incode}" for incode in incodes]


class Region:
    """The dwellings of a population of a given size: about fifteen households share a postcode."""

    def __init__(self, people: int) -> None:
        codes = postcodes()
        # Three people make a household; old addresses come from the same streets.
        wanted = max(40, people // 3 // HOUSEHOLDS_PER_POSTCODE)
        self.codes = codes[: min(wanted, len(codes))]
        self._let = 0

    def vacant(self) -> Address:
        """Return a dwelling where nobody lives yet."""
        place, house = self._let % len(self.codes), self._let // len(self.codes) + 1
        self._let += 1
        return self._address(place, house, in_flats=place % 7 == 3)

    def dwelling(self, dice: Dice) -> Address:
        """Return any dwelling of the region, for someone's past: others may live there now."""
        place = dice.below(len(self.codes))
        return self._address(place, dice.between(1, HOUSEHOLDS_PER_POSTCODE + 3), in_flats=place % 7 == 3)

    def hostel(self, dice: Dice) -> Address:
        """Return one of the few buildings where many unrelated people live."""
        which = dice.below(len(HOSTELS))
        base = self._address(which * 5 % len(self.codes), 1, in_flats=False)
        room = f"Room {dice.between(1, 30)}" if dice.chance(0.5) else ""
        return Address(
            room, HOSTELS[which], base.number, base.street, base.kind, base.town, base.postcode, base.uprn,
            base.easting, base.northing,
        )  # fmt: skip

    def _address(self, place: int, house: int, in_flats: bool) -> Address:
        postcode = self.codes[place]
        street = STREETS[place * 31 % len(STREETS)]
        kind = KINDS[(place * 17 + place // len(STREETS)) % len(KINDS)][0]
        town = TOWNS[sum(map(ord, postcode.split()[0])) % len(TOWNS)]
        flat, building, number = "", "", str(house + place % 4 * 30)
        if in_flats:
            flat, building, number = (
                f"Flat {house}",
                f"{TOWNS[place % len(TOWNS)]} House",
                str(place % 90 + 1),
            )
        uprn = str(100_050_000_000 + place * 64 + house)
        easting, northing = 410_000 + place * 37 % 20_000, 425_000 + place * 91 % 20_000
        return Address(flat, building, number, street, kind, town, postcode, uprn, easting, northing)
