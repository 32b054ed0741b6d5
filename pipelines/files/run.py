"""`joinedup link` from files to files: read, adapt, train, score, choose thresholds, cluster, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.contracts.model import load_model
from pipelines.errors import FilesRejected, LinkageError, Problem
from pipelines.files import engine as linking
from pipelines.files.adapt import adapt_model
from pipelines.files.assemble import Assembled, assemble, today
from pipelines.files.facts import gather_facts
from pipelines.files.mapping import FieldMapping, FileMapping, read_mapping
from pipelines.files.read import Wanted, read_source
from pipelines.files.report import FORMAT, describe_clusters, describe_sources, describe_threshold
from pipelines.files.stages import Show, Stages, show_nothing
from pipelines.files.write import Output, write_output
from pipelines.link import LinkData
from pipelines.link.block import found_narrowing, plan_blocks
from pipelines.link.checks import check_threshold, reason_to_skip
from pipelines.link.encode import Encoded, encode
from pipelines.link.model_file import read_model_file
from pipelines.link.report.content import as_data, describe_blocking, describe_model
from pipelines.link.thresholds.rates import error_rates
from pipelines.link.trained import TrainedModel

FEWEST_RECORDS = 2


@dataclass(frozen=True)
class LinkRequest:
    """What `joinedup link` is asked to do; `files` are the sources by name.

    `checks` says whether the threshold is checked: None leaves it to the number of records.
    """

    files: Mapping[str, Path]
    mapping: Path
    output: Path
    model: Path | None = None
    engine: linking.EngineName = "fused"
    target_false_link_rate: float = 0.005
    objective: linking.ObjectiveName = "false-link-rate"
    checks: bool | None = None


def link_files(request: LinkRequest, show: Show = show_nothing) -> dict[str, Any]:
    """Return the report of linking the files of a request, after writing everything to its output folder.

    Raises:
        ContractError: the mapping or the model has a mistake, or does not fit the files.
        FilesRejected: a file cannot be read, or a column cannot be understood.
        LinkageError: the data cannot be linked with this model or engine.
    """
    stages = Stages(show)
    mapping = read_mapping(request.mapping)
    mapping.check_sources(request.mapping, request.files)
    _check_output(request.output)
    engine = linking.engine_of(request.engine)
    given = read_model_file(request.model) if request.model else None
    assembled = _read(request, mapping, stages)
    with stages.stage("Train the model" if given is None else "Encode"):
        data = linking.link_data(assembled)
        trained, encoded = _encode(given, data) if given else _train(assembled, mapping, data)
    with stages.stage(f"Compare pairs ({request.engine})") as detail:
        scored = linking.score(engine, trained, encoded, lambda done, total: detail(_share(done, total)))
    with stages.stage("Choose the threshold"):
        chosen = linking.choose(scored, data, request.objective, request.target_false_link_rate)
    with stages.stage("Cluster"):
        held, edges = linking.cluster(engine, chosen.scored)
    with stages.stage("Check the threshold"):
        skipped = reason_to_skip(data.records.num_rows, request.checks)
        checked = check_threshold(chosen.scored, data, chosen.threshold, held, skipped)
    report = _report(request, assembled, given is None, chosen) | {
        "threshold_report": as_data(checked),
        "error_rates": as_data(error_rates(checked)),
        "clusters": describe_clusters(held.table, held.report),
        "edges": _count_edges(edges),
        "stages": stages.done,
        "seconds": stages.seconds,
    }
    with stages.stage("Write"):
        write_output(request.output, Output(held.table, edges, chosen.scored.trained, report))
    return report


def _read(request: LinkRequest, mapping: FileMapping, stages: Stages) -> Assembled:
    """Return the tables of all files, each file's columns let go once its tables stand."""
    with stages.stage("Read the files") as detail:
        sources = []
        for name, path in request.files.items():
            wanted = Wanted(name, path, mapping.sources[name], request.mapping)

            def tell(rows: int, name: str = name) -> None:
                detail(f"{name}, {rows:,} rows")

            sources.append((read_source(wanted, tell), mapping.sources[name]))
    with stages.stage("Normalise") as detail:
        assembled = assemble(sources, today(), detail)
    if assembled.records.num_rows < FEWEST_RECORDS:
        only = next(iter(request.files.values()))
        raise FilesRejected([Problem(only.name, "TOO_FEW_ROWS", "linking needs at least two records")])
    return assembled


def _share(done: int, total: int) -> str:
    """Return how far the pairs are, in steps that a log can bear."""
    return f"{done * 10 // max(total, 1) * 10} % of {total:,} pairs"


def _encode(given: TrainedModel, data: LinkData) -> tuple[TrainedModel, Encoded]:
    """Return a model that was brought along, with the blocks narrowed that are too large in these files."""
    encoded = encode(given.definition, data, given.hubs)
    narrowing = found_narrowing(plan_blocks(given.definition, encoded))
    return replace(given, narrowing=narrowing, hubs=encoded.hubs), encoded


def _train(assembled: Assembled, mapping: FileMapping, data: LinkData) -> tuple[TrainedModel, Encoded]:
    facts = gather_facts(assembled)
    if not facts.fields:
        raise LinkageError("link: no mapped column has a value that can be compared")
    return linking.train(adapt_model(load_model(), facts, _extras(mapping)), data)


def _extras(mapping: FileMapping) -> dict[str, FieldMapping]:
    return {
        name: mapped
        for source in mapping.sources.values()
        for name, mapped in source.of_kind("extra.").items()
    }


def _report(
    request: LinkRequest, assembled: Assembled, trained_here: bool, chosen: linking.Chosen
) -> dict[str, Any]:
    found = chosen.scored
    return {
        "format": FORMAT,
        "settings": {
            "engine": request.engine,
            "objective": request.objective,
            "target_false_link_rate": request.target_false_link_rate,
            "checks": request.checks,
            "as_of": assembled.today.day.isoformat(),
            "allow_synthetic": assembled.today.allow_synthetic,
            "trained_here": trained_here,
        },
        "sources": describe_sources(assembled.accounts),
        "records": assembled.records.num_rows,
        "model": describe_model(found.trained),
        "training": as_data(found.trained.training),
        "blocking": describe_blocking(found.trained, found.pairs, found.rules),
        "thresholds": describe_threshold(found.trained, chosen.is_own),
    }


def _count_edges(edges: pa.Table) -> dict[str, int]:
    counts = {
        name: int(edges[column].to_numpy().sum())
        for name, column in (("links", "is_link"), ("barred", "is_barred"))
    }
    return {"edges": edges.num_rows, **counts}


def _check_output(folder: Path) -> None:
    """Raise before any work is done when the output cannot be a folder."""
    if folder.exists() and not folder.is_dir():
        raise FilesRejected([Problem(folder.name, "NOT_A_FOLDER", "--output must name a folder")])
