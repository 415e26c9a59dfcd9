"""One small query per engine, in three steps: import, connect, query. Runs in worker processes.

What can be done beforehand, while nobody waits, is `warm_up`: the smallest question that the
engine can be asked on the connection that is then used.

Making an `EngineQuery` imports its engine, and nothing else does: what that costs is measured.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

_SQL = (
    "SELECT customer % 256 AS segment, count(*) AS orders, sum(amount * (1 + tax)) AS gross "
    "FROM {source} GROUP BY customer % 256"
)
_ROW_FILTER = "customer = 7"


class EngineQuery(Protocol):
    """An engine that has been imported."""

    def connect(self, files: Sequence[str]) -> None:
        """Open the data, reading no more than the engine insists on."""

    def warm_up(self) -> None:
        """Ask something small that has nothing to do with the data, or as little as possible."""

    def query(self) -> int:
        """Run the query; the result is its number of rows."""
        ...


class Stdlib:
    """The standard library alone: sqlite3 and what a small service imports around it."""

    def __init__(self) -> None:
        import asyncio
        import email.mime.multipart
        import http.server
        import logging.handlers
        import sqlite3
        import unittest.mock
        import xml.etree.ElementTree

        self._sqlite3: Any = sqlite3
        self.loaded = (asyncio, email, http, logging, unittest, xml)

    def connect(self, files: Sequence[str]) -> None:
        """See `EngineQuery`."""
        self._connection = self._sqlite3.connect(":memory:")
        self._connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER)")
        rows = ((index, index * 7919 % 256) for index in range(2000))
        self._connection.executemany("INSERT INTO orders VALUES (?, ?)", rows)

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        self._connection.execute("SELECT 1").fetchone()

    def query(self) -> int:
        """See `EngineQuery`."""
        sql = "SELECT count(*) FROM orders WHERE id BETWEEN 1000 AND 1200"
        return int(self._connection.execute(sql).fetchone()[0])


class Pyarrow:
    """pyarrow's dataset and group_by."""

    def __init__(self) -> None:
        import pyarrow.compute
        import pyarrow.dataset

        self._pc: Any = pyarrow.compute
        self._ds: Any = pyarrow.dataset

    def connect(self, files: Sequence[str]) -> None:
        """See `EngineQuery`."""
        self._dataset = self._ds.dataset(list(files))

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        table = self._ds.dataset(self._dataset.files[:1]).head(1, columns=["customer"])
        table.group_by("customer").aggregate([([], "count_all")])

    def query(self) -> int:
        """See `EngineQuery`."""
        table = self._dataset.to_table(columns=["customer", "amount"])
        segment = self._pc.bit_wise_and(table["customer"].cast("int64"), 255)
        grouped = table.append_column("segment", segment).group_by("segment")
        return int(grouped.aggregate([("amount", "sum")]).num_rows)


class Duckdb:
    """DuckDB over the Parquet files."""

    def __init__(self) -> None:
        import duckdb

        self._duckdb: Any = duckdb

    def connect(self, files: Sequence[str]) -> None:
        """See `EngineQuery`."""
        self._files = list(files)
        self._connection = self._duckdb.connect()

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        self._connection.execute("SELECT 1").fetchall()

    def query(self) -> int:
        """See `EngineQuery`."""
        sql = _SQL.format(source="read_parquet(?)")
        return len(self._connection.execute(sql, [self._files]).fetchall())


class Polars:
    """Polars, lazily."""

    def __init__(self) -> None:
        import polars

        self._pl: Any = polars

    def connect(self, files: Sequence[str]) -> None:
        """See `EngineQuery`."""
        pl = self._pl
        gross = (pl.col("amount") * (1 + pl.col("tax"))).sum().alias("gross")
        segment = (pl.col("customer") % 256).alias("segment")
        self._plan = pl.scan_parquet(list(files)).group_by(segment).agg(pl.len(), gross)

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        pl = self._pl
        pl.LazyFrame({"x": [1]}).group_by("x").agg(pl.len()).collect()

    def query(self) -> int:
        """See `EngineQuery`."""
        return int(self._plan.collect().height)


class Datafusion:
    """DataFusion over the folder of the Parquet files."""

    def __init__(self) -> None:
        import datafusion

        self._datafusion: Any = datafusion

    def connect(self, files: Sequence[str]) -> None:
        """See `EngineQuery`."""
        self._context = self._datafusion.SessionContext()
        self._context.register_parquet("orders", os.path.dirname(files[0]))  # noqa: PTH120

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        self._context.sql("SELECT 1").collect()

    def query(self) -> int:
        """See `EngineQuery`."""
        batches = self._context.sql(_SQL.format(source="orders")).collect()
        return sum(batch.num_rows for batch in batches)


class Lance:
    """A filter over a Lance dataset."""

    def __init__(self) -> None:
        import lance

        self._lance: Any = lance

    def connect(self, files: Sequence[str]) -> None:
        """See `EngineQuery`."""
        self._dataset = self._lance.dataset(files[0])

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        self._dataset.head(1, columns=["id"])

    def query(self) -> int:
        """See `EngineQuery`."""
        table = self._dataset.to_table(columns=["id", "amount"], filter=_ROW_FILTER)
        return int(table.num_rows)


class Lancedb:
    """The same filter through LanceDB."""

    def __init__(self) -> None:
        import lancedb

        self._lancedb: Any = lancedb

    def connect(self, files: Sequence[str]) -> None:
        """See `EngineQuery`."""
        folder, name = os.path.split(files[0])
        self._table = self._lancedb.connect(folder).open_table(name.removesuffix(".lance"))

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        self._table.search().select(["id"]).limit(1).to_arrow()

    def query(self) -> int:
        """See `EngineQuery`."""
        query = self._table.search().where(_ROW_FILTER).select(["id", "amount"]).limit(1000)
        return int(query.to_arrow().num_rows)


class Opteryx:
    """Opteryx over its own table of planets: what is slow is not the data."""

    def __init__(self) -> None:
        import opteryx

        self._opteryx: Any = opteryx

    def connect(self, files: Sequence[str]) -> None:
        """Nothing to open."""

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        self._opteryx.query("SELECT 1").fetchall()

    def query(self) -> int:
        """See `EngineQuery`."""
        result = self._opteryx.query("SELECT name, mass FROM $planets WHERE gravity > 5")
        return len(result.fetchall())


class Pandas:
    """pandas, which reads everything into memory first."""

    def __init__(self) -> None:
        import pandas

        self._pandas: Any = pandas

    def connect(self, files: Sequence[str]) -> None:
        """See `EngineQuery`."""
        self._files = list(files)

    def warm_up(self) -> None:
        """See `EngineQuery`."""
        frame = self._pandas.DataFrame({"x": [1], "y": [2.0]})
        frame.groupby("x")["y"].sum()

    def query(self) -> int:
        """See `EngineQuery`."""
        columns = ["customer", "amount", "tax"]
        frames = [self._pandas.read_parquet(file, columns=columns) for file in self._files]
        frame = self._pandas.concat(frames)
        frame["gross"] = frame["amount"] * (1 + frame["tax"])
        return len(frame.groupby(frame["customer"] % 256)["gross"].sum())


ENGINE_QUERIES: dict[str, Callable[[], EngineQuery]] = {
    "stdlib": Stdlib,
    "duckdb": Duckdb,
    "polars": Polars,
    "datafusion": Datafusion,
    "opteryx": Opteryx,
    "pandas": Pandas,
    "pyarrow": Pyarrow,
    "lance": Lance,
    "lancedb": Lancedb,
}
"""By the name that a person writes."""
