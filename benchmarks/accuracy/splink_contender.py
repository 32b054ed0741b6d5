"""Splink 5 on DuckDB, configured for each data set as its own documentation configures it.

Sources: the example notebooks febrl3, febrl4 and deduplicate_50k_synthetic, the notebook on evaluation from a
label column (fake_1000) and tutorials 4 and 5, all in docs/demos of moj-analytical-services/splink. For the
synthetic population, which Splink's documents do not know, the 50k example is carried over to its columns.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.accuracy.contender import Contender, Pairs, Setting, as_bits
from benchmarks.accuracy.dataset import DataSet

SEED = 1


@dataclass(frozen=True)
class Recipe:
    """A documented configuration: what is compared, blocked and trained, and the threshold it clusters at."""

    link_type: Literal["dedupe_only", "link_only"]
    comparisons: tuple[Any, ...]
    blocking: tuple[Any, ...]
    deterministic: tuple[Any, ...]
    recall: float
    random_pairs: float
    passes: tuple[Any, ...]
    cluster_at: float


def _febrl3() -> Recipe:
    return Recipe(
        link_type="dedupe_only",
        comparisons=(
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ),
        blocking=tuple(map(block_on, ("soc_sec_id", "given_name", "surname", "date_of_birth", "postcode"))),
        deterministic=(
            block_on("soc_sec_id"),
            block_on("given_name", "surname", "date_of_birth"),
            "l.given_name = r.surname and l.surname = r.given_name and l.date_of_birth = r.date_of_birth",
        ),
        recall=0.9,
        random_pairs=1e6,
        passes=(block_on("date_of_birth"), block_on("postcode")),
        cluster_at=0.95,
    )


def _febrl4() -> Recipe:
    return Recipe(
        link_type="link_only",
        comparisons=(
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ),
        blocking=(
            block_on("given_name", "surname"),
            "l.given_name = r.surname and l.surname = r.given_name",
            block_on("date_of_birth"),
            block_on("soc_sec_id"),
            block_on("state", "address_1"),
            block_on("street_number", "address_1"),
            block_on("postcode"),
        ),
        deterministic=(block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")),
        recall=0.8,
        random_pairs=1e6,
        passes=(block_on("date_of_birth"), block_on("postcode")),
        cluster_at=0.99,
    )


def _fake_1000() -> Recipe:
    return Recipe(
        link_type="dedupe_only",
        comparisons=(
            cl.ForenameSurnameComparison("first_name", "surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ),
        blocking=tuple(map(block_on, ("first_name", "surname", "dob", "email"))),
        deterministic=(
            "l.first_name = r.first_name and levenshtein(r.dob, l.dob) <= 1",
            "l.surname = r.surname and levenshtein(r.dob, l.dob) <= 1",
            "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2",
            "l.email = r.email",
        ),
        recall=0.7,
        random_pairs=1e6,
        passes=(block_on("dob"), block_on("email"), block_on("first_name", "surname")),
        cluster_at=0.5,
    )


def _synthetic() -> Recipe:
    identifiers = ("nhs_number", "upn", "pnc", "cro")
    return Recipe(
        link_type="dedupe_only",
        comparisons=(
            cl.ForenameSurnameComparison("given", "family", forename_surname_concat_col_name="full_name"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True),
            cl.PostcodeComparison("postcode"),
            cl.ExactMatch("middle").configure(term_frequency_adjustments=True),
            cl.ExactMatch("sex"),
            cl.ExactMatch("mobile"),
            cl.EmailComparison("email"),
            *(cl.ExactMatch(column) for column in identifiers),
        ),
        blocking=(
            block_on("substr(given,1,3)", "substr(family,1,4)"),
            "l.given = r.family and l.family = r.given",
            block_on("family", "date_of_birth"),
            block_on("given", "date_of_birth"),
            block_on("postcode", "given"),
            block_on("postcode", "family"),
            block_on("date_of_birth", "postcode"),
            block_on("substr(given,1,2)", "substr(family,1,2)", "substr(date_of_birth,1,4)"),
            *(block_on(column) for column in (*identifiers, "mobile", "email")),
        ),
        deterministic=(
            block_on("given", "family", "date_of_birth"),
            block_on("date_of_birth", "postcode", "given"),
            block_on("nhs_number"),
        ),
        recall=0.7,
        random_pairs=1e7,
        passes=(block_on("given", "family"), block_on("date_of_birth"), block_on("postcode", "given")),
        cluster_at=0.95,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {
    "febrl3": _febrl3,
    "febrl4": _febrl4,
    "fake_1000": _fake_1000,
    "synthetic": _synthetic,
}


def _febrl_further() -> tuple[Any, ...]:
    return (
        cl.JaroWinklerAtThresholds("address_1", [0.9]),
        cl.JaroWinklerAtThresholds("address_2", [0.9]),
        cl.JaroWinklerAtThresholds("suburb", [0.9]).configure(term_frequency_adjustments=True),
        cl.ExactMatch("state"),
    )


# The columns that the documented configuration does not compare, and ours does.
FURTHER: dict[str, Callable[[], tuple[Any, ...]]] = {
    "febrl3": _febrl_further,
    "febrl4": _febrl_further,
    "synthetic": lambda: (cl.JaroWinklerAtThresholds("address", [0.9]),),
}


def link_splink(data_set: DataSet) -> Contender:
    """Return Splink's answer: every candidate pair that it weighs, and the threshold its example clusters at."""
    return _link("Splink 5", data_set, RECIPES[data_set.kind]())


