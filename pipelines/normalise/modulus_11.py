"""The weighted sum that NHS number and unique learner number share."""

from __future__ import annotations

import re

TEN_DIGITS = re.compile(r"[0-9]{10}")
NINE_DIGITS = re.compile(r"[0-9]{9}")
_HIGHEST_WEIGHT = 10


def remainder(digits: str) -> int:
    """Return the sum of digits, weighted 10, 9, 8 ..., modulo 11."""
    return sum(int(digit) * (_HIGHEST_WEIGHT - index) for index, digit in enumerate(digits)) % 11


def is_uln_shape(ten_digits: str) -> bool:
    """Whether ten digits meet the rule of the ULN: first not zero, and remainder 10.

    An NHS number has remainder 0, so no number can be both.
    """
    if not TEN_DIGITS.fullmatch(ten_digits) or ten_digits[0] == "0":
        return False
    return remainder(ten_digits) == 10
