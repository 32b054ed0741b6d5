"""Linking with Splink on DuckDB: one row per record, rules and comparisons as its documentation recommends them."""

from __future__ import annotations

import json
import logging
import os
import sys
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.pipeline.rival.copying import copy_out
from benchmarks.pipeline.rival.deliveries import Delivery
from benchmarks.pipeline.rival.ledger import Found, keep
from pipelines.warehouse.engine import transaction

SEED = 1
THRESHOLD = 0.9
# DuckDB takes 80 % of a machine unless told; half leaves room for the frames and for PostgreSQL.
SHARE_OF_MEMORY = 0.5

# Fixed before anything was measured.
BLOCKING = (
    block_on("nhs_number"),
    block_on("family", "date_of_birth"),
    block_on("given", "date_of_birth"),
    block_on("given", "family", "postcode"),
    block_on("date_of_birth", "postcode"),
    block_on("phone"),
    block_on("email"),
)
CERTAIN = (
    block_on("nhs_number"),
    block_on("given", "family", "date_of_birth"),
    block_on("given", "date_of_birth", "postcode"),
)
ASSUMED_RECALL = 0.7
RANDOM_PAIRS = 1e7
PASSES = (block_on("given", "family"), block_on("date_of_birth"), block_on("postcode", "given"))

_RECORDS = "SELECT DISTINCT ON (record_id) record_id, sex FROM normalised.person_record ORDER BY record_id"
_NAMES = "SELECT record_id, given, family FROM normalised.person_name WHERE name_type = 'USUAL' ORDER BY row_number"
_BIRTHS = (
    "SELECT record_id, date_of_birth FROM normalised.person_date_of_birth"
    " WHERE precision = 'DAY' ORDER BY row_number"
)
_HOMES = (
    "SELECT record_id, postcode FROM normalised.person_address WHERE postcode IS NOT NULL"
    " ORDER BY address_type <> 'HOME', valid_to DESC NULLS FIRST, valid_from DESC NULLS LAST"
)
_NUMBERS = (
    "SELECT record_id, value AS nhs_number FROM normalised.person_identifier"
    " WHERE identifier_type = 'NHS' AND status = 'VALID' ORDER BY verification NULLS LAST"
)
_PHONES = (
    "SELECT record_id, value AS phone FROM normalised.person_contact"
    " WHERE status = 'VALID' AND contact_type IN ('MOBILE', 'HOME') ORDER BY contact_type DESC"
)
_EMAILS = (
    "SELECT record_id, value AS email FROM normalised.person_contact"
    " WHERE status = 'VALID' AND contact_type = 'EMAIL'"
)
_SEALED = "SELECT DISTINCT record_id FROM normalised.person_protection WHERE level = 'SEALED'"


def link(deliveries: list[Delivery], memory_gb: float) -> tuple[int, int]:
    """Return the linkage run and the number of its candidate pairs; edges, clusters and people are kept."""
    records, sealed = read_records()
    with TemporaryDirectory(prefix="rival-duckdb-") as spill:
        database = duckdb.connect(
            config={
                "threads": len(os.sched_getaffinity(0)),
                "memory_limit": f"{memory_gb * SHARE_OF_MEMORY}GB",
                "temp_directory": spill,
            }
        )
        found, pairs = _find(database, records)
        database.close()
    alone = pd.DataFrame({"record_id": sealed, "cluster_id": sealed})
    found = Found(found.edges, pd.concat([found.clusters, alone]), found.model, THRESHOLD)
    return keep(deliveries, found), pairs


def read_records() -> tuple[pd.DataFrame, pd.Series]:
    """Return one row per record, with the first value of each kind, and the records that nobody may find."""
    with transaction() as connection:
        records = copy_out(connection, _RECORDS)
        sealed = copy_out(connection, _SEALED)["record_id"]
        for query in (_NAMES, _BIRTHS, _HOMES, _NUMBERS, _PHONES, _EMAILS):
            values = copy_out(connection, query).drop_duplicates("record_id")
            records = records.merge(values, on="record_id", how="left")
    records["sex"] = records["sex"].where(records["sex"].isin(["M", "F"]))
    records["full_name"] = records["given"] + " " + records["family"]
    return records[~records["record_id"].isin(sealed)], sealed[sealed.isin(records["record_id"])]


def settings() -> SettingsCreator:
    """Return what Splink compares and blocks on."""
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=[
            cl.ForenameSurnameComparison("given", "family", forename_surname_concat_col_name="full_name"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True),
            cl.ExactMatch("sex"),
            cl.PostcodeComparison("postcode"),
            cl.ExactMatch("nhs_number"),
            cl.ExactMatch("phone"),
            cl.EmailComparison("email"),
        ],
        blocking_rules_to_generate_predictions=list(BLOCKING),
    )


def _find(database: duckdb.DuckDBPyConnection, records: pd.DataFrame) -> tuple[Found, int]:
    """Return edges and clusters, and how many pairs were weighed."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    database.register("given_records", records)
    database.execute("CREATE TABLE records AS SELECT * FROM given_records")
    api = DuckDBAPI(database)
    linker = Linker(api.register("records"), settings(), log_level=logging.CRITICAL)
    _train(linker)
    pairs = linker.inference.compute_blocked_pairs_for_predict()  # predict takes them over
    weighed = _count(database, pairs.physical_name)
    edges = linker.inference.predict(threshold_match_probability=THRESHOLD)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        edges, threshold_match_probability=THRESHOLD
    )
    chosen = "record_id_l, record_id_r, match_weight, match_probability"
    found = Found(
        database.execute(f"SELECT {chosen} FROM {edges.physical_name}").df(),  # noqa: S608 - Splink's names
        database.execute(f"SELECT record_id, cluster_id FROM {clusters.physical_name}").df(),  # noqa: S608
        json.dumps(linker.misc.save_model_to_json()),
        THRESHOLD,
    )
    return found, weighed


def _train(linker: Linker) -> None:
    """Train as the tutorial does: the prior by certain rules, u from random pairs, m by a pass per rule."""
    training = linker.training
    training.estimate_probability_two_random_records_match(list(CERTAIN), recall=ASSUMED_RECALL)
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    for rule in PASSES:
        try:
            training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=True
            )
        except ValueError as error:  # on few pairs Splink 5.0.0 may stop at a probability of 0
            print(f"# Splink left a training pass out: {error}", file=sys.stderr)


def _count(database: duckdb.DuckDBPyConnection, table: str) -> int:
    found: Any = database.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - Splink's name
    return int(found[0][0])
