"""What the three DAG files share: agencies, assets, parameters, and how a refusal ends a task.

Nothing heavy is imported here or in the DAG files: the processor parses them again and again.
Everything a task needs beyond ids is imported inside the task.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import yaml
from airflow.sdk import Asset, Param
from airflow.sdk.exceptions import AirflowFailException

from pipelines.errors import ContractError, JoinedupError, StageCrashed, WarehouseError
from pipelines.periods import CADENCE
from pipelines.settings import load_settings

# One asset for "a period can be linked", not one per agency: Airflow would wait for every agency again
# after a correction. Which delivery completes a period is decided once, in the warehouse.
DELIVERED = Asset(name="delivered", uri="joinedup://delivered", group="joinedup")
LINKED = Asset(name="linked", uri="joinedup://linked", group="joinedup")

# Defined in pools.json, one slot each: two runs of the same verb never write at the same time.
LINK_POOL = "joinedup_link"
PUBLISH_POOL = "joinedup_publish"

PERIOD_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])$"

RETRY_SECONDS = int(os.environ.get("JOINEDUP_RETRY_SECONDS") or 30)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "data-engineering",
    "retries": 2,
    "retry_delay": timedelta(seconds=RETRY_SECONDS),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class AgencyHeader:
    """What a DAG needs of a contract: who delivers, how often, and who answers for the data."""

    agency: str
    title: str
    cadence: str
    owner: str


def read_agencies() -> Iterator[AgencyHeader]:
    """Yield one header per contract, by agency; the contract itself is validated where it is used."""
    for path in sorted((load_settings().schemas_dir / "agencies").glob("*.yaml")):
        header = _read_header(path)
        try:
            yield AgencyHeader(path.stem, header["title"], header.get("cadence", CADENCE), header["owner"])
        except KeyError as missing:
            raise ContractError(str(path), str(missing.args[0]), "expected above `files:`") from None


def _read_header(path: Path) -> dict[str, str]:
    """Return the contract's plain keys above `files:`, which is where its long part begins."""
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("files:"):
            break
        lines.append(line)
    header = yaml.load("\n".join(lines), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return {key: str(value) for key, value in (header or {}).items()}


def is_unattended() -> bool:
    """Return whether the DAGs that start others by themselves begin unpaused (JOINEDUP_UNATTENDED=1)."""
    return os.environ.get("JOINEDUP_UNATTENDED", "") in {"1", "true", "yes", "on"}


def period_param(*, required: bool) -> Param:
    """Return the `period` parameter of a DAG: a month such as 2026-09."""
    about = {"title": "Period", "description": "The reporting month, YYYY-MM.", "pattern": PERIOD_PATTERN}
    if required:
        return Param(type="string", **about)
    return Param(None, type=["null", "string"], **about)


def requested_period(context: Mapping[str, Any]) -> str:
    """Return the period of this run: its partition key, or the parameter of a run started by hand."""
    period = context["dag_run"].partition_key or context["params"]["period"]
    if not period:
        raise AirflowFailException("Started by hand: give the parameter `period` (YYYY-MM)")
    return str(period)


def refusals_are_final(function: Callable[P, R]) -> Callable[P, R]:
    """Return the task function with every refusal of a stage made final.

    A rejected file or a failed critical expectation is the same on the next try, so the task fails at
    once. A warehouse that is away, or a crash, is tried again.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (WarehouseError, StageCrashed):
            raise
        except JoinedupError as error:
            raise AirflowFailException(f"{type(error).__name__}: {error}") from None

    return wrapped
