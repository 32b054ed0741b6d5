"""The documents say what is there: links resolve, commands and targets exist, the analyst's SQL runs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from support.warehouse import Warehouse

from pipelines.cli import app
from pipelines.publish.views import create_views
from pipelines.warehouse.roles import ANALYST, session_login
from pipelines.warehouse.session import SHORT_NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
PATH = re.compile(
    r"^(?:tests|docs|pipelines|schemas|expectations|dags)/[\w./-]+$|^[\w.-]+\.(?:yml|toml|txt)$"
)
RELATION = re.compile(
    r"\b(?:audit|identity|landing|linked|normalised|publication|published|quarantine|restricted)\.[a-z_]+\b"
)
SETTING = re.compile(r"\bJOINEDUP_[A-Z_]+\b")

on_every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, language: str | None = None) -> Iterator[str]:
    """The fenced blocks of a page, of one language or of all."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if language is None or found.group(1) == language:
            yield found.group(2)


def prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[list[str]]:
    """Every `joinedup ...` that a page shows: typed after a prompt, in a shell block, or named in the text."""
    lines = [line.removeprefix("$ ") for block in blocks(page) for line in block.splitlines()]
    for line in [*lines, *CODE.findall(prose(page))]:
        typed = re.sub(r"^\.venv/bin/", "", line.strip())
        if "│" in typed:  # a row of a table that the program printed
            continue
        if typed == "joinedup" or typed.startswith("joinedup ") and not typed.startswith("joinedup ..."):
            yield shlex.split(typed.split("   #")[0])[1:]


def unknown(words: list[str]) -> str | None:
    """What a command line names that `joinedup` does not have."""
    command, rest = typer.main.get_command(app), list(words)
    while rest and hasattr(command, "commands"):
        name = rest.pop(0)
        if name.startswith("-"):
            break
        if name not in command.commands:
            return name
        command = command.commands[name]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return next((w for w in rest if re.match(r"--?[a-z]", w) and w not in options | {"--help"}), None)


@on_every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{link}: no heading of this name"


@on_every_page
def test_commands_exist(page: Path) -> None:
    for words in commands(page):
        assert unknown(words) is None, f"joinedup {' '.join(words)}: no {unknown(words)}"
        if "--role" in words:
            assert words[words.index("--role") + 1] in SHORT_NAMES


@on_every_page
def test_make_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    shown = [*CODE.findall(prose(page)), *blocks(page)]
    named = {target for each in shown for target in TARGET.findall(each)}
    assert named <= targets


@on_every_page
def test_files_and_settings_that_are_named_exist(page: Path) -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in [*ROOT.glob("pipelines/**/*.py"), *ROOT.glob("dags/*.py"), ROOT / "docker-compose.yml"]
    )
    for name in CODE.findall(prose(page)):
        if PATH.match(name) and "fire_rescue" not in name:
            assert (ROOT / name).exists() or (ROOT / "docs" / name).exists(), f"{name} is not there"
    for setting in SETTING.findall(page.read_text(encoding="utf-8")):
        assert setting in source, f"nothing reads {setting}"


@on_every_page
def test_examples_in_yaml_and_json_are_well_formed(page: Path) -> None:
    for block in blocks(page, "yaml"):
        yaml.safe_load(block)
    for block in blocks(page, "json"):
        json.loads(block)


def test_the_contracts_that_are_explained_are_those_that_are_there() -> None:
    contracts = ("tests/fixtures/new_agency/youth_justice.yaml", "schemas/agencies/fire_rescue.yaml")
    there = [line for path in contracts for line in (ROOT / path).read_text(encoding="utf-8").splitlines()]
    page = (ROOT / "docs/engineer.md").read_text(encoding="utf-8").partition("### Layouts by year")[0]
    explained = [found.group(2) for found in BLOCK.finditer(page) if found.group(1) == "yaml"]
    shown = [line for block in explained for line in block.splitlines()]
    section = (ROOT / "docs/engineer.md").read_text(encoding="utf-8").split("## Add an agency")[1]
    assert all(line in section for line in there[: there.index("shares_category: [YJS.ORDER]")])
    assert [line for line in shown if line not in there] == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs/decisions"
    index = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert {path.name for path in folder.glob("0*.md")} == index


@on_every_page
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    found = re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users)/\S*", page.read_text(encoding="utf-8"))
    assert found == []


@pytest.mark.database
def test_the_analysts_sql_runs_as_the_analyst(warehouse: Warehouse) -> None:
    create_views()
    statements = list(blocks(ROOT / "docs/analyst.md", "sql"))
    assert len(statements) > 5
    engine = create_engine(warehouse.url(session_login(ANALYST)), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET search_path = published"))
        for statement in statements:
            connection.exec_driver_sql(statement.strip().rstrip(";").replace("%", "%%")).all()


@pytest.mark.database
def test_relations_and_columns_that_are_named_exist(warehouse: Warehouse) -> None:
    create_views()
    with create_engine(warehouse.url(), poolclass=NullPool).connect() as connection:
        known = set(
            connection.scalars(
                text("""
                    SELECT table_schema || '.' || table_name FROM information_schema.tables
                    UNION SELECT routine_schema || '.' || routine_name FROM information_schema.routines
                """)
            )
        )
    files = re.compile(r"\.(?:yaml|md|py|csv)$")
    for page in PAGES:
        for code in [*CODE.findall(prose(page)), *blocks(page)]:
            for name in RELATION.findall(code):
                assert name in known or files.search(name), f"{page.name}: there is no {name}"
