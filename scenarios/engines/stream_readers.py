"""The same query, one part file at a time, collected or streamed: one class per engine.

The query cleans a text column and computes a product. Making a reader imports its engine.
Pieces are what the engine gives: Arrow tables and batches, or data frames.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

_QUERY = r"""
    SELECT id, customer, amount * (1 + tax) AS gross,
           regexp_replace(regexp_replace(note, '[0-9]+', '#', 'g'), '\s+', ' ', 'g') AS note
    FROM read_parquet(?)
"""
_CLEAN = "regexp_replace(regexp_replace(note, '[0-9]+', '#', 'g'), '\\s+', ' ', 'g')"


class StreamReader(Protocol):
    """An engine that can read either way."""

    def collect(self, file: Path) -> Any:
        """The whole result, as an object with `num_rows` and `nbytes`."""

    def stream(self, file: Path) -> Iterator[Any]:
        """The result in pieces of that kind."""
        ...

    def gross(self, piece: Any) -> float:
        """The sum of the column gross."""
        ...

    def release(self) -> None:
        """Ask the allocator to give back what is free."""

    def close(self) -> None:
        """Give up what is held between reads."""


class DuckdbReader:
    """DuckDB: `execute` collects, `sql` streams; one word apart."""

    def __init__(self) -> None:
        import duckdb
        import pyarrow
        import pyarrow.compute

        self._pa: Any = pyarrow
        self._pc: Any = pyarrow.compute
        self._connection = duckdb.connect()

    def collect(self, file: Path) -> Any:
        """See `StreamReader`."""
        # DuckDB warns that this makes an extra copy. That is what is shown here.
        return self._connection.execute(_QUERY, [str(file)]).to_arrow_table()

    def stream(self, file: Path) -> Iterator[Any]:
        """See `StreamReader`."""
        yield from self._connection.sql(_QUERY, params=[str(file)]).to_arrow_reader(65_536)

    def gross(self, piece: Any) -> float:
        """See `StreamReader`."""
        return float(self._pc.sum(piece["gross"]).as_py() or 0.0)

    def release(self) -> None:
        """See `StreamReader`."""
        self._pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """See `StreamReader`."""
        self._connection.close()


class PyarrowReader:
    """pyarrow's dataset: `to_table` collects, `to_batches` streams."""

    def __init__(self) -> None:
        import pyarrow
        import pyarrow.compute
        import pyarrow.dataset

        self._pa: Any = pyarrow
        self._ds: Any = pyarrow.dataset
        self._pc: Any = pyarrow.compute
        pc, field = self._pc, self._pc.field
        masked = pc.replace_substring_regex(field("note"), pattern="[0-9]+", replacement="#")
        self._columns = {
            "id": field("id"),
            "customer": field("customer"),
            "gross": field("amount") * (pc.scalar(1.0) + field("tax")),
            "note": pc.replace_substring_regex(masked, pattern=r"\s+", replacement=" "),
        }

    def collect(self, file: Path) -> Any:
        """See `StreamReader`."""
        return self._ds.dataset(file).to_table(columns=self._columns)

    def stream(self, file: Path) -> Iterator[Any]:
        """See `StreamReader`."""
        # Both are needed: by default pyarrow reads ahead, and keeps, a whole file.
        options = self._ds.ParquetFragmentScanOptions(pre_buffer=False)
        yield from self._ds.dataset(file).to_batches(
            columns=self._columns, batch_readahead=2, fragment_scan_options=options
        )

    def gross(self, piece: Any) -> float:
        """See `StreamReader`."""
        return float(self._pc.sum(piece["gross"]).as_py() or 0.0)

    def release(self) -> None:
        """See `StreamReader`."""
        self._pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Nothing is held between reads."""


class _Frame(NamedTuple):
    """A data frame as a piece."""

    frame: Any
    num_rows: int
    nbytes: int


class PolarsReader:
    """Polars: `collect(engine="streaming")` is whole nevertheless, `collect_batches` streams."""

    def __init__(self) -> None:
        import polars

        self._pl: Any = polars

    def collect(self, file: Path) -> Any:
        """See `StreamReader`."""
        return self._piece(self._plan(file).collect(engine="streaming"))

    def stream(self, file: Path) -> Iterator[Any]:
        """See `StreamReader`."""
        for frame in self._plan(file).collect_batches():
            yield self._piece(frame)

    def _plan(self, file: Path) -> Any:
        pl = self._pl
        note = pl.col("note").str.replace_all("[0-9]+", "#").str.replace_all(r"\s+", " ")
        gross = (pl.col("amount") * (1 + pl.col("tax"))).alias("gross")
        return pl.scan_parquet(file).select("id", "customer", gross, note)

    def _piece(self, frame: Any) -> _Frame:
        return _Frame(frame, frame.height, frame.estimated_size())

    def gross(self, piece: Any) -> float:
        """See `StreamReader`."""
        return float(piece.frame["gross"].sum())

    def release(self) -> None:
        """Polars has no such call; its allocator gives back by itself, after a second."""

    def close(self) -> None:
        """Nothing is held between reads."""


class DatafusionReader:
    """DataFusion: `collect` against `execute_stream`."""

    def __init__(self) -> None:
        import datafusion
        import pyarrow.compute

        self._datafusion: Any = datafusion
        self._pa: Any = pyarrow
        self._pc: Any = pyarrow.compute

    def collect(self, file: Path) -> Any:
        """See `StreamReader`."""
        return self._pa.Table.from_batches(self._query(file).collect())

    def stream(self, file: Path) -> Iterator[Any]:
        """See `StreamReader`."""
        for batch in self._query(file).execute_stream():
            yield batch.to_pyarrow()

    def _query(self, file: Path) -> Any:
        context = self._datafusion.SessionContext()
        context.register_parquet("orders", str(file))
        return context.sql(
            f"SELECT id, customer, amount * (1 + tax) AS gross, {_CLEAN} AS note FROM orders"
        )

    def gross(self, piece: Any) -> float:
        """See `StreamReader`."""
        return float(self._pc.sum(piece["gross"]).as_py() or 0.0)

    def release(self) -> None:
        """DataFusion has no such call, and its allocator keeps what it has."""

    def close(self) -> None:
        """Nothing is held between reads."""


class LanceReader:
    """Lance: `to_table` against `to_batches`."""

    def __init__(self) -> None:
        import lance
        import pyarrow.compute

        self._lance: Any = lance
        self._pa: Any = pyarrow
        self._pc: Any = pyarrow.compute
        self._columns = {
            "id": "id",
            "customer": "customer",
            "gross": "amount * (1 + tax)",
            "note": _CLEAN,
        }

    def collect(self, file: Path) -> Any:
        """See `StreamReader`."""
        return self._lance.dataset(str(file)).to_table(columns=self._columns)

    def stream(self, file: Path) -> Iterator[Any]:
        """See `StreamReader`."""
        yield from self._lance.dataset(str(file)).to_batches(columns=self._columns)

    def gross(self, piece: Any) -> float:
        """See `StreamReader`."""
        return float(self._pc.sum(piece["gross"]).as_py() or 0.0)

    def release(self) -> None:
        """See `StreamReader`."""
        self._pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Nothing is held between reads."""


