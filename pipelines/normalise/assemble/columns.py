"""Parsing the columns of a file as its contract declares them, and testing its conditions."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.codes import load_code_map
from pipelines.contracts.columns import Column
from pipelines.contracts.emits import Condition, Source
from pipelines.normalise.assemble.distinct import (
    constant,
    field,
    judge_distinct,
    map_distinct,
    map_distinct_rows,
)
from pipelines.normalise.assemble.outcomes import (
    REQUIRED_INVALID,
    REQUIRED_MISSING,
    FileRows,
)
from pipelines.normalise.codes import map_code
from pipelines.normalise.dates import parse_date

Issues = Counter[tuple[str, str]]


def parse_columns(name: str, file: AgencyFile, raw: pd.DataFrame) -> FileRows:
    """Return the file's rows with every column parsed, required columns and set-aside rules applied."""
    rows = FileRows(name=name, file=file, raw=raw, values={})
    for header in file.landed_columns:
        rows.values[header] = _parsed(raw[header], header, file.columns[header], rows.issues)
    for rule in file.set_aside:
        rows.quarantine(meets(rows, rule.when), rule.reason)
    for header in file.landed_columns:
        if file.columns[header].required:
            missing = raw[header].isna()
            rows.quarantine(missing, f"{REQUIRED_MISSING}:{header}")
            rows.quarantine(rows.values[header].isna() & ~missing, f"{REQUIRED_INVALID}:{header}")
    return rows


def _parsed(values: pd.Series[Any], header: str, column: Column, issues: Issues) -> pd.Series[Any]:
    """Return the column's values parsed as declared, counting what could not be."""
    if column.date:
        parsed = judge_distinct([values], lambda value: parse_date(value, column.date))
        problems = field(parsed, "problem")
        for rule, rows in problems[problems.notna()].value_counts().items():
            issues[header, str(rule)] += int(rows)
        return field(parsed, "value")
    if column.codes:
        code_map = load_code_map(*column.codes.split("."))
        mapped = judge_distinct([values], lambda value: map_code(code_map, value))
        unmapped = int((~field(mapped, "is_mapped").astype(bool) & values.notna()).sum())
        if unmapped:
            issues[header, "UNMAPPED_CODE"] += unmapped
        return field(mapped, "value")
    return map_distinct(values, lambda value: value.strip() or None if value is not None else None)


def meets(rows: FileRows, condition: Condition) -> np.ndarray[Any, Any]:
    """Return a mask of the rows that meet the condition; a code may be given as received or as ours."""
    raw, parsed = rows.raw[condition.column], rows.values[condition.column]
    if condition.filled is not None:
        return np.asarray(raw.notna() == condition.filled)
    if condition.contains is not None:
        text = condition.contains.upper()
        found = map_distinct(raw, lambda value: value is not None and text in value.upper())
        return found.to_numpy(dtype=bool)
    among = frozenset(condition.among or ())
    received = map_distinct(raw, lambda value: value is not None and value.strip() in among)
    ours = map_distinct(parsed, lambda value: value in among)
    either: np.ndarray[Any, Any] = received.to_numpy(dtype=bool) | ours.to_numpy(dtype=bool)
    return either


def source_values(rows: FileRows, source: Source) -> pd.Series[Any]:
    """Return the parsed values that a source gives for every row of the file."""
    if source.value is not None:
        return constant(source.value, rows.raw.index)
    assert source.column is not None  # noqa: S101 - the contract's validation guarantees it
    if source.json_key is None:
        return _joined([rows.values[header] for header in source.columns()])
    key = source.json_key
    return map_distinct(rows.raw[source.column], lambda text: _json_value(text, key))


def raw_values(rows: FileRows, source: Source) -> pd.Series[Any]:
    """Return the values as received."""
    if source.column is None or source.json_key is not None:
        return source_values(rows, source)
    return _joined([rows.raw[header] for header in source.columns()])


def _joined(parts: list[pd.Series[Any]]) -> pd.Series[Any]:
    """Return the texts of several columns as one, separated by spaces; a single column stays as it is."""
    if len(parts) == 1:
        return parts[0]
    return map_distinct_rows(parts, lambda *texts: " ".join(filter(None, texts)) or None)


def _json_value(text: str | None, key: str) -> str | None:
    """Return one value of the JSON object in `text` as stripped text; None when there is no such object."""
    if text is None:
        return None
    try:
        content = json.loads(text)
    except ValueError:
        return None
    value = content.get(key) if isinstance(content, dict) else None
    return (str(value).strip() or None) if value is not None else None
