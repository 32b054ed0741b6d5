"""Numbers in and out of the caller's transaction as NumPy arrays: eight bytes each, and no object a row.

`bulk` reads on a connection of its own, which sees committed rows only. Where a stage has to see what it has just
written, it numbers the rows in a temporary table, and the numbers pass through here. Out, PostgreSQL strings the
bytes of each column together, which takes a fifth of the time of COPY and its message a row; in, it is binary COPY.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from sqlalchemy import Connection

from pipelines.errors import WarehouseError

Numbers = npt.NDArray[Any]
INTEGER, REAL = ">i8", ">f8"
_SQL_TYPES: Mapping[str, str] = {INTEGER: "bigint", REAL: "double precision"}
_AS_BYTES: Mapping[str, str] = {INTEGER: "int8send", REAL: "float8send"}
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
_END = b"\xff\xff"
_WIDTH = 8


def read_numbers(connection: Connection, query: str, columns: Mapping[str, str]) -> dict[str, Numbers]:
    """Return the columns of a query, each as an array of int64 or float64.

    `columns` names them and says of each whether it is INTEGER or REAL. The query takes no parameters, none of its
    values may be null, and it reads a temporary table: that is never done in parallel, so its order is kept.

    Raises:
        WarehouseError: a value is null.
    """
    parts = ", ".join(
        f"string_agg({_AS_BYTES[kind]}({name}::{_SQL_TYPES[kind]}), ''::bytea) AS {name}"
        for name, kind in columns.items()
    )
    row = connection.exec_driver_sql(
        f"SELECT count(*), {parts} FROM ({query}) AS numbers"  # noqa: S608 - a query of ours
    ).one()
    if any(len(part or b"") != row[0] * _WIDTH for part in row[1:]):
        raise WarehouseError("a number that was to be read is null")
    return {
        name: np.frombuffer(part or b"", kind).astype(kind.replace(">", "="))
        for (name, kind), part in zip(columns.items(), row[1:], strict=True)
    }


def write_numbers(connection: Connection, table: str, columns: Mapping[str, Numbers]) -> None:
    """Make a temporary table of these columns, bigint or double precision, in the place of one of its name."""
    kinds = {name: REAL if values.dtype.kind == "f" else INTEGER for name, values in columns.items()}
    declared = ", ".join(f"{name} {_SQL_TYPES[kind]} NOT NULL" for name, kind in kinds.items())
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{table}")
    connection.exec_driver_sql(f"CREATE TEMP TABLE {table} ({declared}) ON COMMIT DROP")
    rows = np.empty(len(next(iter(columns.values()))), _layout(kinds))
    rows["fields"] = len(kinds)
    for name, values in columns.items():
        rows[_length(name)] = _WIDTH
        rows[name] = values
    with _cursor(connection).copy(f"COPY pg_temp.{table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(_SIGNATURE + rows.tobytes() + _END)
    connection.exec_driver_sql(f"ANALYZE pg_temp.{table}")


def _layout(columns: Mapping[str, str]) -> np.dtype[Any]:
    """Return how a row looks: the number of fields, then each with its length before it."""
    fields = [("fields", ">i2")]
    for name, kind in columns.items():
        fields += [(_length(name), ">i4"), (name, kind)]
    return np.dtype(fields)


def _length(name: str) -> str:
    return f"length of {name}"


def _cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """Return a cursor of psycopg in the connection's transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the only driver of `engine`
    return driver.cursor()
