"""docker-compose.yml is valid, keeps secrets out, and publishes nothing beyond this machine."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from pipelines.settings import PROJECT_ROOT
from pipelines.warehouse.server_config import QUIET_LOG

COMPOSE = PROJECT_ROOT / "docker-compose.yml"
SECRET = re.compile(r"PASSWORD|SECRET|KEY")
REFERENCE = re.compile(r"(?<!\$)\$\{([A-Z_]+)([^}]*)\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


def variables() -> set[str]:
    return {name for name, _ in REFERENCE.findall(COMPOSE.read_text())}


def test_it_is_a_valid_compose_file() -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_check_finds_a_misspelt_key(tmp_path: Any) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("healthcheck:", "healthchek:", 1))
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        str(wrong),
    ]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0  # noqa: S603


def test_the_warehouse_logs_as_little_as_the_embedded_one(services: dict[str, Any]) -> None:
    assert services["warehouse"]["command"] == [
        "postgres",
        *(f"--{name}={value}" for name, value in QUIET_LOG.items()),
    ]


def test_every_variable_is_required_and_has_no_default() -> None:
    assert variables()
    for name, rest in REFERENCE.findall(COMPOSE.read_text()):
        assert rest == ":?", f"{name} must be written ${{{name}:?}}"


def test_no_secret_is_written_into_the_file(services: dict[str, Any]) -> None:
    for service, definition in services.items():
        for name, value in definition.get("environment", {}).items():
            if SECRET.search(name) and not name.endswith("_FILE"):
                assert REFERENCE.fullmatch(str(value)), f"{service}: {name}"


def test_passwords_inside_addresses_come_from_variables() -> None:
    for password in re.findall(r"://[^:/@\s]+:([^@\s]+)@", COMPOSE.read_text()):
        assert REFERENCE.fullmatch(password)


def test_the_example_lists_exactly_the_variables_and_no_values() -> None:
    lines = (PROJECT_ROOT / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(given) == variables()
    assert set(given.values()) == {""}


def test_only_this_machine_is_published(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_lasting_service_has_a_health_check_and_comes_back(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name != "airflow-init":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_airflow_waits_for_its_databases_and_their_preparation(services: dict[str, Any]) -> None:
    for name in ("airflow-apiserver", "airflow-scheduler", "airflow-dag-processor"):
        waits = {other: how["condition"] for other, how in services[name]["depends_on"].items()}
        assert waits["warehouse"] == waits["airflow-db"] == "service_healthy", name
        assert waits["airflow-init"] == "service_completed_successfully", name


def test_the_components_share_one_environment(services: dict[str, Any]) -> None:
    shared = services["airflow-scheduler"]["environment"]
    assert services["airflow-apiserver"]["environment"] == shared
    assert services["airflow-dag-processor"]["environment"] == shared
    assert shared["JOINEDUP_ALLOW_SYNTHETIC"] == shared["JOINEDUP_AUTO_APPROVE"] == "0"


def test_the_build_tells_the_image_which_commit_it_is(compose: dict[str, Any]) -> None:
    """There is no git in the image, and a run manifest names the code that made the release."""
    assert compose["x-airflow"]["build"]["args"] == {"JOINEDUP_COMMIT": "${JOINEDUP_COMMIT:?}"}
    steps = (PROJECT_ROOT / "Dockerfile").read_text().splitlines()
    assert steps.index("ARG JOINEDUP_COMMIT") < steps.index("ENV JOINEDUP_COMMIT=$JOINEDUP_COMMIT")


def test_the_image_does_not_run_as_root_and_takes_no_state_along() -> None:
    steps = (PROJECT_ROOT / "Dockerfile").read_text().splitlines()
    users = [step.split()[1] for step in steps if step.startswith("USER ")]
    assert users and users[-1] not in {"root", "0"}
    ignored = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not any(line.startswith(("!.env", "!.joinedup", "!.git")) for line in ignored)


def test_everything_that_the_image_copies_exists_and_is_let_through() -> None:
    let_through = (PROJECT_ROOT / ".dockerignore").read_text()
    for step in (PROJECT_ROOT / "Dockerfile").read_text().splitlines():
        for source in step.split()[1:-1] if step.startswith("COPY ") else []:
            assert (PROJECT_ROOT / source).exists(), source
            assert f"!{source}\n" in let_through, source
