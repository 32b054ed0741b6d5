"""The records of a file as linking reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.link.data import LinkData

COLUMNS = ["unique_id", "first_name", "surname", "dob", "sex", "house_number", "postcode", "outward", "email"]
# Read as codes into a table: what a file holds that way is not written out.
REPEATED = ["first_name", "surname", "sex", "house_number", "postcode", "outward"]


def read_records(path: Path) -> LinkData:
    """Return the records of a file; each has one name, date of birth, address and e-mail address at the most."""
    table = pq.read_table(path, columns=COLUMNS, read_dictionary=REPEATED)
    size = table.num_rows
    record = pa.array(np.arange(size, dtype=np.int32))
    nothing = pa.nulls(size, pa.string())
    days = table["dob"]
    return LinkData(
        records=pa.table(
            {
                "record_id": table["unique_id"].cast(pa.string()),
                "agency": _same("register", size),
                "sex": table["sex"],
            }
        ),
        names=pa.table(
            {"record": record, "given": table["first_name"], "middle": nothing, "family": table["surname"]}
        ),
        births=pa.table(
            {
                "record": record,
                "date_of_birth": days,
                "precision": _same("DAY", size),
                "earliest": days,
                "latest": days,
            }
        ),
        identifiers=pa.table(
            {
                "record": pa.array([], pa.int32()),
                **{name: pa.array([], pa.string()) for name in ("identifier_type", "value", "status")},
                "verification": pa.array([], pa.string()),
                "valid_to": pa.array([], pa.date32()),
            }
        ),
        addresses=pa.table(
            {
                "record": record,
                "building_number": table["house_number"],
                "postcode": table["postcode"],
                "postcode_status": _same("LIVE", size),
                "outward": table["outward"],
                "uprn": nothing,
            }
        ),
        contacts=pa.table(
            {
                "record": record,
                "contact_type": _same("EMAIL", size),
                "value": table["email"],
                "status": _same("VALID", size),
            }
        ),
    )


def _same(value: str, size: int) -> pa.DictionaryArray:
    """Return a column that says the same of every record."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, dtype=np.int8)), pa.array([value]))
