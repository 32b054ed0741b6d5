"""National and local identifiers: unique by construction, valid check digits, nobody's real number.

NHS numbers come from the range 900 000 0000 to 999 999 9999, which is never issued. Telephone numbers come from
the ranges that Ofcom keeps free for drama. There are only 1,000 such mobiles and about 1,000 landlines in each of a
few areas, far fewer than people: a household shares one landline, and only a minority of adults has a mobile on
record, so that at 20,000 people a number is shared by one or two households at most. In larger populations the
same numbers are shared by more households and become weak evidence, as a switchboard's number would be.
"""

from __future__ import annotations

from datetime import date

from pipelines.normalise.nhs import nhs_check_digit
from pipelines.normalise.police_ids import cro_check_letter, pnc_check_letter
from pipelines.normalise.pupil_ids import upn_check_letter

UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
LOCAL_AUTHORITY = "380"
GOLDEN = 0.6180339887  # steps of this share of a space never settle into a short pattern
DRAMA_LANDLINES = (
    "01632960", "01134960", "01144960", "01154960", "01164960", "01174960", "01184960", "01214960", "01314960",
    "01414960", "01514960", "01614960", "01914980", "02079460", "02890180", "02920180",
)  # fmt: skip
_PLACEHOLDER_LIKE = frozenset({"9000000009", "9434765870", "9912003888", "9999999999"})


class Scrambler:
    """A counter whose numbers look random and never repeat within the space."""

    __slots__ = ("_add", "_count", "_multiply", "_space")

    def __init__(self, seed: int, space: int) -> None:
        """Make a counter over `space`, a power of ten, walked in steps that are coprime to ten."""
        self._space = space
        self._multiply = int(space * GOLDEN) // 10 * 10 + (3, 7, 9, 1)[seed % 4]
        self._add = (seed * 7_919 + 12_345) % space
        self._count = 0

    def next(self) -> int:
        """Return the next number."""
        value = (self._count * self._multiply + self._add) % self._space
        self._count += 1
        return value


class Registry:
    """Hands out every kind of number; one per run, drawn in the order of the chunks."""

    def __init__(self, seed: int) -> None:
        self._nhs = Scrambler(seed + 1, 10**8)
        self._upn = Scrambler(seed + 2, 10**6)
        self._pnc = Scrambler(seed + 3, 10**7)
        self._nino = Scrambler(seed + 4, 10**6)
        self._local = {
            "childrens_services": Scrambler(seed + 5, 10**7),
            "health": Scrambler(seed + 6, 10**8),
            "police": Scrambler(seed + 7, 10**8),
            "row": Scrambler(seed + 8, 10**8),
            "event": Scrambler(seed + 9, 10**8),
            "fire_rescue": Scrambler(seed + 10, 10**8),
            "fire_incident": Scrambler(seed + 11, 10**8),
            "mental_health": Scrambler(seed + 12, 10**7),
            "mental_health_event": Scrambler(seed + 13, 10**8),
        }
        self._mobiles = 0
        self._landlines = 0

    def nhs_number(self) -> str:
        """Return a valid NHS number of the synthetic range that nobody else has."""
        while True:
            nine = f"9{self._nhs.next():08d}"
            check = nhs_check_digit(nine)
            if check is not None and f"{nine}{check}" not in _PLACEHOLDER_LIKE:
                return f"{nine}{check}"

    def upn(self, year: int, *, is_temporary: bool = False) -> str:
        """Return a unique pupil number given out in that school year by a school of the authority."""
        number = self._upn.next()
        school, serial = 2000 + number // 1000, number % 1000
        body = f"{LOCAL_AUTHORITY}{school:04d}{year % 100:02d}{serial:03d}"
        if is_temporary:
            body = body[:-1] + UPN_LETTERS[number % len(UPN_LETTERS)]
        return f"{upn_check_letter(body)}{body}"

    def pnc(self, year: int) -> str:
        """Return a PNC id in its long form."""
        serial = self._pnc.next()
        return f"{year}/{serial:07d}{pnc_check_letter(f'{year % 100:02d}', f'{serial:07d}')}"

    def cro(self, pnc: str) -> str:
        """Return a CRO number that shares its year and last six digits with the PNC id."""
        year, serial = int(pnc[:4]), int(pnc[5:12]) % 1_000_000
        letter = cro_check_letter(f"{year % 100:02d}", f"{serial:06d}")
        return f"{serial:06d}/{year % 100:02d}{letter}"

    def nino(self) -> str:
        """Return a national insurance number with the prefix QQ, which is never issued."""
        return f"QQ{self._nino.next():06d}{'ABCD'[self._nino.next() % 4]}"

    def mobile(self) -> str:
        """Return a mobile number kept free for drama."""
        self._mobiles += 1
        return f"07700900{self._mobiles * 337 % 1000:03d}"

    def landline(self) -> str:
        """Return a landline number kept free for drama."""
        self._landlines += 1
        area = DRAMA_LANDLINES[self._landlines % len(DRAMA_LANDLINES)]
        return f"{area}{self._landlines // len(DRAMA_LANDLINES) * 271 % 1000:03d}"

    def local(self, kind: str) -> int:
        """Return a local number of an agency, or of a row or event, that is used once."""
        return self._local[kind].next()


def driver_number(family: str, given: str, born: date, sex: str) -> str:
    """Return a driver number in the shape of surname, birth date and initial."""
    letters = "".join(letter for letter in family.upper() if "A" <= letter <= "Z")
    month = born.month + (50 if sex == "F" else 0)
    initial = given[:1].upper() if given[:1].isascii() else "9"
    digits = f"{born.year // 10 % 10}{month:02d}{born.day:02d}{born.year % 10}"
    return f"{letters:9<5.5}{digits}{initial}9{born.day % 10}ZZ"
