"""The house: imports run one way, and nothing imports what it must not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pipelines"

# From the bottom up. A group may import groups below its own, and those named for it beside it.
LEVELS = [
    {"errors", "settings", "keys", "periods", "stage_report", "words"},
    {"contracts"},
    {"normalise", "link", "synth"},
    {"ingest", "identity", "publish", "quality", "warehouse"},
    {"stages", "stage", "linking", "normalising", "evaluation", "evidence", "files", "purge", "extracts"},
    {"cli", "commands", "demo"},
]
BESIDE = {
    "settings": {"errors"},
    "stage_report": {"errors"},
    "synth": {"normalise"},
    "ingest": {"warehouse"},
    "identity": {"warehouse"},
    "publish": {"warehouse", "identity"},
    "quality": {"warehouse"},
    "stages": {"stage", "linking", "normalising"},
    "normalising": {"stage"},
    "cli": {"commands", "demo"},
    "commands": {"demo"},
}
ONLY_IN = {
    "great_expectations": {"quality"},
    "faker": {"synth"},
    "recordlinkage": {"link"},
    "rich": {"cli", "commands", "demo"},
}


def group_of(path: Path) -> str:
    """The first part of a module's path below the package."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def level_of(group: str) -> int:
    return next(height for height, groups in enumerate(LEVELS) if group in groups)


MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    group = group_of(path)
    for name in imports_of(path):
        if not name.startswith("pipelines."):
            continue
        other = name.split(".")[1]
        if other == group or not any(other in groups for groups in LEVELS):
            continue
        allowed = level_of(other) < level_of(group) or other in BESIDE.get(group, set())
        assert allowed, f"{group} must not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_in_the_package_imports_airflow(path: Path) -> None:
    assert not any(name.split(".")[0] == "airflow" for name in imports_of(path))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_library_is_used_where_it_belongs(path: Path) -> None:
    for name in imports_of(path):
        library = name.split(".")[0]
        if library in ONLY_IN:
            assert group_of(path) in ONLY_IN[library], f"{library} belongs to {ONLY_IN[library]}"


def test_modules_do_not_import_each_other_in_circles() -> None:
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in MODULES
    }
    arrows = {
        name: {other for other in imports_of(path) if other in names and other != name}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for other in sorted(arrows[name]):
                visit(other, (*trail, name))
            done.add(name)

    for name in sorted(arrows):
        visit(name, ())
