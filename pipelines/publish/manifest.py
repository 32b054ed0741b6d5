"""The run manifest: everything a release was made from, and who decided about it.

Kept in `audit.release_manifest`, and written as JSON to the reports folder after each decision. It holds
hashes, versions and counts, never a value from a row.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess  # nosec - one fixed command, no shell
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from pipelines.contracts.loader import load_contracts
from pipelines.errors import ReleaseError
from pipelines.identity.runs import LinkRun
from pipelines.settings import PROJECT_ROOT, load_settings
from pipelines.warehouse.engine import transaction

_EXTRACTS = text("""
    SELECT extract_id, agency, file, period, sha256, rows, status, contract_version, is_forced
    FROM audit.extract WHERE extract_id = ANY(:extract_ids) ORDER BY extract_id
""")
_DELIVERIES = text("""
    SELECT delivery_id, agency, period, sequence, is_correction
    FROM audit.delivery WHERE delivery_id = ANY(:delivery_ids) ORDER BY delivery_id
""")
_KEEP = text("""
    INSERT INTO audit.release_manifest (release_id, run_id, manifest)
    SELECT release_id, run_id, CAST(:manifest AS jsonb) FROM publication.release WHERE release_id = :release_id
    ON CONFLICT (release_id) DO UPDATE SET manifest = excluded.manifest, created_at = clock_timestamp()
""")
_EXPECTATIONS = text("""
    SELECT e.stage,
           count(*) FILTER (WHERE e.success) AS passed,
           count(*) FILTER (WHERE NOT e.success AND e.severity = 'warning') AS warned,
           count(*) FILTER (WHERE NOT e.success AND e.severity = 'critical') AS failed,
           count(*) FILTER (WHERE NOT e.success AND e.severity = 'info') AS noted
    FROM audit.expectation_result e JOIN publication.release r ON e.run_id IN (r.run_id, r.link_run_id)
    WHERE r.release_id = :release_id GROUP BY e.stage ORDER BY e.stage
""")


def keep_manifest(
    connection: Connection, release_id: int, run: LinkRun, counts: Mapping[str, Mapping[str, Any]]
) -> None:
    """Store the manifest of a release that was just built, without a decision yet."""
    manifest = {
        "release_id": release_id,
        "link_run_id": run.run_id,
        "period": run.period,
        "as_of": run.as_of.isoformat(),
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "extracts": _rows(connection.execute(_EXTRACTS, {"extract_ids": list(run.extract_ids)})),
        "deliveries": _rows(connection.execute(_DELIVERIES, {"delivery_ids": list(run.delivery_ids)})),
        "model_version": run.model_version,
        "contracts": {name: contract.version for name, contract in load_contracts().items()},
        "files": _declared_files(),
        "code": code_version(),
        "settings": {"allow_synthetic": load_settings().allow_synthetic},
        "counts": counts,
        "decisions": [],
    }
    connection.execute(_KEEP, {"release_id": release_id, "manifest": json.dumps(manifest)})


def keep_decision(connection: Connection, release_id: int, status: str, by: str, reason: str) -> None:
    """Add a decision to the manifest of a release, with what the expectations had found by then."""
    manifest = read_manifest(connection, release_id)
    manifest["expectations"] = {
        row.pop("stage"): row for row in _rows(connection.execute(_EXPECTATIONS, {"release_id": release_id}))
    }
    decided_at = datetime.now(UTC).isoformat(timespec="seconds")
    decision = {"status": status, "by": by, "reason": reason, "at": decided_at}
    manifest["decisions"].append(decision)
    connection.execute(_KEEP, {"release_id": release_id, "manifest": json.dumps(manifest)})


def read_manifest(connection: Connection, release_id: int) -> dict[str, Any]:
    """Return the stored manifest of a release; raises ReleaseError when there is none."""
    manifest = connection.scalar(
        text("SELECT manifest FROM audit.release_manifest WHERE release_id = :release_id"),
        {"release_id": release_id},
    )
    if manifest is None:
        raise ReleaseError(f"release {release_id} has no manifest")
    return dict(manifest)


def write_manifest(release_id: int) -> Path:
    """Return the JSON file under reports/manifests/ that now holds the stored manifest of a release."""
    with transaction() as connection:
        manifest = read_manifest(connection, release_id)
    path = load_settings().reports_dir / "manifests" / f"release-{release_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


def code_version() -> str:
    """Return the commit that runs (with -dirty when files differ from it), else the package's version."""
    built_in = os.environ.get("JOINEDUP_COMMIT", "").strip()
    if built_in:
        return built_in
    git = shutil.which("git")
    if git and (PROJECT_ROOT / ".git").exists():
        command = [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        described = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)  # noqa: S603
        if described.returncode == 0:
            return described.stdout.strip()
    try:
        return f"joinedup {version('joinedup')}"
    except PackageNotFoundError:
        return "unknown"


def _declared_files() -> dict[str, str]:
    """Return the SHA-256 of every file that declares something: contracts, shared schema, models, expectations."""
    settings = load_settings()
    files = {}
    for folder in (settings.schemas_dir, settings.expectations_dir):
        for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.csv")]):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


def _rows(result: Any) -> list[dict[str, Any]]:
    """Return the rows of a result as dictionaries."""
    return [dict(row) for row in result.mappings()]
