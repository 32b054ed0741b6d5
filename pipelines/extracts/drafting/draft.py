"""A contract drafted from an agency's files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pipelines.errors import ContractError
from pipelines.extracts.drafting.evidence import look
from pipelines.extracts.drafting.facts import read_facts
from pipelines.extracts.drafting.naming import file_key
from pipelines.extracts.drafting.settle import FileDraft, settle
from pipelines.extracts.drafting.sniff import refused, sniff
from pipelines.extracts.drafting.together import settle_together

AGENCY = re.compile(r"[a-z][a-z0-9_]*")


def draft_files(paths: Sequence[Path], today: date) -> dict[str, FileDraft]:
    """Return the drafts of an agency's files by their names in the contract.

    Raises:
        FilesRejected: a file is not delimited text with a header, or two would have one name.
    """
    drafts: dict[str, FileDraft] = {}
    for number, path in enumerate(paths, 1):
        facts = read_facts(path, sniff(path, number))
        evidence = {name: look(column, today) for name, column in facts.columns.items()}
        name = file_key(path.name)
        if name in drafts:
            raise refused(
                number, "SAME_FILE", "another file has this name, but for the period; give one of each"
            )
        drafts[name] = settle(facts, evidence)
    settle_together(list(drafts.values()))
    return drafts


def require_agency(agency: str) -> None:
    """Raise ContractError when a text cannot be an agency's name."""
    if not AGENCY.fullmatch(agency):
        raise ContractError(
            "agency new", "NAME", "expected small letters, digits and _, beginning with a letter"
        )


def require_free(path: Path, agency: str, *, force: bool) -> None:
    """Raise ContractError when the draft would overwrite a contract."""
    if path.name != f"{agency}.yaml" or not path.parent.is_dir():
        raise ContractError(str(path), "--out", f"expected {agency}.yaml, in a folder that exists")
    if path.exists() and not force:
        raise ContractError(
            str(path), "(file)", "exists already; --force overwrites it, and all work done on it"
        )
