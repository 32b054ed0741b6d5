"""Splink 5 on DuckDB as a contender: the same model, exported, and the same rules.

Its best settings, fixed before anything was tuned: the columns that it needs and no other, read once into a table
of its own; all threads; the order of rows not kept; no column or intermediate result retained; what a comparison
asks of a date (digits, month, year, day and month exchanged) as columns, not computed pair by pair; an integer id.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from splink import DuckDBAPI, Linker
from splink.internals.pipeline import CTEPipeline
from splink.internals.splink_dataframe import SplinkDataFrame
from splink.internals.vertically_concatenate import enqueue_df_concat_with_tf

from benchmarks.speed.case import load_case
from benchmarks.speed.task import Answer, Task, contend
from pipelines.contracts.model import LinkageModel
from pipelines.link.splink_bridge.exporting import export_settings
from pipelines.link.trained import TrainedModel

RECORDS = "records"
SEED = 1
# Columns of the exported model, as expressions of the file's.
SOURCES = {
    "given": "first_name",
    "family": "surname",
    "date_of_birth": "dob",
    "sex": "sex",
    "place": "postcode || '#' || house_number",
    "postcode": "postcode",
    "outward": "outward",
    "contact": "email",
    "contact_local": "split_part(email, '@', 1)",
    "given_initial": "first_name[1]",
    "family_initial": "surname[1]",
    "birth_digits": "strftime(dob, '%Y%m%d')",
    "birth_crossed": "strftime(dob, '%Y%d%m')",
    "birth_month": "(year(dob) * 100 + month(dob))::INTEGER",
    "birth_year": "year(dob)::INTEGER",
}
# What the export computes of a date in every pair, and the column that has it.
DIGITS = "strftime(date_of_birth_{side}, '%Y%m%d')"
COMPUTED = (
    (
        f"concat(substring({DIGITS}, 1, 4), substring({DIGITS}, 7, 2), substring({DIGITS}, 5, 2))",
        "birth_crossed_{side}",
    ),
    (f"substring({DIGITS}, 1, 6)", "birth_month_{side}"),
    (DIGITS, "birth_digits_{side}"),
    ("year(date_of_birth_{side})", "birth_year_{side}"),
    ("contact_email_{side}", "contact_{side}"),
)


def link(task: Task, answer: Answer) -> None:
    """Link the records: load, train, block and predict, cluster."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    model = load_case(task.case)
    with TemporaryDirectory(prefix="joinedup-speed-") as folder:
        settings: dict[str, Any] = {
            "threads": len(os.sched_getaffinity(0)),
            "preserve_insertion_order": False,
            "temp_directory": folder,
        }
        database = duckdb.connect(config=settings)
        with answer.timed("load"):
            linker = _linker(database, task, model)
            count_terms(linker)
        if task.is_whole:
            with answer.timed("train"):
                _train(linker, model)
        with answer.timed("score"):
            blocked = linker.inference.compute_blocked_pairs_for_predict()
            found = linker.inference.predict(
                threshold_match_probability=model.edge_probability, warning_mode="never"
            )
        answer.pairs, answer.edges = _count(database, blocked), _count(database, found)
        if task.is_whole:
            blocked.drop_table_from_database_and_remove_from_cache()
            with answer.timed("cluster"):
                clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
                    found, threshold_match_probability=model.link_probability
                )
            query = f"SELECT count(DISTINCT cluster_id) FROM {clusters.physical_name}"  # noqa: S608 - Splink's name
            answer.clusters = int(database.execute(query).fetchall()[0][0])
        if task.edges:
            _write_edges(database, found, Path(task.edges))
        database.close()


def exported(task: Task, model: LinkageModel) -> dict[str, Any]:
    """Return the settings that our export makes of the model, with the dates' parts as columns."""
    if task.trained:
        trained = TrainedModel.from_json(Path(task.trained).read_text(encoding="utf-8"))
    else:
        trained = TrainedModel.untrained(model)
    settings = export_settings(trained).settings
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            for computed, column in COMPUTED:
                for side in ("l", "r"):
                    level["sql_condition"] = level["sql_condition"].replace(
                        computed.format(side=side), column.format(side=side)
                    )
    return settings


def columns_of(settings: dict[str, Any]) -> list[str]:
    """Return the columns that settings mention."""
    rules = [rule["blocking_rule"] for rule in settings["blocking_rules_to_generate_predictions"]]
    levels = [
        level["sql_condition"]
        for comparison in settings["comparisons"]
        for level in comparison["comparison_levels"]
    ]
    text = " ".join([*levels, *(f"{rule} " for rule in rules)])
    return [name for name in SOURCES if f"{name}_r" in text or f"l.{name} " in text]


def _linker(database: DuckDBPyConnection, task: Task, model: LinkageModel) -> Linker:
    settings = exported(task, model)
    columns = ", ".join(f"{SOURCES[name]} AS {name}" for name in columns_of(settings))
    query = f"CREATE TABLE {RECORDS} AS SELECT unique_id, {columns} FROM read_parquet(?)"  # noqa: S608 - our names
    database.execute(query, [task.data])
    api = DuckDBAPI(database)
    return Linker(api.register(RECORDS), settings, log_level=None, validate_settings=False)


def count_terms(linker: Linker) -> None:
    """Have Splink count term frequencies, so that predicting need not."""
    enqueue_df_concat_with_tf(linker, CTEPipeline())


def _train(linker: Linker, model: LinkageModel) -> None:
    """Train as Splink's tutorial does: the prior by a certain rule, u from random pairs, m by a pass per rule."""
    certain = "l.given = r.given AND l.family = r.family AND l.date_of_birth = r.date_of_birth"
    training, recall = linker.training, model.deterministic.assumed_recall
    training.estimate_probability_two_random_records_match([certain], recall=recall)
    training.estimate_u_using_random_sampling(max_pairs=model.training.random_pairs, seed=SEED)
    for rule in model.blocking:
        if rule.train:
            condition = " AND ".join(f"l.{key} = r.{key}" for key in rule.keys)
            training.estimate_parameters_using_expectation_maximisation(
                condition, estimate_without_term_frequencies=True
            )


def _count(database: DuckDBPyConnection, table: SplinkDataFrame) -> int:
    return int(database.execute(f"SELECT count(*) FROM {table.physical_name}").fetchall()[0][0])  # noqa: S608


def _write_edges(database: DuckDBPyConnection, found: SplinkDataFrame, path: Path) -> None:
    database.execute(
        f"COPY (SELECT least(unique_id_l, unique_id_r) AS a, greatest(unique_id_l, unique_id_r) AS b,"  # noqa: S608
        f" match_weight AS weight FROM {found.physical_name}) TO '{path}' (FORMAT parquet)"
    )


if __name__ == "__main__":
    contend(link)
