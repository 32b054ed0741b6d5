"""The short forms of a contract, written out: after this, every contract says everything in one way.

`defaults` stand in for what a file leaves out; a column may say what it becomes (`to: person_name.given`), where
else an emit names the column; `constants` are the values that no column holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.columns import FileFormat
from pipelines.contracts.shared import SharedTable, normalised_tables
from pipelines.errors import ContractError

Content = dict[str, Any]
FORMAT_KEYS = frozenset(FileFormat.model_fields)
OWN_KEYS = frozenset({"title", "pattern", "columns", "emits", "lookup", "set_aside", "holds_people"})
DEFAULT_KEYS = FORMAT_KEYS | (frozenset(AgencyFile.model_fields) - OWN_KEYS) | {"date", "constants"}
# How a period is written, by the expression that finds it in a file's name.
PERIOD_FORMATS = {
    r"\d{4}-\d{2}": "%Y-%m",
    r"\d{6}": "%Y%m",
    r"\d{8}": "%Y%m%d",
    r"\d{4}-\d{2}-\d{2}": "%Y-%m-%d",
    r"\d{4}_\d{2}": "%Y_%m",
}
_PERIOD = re.compile(r"\(\?P<period>([^()]+)\)")


def expand(content: Content, path: Path) -> Content:
    """Return the contract with every short form written out; what is wrong in another way stays for the model.

    Raises:
        ContractError: a default, a target or a constant that does not exist.
    """
    defaults, files = content.get("defaults") or {}, content.get("files")
    expanded = {key: value for key, value in content.items() if key != "defaults"}
    if not isinstance(files, dict) or not isinstance(defaults, dict):
        return expanded
    for key in sorted(set(defaults) - DEFAULT_KEYS):
        raise ContractError(
            str(path), f"defaults.{key}", f"expected one of {', '.join(sorted(DEFAULT_KEYS))}"
        )
    expansions = {name: _Expansion(path, name, defaults) for name in files}
    expanded["files"] = {
        name: expansions[name].of(file) if isinstance(file, dict) else file for name, file in files.items()
    }
    short = {name for name, expansion in expansions.items() if expansion.emits}
    _settle_people(expanded["files"], short)
    return expanded


def _settle_people(files: Content, short: set[str]) -> None:
    """Say which files hold people where no file does: the only one, or those that make records; with their keys.

    A file of people in the `short` form makes records, also where no column says anything about one.
    """
    known = {name: file for name, file in files.items() if isinstance(file, dict)}
    if not any(file.get("holds_people") for file in known.values()):
        for file in known.values():
            if len(files) == 1 or "person_record" in _tables(file):
                file.setdefault("holds_people", True)
    for name, file in known.items():
        if file.get("holds_people") and file.get("local_id"):
            file.setdefault("key", [file["local_id"]])
        if file.get("holds_people") and name in short and "person_record" not in _tables(file):
            file["emits"] = [{"table": "person_record"}, *file["emits"]]


def _tables(file: Content) -> set[str]:
    """Return the shared tables that a file's emits make rows of."""
    return {str(emit.get("table")) for emit in file.get("emits") or () if isinstance(emit, dict)}


