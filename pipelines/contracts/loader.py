"""Loading the contracts: every file in `schemas/agencies/`, checked against each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pipelines.contracts.agency import AgencyFile, Contract
from pipelines.contracts.expand import expand
from pipelines.contracts.yaml_file import read_yaml, validate
from pipelines.errors import ContractError
from pipelines.settings import load_settings
from pipelines.words import title


def read_contract(path: Path) -> Contract:
    """Return the contract in `path`, its short forms written out (see `expand`).

    Raises:
        ContractError: naming the file, the key and what was expected.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ContractError(str(path), "(top)", "expected a mapping")
    contract = validate(Contract, expand(content, path), path)
    if contract.agency != path.stem:
        raise ContractError(str(path), "agency", f"expected {path.stem!r}, the file's name")
    for name, file in contract.files.items():
        if file.format.xsd is not None and not (path.parent / file.format.xsd).is_file():
            raise ContractError(str(path), f"files.{name}.format.xsd", "expected a file beside the contract")
    return contract


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


def agency_title(agency: str) -> str:
    """Return an agency's name for a reader; of one that has no contract any more, its key in words."""
    contract = load_contracts().get(agency)
    return contract.title if contract else title(agency)


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
