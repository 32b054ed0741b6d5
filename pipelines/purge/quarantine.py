"""What a purge removes from the quarantine: the text of rows that carry the record's local id.

Such a text could not be read as a row, so which of its fields is the local id is unknown: any that hashes to the
record counts. The row itself stays, with where it was and why, so that no count changes and nobody's row is lost.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from pipelines.contracts.agency import AgencyFile
from pipelines.contracts.documents import DOCUMENTS
from pipelines.contracts.loader import load_contract
from pipelines.normalise.assemble.local_ids import local_id_column, record_behind
from pipelines.purge.found import Found, Wanted, as_found
from pipelines.settings import load_settings

# What stands around a value in JSON and in XML.
DOCUMENT_SIGNS = r"\"'<>,:=\[\]{}"

_TEXTS = text("""
    SELECT q.extract_id, e.period, q.row_number, q.raw #>> '{}' AS raw
    FROM quarantine.row q JOIN audit.extract e USING (extract_id)
    WHERE e.agency = :agency AND q.file = :file AND jsonb_typeof(q.raw) IS NOT NULL AND q.raw <> 'null'
""")
_BLANK = text("""
    UPDATE quarantine.row q SET raw = NULL
    FROM unnest(CAST(:extracts AS bigint[]), CAST(:numbers AS bigint[]), CAST(:records AS text[]))
         AS w (extract_id, row_number, record_id)
    WHERE q.extract_id = w.extract_id AND q.row_number = w.row_number AND q.stage = 'landing'
    RETURNING w.record_id, q.extract_id
""")


def blank_quarantined(connection: Connection, wanted: Wanted) -> Found:
    """Return the rows whose text was removed."""
    found = Found()
    for agency in wanted.agencies:
        for name, file in load_contract(agency).files.items():
            if local_id_column(file) is not None:
                found += _blank(connection, wanted, agency, name, file)
    return found


def _blank(connection: Connection, wanted: Wanted, agency: str, name: str, file: AgencyFile) -> Found:
    hits = []
    for row in connection.execute(_TEXTS, {"agency": agency, "file": name}):
        named = wanted.records & records_in(agency, file.at(row.period), row.raw)
        hits += [(row.extract_id, row.row_number, record) for record in named]
    if not hits:
        return Found()
    extracts, numbers, records = zip(*hits, strict=True)
    values = {"extracts": list(extracts), "numbers": list(numbers), "records": list(records)}
    return as_found(connection.execute(_BLANK, values).all())


def records_in(agency: str, file: AgencyFile, raw: str) -> frozenset[str]:
    """Return the record behind each field of a text, as if it were a local id."""
    key = load_settings().key
    behind = (record_behind(key, agency, file, field) for field in _fields_in(file, raw))
    return frozenset(record for record in behind if record is not None)


def _fields_in(file: AgencyFile, raw: str) -> set[str]:
    """Return whatever may be a field of a text: what stands between delimiters, or at the place of the local id."""
    # Of a document the text is JSON or XML: a value may stand between any two of the signs of either.
    between = DOCUMENT_SIGNS if file.format.kind in DOCUMENTS else re.escape(file.format.delimiter)
    signs = between + r"\r\n"
    fields = {field.strip().strip(file.format.quote) for field in re.split(f"[{signs}]", raw)}
    if file.local_id and (place := file.columns[file.local_id].at):
        first, count = place
        fields.add(raw[first - 1 : first - 1 + count].strip())
    return fields
