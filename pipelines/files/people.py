"""The tables of linking made from one source's columns: names, births, identifiers, addresses, contacts, extras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.files.columns import Applied, Rule, apply_rule, constant, per_value, present, rows_of
from pipelines.files.mapping import FieldMapping, SourceMapping
from pipelines.files.quick_codes import extras, identifiers, sexes
from pipelines.files.quick_names import Name, family_name, full_names, given_name, middle_names
from pipelines.files.quick_places import address_lines, postcodes
from pipelines.files.quick_values import emails, phones
from pipelines.files.read import RawSource

# The form is right; whether ONS lists a postcode makes no difference to linking.
POSTCODE_STATUS = "VALID_FORMAT"


@dataclass(frozen=True)
class Today:
    """What outcomes depend on besides the files: the day of the run, and whether test identifiers count."""

    day: date
    allow_synthetic: bool


@dataclass
class SourceColumns:
    """The columns of one source, with the rules that its values broke, by column and rule."""

    raw: RawSource
    mapping: SourceMapping
    today: Today
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)

    def apply(self, column: str, rule: Rule, *, repeats: bool = False) -> Applied:
        """Return the outcome of a rule for a column, counting what broke it; after its last use it is let go."""
        applied = apply_rule(self.raw.columns[column], rule, repeats=repeats)
        for name, count in applied.broken.items():
            self.broken[column, name] += count
        self.let_go(column)
        return applied

    def let_go(self, column: str | None) -> None:
        """Note one use of a column, and forget its values when it was the last."""
        if column is not None:
            self.used[column] += 1
            if self.used[column] == self.mapping.uses()[column]:
                del self.raw.columns[column]

    def mapped(self, name: str) -> tuple[str, ...]:
        """Return the columns of a field; none when the mapping does not have it."""
        found = self.mapping.fields.get(name)
        return found.column if found else ()

    @property
    def positions(self) -> npt.NDArray[np.int32]:
        """The positions of the records, from 0."""
        return np.arange(self.raw.rows, dtype=np.int32)

    def rows(self, columns: Mapping[str, pa.Array], needed: tuple[str, ...]) -> pa.Table:
        """Return the rows where one of the `needed` columns has a value."""
        return rows_of(present([columns[name] for name in needed]), columns, self.positions)


def name_tables(source: SourceColumns) -> list[pa.Table]:
    """Return names as given, middle and family; further columns of a field are further names of the record."""
    given = [source.apply(column, _names(given_name)) for column in source.mapped("forename")]
    family = [source.apply(column, _names(family_name)) for column in source.mapped("surname")]
    middle = [source.apply(column, _names(middle_names)) for column in source.mapped("middle_names")]
    nothing = pa.nulls(source.raw.rows, pa.string())
    tables = []
    for at in range(max(len(given), len(family), 1)):
        first, last = _at(given, at), _at(family, at)
        middles = [first.values["middle"]] if first else []
        middles += [each.values["middle"] for each in middle]
        columns = {
            "given": first.values["given"] if first else nothing,
            "middle": join_texts(middles) if middles else nothing,
            "family": last.values["family"] if last else nothing,
        }
        own = [name for name, parts in (("given", given), ("family", family)) if at < len(parts)]
        tables.append(source.rows(columns, (*own, *(["middle"] if at == 0 else []))))
    for column in source.mapped("full_name"):
        applied = source.apply(column, _readings)
        for reading in ("first", "second"):
            columns = {part: applied.values[f"{reading}_{part}"] for part in ("given", "middle", "family")}
            tables.append(source.rows(columns, ("given", "middle", "family")))
    return tables


def _at(columns: list[Applied], at: int) -> Applied | None:
    """Return the column at this place, the last one where there are fewer; None where there is none."""
    return columns[min(at, len(columns) - 1)] if columns else None


def _names(function: Callable[[str], Name]) -> Rule:
    def parts(text: str) -> tuple[str | None, ...]:
        found = function(text)
        return found.given, found.middle, found.family, found.rule

    return per_value(parts, "given", "middle", "family")


def _full_name_parts(text: str) -> tuple[str | None, ...]:
    first, second, *_ = *full_names(text), Name(), Name()
    return (
        first.given, first.middle, first.family, second.given, second.middle, second.family, first.rule,
    )  # fmt: skip


_readings = per_value(
    _full_name_parts,
    *(f"{reading}_{part}" for reading in ("first", "second") for part in ("given", "middle", "family")),
)


def join_texts(arrays: list[pa.Array]) -> pa.Array:
    """Return the texts of several columns joined with a space, nulls left out; null where there is none."""
    filled = [array for array in arrays if array.null_count < len(array)]
    if len(filled) <= 1:
        return filled[0] if filled else arrays[0]
    texts = [array.cast(pa.string()) for array in filled]
    # Arrow 26 leaves rows out where every text is null, so none may be.
    texts[0] = pc.if_else(pa.array(present(texts)), texts[0], pc.coalesce(texts[0], pa.scalar("")))
    joined = pc.binary_join_element_wise(*texts, " ", null_handling="skip")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)


def identifier_tables(source: SourceColumns) -> list[pa.Table]:
    """Return identifiers with type and status; nothing about verification or validity is known of a file."""
    tables = []
    for name, mapped in source.mapping.of_kind("identifier.").items():
        rule = partial(
            identifiers,
            name=name,
            reference_year=source.today.day.year,
            allow_synthetic=source.today.allow_synthetic,
        )
        for column in mapped.column:
            values = source.apply(column, rule).values
            columns = {
                **{key: values[key] for key in ("identifier_type", "value", "status")},
                "verification": pa.nulls(source.raw.rows, pa.string()),
                "valid_to": pa.nulls(source.raw.rows, pa.date32()),
            }
            tables.append(source.rows(columns, ("value",)))
    return tables


def address_tables(source: SourceColumns) -> list[pa.Table]:
    """Return addresses; the first postcode belongs to the address lines, a further one is a place of its own."""
    lines = [source.apply(column, address_lines).values for column in source.mapped("address")]
    codes = [source.apply(column, postcodes, repeats=True).values for column in source.mapped("postcode")]
    nothing = pa.nulls(source.raw.rows, pa.string())
    first = codes[0] if codes else {"postcode": nothing, "outward": nothing}
    tables = []
    if lines or codes:
        number = [each["before"] for each in lines] + [each["alone"] for each in reversed(lines)]
        tables.append(
            _places(
                source,
                pc.coalesce(*[each.cast(pa.string()) for each in number]) if number else nothing,
                join_texts([each["lines"] for each in lines]) if lines else nothing,
                first,
            )
        )
    return tables + [_places(source, nothing, nothing, code) for code in codes[1:]]


def _places(
    source: SourceColumns, number: pa.Array, lines: pa.Array, code: Mapping[str, pa.Array]
) -> pa.Table:
    columns = {
        "building_number": number,
        "postcode": code["postcode"],
        "postcode_status": constant(POSTCODE_STATUS, code["postcode"]),
        "outward": code["outward"],
        "uprn": pa.nulls(source.raw.rows, pa.string()),
        "lines": lines,
    }
    return source.rows(columns, ("postcode", "lines"))


def contact_tables(source: SourceColumns) -> list[pa.Table]:
    """Return phone numbers and e-mail addresses."""
    tables = []
    kinds: tuple[tuple[str, str, Rule], ...] = (("phone", "OTHER", phones), ("email", "EMAIL", emails))
    for name, kind, rule in kinds:
        for column in source.mapped(name):
            columns = {
                "contact_type": constant(kind, source.raw.rows),
                "value": source.apply(column, rule).values["value"],
                "status": constant("VALID", source.raw.rows),
            }
            tables.append(source.rows(columns, ("value",)))
    return tables


def extra_tables(source: SourceColumns) -> list[pa.Table]:
    """Return the file's own fields as folded text."""
    tables = []
    for name, mapped in source.mapping.of_kind("extra.").items():
        columns = {
            "field": constant(name, source.raw.rows),
            "value": source.apply(mapped.column[0], extras).values["value"],
        }
        tables.append(source.rows(columns, ("value",)))
    return tables


def sex_column(source: SourceColumns) -> pa.Array:
    """Return M or F per record, null where it is not known."""
    mapped: FieldMapping | None = source.mapping.fields.get("sex")
    if mapped is None:
        return pa.nulls(source.raw.rows, pa.string())
    return source.apply(mapped.column[0], partial(sexes, values=mapped.values)).values["sex"]
