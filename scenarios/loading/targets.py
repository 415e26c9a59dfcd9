"""Where loaders load to, as far as no server is needed. One class per system.

A target's constructor imports its library. `open` makes an empty place, `load` writes a batch so
that it is committed, `stored` asks the system itself how many rows it has.
"""

from pathlib import Path
from typing import Any, Protocol


class LoadTarget(Protocol):
    """A system that rows can be loaded into."""

    def open(self, folder: Path, name: str) -> None:
        """Make an empty place called `name`."""

    def load(self, batch: Any) -> None:
        """Write and commit one batch: Arrow or tuples, as the target's entry says."""

    def stored(self) -> int:
        """Rows in the place, as the system counts them."""
        ...

    def close(self) -> None:
        """Give the place up; what is on disk goes with the folder."""


class DuckdbLoad:
    """DuckDB in a file: Arrow registered and inserted, or a row at a time through DB-API."""

    def __init__(self, variant: str) -> None:
        import duckdb

        self._duckdb: Any = duckdb
        self._variant = variant

    def open(self, folder: Path, name: str) -> None:
        """See `LoadTarget`."""
        self._connection = self._duckdb.connect(str(folder / f"{name}.duckdb"))
        self._connection.execute(
            "CREATE TABLE orders (id BIGINT, customer BIGINT, amount DOUBLE, tax DOUBLE, "
            "region VARCHAR, note VARCHAR)"
        )

    def load(self, batch: Any) -> None:
        """See `LoadTarget`."""
        if self._variant == "executemany":
            rows = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
            sql = "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)"
            self._connection.executemany(sql, rows)
            return
        self._connection.register("batch", batch)
        self._connection.execute("INSERT INTO orders SELECT * FROM batch")
        self._connection.unregister("batch")

    def stored(self) -> int:
        """See `LoadTarget`."""
        return int(self._connection.execute("SELECT count(*) FROM orders").fetchone()[0])

    def close(self) -> None:
        """See `LoadTarget`."""
        self._connection.close()


class LancedbLoad:
    """A LanceDB table; every batch is a new version."""

    def __init__(self, variant: str) -> None:
        import lancedb

        self._lancedb: Any = lancedb

    def open(self, folder: Path, name: str) -> None:
        """See `LoadTarget`."""
        self._database = self._lancedb.connect(str(folder / "lancedb"))
        self._name = name
        self._table: Any = None

    def load(self, batch: Any) -> None:
        """See `LoadTarget`."""
        if self._table is None:
            self._table = self._database.create_table(self._name, schema=batch.schema)
        self._table.add(batch)

    def stored(self) -> int:
        """See `LoadTarget`."""
        return 0 if self._table is None else int(self._table.count_rows())

    def close(self) -> None:
        """See `LoadTarget`."""
        self._table = None


class DeltaLoad:
    """A Delta Lake table; every batch is a commit. `partitioned`: by region."""

    def __init__(self, variant: str) -> None:
        import deltalake

        self._deltalake: Any = deltalake
        self._partition_by = ["region"] if variant == "partitioned" else None

    def open(self, folder: Path, name: str) -> None:
        """See `LoadTarget`."""
        self._path = str(folder / name)
        self._rows = 0

    def load(self, batch: Any) -> None:
        """See `LoadTarget`."""
        self._deltalake.write_deltalake(
            self._path, batch, mode="append", partition_by=self._partition_by
        )

    def stored(self) -> int:
        """See `LoadTarget`."""
        return int(self._deltalake.DeltaTable(self._path).count())

    def close(self) -> None:
        """Nothing is held between commits."""


class Parquet:
    """Parquet: one file with a row group per batch, or `files`: a file per batch."""

    def __init__(self, variant: str) -> None:
        import pyarrow.parquet

        self._pq: Any = pyarrow.parquet
        self._variant = variant

    def open(self, folder: Path, name: str) -> None:
        """See `LoadTarget`."""
        self._folder = folder / name
        self._folder.mkdir()
        self._writer: Any = None
        self._files = 0

    def load(self, batch: Any) -> None:
        """See `LoadTarget`."""
        if self._writer is None or self._variant == "files":
            self._finish_file()
            path = self._folder / f"part-{self._files:06d}.parquet"
            self._writer = self._pq.ParquetWriter(path, batch.schema)
            self._files += 1
        self._writer.write_batch(batch)

    def stored(self) -> int:
        """See `LoadTarget`."""
        self._finish_file()
        files = self._folder.glob("*.parquet")
        return sum(self._pq.read_metadata(file).num_rows for file in files)

    def close(self) -> None:
        """See `LoadTarget`."""
        self._finish_file()

    def _finish_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class Sqlite:
    """SQLite in a file: a transaction per batch, or `autocommit`: one per row."""

    def __init__(self, variant: str) -> None:
        import sqlite3

        self._sqlite3 = sqlite3
        self._variant = variant

    def open(self, folder: Path, name: str) -> None:
        """See `LoadTarget`."""
        # None: no transaction but those that are asked for.
        self._connection = self._sqlite3.connect(folder / f"{name}.sqlite", isolation_level=None)
        self._connection.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, amount REAL, "
            "tax REAL, region TEXT, note TEXT)"
        )

    def load(self, batch: Any) -> None:
        """See `LoadTarget`."""
        sql = "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)"
        if self._variant == "autocommit":
            for row in batch:
                self._connection.execute(sql, row)
            return
        self._connection.execute("BEGIN")
        self._connection.executemany(sql, batch)
        self._connection.execute("COMMIT")

    def stored(self) -> int:
        """See `LoadTarget`."""
        return int(self._connection.execute("SELECT count(*) FROM orders").fetchone()[0])

    def close(self) -> None:
        """See `LoadTarget`."""
        self._connection.close()
