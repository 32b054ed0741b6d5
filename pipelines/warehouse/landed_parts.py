"""Which landed rows belong together, asked of the database: row numbers, parts and hashes come back, no values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from pipelines.contracts.loader import landing_table
from pipelines.warehouse.bulk import ArrowReader
from pipelines.warehouse.metadata import quote

Numbers: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int32]]
Parts: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int16]]
Hashes: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]

MOST_PARTS = 32_767  # a smallint


@dataclass(frozen=True)
class Side:
    """One side of a lookup: the file, its extract, and the landing column by which it is joined."""

    file: str
    extract_id: int
    by: str


def rows_by_part(
    read: ArrowReader, agency: str, file: str, extract_id: int, column: str | None, parts: int
) -> tuple[Numbers, Parts]:
    """Return the row numbers of a file in its order, and to which part each belongs by the text of a column.

    Texts that differ in the space around them only belong together; without a column every part is 0.
    """
    part = _part(column) if column else "0"
    found = _read(
        read,
        f"SELECT row_number::integer AS number, ({part})::smallint AS part"  # noqa: S608 - names of a contract
        f" FROM {_table(agency, file)} WHERE extract_id = :extract_id ORDER BY row_number",
        {"extract_id": extract_id} | (_spaces(parts) if column else {}),
    )
    return found["number"], found["part"]


def rows_with_like_keys(
    read: ArrowReader, agency: str, file: str, extract_id: int, columns: Sequence[str]
) -> tuple[Numbers, Hashes]:
    """Return the row numbers whose key has the hash of another row's key, and the hashes, sorted by hash.

    Keys with nothing in them are left out. Like hashes are no proof: the keys must be compared.
    """
    names = ", ".join(map(quote, columns))
    filled = " OR ".join(f"{quote(column)} IS NOT NULL" for column in columns)
    found = _read(
        read,
        "SELECT row_number::integer AS number, hash FROM ("  # noqa: S608 - names of a contract
        "  SELECT row_number, hash, count(*) OVER (PARTITION BY hash) AS rows FROM ("
        f"    SELECT row_number, hash_record_extended(ROW({names}), 0) AS hash"
        f"    FROM {_table(agency, file)} WHERE extract_id = :extract_id AND ({filled})) AS keys) AS counted"
        " WHERE rows > 1 ORDER BY hash, row_number",
        {"extract_id": extract_id},
    )
    return found["number"], found["hash"]


def rows_borrowed(
    read: ArrowReader, agency: str, borrower: Side, lender: Side, column: str | None, parts: int
) -> tuple[Numbers, Parts]:
    """Return the lender's rows that rows of the borrower refer to, each with the part of such a row.

    `column` is the borrower's with the local person id, which decides about its part.
    """
    found = _read(
        read,
        "SELECT DISTINCT l.row_number::integer AS number, b.part FROM ("  # noqa: S608 - names of a contract
        f"  SELECT ({_part(column) if column else '0'})::smallint AS part, {_trimmed(borrower.by)} AS by"
        f"  FROM {_table(agency, borrower.file)} WHERE extract_id = :borrower) AS b JOIN ("
        f"  SELECT row_number, {_trimmed(lender.by)} AS by"
        f"  FROM {_table(agency, lender.file)} WHERE extract_id = :lender) AS l USING (by)",
        {"borrower": borrower.extract_id, "lender": lender.extract_id, **_spaces(parts)},
    )
    return found["number"], found["part"]


def _part(column: str) -> str:
    """Return the SQL for the part of a row: never negative, 0 where nothing stands in the column."""
    hashed = f"hashtextextended({_trimmed(column)}, 0)"
    return f"coalesce(({hashed} & 9223372036854775807) % CAST(:parts AS bigint), 0)"


def _trimmed(column: str) -> str:
    return f"btrim({quote(column)}, :spaces)"


def _spaces(parts: int) -> dict[str, Any]:
    return {"spaces": spaces(), "parts": parts}


@cache
def spaces() -> str:
    """Return every character that `str.strip` takes off."""
    return "".join(sign for sign in map(chr, range(0x110000)) if sign.isspace())


def _table(agency: str, file: str) -> str:
    return f"landing.{quote(landing_table(agency, file))}"


def _read(read: ArrowReader, query: str, values: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the columns of a query as numbers."""
    table = read(query, values)
    return {name: table[name].combine_chunks().to_numpy(zero_copy_only=False) for name in table.column_names}