@dataclass
class _Expansion:
    """One file on its way from the short form to the long one."""

    path: Path
    name: str
    defaults: Content
    emits: dict[tuple[str, str], Content] = field(default_factory=dict)

    def of(self, file: Content) -> Content:
        """Return the file written out."""
        form = {key: value for key, value in self.defaults.items() if key in FORMAT_KEYS}
        form |= self.defaults.get("format") or {}
        beneath = {
            key: value
            for key, value in self.defaults.items()
            if key not in FORMAT_KEYS | {"format", "date", "constants", "local_id"}
        }
        merged = {**beneath, **file, "format": {**form, **(file.get("format") or {})}}
        columns = merged.get("columns")
        if not isinstance(columns, dict):
            return merged
        if self.defaults.get("local_id") in columns:
            merged.setdefault("local_id", self.defaults["local_id"])
        merged["columns"] = {header: self._column(header, column) for header, column in columns.items()}
        self._require_local_id(merged)
        self._add_constants(
            {**(self.defaults.get("constants") or {}), **(merged.pop("constants", None) or {})}
        )
        if self.emits:
            merged["emits"] = [*self.emits.values(), *(merged.get("emits") or ())]
        return _with_period_format(merged)

    def _column(self, header: str, column: Any) -> Any:
        """Return what is left of a column once its targets are emits."""
        if isinstance(column, str | list):
            column = {"to": column}
        if column is not None and not isinstance(column, dict):
            return column
        column = dict(column or {})
        targets = column.pop("to", ())
        for target in (targets,) if isinstance(targets, str) else targets:
            if self._add_target(header, str(target)) == "date":
                column.setdefault("date", True)
        if column.get("date") is True:
            column["date"] = self._default_date(header)
        return column

    def _require_local_id(self, file: Content) -> None:
        """Require the local id in every row, unless its column says otherwise: without it a row is nobody's."""
        column = file["columns"].get(file.get("local_id"))
        if isinstance(column, dict) and self.emits:
            column.setdefault("required", True)

    def _default_date(self, header: str) -> Any:
        if "date" not in self.defaults:
            raise self._wrong(f"columns.{header}.date", "a date format here, or one in defaults.date")
        return self.defaults["date"]

    def _add_target(self, header: str, target: str) -> str:
        """Return the type of a column's target, after adding the column to the emit of its table."""
        where = f"columns.{header}.to"
        table, part = self._resolve(where, target)
        if part == "attributes":
            emit = self._emit(table.table, "")
            emit["attributes"] = [*emit.get("attributes", ()), header]
        elif part in table.inputs:
            self._set(where, self._emit(table.table, ""), part, header)
        else:
            emit = self._emit(table.table, part)
            emit["set"][_kind_of(table)] = {"value": part}
            self._set(where, emit, "value", header)
        return next((column.type for column in table.columns if column.name == part), "text")

    def _resolve(self, where: str, target: str) -> tuple[SharedTable, str]:
        """Return the table of a target, and its input or the kind of identifier or contact."""
        name, _, part = target.partition(".")
        tables = normalised_tables()
        if name not in tables:
            raise self._wrong(where, f"TABLE.INPUT, the table one of {', '.join(sorted(tables))}")
        table = tables[name]
        allowed = [each for each in table.inputs if _kind_of(table) is None or each != "value"]
        allowed += _kinds(table)
        if part not in allowed:
            raise self._wrong(where, f"{name}. and one of {', '.join(allowed)}")
        return table, part

    def _emit(self, table: str, kind: str) -> Content:
        return self.emits.setdefault((table, kind), {"table": table, "set": {}})

    def _set(self, where: str, emit: Content, part: str, header: str) -> None:
        if part in emit["set"]:
            raise self._wrong(where, "each target once in a file; a second row of a table needs `emits`")
        emit["set"][part] = header

    def _add_constants(self, constants: Content) -> None:
        """Set what no column holds, in every emit of its table."""
        for target, value in constants.items():
            name, _, part = str(target).partition(".")
            mine = [emit for (table, _), emit in self.emits.items() if table == name]
            if name not in normalised_tables() or part not in normalised_tables()[name].inputs:
                raise self._wrong(f"constants.{target}", "TABLE.INPUT of the shared schema")
            if not mine and target not in (self.defaults.get("constants") or {}):
                raise self._wrong(f"constants.{target}", f"a column that is mapped to {name}")
            for emit in mine:
                emit["set"].setdefault(part, {"value": str(value)})

    def _wrong(self, key: str, expected: str) -> ContractError:
        return ContractError(str(self.path), f"files.{self.name}.{key}", f"expected {expected}")


def _kind_of(table: SharedTable) -> str | None:
    """Return the input that says of which kind a value is, in a table of values of several kinds."""
    kinds: Iterator[str] = (name for name in table.inputs if name.endswith("_type"))
    return next(kinds, None) if "value" in table.inputs else None


def _kinds(table: SharedTable) -> tuple[str, ...]:
    kind = _kind_of(table)
    return table.column(kind).values if kind else ()


def _with_period_format(file: Content) -> Content:
    """Return the file with the format of its period, where the expression in its pattern gives it away."""
    found = _PERIOD.search(str(file.get("pattern")))
    if "period_format" not in file and found and found[1] in PERIOD_FORMATS:
        file["period_format"] = PERIOD_FORMATS[found[1]]
    return file
