"""Cleaning whole columns with pandas: text in, text or nothing out."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from pipelines.settings import load_settings

NO_NAMES = (
    "UNKNOWN",
    "NOT KNOWN",
    "NK",
    "NONE",
    "N A",
    "NO NAME",
    "UNNAMED",
    "BABY",
    "INFANT",
    "TWIN",
    "UNBORN",
    "XX",
)
NO_BIRTHDAYS = pd.to_datetime(["1900-01-01", "1901-01-01", "1970-01-01"])
NO_NUMBERS = ("000000/00Z", "UNKNOWN", "NOT KNOWN", "NONE", "NULL", "N/A")
NO_PHONES = r"(\d)\1{6,}|1234567"
NO_EMAILS = (
    "none@none.com",
    "noemail@noemail.com",
    "no@email.com",
    "test@test.com",
    "na@na.com",
    "email@email.com",
)
NO_FIXED_ABODE = "ZZ99"
POSTCODE = r"^([A-Z]{1,2}[0-9][0-9A-Z]?)([0-9][A-Z]{2})$"


def text(column: pd.Series) -> pd.Series:
    """Return the text without spaces around it; nothing for nothing but spaces."""
    stripped = column.str.strip()
    return stripped.where(stripped != "")


def name(column: pd.Series) -> pd.Series:
    """Return a name in plain capitals: no accents, apostrophes closed up, any other sign a space."""
    plain = column.str.normalize("NFKD").str.encode("ascii", "ignore").str.decode("ascii").str.upper()
    plain = plain.str.replace("'", "", regex=False).str.replace(r"[^A-Z]+", " ", regex=True)
    return text(plain)


def no_name(column: pd.Series) -> pd.Series:
    """Return whether a cleaned name is none."""
    return column.isin(NO_NAMES) | column.str.startswith("BABY ", na=False)


def date(column: pd.Series, form: str) -> pd.Series:
    """Return the dates in the declared format; nothing for any other."""
    return pd.to_datetime(text(column), format=form, errors="coerce")


def digits(column: pd.Series) -> pd.Series:
    """Return the digits only."""
    return text(column.str.replace(r"\D", "", regex=True))


def nhs_holds(column: pd.Series) -> pd.Series:
    """Return whether ten digits carry the right check digit and are not all the same."""
    ten = column.str.fullmatch(r"\d{10}", na=False)
    together = "".join(column[ten]).encode()
    figures = (np.frombuffer(together, dtype=np.uint8).reshape(-1, 10) - ord("0")).astype(np.int64)
    check = 11 - (figures[:, :9] * np.arange(10, 1, -1)).sum(axis=1) % 11
    holds = np.where(check == 11, 0, check) == figures[:, 9]
    holds &= (figures != figures[:, :1]).any(axis=1)
    result = pd.Series(False, index=column.index)
    result[ten] = holds
    return result


def postcode(column: pd.Series) -> pd.DataFrame:
    """Return outward part, whole postcode and what was found, of each."""
    packed = text(column.str.upper().str.replace(r"[^A-Z0-9]", "", regex=True))
    parts = packed.str.extract(POSTCODE)
    status = pd.Series("VALID_FORMAT", index=column.index)
    status[parts[0].isna()] = "INVALID"
    status[packed.isna()] = "MISSING"
    status[parts[0] == NO_FIXED_ABODE] = "PSEUDO"
    good = status == "VALID_FORMAT"
    return pd.DataFrame(
        {
            "outward": parts[0].where(good),
            "postcode": (parts[0] + " " + parts[1]).where(good),
            "postcode_status": status,
        }
    )


def phone(column: pd.Series) -> pd.Series:
    """Return British numbers as +44...; nothing for what is none."""
    number = digits(column).str.replace(r"^(?:0044|44)", "0", regex=True)
    good = number.str.fullmatch(r"0\d{9,10}", na=False) & ~number.str.contains(
        NO_PHONES, regex=True, na=False
    )
    return ("+44" + number.str[1:]).where(good)


def email(column: pd.Series) -> pd.Series:
    """Return e-mail addresses in small letters; nothing for what is none."""
    address = text(column).str.lower()
    good = address.str.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", na=False) & ~address.isin(NO_EMAILS)
    return address.where(good)


@cache
def codes(name_of_list: str, scheme: str) -> dict[str, str]:
    """Return a code list's map from the agency's code to ours."""
    path = load_settings().schemas_dir / "codes" / f"{name_of_list}.csv"
    listed = pd.read_csv(path, dtype=str, keep_default_na=False)
    listed = listed[listed["scheme"] == scheme]
    return dict(zip(listed["code"].str.upper(), listed["value"], strict=True))


def mapped(column: pd.Series, name_of_list: str, scheme: str, default: str) -> pd.Series:
    """Return our code for each of the agency's."""
    return column.str.strip().str.upper().map(codes(name_of_list, scheme)).fillna(default)
