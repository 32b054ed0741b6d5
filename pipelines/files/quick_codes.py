"""Dates of birth, sex, identifiers and a file's own fields by the rules of `normalise`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts.codes import load_terms
from pipelines.files.quick_values import Outcome, Text
from pipelines.normalise.dates import normalise_date_of_birth, parse_date
from pipelines.normalise.identifiers import normalise_identifier
from pipelines.normalise.text import compact, fold

AMBIGUOUS = "AMBIGUOUS_DATE"
KNOWN_TYPES: Mapping[str, str] = {
    "nhs_number": "NHS", "nhs": "NHS", "upn": "UPN", "upn_former": "UPN_FORMER", "uln": "ULN", "pnc": "PNC",
    "pnc_number": "PNC", "cro": "CRO", "cro_number": "CRO", "nino": "NINO",
    "national_insurance_number": "NINO", "driver_number": "DRIVER", "driving_licence": "DRIVER",
}  # fmt: skip
_SEXES = {
    **dict.fromkeys(("M", "MALE", "1", "MAN", "BOY"), "M"),
    **dict.fromkeys(("F", "FEMALE", "2", "WOMAN", "GIRL"), "F"),
}
# What is said in place of a code, and so is nothing that could not be read.
_NOT_STATED = frozenset({"U", "UN", "9", "0", "I", "X"})
_PLAIN_TEXT = r"^[ !-&(-_a-~]*$"
_NULL = pa.scalar(None, pa.string())


def births(distinct: Text, formats: Sequence[str], today: date) -> Outcome:
    """Return dates of birth as date, precision, and first and last day that they can mean.

    A date in the future is none, and neither is one of those that systems fill in. How long ago it was is no
    matter here: a file may be about people of another century.
    """
    rows = [_birth(value, tuple(formats), today) for value in distinct.to_pylist()]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 5
    types = (pa.date32(), pa.string(), pa.date32(), pa.date32(), pa.string())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    names = ("date_of_birth", "precision", "earliest", "latest")
    return Outcome(dict(zip(names, arrays, strict=False)), arrays[-1])


_Birth = tuple[date | None, str | None, date | None, date | None, str | None]


def _birth(raw: str | None, formats: tuple[str, ...], today: date) -> _Birth:
    if not raw or fold(raw) in load_terms("missing_values"):
        return None, None, None, None, None
    clash = _clash(raw, formats)
    if clash:
        return None, None, None, None, f"{AMBIGUOUS}:{clash[0]} and {clash[1]}"
    value = parse_date(raw, formats).value
    reference = min(value, today) if value else today
    found = normalise_date_of_birth(raw, formats, reference=reference)
    if found.earliest is None:
        return None, None, None, None, f"DATE_{(found.problem or 'unreadable_date').upper()}"
    return found.value, found.precision, found.earliest, found.latest, None


def _clash(raw: str, formats: Sequence[str]) -> tuple[str, str] | None:
    """Return two formats that read a text as two different dates; None when there are none."""
    if len(formats) < 2:
        return None
    read: dict[date, str] = {}
    for each in formats:
        value = parse_date(raw, each).value
        if value is not None:
            read.setdefault(value, each)
    first, second = [*read.values(), "", ""][:2]
    return (first, second) if second else None


def sexes(distinct: Text, values: Mapping[str, str] | None) -> Outcome:
    """Return M or F by the mapping's own codes, or by the usual ones."""
    known = {fold(code): ours for code, ours in values.items()} if values is not None else _SEXES
    texts = [fold(value) for value in distinct.to_pylist()]
    nothing = load_terms("missing_values") | {""} | (_NOT_STATED if values is None else frozenset())
    rules = [None if text in known or text in nothing else "SEX_UNMAPPED" for text in texts]
    return Outcome(
        {"sex": pa.array([known.get(text) for text in texts], pa.string())}, pa.array(rules, pa.string())
    )


def identifiers(raw: Text, name: str, reference_year: int, allow_synthetic: bool) -> Outcome:
    """Return identifiers with type and status: of a known type by its rules, any other only tidied and VALID."""
    if name not in KNOWN_TYPES:
        return _own_identifiers(raw, name.upper())
    judge = partial(
        normalise_identifier,
        KNOWN_TYPES[name],
        reference_year=reference_year,
        allow_synthetic=allow_synthetic,
    )
    found = [judge(value) for value in raw.to_pylist()]
    rules = [
        f"IDENTIFIER_{each.status}" if each.value is None and each.status != "UNKNOWN" else None
        for each in found
    ]
    return Outcome(
        {
            "identifier_type": pa.array([each.identifier_type for each in found], pa.string()),
            "value": pa.array([each.value for each in found], pa.string()),
            "status": pa.array([each.status for each in found], pa.string()),
        },
        pa.array(rules, pa.string()),
    )


def _own_identifiers(raw: Text, identifier_type: str) -> Outcome:
    """Return identifiers of a type that has no rules here: without spaces, hyphens and dots, fillers left out."""
    text = pc.ascii_upper(pc.replace_substring_regex(raw, r"[\s\-.]+", ""))
    plain = pc.and_(
        pc.match_substring_regex(raw, r"^[A-Za-z0-9\s\-]+$"),
        pc.invert(pc.is_in(text, value_set=pa.array(sorted(load_terms("missing_values"))))),
    )
    plain = pc.fill_null(plain, False)
    open_rows = pc.and_(pc.is_valid(raw), pc.invert(plain))
    rest = [_unless_missing(compact(each)) for each in raw.filter(open_rows).to_pylist()]
    value = pc.replace_with_mask(pc.if_else(plain, text, _NULL), open_rows, pa.array(rest, pa.string()))
    filler = pc.fill_null(pc.match_substring_regex(value, _one_character_repeated()), False)
    rule = pc.if_else(filler, pa.scalar("IDENTIFIER_PLACEHOLDER"), _NULL)
    value = pc.if_else(pc.or_(filler, pc.fill_null(pc.equal(value, ""), False)), _NULL, value)
    constants = {"identifier_type": identifier_type, "status": "VALID"}
    return Outcome(
        {"value": value, **{key: pa.repeat(pa.scalar(text), len(raw)) for key, text in constants.items()}},
        rule,
    )


def _one_character_repeated() -> str:
    """Return a pattern for 0000, 9999, XXXX: what forms are filled with."""
    return "^(?:" + "|".join(f"{each}{{2,}}" for each in "0123456789X") + ")$"


def extras(raw: Text) -> Outcome:
    """Return the values of a file's own field as folded text."""
    plain = pc.match_substring_regex(raw, _PLAIN_TEXT)
    text = pc.utf8_trim_whitespace(pc.replace_substring_regex(pc.ascii_upper(raw), r"\s+", " "))
    missing = pc.is_in(text, value_set=pa.array(["", *sorted(load_terms("missing_values"))]))
    kept = pc.fill_null(pc.and_(plain, pc.invert(missing)), False)
    open_rows = pc.fill_null(pc.invert(plain), False)
    rest = pa.array([_unless_missing(fold(each)) for each in raw.filter(open_rows).to_pylist()], pa.string())
    value = pc.replace_with_mask(pc.if_else(kept, text, _NULL), open_rows, rest)
    return Outcome({"value": value}, pa.nulls(len(raw), pa.string()))


def _unless_missing(text: str) -> str | None:
    return text if text and text not in load_terms("missing_values") else None
