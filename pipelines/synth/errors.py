"""How a true value becomes the one in a file: slips of the keyboard, of the ear and of the clerk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from anyascii import anyascii

from pipelines.synth.dice import Dice
from pipelines.synth.names import Variants

NAME_LIMIT = 35  # PDS, NHS Wales and the police name fields all stop here
DEFAULT_DATES = (date(1900, 1, 1), date(1970, 1, 1))
_NEIGHBOURS = {
    "a": "sqz", "b": "vgn", "c": "xvd", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy", "i": "uok",
    "j": "hku", "k": "jli", "l": "kop", "m": "nj", "n": "bmh", "o": "ipl", "p": "ol", "q": "wa", "r": "etf",
    "s": "adw", "t": "ryg", "u": "yij", "v": "cbf", "w": "qes", "x": "zcs", "y": "tuh", "z": "xa",
}  # fmt: skip
_SOUNDS = (
    ("ph", "f"), ("ck", "k"), ("ee", "ea"), ("ea", "ee"), ("ie", "y"), ("y", "ie"), ("ou", "oo"), ("c", "k"),
    ("th", "t"), ("ll", "l"), ("nn", "n"), ("tt", "t"), ("ss", "s"), ("ei", "ie"), ("ai", "ay"), ("z", "s"),
    ("w", "v"), ("h", ""), ("kh", "k"), ("q", "k"), ("oo", "u"), ("u", "oo"), ("e", "i"), ("a", "e"), ("o", "u"),
)  # fmt: skip


def typo(text: str, dice: Dice) -> str:
    """Return the text with one slip: a letter left out, doubled, mistyped or transposed with the next."""
    if len(text) < 3:
        return text
    place = dice.between(1, len(text) - 1)
    return dice.pick(_SLIPS)(text, place, dice)


def _omit(text: str, place: int, dice: Dice) -> str:
    return text[:place] + text[place + 1 :]


def _double(text: str, place: int, dice: Dice) -> str:
    return text[:place] + text[place] + text[place:]


def _mistype(text: str, place: int, dice: Dice) -> str:
    near = _NEIGHBOURS.get(text[place].lower())
    if near is None:
        return _omit(text, place, dice)
    letter = dice.pick(near)
    return text[:place] + (letter.upper() if text[place].isupper() else letter) + text[place + 1 :]


def _transpose(text: str, place: int, dice: Dice) -> str:
    return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :] if place > 1 else text


_SLIPS: tuple[Callable[[str, int, Dice], str], ...] = (_omit, _double, _mistype, _mistype, _transpose)


def respell(name: str, dice: Dice) -> str:
    """Return the name as someone would write it who only heard it."""
    start = dice.below(len(_SOUNDS))
    for step in range(len(_SOUNDS)):
        heard, written = _SOUNDS[(start + step) % len(_SOUNDS)]
        place = name.find(heard, 1)
        if place > 0:
            return name[:place] + written + name[place + len(heard) :]
    return name


def other_spelling(name: str, variants: Variants, dice: Dice) -> str:
    """Return another known spelling of the name, or the name itself when it has none."""
    known = variants.spellings.get(name)
    return dice.pick(known) if known else name


def nickname(name: str, variants: Variants, dice: Dice) -> str:
    """Return what people call someone of that name, or the name itself when nothing is known."""
    known = variants.nicknames.get(name)
    return dice.pick(known) if known else name


def drop_hyphen(name: str, dice: Dice) -> str:
    """Return a double name with a space for the hyphen, run together, or with one half missing."""
    roll = dice.random()
    if roll < 0.5:
        return name.replace("-", " ")
    if roll < 0.6:
        return name.replace("-", "")
    halves = name.split("-")
    return halves[0] if roll < 0.75 else halves[-1]


def swap_day_and_month(born: date) -> date:
    """Return the date with day and month exchanged, where that is a date."""
    return date(born.year, born.day, born.month) if born.day <= 12 else born


def mistype_date(born: date, dice: Dice) -> date:
    """Return the date with one part wrong by a slip: year, month, day, or a decade."""
    roll = dice.random()
    if roll < 0.3:
        return _with_year(born, born.year + (1 if dice.chance(0.5) else -1))
    if roll < 0.4:
        return _with_year(born, born.year - 10 if born.year > 2010 else born.year + 10)
    if roll < 0.65:
        month = born.month % 12 + 1 if dice.chance(0.5) else (born.month - 2) % 12 + 1
        return date(born.year, month, min(born.day, 28))
    day = born.day + (1 if dice.chance(0.5) else -1) if dice.chance(0.6) else born.day + dice.pick((10, -10))
    return date(born.year, born.month, min(max(day, 1), 28)) if day != born.day else born


def _with_year(born: date, year: int) -> date:
    return date(year, born.month, min(born.day, 28) if born.month == 2 else born.day)


def false_date(born: date, dice: Dice) -> date:
    """Return a birth date made up on the spot: the age about right, the day not."""
    return born + timedelta(days=dice.between(-900, 900))


def mistype_digit(number: str, dice: Dice) -> str:
    """Return the number with one digit wrong, which a check digit would catch, or two transposed."""
    place = dice.between(1, len(number) - 2)  # the leading 9 stays, so that no number is ever a real one
    if number[place] != number[place + 1] and dice.chance(0.5):
        return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    return f"{number[:place]}{(int(number[place]) + dice.between(1, 9)) % 10}{number[place + 1 :]}"


def mistype_postcode(postcode: str, dice: Dice) -> str:
    """Return the postcode with O for 0, I for 1, or one wrong letter at its end."""
    roll = dice.random()
    if roll < 0.3 and "0" in postcode:
        return postcode.replace("0", "O", 1)
    if roll < 0.5 and "1" in postcode:
        return postcode.replace("1", "I", 1)
    return postcode[:-1] + dice.pick("ABDEFGHJLNPQRSTUWXYZ")


def fold(text: str) -> str:
    """Return the text in ASCII, transliterated."""
    return text if text.isascii() else anyascii(text)


def encodable(text: str, encoding: str) -> str:
    """Return the text with whatever the encoding cannot carry transliterated, letter by letter."""
    if text.isascii():
        return text
    return "".join(letter if _fits(letter, encoding) else anyascii(letter) for letter in text)


def _fits(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
