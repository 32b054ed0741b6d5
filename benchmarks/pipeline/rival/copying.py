"""Frames into the warehouse and out of it, by COPY and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any

import pandas as pd
from sqlalchemy import Connection

ROWS_AT_ONCE = 100_000


def copy_in(connection: Connection, table: str, frame: pd.DataFrame) -> None:
    """Append a frame to a table whose columns have the frame's names; nothing (NaN, None, NaT) becomes NULL."""
    columns = ", ".join(f'"{column}"' for column in frame.columns)
    with (
        _cursor(connection) as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)") as copy,
    ):
        for start in range(0, len(frame), ROWS_AT_ONCE):
            buffer = StringIO()
            part = frame.iloc[start : start + ROWS_AT_ONCE]
            part.to_csv(buffer, index=False, header=False, date_format="%Y-%m-%d")
            copy.write(buffer.getvalue())
    connection.exec_driver_sql(f"ANALYZE {table}")


def copy_out(connection: Connection, query: str, dates: Sequence[str] = ()) -> pd.DataFrame:
    """Return the rows of a query, every column as text but the dates."""
    buffer = BytesIO()
    with _cursor(connection) as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        for block in copy:
            buffer.write(block)
    buffer.seek(0)
    frame = pd.read_csv(buffer, dtype=str, keep_default_na=False, na_values=[""])
    for column in dates:
        frame[column] = pd.to_datetime(frame[column], format="%Y-%m-%d")
    return frame


def _cursor(connection: Connection) -> Any:
    """Return a cursor of the driver, in the connection's transaction."""
    driver: Any = connection.connection.driver_connection
    return driver.cursor()
