"""The mapping of `joinedup link`: which column of which file holds what, checked to the letter."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipelines.contracts.yaml_file import read_yaml, validate
from pipelines.errors import ContractError

FIELDS = (
    "forename", "middle_names", "surname", "full_name", "date_of_birth", "sex", "address", "postcode", "phone",
    "email",
)  # fmt: skip
OPEN_FIELDS = ("identifier.", "extra.")
ONE_COLUMN = frozenset({"date_of_birth", "sex"})
ISO_DATE = "%Y-%m-%d"
_OWN_NAME = re.compile(r"[a-z][a-z0-9_]*")

Compare = Literal["exact", "jaro_winkler", "levenshtein"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, content: Any) -> Any:
        """Refuse an unknown key with the one that it may have meant."""
        for key in content if isinstance(content, Mapping) else ():
            if key not in cls.model_fields:
                close, known = did_you_mean(str(key), cls.model_fields), ", ".join(cls.model_fields)
                raise ValueError(f"{key} is no key here{close} (expected {known})")
        return content


class FieldMapping(_Strict):
    """Where a field stands: `column` is one column or several; the options belong to the kind of the field."""

    column: tuple[str, ...] = Field(min_length=1)
    format: tuple[str, ...] = ()
    values: dict[str, Literal["M", "F"]] | None = None
    compare: Compare | None = None
    term_frequency: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, content: Any) -> Any:
        """Read a plain column, or a list of columns, as `{column: ...}`."""
        if isinstance(content, str | list):
            content = {"column": content}
        if not isinstance(content, dict):
            raise ValueError("expected a column, a list of columns, or {column: ..., ...}")
        return content

    @field_validator("column", "format", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("values", mode="before")
    @classmethod
    def _codes_as_text(cls, value: Any) -> Any:
        """Take codes that YAML reads as numbers or truth values (1, 2, N, yes) for the text they were meant as."""
        if not isinstance(value, dict):
            return value
        if any(isinstance(code, bool) for code in (*value, *value.values())):
            raise ValueError("put codes that YAML reads as yes or no in quotes")
        return {str(code): ours for code, ours in value.items()}

    @field_validator("format")
    @classmethod
    def _are_date_formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for each in formats:
            if "%Y" not in each and "%y" not in each:
                raise ValueError("expected a strptime format with a year, such as %Y-%m-%d or %d/%m/%Y")
            if "%y" in each:
                raise ValueError("a year of two digits does not say the century; give %Y")
        if len(set(formats)) != len(formats):
            raise ValueError("a format stands twice")
        return formats


class SourceMapping(_Strict):
    """One source: how its records are named, whether it holds each person once, and its fields."""

    record_id: str | None = None
    unique_people: bool = False
    fields: dict[str, FieldMapping] = Field(min_length=1)

    @field_validator("fields", mode="before")
    @classmethod
    def _known_fields(cls, content: Any) -> Any:
        if not isinstance(content, dict) or not content:
            raise ValueError("expected at least one field, such as `surname: last_name`")
        for name in content:
            _check_field_name(str(name))
        return content

    @field_validator("fields")
    @classmethod
    def _options_fit(cls, fields: dict[str, FieldMapping]) -> dict[str, FieldMapping]:
        return {name: _with_defaults(name, mapped) for name, mapped in fields.items()}

    def uses(self) -> Counter[str]:
        """Return how often the mapping names each column."""
        named = [column for mapped in self.fields.values() for column in mapped.column]
        return Counter([*([self.record_id] if self.record_id else []), *named])

    def columns(self) -> tuple[str, ...]:
        """Return every column that the mapping names, each once."""
        return tuple(self.uses())

    def of_kind(self, prefix: str) -> dict[str, FieldMapping]:
        """Return the fields whose name begins with `prefix` (`identifier.`, `extra.`), by the rest of the name."""
        return {
            name.removeprefix(prefix): mapped
            for name, mapped in self.fields.items()
            if name.startswith(prefix)
        }


class FileMapping(_Strict):
    """A mapping file: the sources by their name on the command line."""

    sources: dict[str, SourceMapping] = Field(min_length=1)

    @field_validator("sources")
    @classmethod
    def _names(cls, sources: dict[str, SourceMapping]) -> dict[str, SourceMapping]:
        for name in sources:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
                raise ValueError(f"a source's name is letters, digits, _ . or -, not {name!r}")
        return sources

    @model_validator(mode="after")
    def _extras_agree(self) -> Self:
        compared: dict[str, tuple[Compare | None, bool | None]] = {}
        for source in self.sources.values():
            for name, mapped in source.of_kind("extra.").items():
                told = (mapped.compare, mapped.term_frequency)
                if compared.setdefault(name, told) != told:
                    raise ValueError(f"extra.{name} must be compared in the same way in every source")
        return self

    def check_sources(self, file: Path, given: Collection[str]) -> None:
        """Raise ContractError unless the command line names exactly the sources of the mapping."""
        for name in given:
            if name not in self.sources:
                raise ContractError(
                    str(file), "sources", f"no source {name}, but the command line gives {name}=FILE"
                    f"{did_you_mean(name, self.sources)}"
                )  # fmt: skip
        for name in self.sources:
            if name not in given:
                raise ContractError(
                    str(file), f"sources.{name}", f"no file; add {name}=FILE to the command line"
                    f"{did_you_mean(name, given)}"
                )  # fmt: skip


def read_mapping(path: Path) -> FileMapping:
    """Return the mapping in the file at `path`.

    Raises:
        ContractError: naming the file, each wrong key, and what was expected there.
    """
    try:
        return validate(FileMapping, _fold_own_names(read_yaml(path)), path)
    except ContractError as error:
        raise ContractError(error.file, error.key, error.expected.replace("Value error, ", "")) from None


def did_you_mean(wrong: str, known: Collection[str]) -> str:
    """Return `; did you mean x?` for the known names nearest to a wrong one, or an empty text."""
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(wrong.lower(), list(by_lower), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(by_lower[name] for name in close)}?" if close else ""


def _fold_own_names(content: Any) -> Any:
    """Return the content with `identifier.SSN` and `extra.zipCode` in lower case, as models write names."""
    sources = content.get("sources") if isinstance(content, Mapping) else None
    if not isinstance(sources, Mapping):
        return content
    folded: dict[Any, Any] = {}
    for source, body in sources.items():
        fields = body.get("fields") if isinstance(body, Mapping) else None
        if isinstance(fields, Mapping):
            names = [_lower_if_open(name) for name in fields]
            if len(set(names)) == len(names):
                body = {**body, "fields": dict(zip(names, fields.values(), strict=True))}
        folded[source] = body
    return {**content, "sources": folded}


def _lower_if_open(name: Any) -> Any:
    return name.lower() if isinstance(name, str) and name.lower().startswith(OPEN_FIELDS) else name


def _check_field_name(name: str) -> None:
    """Raise ValueError for what is no field, with those that it may have meant."""
    for prefix in OPEN_FIELDS:
        if name.startswith(prefix):
            if not _OWN_NAME.fullmatch(name.removeprefix(prefix)):
                raise ValueError(f"{name}: after `{prefix}` expected a name of letters, digits and _")
            return
    if name not in FIELDS:
        known = (*FIELDS, *(f"{prefix}NAME" for prefix in OPEN_FIELDS))
        raise ValueError(
            f"{name} is no field{did_you_mean(name, FIELDS)} (the fields are {', '.join(known)})"
        )


def _with_defaults(name: str, mapped: FieldMapping) -> FieldMapping:
    """Return the mapping of a field with what its kind implies; raises ValueError for options of another kind."""
    is_extra = name.startswith("extra.")
    belongs = {
        "format": ("date_of_birth", name == "date_of_birth", bool(mapped.format)),
        "values": ("sex", name == "sex", mapped.values is not None),
        "compare": ("extra.NAME", is_extra, mapped.compare is not None),
        "term_frequency": ("extra.NAME", is_extra, mapped.term_frequency is not None),
    }
    for option, (owner, fits, given) in belongs.items():
        if given and not fits:
            raise ValueError(f"{name}: `{option}` belongs to {owner}")
    if len(mapped.column) > 1 and (name in ONE_COLUMN or is_extra):
        raise ValueError(f"{name}: expected one column")
    if name == "date_of_birth" and not mapped.format:
        return mapped.model_copy(update={"format": (ISO_DATE,)})
    if is_extra:
        return mapped.model_copy(
            update={
                "compare": mapped.compare or "exact",
                "term_frequency": mapped.term_frequency is not False,
            }
        )
    return mapped
