"""Why two records are one person, or are not: from the warehouse, for the auditor and the linkage role."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, text

from pipelines.errors import LinkageError
from pipelines.identity.judgements import live_judgements
from pipelines.identity.protection import SEALED, protected_records
from pipelines.keys import PERSON, pseudonym, record_id
from pipelines.link.explain import PersonExplanation, Waterfall, explain_pair, explain_person
from pipelines.link.judged import UNSURE
from pipelines.link.seal import seal_closure
from pipelines.settings import load_settings
from pipelines.warehouse.bulk import read_arrow
from pipelines.warehouse.engine import transaction
from pipelines.warehouse.linkage import read_link_data, read_model
from pipelines.warehouse.runs import latest_link_run


def explain_records(first: str, second: str) -> Waterfall:
    """Return the waterfall of two records under the model of the latest linkage run.

    A record is named by its record id, or as `agency/local-id`.

    Raises:
        LinkageError: nothing was linked yet, a record is not among those of the latest run, or one is sealed or
            shares an identifier with a sealed one: of these nobody is told whom they resemble.
    """
    ids = [as_record_id(first), as_record_id(second)]
    with transaction() as connection:
        run = latest_link_run(connection)
        model = read_model(connection, str(run.inputs["model_version"]))
        sealed = [each.record_id for each in protected_records(connection) if each.level == SEALED]
    everyone = read_link_data(list(run.inputs["extract_ids"]), load_settings().allow_synthetic)
    if seal_closure(everyone.identifiers, sealed) & set(ids):
        raise LinkageError("one of these records is protected: it is never compared with another")
    data = everyone.only(frozenset(ids))
    missing = set(ids) - set(data.records["record_id"].to_pylist())
    if missing:
        raise LinkageError(f"not among the records of run {run.run_id}: {', '.join(sorted(missing))}")
    return explain_pair(model, data, *ids)


def judgement_about(first: str, second: str) -> str | None:
    """Return what people decided about two records and what counts now; None where nobody did.

    Records are named as in `explain_records`.
    """
    pair = tuple(sorted((as_record_id(first), as_record_id(second))))
    with transaction() as connection:
        rulings = live_judgements(connection)
    found = next((each for each in rulings if (each.record_a, each.record_b) == pair), None)
    if found is None:
        return None
    what_counts = "the evidence decides" if found.verdict == UNSURE else "whatever the weights say"
    return f"judged {found.verdict.lower()} (judgement {found.judgement_id}): {what_counts}"


def explain_published_person(name: str) -> PersonExplanation:
    """Return what holds a person together; the person is named by person id or by published pseudonym.

    Raises:
        LinkageError: nobody is known by this name.
    """
    with transaction() as connection:
        run = latest_link_run(connection)
        person = _person_id(connection, name)
        records = connection.execute(
            text(
                "SELECT record_id FROM identity.membership"
                " WHERE person_id = :person AND valid_to_run IS NULL ORDER BY record_id"
            ),
            {"person": person},
        ).scalars()
        ids = [str(record) for record in records]
    edges = read_arrow(
        "SELECT record_a, record_b, match_weight, match_probability, is_link FROM linked.edge_of(:run_id)"
        " WHERE record_a = ANY(CAST(:ids AS uuid[])) AND record_b = ANY(CAST(:ids AS uuid[]))",
        {"run_id": run.run_id, "ids": ids},
    )
    return explain_person(ids, edges)


def as_record_id(name: str) -> str:
    """Return the record id behind a record id, or behind `agency/local-id`."""
    agency, slash, local = name.partition("/")
    if slash:
        return record_id(load_settings().key, agency, local)
    try:
        return str(UUID(name))
    except ValueError:
        raise LinkageError("a record is named by its record id, or as agency/local-id") from None


def _person_id(connection: Connection, name: str) -> str:
    """Return the person id behind a person id or a pseudonym."""
    try:
        return str(UUID(name))
    except ValueError:
        pass
    key = load_settings().key
    for person in connection.execute(
        text("SELECT person_id FROM identity.person WHERE retired_run IS NULL")
    ).scalars():
        if pseudonym(key, PERSON, str(person)) == name:
            return str(person)
    raise LinkageError("nobody is known by this pseudonym")
