"""Numbers in and out of the caller's transaction as NumPy arrays, by PostgreSQL's binary COPY.

`bulk` reads on a connection of its own, which sees committed rows only. Where a stage has to see what it has just
written, it numbers the rows in a temporary table, and the numbers pass through here: eight bytes each, no objects.
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
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
_END = b"\xff\xff"
_WIDTH = 8


def read_numbers(connection: Connection, query: str, columns: Mapping[str, str]) -> dict[str, Numbers]:
    """Return the columns of a query, each as an array of int64 or float64.

    `columns` names them and says of each whether it is INTEGER or REAL. The query takes no parameters, and none of
    its values may be null.

    Raises:
        WarehouseError: a value is null.
    """
    casts = ", ".join(f"{name}::{_SQL_TYPES[kind]}" for name, kind in columns.items())
    with _cursor(connection).copy(
        f"COPY (SELECT {casts} FROM ({query}) AS numbers) TO STDOUT (FORMAT BINARY)"  # noqa: S608
    ) as copy:
        body = b"".join(copy)[len(_SIGNATURE) : -len(_END)]
    layout = _layout(columns)
    if len(body) % layout.itemsize:
        raise WarehouseError("a number that was to be read is null")
    rows = np.frombuffer(body, layout)
    if any((rows[_length(name)] != _WIDTH).any() for name in columns):
        raise WarehouseError("a number that was to be read is null")
    return {name: rows[name].astype(kind.replace(">", "=")) for name, kind in columns.items()}


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
