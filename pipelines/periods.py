"""Reporting periods: calendar months written `YYYY-MM`, their last day, and the days counted from it."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime
from typing import Final

CADENCE: Final = "monthly"  # how often an agency delivers, where its contract does not say
PERIOD = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def require_period(period: str) -> str:
    """Return the period itself; raises ValueError when it is not a month written YYYY-MM."""
    if not PERIOD.fullmatch(period):
        raise ValueError("a period is expected as YYYY-MM")
    return period


def period_end(period: str) -> date:
    """Return the last day of the month."""
    year, month = (int(part) for part in require_period(period).split("-"))
    return date(year, month, calendar.monthrange(year, month)[1])


def day_of_next_month(period: str, day: int) -> date:
    """Return this day (1 to 28) of the month after the period: when it is due, or cut off."""
    year, month = (int(part) for part in require_period(period).split("-"))
    return date(year + month // 12, month % 12 + 1, day)


def previous_period(period: str) -> str:
    """Return the month before."""
    year, month = (int(part) for part in require_period(period).split("-"))
    return f"{year - (month == 1):04d}-{(month - 2) % 12 + 1:02d}"


def period_of(text: str, period_format: str) -> str | None:
    """Return the period that a part of a file name stands for, in a strptime format; None when it does not fit."""
    try:
        return datetime.strptime(text, period_format).strftime("%Y-%m")  # noqa: DTZ007 - only the month is kept
    except ValueError:
        return None
