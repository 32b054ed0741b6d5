"""The made-up agency of the tests: a short contract that says nothing twice, and a DAG made from it."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.new_agency import AGENCY, CONTRACT, with_new_agency

from pipelines.commands.airflow import dag_ids
from pipelines.contracts.loader import landing_tables, load_contract, read_contract
from pipelines.errors import ContractError
from pipelines.settings import PROJECT_ROOT
from pipelines.synth.layouts import LAYOUTS

NEEDED_LINES = 60


def keys_of(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every key of a document."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield (*path, key)
            yield from keys_of(value, (*path, key))


def without(content: Any, path: tuple[Any, ...]) -> Any:
    """The document without one key."""
    changed = copy.deepcopy(content)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return changed


def test_the_contract_is_short() -> None:
    assert len(CONTRACT.read_text(encoding="utf-8").splitlines()) < NEEDED_LINES


def test_no_key_of_the_contract_repeats_a_default(tmp_path: Path) -> None:
    """Each key that is taken away leaves another contract, or none."""
    content, whole = yaml.safe_load(CONTRACT.read_text(encoding="utf-8")), read_contract(CONTRACT)
    path = tmp_path / CONTRACT.name
    for key in keys_of(content):
        path.write_text(yaml.safe_dump(without(content, key), sort_keys=False), encoding="utf-8")
        try:
            assert read_contract(path) != whole, f"{'.'.join(map(str, key))} says what a default says"
        except ContractError:
            continue


def test_no_line_of_python_names_it() -> None:
    assert AGENCY not in {layout.agency for layout in LAYOUTS}
    for folder in ("pipelines", "dags", "expectations"):
        for path in (PROJECT_ROOT / folder).rglob("*.*"):
            if path.suffix in {".py", ".yaml", ".j2"}:
                assert AGENCY not in path.read_text(encoding="utf-8"), path


def test_it_has_landing_tables_and_is_among_the_dags(tmp_path: Path) -> None:
    with with_new_agency(tmp_path):
        assert {f"{AGENCY}_young_people", f"{AGENCY}_orders"} <= set(landing_tables())
        assert load_contract(AGENCY).people_files == ("young_people",)
        assert f"ingest_{AGENCY}" in dag_ids()


@pytest.mark.airflow
def test_airflow_makes_its_dag(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    ours = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    script = PROJECT_ROOT / "tests" / "support" / "dag_facts.py"
    with with_new_agency(tmp_path) as schemas:
        done = subprocess.run(  # noqa: S603
            [sys.executable, str(script), str(PROJECT_ROOT / "dags")],
            env=kept | ours | {"JOINEDUP_SCHEMAS_DIR": str(schemas)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["errors"] == {}
    assert facts["dags"][f"ingest_{AGENCY}"]["tasks"]
