"""Where our own Airflow lives and how it is configured: one folder, one environment."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import PROJECT_ROOT, load_settings, make_home

USER = "admin"
LOCALHOST = "127.0.0.1"
USUAL_PORT = 8080
PARALLEL_TASKS = 6
# Airflow sleeps this long when it found nothing to do. The default of 1 s would be most of a short task.
IDLE_SECONDS = 0.2

# Imported once by the scheduler, which forks every task: a task then starts with them at no cost.
PRELOADED = (
    "great_expectations",
    "pandas",
    "pyarrow",
    "adbc_driver_postgresql.dbapi",
    "psycopg",
    "alembic",
    "recordlinkage",
    "phonenumbers",
    "nameparser",
    "uk_postcodes_parsing",
    "email_validator",
    "nhs_number",
    "pydantic",
    "rich.console",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.dag_processing.dagbag",
)

LOCAL_SETTINGS = f'''"""Written by joinedup: the scheduler imports what its tasks need, before it forks them."""

import contextlib
import importlib
import logging
import sys

if "scheduler" in sys.argv:
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    for module in {PRELOADED!r}:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
'''


@dataclass(frozen=True)
class AirflowHome:
    """One Airflow installation on this machine: its folder, its DAGs and its port."""

    folder: Path
    dags: Path
    port: int

    @property
    def base_url(self) -> str:
        """Where the UI and the REST API answer; this machine only."""
        return f"http://{LOCALHOST}:{self.port}"

    @property
    def passwords_file(self) -> Path:
        """Our own passwords file: Airflow's would be readable by everybody."""
        return self.folder / "passwords.json"

    @property
    def logs(self) -> Path:
        """Logs of the components, and below it those of the tasks."""
        return self.folder / "logs"

    def write_files(self) -> None:
        """Make the folder, the password (kept when it exists) and the scheduler's local settings."""
        make_home(self.folder.parent)
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o700)
        self.logs.mkdir(exist_ok=True)
        config = self.folder / "config"
        config.mkdir(exist_ok=True)
        (config / "airflow_local_settings.py").write_text(LOCAL_SETTINGS, encoding="utf-8")
        if not self.passwords_file.exists():
            descriptor = os.open(self.passwords_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump({USER: secrets.token_urlsafe(12)}, file)

    def password(self) -> str:
        """Return the password of the one user."""
        return str(json.loads(self.passwords_file.read_text(encoding="utf-8"))[USER])

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of every Airflow process: `base` without foreign Airflow settings."""
        # DEV would make Airflow print local variables in tracebacks, and with them personal values.
        kept = {
            name: value for name, value in base.items() if not name.startswith("AIRFLOW") and name != "DEV"
        }
        local_hosts = f"{LOCALHOST},localhost"
        for name in ("NO_PROXY", "no_proxy"):
            kept[name] = f"{base[name]},{local_hosts}" if base.get(name) else local_hosts
        options = {
            f"AIRFLOW__{section}__{key}": value
            for section, keys in self._options().items()
            for key, value in keys.items()
        }
        ours = {
            "AIRFLOW_HOME": str(self.folder),
            "JOINEDUP_HOME": str(load_settings().home),
            "GX_ANALYTICS_ENABLED": "false",
            "PYTHONUNBUFFERED": "1",
        }
        return kept | options | ours

    def _options(self) -> dict[str, dict[str, str]]:
        """Return Airflow's options by section, where they differ from its defaults."""
        return {
            "CORE": {
                "DAGS_FOLDER": str(self.dags),
                "LOAD_EXAMPLES": "False",
                "EXECUTOR": "LocalExecutor",
                "MP_START_METHOD": "fork",
                "PARALLELISM": str(PARALLEL_TASKS),
                # Tasks report back here; without it they would try port 8080.
                "EXECUTION_API_SERVER_URL": f"{self.base_url}/execution/",
                "SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
                "SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.passwords_file),
                # The default looks the machine up in DNS, which hangs where there is none.
                "HOSTNAME_CALLABLE": "socket.gethostname",
            },
            "DATABASE": {"SQL_ALCHEMY_CONN": f"sqlite:///{self.folder / 'airflow.db'}"},
            "API": {"HOST": LOCALHOST, "PORT": str(self.port), "BASE_URL": self.base_url, "WORKERS": "1"},
            "LOGGING": {
                "BASE_LOG_FOLDER": str(self.logs),
                "COLORED_CONSOLE_LOG": "False",
                "NAMESPACE_LEVELS": "great_expectations=WARNING",
                "FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
                "FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
            },
            "SCHEDULER": {"SCHEDULER_IDLE_SLEEP_TIME": str(IDLE_SECONDS)},
            # A worker notices the end of its task only at the next heartbeat, when the two just miss each other.
            "WORKERS": {"MIN_HEARTBEAT_INTERVAL": "1"},
            "DAG_PROCESSOR": {"PARSING_PROCESSES": "1", "REFRESH_INTERVAL": "60"},
        }


def open_airflow_home(*, usual_port: bool = False) -> AirflowHome:
    """Return the Airflow below JOINEDUP_HOME, on a free port or, when it is free, on the usual one."""
    port = free_port(USUAL_PORT) if usual_port else free_port(0)
    return AirflowHome(load_settings().home / "airflow", PROJECT_ROOT / "dags", port)


def free_port(wanted: int) -> int:
    """Return `wanted` when it is free on this machine, else a port that is; 0 means any."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, wanted))
        except OSError:
            return free_port(0)
        return int(probe.getsockname()[1])
