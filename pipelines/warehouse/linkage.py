"""Reading what linking needs, and keeping what it found: models, edges, clusters."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, text

from pipelines.errors import LinkageError
from pipelines.link.data import COLUMNS, OPTIONAL, LinkData
from pipelines.link.trained import TrainedModel
from pipelines.warehouse.bulk import read_arrow

TABLES = {
    "records": "person_record",
    "names": "person_name",
    "births": "person_date_of_birth",
    "identifiers": "person_identifier",
    "addresses": "person_address",
    "contacts": "person_contact",
}
LEVEL = "level_"


def read_link_data(extract_ids: Sequence[int], allow_synthetic: bool) -> LinkData:
    """Return the normalised records of these extracts; each record as its latest extract of each file tells it.

    Synthetic identifiers are left out unless allowed: in production they are nobody's.
    """
    tables = {}
    for name, table in TABLES.items():
        further = [column for column in OPTIONAL.get(name, ()) if column != "lines"]
        columns = ", ".join((*COLUMNS[name], *further))
        synthetic = " AND t.status <> 'SYNTHETIC'" if name == "identifiers" and not allow_synthetic else ""
        tables[name] = read_arrow(
            f"SELECT {columns} FROM (SELECT t.*, rank() OVER (PARTITION BY t.record_id, e.agency, e.file"  # noqa: S608
            f" ORDER BY e.period DESC, e.extract_id DESC) AS age FROM normalised.{table} t"
            f" JOIN audit.extract e USING (extract_id) WHERE t.extract_id = ANY(:extract_ids){synthetic}) latest"
            f" WHERE age = 1 ORDER BY record_id, extract_id, row_number",
            {"extract_ids": list(extract_ids)},
        )
    return LinkData(**tables)


def latest_model(connection: Connection, name: str) -> TrainedModel | None:
    """Return the youngest version of the model of this name; None before the first training."""
    row = connection.execute(
        text(
            "SELECT definition, parameters, training FROM linked.model WHERE name = :name"
            " ORDER BY created_at DESC, model_version LIMIT 1"
        ),
        {"name": name},
    ).one_or_none()
    return _as_model(row) if row else None


def read_model(connection: Connection, model_version: str) -> TrainedModel:
    """Return the model of this version; raises LinkageError when there is none."""
    row = connection.execute(
        text("SELECT definition, parameters, training FROM linked.model WHERE model_version = :version"),
        {"version": model_version},
    ).one_or_none()
    if row is None:
        raise LinkageError("there is no model of this version")
    return _as_model(row)


def _as_model(row: object) -> TrainedModel:
    stored = dict(row.parameters)  # type: ignore[attr-defined]
    whole = {**stored, "definition": row.definition, "training": row.training}  # type: ignore[attr-defined]
    return TrainedModel.from_json(json.dumps(whole))


def save_model(connection: Connection, model: TrainedModel) -> None:
    """Keep a model version; one that is there already stays as it is."""
    whole = json.loads(model.to_json())
    values = {
        "version": model.version,
        "name": model.definition.model,
        "definition": json.dumps(whole.pop("definition")),
        "training": json.dumps(whole.pop("training")),
        "parameters": json.dumps(whole),
    }
    connection.execute(
        text(
            "INSERT INTO linked.model (model_version, name, definition, parameters, training) VALUES (:version,"
            " :name, CAST(:definition AS jsonb), CAST(:parameters AS jsonb), CAST(:training AS jsonb))"
            " ON CONFLICT (model_version) DO NOTHING"
        ),
        values,
    )


def edge_rows(model_version: str, edges: pa.Table) -> pa.Table:
    """Return edges as `linked.edge` keeps them, without the run that they belong to."""
    return pa.table(
        {
            "record_a": edges["record_a"],
            "record_b": edges["record_b"],
            "model_version": pa.array([model_version] * edges.num_rows, pa.string()),
            "match_weight": edges["match_weight"],
            "match_probability": edges["match_probability"],
            "levels": _levels_as_json(edges),
            "is_link": edges["is_link"],
            "is_barred": edges["is_barred"],
        }
    )


def _levels_as_json(edges: pa.Table) -> pa.Array:
    """Return each edge's comparison levels as a JSON object: comparison -> level, null as -1.

    Most edges have levels in common with many others: each combination is written once.
    """
    names = [name for name in edges.column_names if name.startswith(LEVEL)]
    levels = np.column_stack([edges[name].to_numpy() for name in names]).astype(np.int8)
    combined = np.ascontiguousarray(levels).view(np.dtype((np.void, len(names)))).ravel()
    _, first, which = np.unique(combined, return_index=True, return_inverse=True)
    labels = [name.removeprefix(LEVEL) for name in names]
    texts = [json.dumps(dict(zip(labels, row, strict=True))) for row in levels[first].tolist()]
    return pa.array(texts, pa.string()).take(pa.array(which))
