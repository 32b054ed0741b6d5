"""Loading the contracts: every file in `schemas/agencies/`, checked against each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pipelines.contracts.agency import AgencyFile, Contract
from pipelines.contracts.yaml_file import read_yaml, validate
from pipelines.errors import ContractError
from pipelines.settings import load_settings


def read_contract(path: Path) -> Contract:
    """Return the contract in `path`; each file's format starts from the contract's `defaults`.

    Raises:
        ContractError: naming the file, the key and what was expected.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ContractError(str(path), "(top)", "expected a mapping")
    contract = validate(Contract, _with_defaults(content), path)
    if contract.agency != path.stem:
        raise ContractError(str(path), "agency", f"expected {path.stem!r}, the file's name")
    for name, file in contract.files.items():
        if file.format.xsd is not None and not (path.parent / file.format.xsd).is_file():
            raise ContractError(str(path), f"files.{name}.format.xsd", "expected a file beside the contract")
    return contract


def _with_defaults(content: dict[str, Any]) -> dict[str, Any]:
    """Return the contract with `defaults` merged into the format of every file."""
    defaults = content.get("defaults") or {}
    files = content.get("files")
    merged = {key: value for key, value in content.items() if key != "defaults"}
    if isinstance(files, dict):
        merged["files"] = {
            name: {**file, "format": {**defaults, **(file.get("format") or {})}}
            if isinstance(file, dict)
            else file
            for name, file in files.items()
        }
    return merged


@cache
def load_contracts() -> dict[str, Contract]:
    """Return every contract by agency, in alphabetical order.

    Raises:
        ContractError: a contract has a mistake, or two contracts declare one headline column.
    """
    folder = load_settings().schemas_dir / "agencies"
    contracts = {path.stem: read_contract(path) for path in sorted(folder.glob("*.yaml"))}
    owners: dict[str, str] = {}
    for agency, contract in contracts.items():
        for headline in contract.headlines:
            other = owners.setdefault(headline.column, agency)
            if other != agency:
                raise ContractError(
                    str(folder / f"{agency}.yaml"),
                    f"headlines.{headline.column}",
                    f"already declared by {other}",
                )
    return contracts


def load_contract(agency: str) -> Contract:
    """Return the contract of one agency.

    Raises:
        ContractError: there is no contract with this agency.
    """
    contracts = load_contracts()
    if agency not in contracts:
        folder = load_settings().schemas_dir / "agencies"
        raise ContractError(str(folder), agency, f"expected one of {', '.join(contracts) or 'no agency yet'}")
    return contracts[agency]


def agency_file(agency: str, file: str) -> AgencyFile:
    """Return what the contract says of one file; raises ContractError when it does not name it."""
    contract = load_contract(agency)
    if file not in contract.files:
        raise ContractError(f"{agency}.yaml", f"files.{file}", f"expected one of {', '.join(contract.files)}")
    return contract.files[file]


def column_name(header: str) -> str:
    """Return the landing column for a header of a file: lower case, other signs as `_`."""
    return "".join(letter if letter.isalnum() else "_" for letter in header.lower())


def landing_table(agency: str, file: str) -> str:
    """Return the name of the landing table of a file."""
    return f"{agency}_{file}"


def landing_tables() -> dict[str, tuple[str, ...]]:
    """Return the landing tables of every contract: table name -> landing column names."""
    return {
        landing_table(agency, name): tuple(column_name(header) for header in file.landed_columns)
        for agency, contract in load_contracts().items()
        for name, file in contract.files.items()
    }