def link_splink_further(data_set: DataSet) -> Contender | None:
    """Return Splink's answer with every column compared; None where the documented configuration does so."""
    if data_set.kind not in FURTHER:
        return None
    recipe = RECIPES[data_set.kind]()
    comparisons = (*recipe.comparisons, *FURTHER[data_set.kind]())
    return _link("Splink 5, every column", data_set, replace(recipe, comparisons=comparisons))


def _link(name: str, data_set: DataSet, recipe: Recipe) -> Contender:
    logging.getLogger("splink").setLevel(logging.ERROR)
    started = time.monotonic()
    linker = _linker(data_set, recipe)
    linker.training.estimate_probability_two_random_records_match(
        list(recipe.deterministic), recall=recipe.recall
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=recipe.random_pairs, seed=SEED)
    for rule in recipe.passes:
        _train_on(linker, rule)
    found = linker.inference.predict().as_duckdbpyrelation()
    table = found.select("unique_id_l, unique_id_r, match_weight").arrow()
    frame = _as_table(table).to_pandas()
    pairs = Pairs(
        frame["unique_id_l"].to_numpy(np.int64),
        frame["unique_id_r"].to_numpy(np.int64),
        frame["match_weight"].to_numpy(np.float64),
    )
    setting = Setting(f"its own {recipe.cluster_at}", as_bits(recipe.cluster_at))
    return Contender(name, pairs, (setting,), time.monotonic() - started)


def _train_on(linker: Linker, rule: Any) -> None:
    """Train on the pairs of one rule; on few pairs Splink 5.0.0 may stop at a probability of 0: then go without."""
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True
        )
    except ValueError as error:
        print(f"Splink left a training pass out: {error}", file=sys.stderr)


def _as_table(result: Any) -> pa.Table:
    return result if isinstance(result, pa.Table) else result.read_all()


def _linker(data_set: DataSet, recipe: Recipe) -> Linker:
    api = DuckDBAPI()
    frame = data_set.columns.drop(columns="key")
    frame.insert(0, "unique_id", np.arange(len(frame)))
    if data_set.kind == "synthetic":
        frame["full_name"] = frame["given"] + " " + frame["family"]
    parts = [frame]
    if recipe.link_type == "link_only":
        parts = [part for _, part in frame.groupby("source")]
    tables = [api.register(_arrow(part.drop(columns="source"))) for part in parts]
    settings = SettingsCreator(
        link_type=recipe.link_type,
        comparisons=list(recipe.comparisons),
        blocking_rules_to_generate_predictions=list(recipe.blocking),
    )
    return Linker(tables if len(tables) > 1 else tables[0], settings, log_level=logging.CRITICAL)


def _arrow(frame: pd.DataFrame) -> pa.Table:
    texts = [pa.field(name, pa.string()) for name in frame.columns if name != "unique_id"]
    schema = pa.schema([pa.field("unique_id", pa.int64()), *texts])
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
