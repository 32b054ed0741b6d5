"""Where Splink runs: DuckDB on this machine, or Spark on many; behind one interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.link.splink_bridge.sql import DUCKDB, SPARK, Dialect

if TYPE_CHECKING:
    from collections.abc import Iterable


class Database(Protocol):
    """An open database of Splink's, with the records in it."""

    records: Any

    def register(self, table: pa.Table) -> Any:
        """Return a table as one that Splink can use."""
        ...

    def first_row(self, query: str) -> tuple[Any, ...]:
        """Return the first row of a query's result."""
        ...

    def read(self, frame: Any) -> pa.Table:
        """Return one of Splink's tables."""
        ...


class Backend(Protocol):
    """Opens a database for some records."""

    dialect: Dialect

    def open(self, records: pa.Table) -> AbstractContextManager[Database]:
        """Return a database with these records, which is gone when the context ends."""
        ...


@dataclass(frozen=True)
class DuckDB:
    """DuckDB in memory; what does not fit goes to a folder of its own, which is gone at the end."""

    threads: int | None = None
    dialect: Dialect = DUCKDB

    @contextmanager
    def open(self, records: pa.Table) -> Iterator[Database]:
        """Yield a database with these records."""
        import duckdb

        with TemporaryDirectory(prefix="joinedup-splink-") as folder:
            settings: dict[str, Any] = {"temp_directory": folder, "preserve_insertion_order": False}
            if self.threads is not None:
                settings["threads"] = self.threads
            connection = duckdb.connect(config=settings)
            try:
                yield _DuckDBDatabase(connection, records)
            finally:
                connection.close()


class _DuckDBDatabase:
    def __init__(self, connection: Any, records: pa.Table) -> None:
        from splink import DuckDBAPI

        self.connection, self.api = connection, DuckDBAPI(connection)
        # A view of Arrow is scanned again for every join; a table is compressed and has statistics.
        connection.register("arrow_records", records)
        connection.execute("CREATE TABLE records AS SELECT * FROM arrow_records")
        connection.unregister("arrow_records")
        self.records = self.api.register("records")

    def register(self, table: pa.Table) -> Any:
        return self.api.register(table)

    def first_row(self, query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self.connection.execute(query).fetchall()[0]
        return row

    def read(self, frame: Any) -> pa.Table:
        return self.connection.table(frame.physical_name).to_arrow_table()


@dataclass(frozen=True)
class Spark:
    """A Spark session (`spark.jars` holding Splink's jar), and a folder that its driver and workers share.

    The workers need NumPy, pandas, pyarrow and rapidfuzz. `partitions` is how many parts the pairs are cut into.
    """

    session: Any
    folder: Path
    partitions: int
    dialect: Dialect = SPARK

    @contextmanager
    def open(self, records: pa.Table) -> Iterator[Database]:
        """Yield a database with these records."""
        with TemporaryDirectory(prefix="joinedup-splink-", dir=self.folder) as folder:
            self.session.sparkContext.setCheckpointDir(folder)
            self.session.udf.register("best_similarity", _similarity_function())
            database = _SparkDatabase(self, Path(folder), records)
            try:
                yield database
            finally:
                database.api.delete_tables_created_by_splink_from_db()


class _SparkDatabase:
    def __init__(self, spark: Spark, folder: Path, records: pa.Table) -> None:
        from splink.backends.spark import SparkAPI

        make: Any = SparkAPI
        self.session, self.folder, self.written = spark.session, folder, 0
        self.api = make(spark_session=spark.session, num_partitions_on_repartition=spark.partitions)
        self.records = self.register(records)

    def register(self, table: pa.Table) -> Any:
        self.written += 1
        path = self.folder / f"{self.written}.parquet"
        pq.write_table(table, path)
        return self.api.register(self.session.read.parquet(str(path)))

    def first_row(self, query: str) -> tuple[Any, ...]:
        return tuple(self.session.sql(query).first())

    def read(self, frame: Any) -> pa.Table:
        return frame.as_spark_dataframe().toArrow()


def _similarity_function() -> Any:
    """Return, for Spark, the best Jaro-Winkler similarity of two lists of texts: its jar has another variant."""
    import pandas as pd
    from pyspark.sql.functions import pandas_udf  # type: ignore[import-not-found]

    def best(left: Any, right: Any) -> Any:
        from rapidfuzz.distance import JaroWinkler

        def known(side: Any) -> Iterable[str]:
            return () if side is None else (text for text in side if text is not None)

        def of(one: Any, other: Any) -> float:
            pairs = (JaroWinkler.similarity(x, y) for x in known(one) for y in known(other))
            return max(pairs, default=0.0)

        return pd.Series([of(one, other) for one, other in zip(left, right, strict=True)])

    best.__annotations__ = {"left": pd.Series, "right": pd.Series, "return": pd.Series}
    return pandas_udf(best, "double")
