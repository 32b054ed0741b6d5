"""Code maps and term lists: read from CSV, and refused with a message that names file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.contracts.codes import clear_code_cache, load_code_map, load_terms
from pipelines.errors import ContractError
from pipelines.settings import load_settings

CODES = load_settings().schemas_dir / "codes"


@pytest.fixture
def codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of code lists in place of ours."""
    monkeypatch.setenv("JOINEDUP_SCHEMAS_DIR", str(tmp_path))
    (tmp_path / "codes").mkdir()
    clear_code_cache()
    yield tmp_path / "codes"
    clear_code_cache()


def test_a_scheme_is_read_with_its_codes_in_upper_case(codes: Path) -> None:
    (codes / "sex.csv").write_text(
        "scheme,code,value,label,source\nssd,m,M,Male,SSD\nssd,,U,Blank,SSD\nabc,1,M,Male,SSD\n"
    )
    assert dict(load_code_map("sex", "ssd")) == {"M": "M", "": "U"}


def test_terms_are_read_in_upper_case(codes: Path) -> None:
    (codes / "titles.csv").write_text("term,source\nMr,DLH\nMRS,DLH\n")
    assert load_terms("titles") == {"MR", "MRS"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"schemas/codes/sex\.csv: file: to exist"),
        ("scheme,code,value\nssd,M,M\n", r"line 1: the header scheme,code,value,label,source"),
        ("scheme,code,value,label,source\n", r"file: at least one row"),
        ("scheme,code,value,label,source\nssd,M,M,Male\n", r"line 2: 5 columns, not 4"),
        ("scheme,code,value,label,source\nssd,M,,Male,SSD\n", r"line 2: a scheme and a value"),
        ("scheme,code,value,label,source\nssd,M,M,Male,SSD\nssd,m,F,Male,SSD\n", r"line 3: each code once"),
        ("scheme,code,value,label,source\npds,M,M,Male,SSD\n", r"scheme ssd: one of pds"),
    ],
)
def test_a_code_map_with_a_mistake_is_refused(codes: Path, text: str | None, message: str) -> None:
    if text is not None:
        (codes / "sex.csv").write_text(text)
    with pytest.raises(ContractError, match=message):
        load_code_map("sex", "ssd")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("term\nMR\n", r"line 1: the header term,source"),
        ("term,source\nMR,DLH\nmr,DLH\n", r"line 3: each term once; MR is there twice"),
        ("term,source\n,DLH\n", r"line 2: a term"),
    ],
)
def test_a_term_list_with_a_mistake_is_refused(codes: Path, text: str, message: str) -> None:
    (codes / "titles.csv").write_text(text)
    with pytest.raises(ContractError, match=message):
        load_terms("titles")


@pytest.mark.parametrize("path", sorted(CODES.glob("*.csv")), ids=lambda path: path.stem)
def test_every_list_of_ours_is_well_formed_and_names_its_sources(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["source"] for row in rows)
    if "term" in rows[0]:
        assert load_terms(path.stem)
    elif "scheme" in rows[0]:
        for scheme in {row["scheme"] for row in rows}:
            assert load_code_map(path.stem, scheme)


def test_every_list_of_ours_is_described() -> None:
    described = (CODES / "README.md").read_text(encoding="utf-8")
    missing = [path.stem for path in CODES.glob("*.csv") if f"`{path.stem}`" not in described]
    assert not missing
