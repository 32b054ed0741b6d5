"""Code maps and term lists: the CSV files of `schemas/codes/`, read once a process.

A code map turns an agency's code into ours (`scheme,code,value,label,source`); a term list is a set of
words with the place they come from (`term,source`). `schemas/codes/README.md` lists the files.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from pipelines.errors import ContractError
from pipelines.settings import load_settings

CODE_MAP_HEADER = ["scheme", "code", "value", "label", "source"]
TERMS_HEADER = ["term", "source"]
REMEMBERED = 1 << 16  # values; a few tens of megabytes at most, whatever the size of a file

Rule = TypeVar("Rule", bound=Callable[..., Any])
_remembered: list[Any] = []


def remember(rule: Rule) -> Rule:
    """Return a rule that keeps its results for the values that it met last: values repeat from file to file.

    For pure rules only; what they return is shared and must not be changed.
    """
    kept = lru_cache(maxsize=REMEMBERED)(rule)
    _remembered.append(kept)
    return kept  # type: ignore[return-value]


@cache
def load_code_map(list_name: str, scheme: str) -> Mapping[str, str]:
    """Return the map from code (upper case) to value of one scheme of one list.

    A code may be empty (what a blank means) or end in `?` (any one character there).

    Raises:
        ContractError: The list or the scheme is missing, or the file has a mistake.
    """
    schemes = _read_code_map(list_name)
    if scheme not in schemes:
        raise ContractError(_file_name(list_name), f"scheme {scheme}", f"one of {', '.join(sorted(schemes))}")
    return schemes[scheme]


def load_schemes(list_name: str) -> Mapping[str, Mapping[str, str]]:
    """Return every scheme of one list; see `load_code_map`."""
    return _read_code_map(list_name)


@cache
def load_terms(name: str) -> frozenset[str]:
    """Return the terms (upper case) of one term list.

    Raises:
        ContractError: The list is missing, or the file has a mistake.
    """
    terms: set[str] = set()
    for line, row in read_rows(name, TERMS_HEADER):
        term = row["term"].upper()
        if not term:
            raise ContractError(_file_name(name), f"line {line}", "a term")
        if term in terms:
            raise ContractError(_file_name(name), f"line {line}", f"each term once; {term} is there twice")
        terms.add(term)
    return frozenset(terms)


def clear_code_cache() -> None:
    """Forget what was read, so that another schemas folder takes effect. For tests."""
    load_code_map.cache_clear()
    load_terms.cache_clear()
    _read_code_map.cache_clear()
    for rule in _remembered:
        rule.cache_clear()


@cache
def _read_code_map(list_name: str) -> dict[str, Mapping[str, str]]:
    """Return every scheme of one list."""
    schemes: dict[str, dict[str, str]] = {}
    for line, row in read_rows(list_name, CODE_MAP_HEADER):
        code, value = row["code"].upper(), row["value"]
        if not row["scheme"] or not value:
            raise ContractError(_file_name(list_name), f"line {line}", "a scheme and a value")
        codes = schemes.setdefault(row["scheme"], {})
        if code in codes:
            expected = f"each code once in a scheme; {code or 'blank'} is there twice in {row['scheme']}"
            raise ContractError(_file_name(list_name), f"line {line}", expected)
        codes[code] = value
    return {scheme: MappingProxyType(codes) for scheme, codes in schemes.items()}


def read_rows(name: str, header: list[str]) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a file with their line numbers, after checking header and width."""
    path = load_settings().schemas_dir / "codes" / f"{name}.csv"
    if not path.is_file():
        raise ContractError(_file_name(name), "file", "to exist")
    rows: list[tuple[int, dict[str, str]]] = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        if next(reader, []) != header:
            raise ContractError(_file_name(name), "line 1", f"the header {','.join(header)}")
        for cells in reader:
            if len(cells) != len(header):
                expected = f"{len(header)} columns, not {len(cells)}"
                raise ContractError(_file_name(name), f"line {reader.line_num}", expected)
            rows.append(
                (reader.line_num, {key: cell.strip() for key, cell in zip(header, cells, strict=True)})
            )
    if not rows:
        raise ContractError(_file_name(name), "file", "at least one row")
    return rows


def _file_name(name: str) -> str:
    """Return the name of a list's file as people see it."""
    return f"schemas/codes/{name}.csv"