class PandasReader:
    """pandas: `read_parquet` against a frame per batch of the file."""

    def __init__(self) -> None:
        import pandas
        import pyarrow.parquet

        self._pd: Any = pandas
        self._pa: Any = pyarrow
        self._pq: Any = pyarrow.parquet

    def collect(self, file: Path) -> Any:
        """See `StreamReader`."""
        return self._computed(self._pd.read_parquet(file))

    def stream(self, file: Path) -> Iterator[Any]:
        """See `StreamReader`."""
        with self._pq.ParquetFile(file, pre_buffer=False) as parquet:
            for batch in parquet.iter_batches(65_536):
                yield self._computed(batch.to_pandas())

    def _computed(self, frame: Any) -> _Frame:
        frame["gross"] = frame["amount"] * (1 + frame["tax"])
        note = frame["note"].str.replace("[0-9]+", "#", regex=True)
        frame["note"] = note.str.replace(r"\s+", " ", regex=True)
        kept = frame[["id", "customer", "gross", "note"]]
        return _Frame(kept, len(kept), int(kept.memory_usage().sum()))

    def gross(self, piece: Any) -> float:
        """See `StreamReader`."""
        return float(piece.frame["gross"].sum())

    def release(self) -> None:
        """See `StreamReader`."""
        self._pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Nothing is held between reads."""


READERS: dict[str, Callable[[], StreamReader]] = {
    "duckdb": DuckdbReader,
    "pyarrow": PyarrowReader,
    "polars": PolarsReader,
    "datafusion": DatafusionReader,
    "lance": LanceReader,
    "pandas": PandasReader,
}
"""By the name that a person writes."""
