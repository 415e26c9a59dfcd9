"""Ways to read the same Parquet files that look alike in the source and differ in memory.

Each way is a generator of pieces (`num_rows`, `nbytes` or the like). Honest ones keep a bounded
part of the data; the others keep all of it although their caller iterates over pieces.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from perftui.scenarios.data.orders import one_path


class Piece(NamedTuple):
    """What one step of a reader gave."""

    rows: int
    bytes: int


class DuckdbExecute:
    """`con.execute(sql).to_arrow_reader()`: the DB-API result is complete before it is read."""

    def __init__(self) -> None:
        import duckdb

        self._connection: Any = duckdb.connect()

    def read(self, files: list[Path]) -> Iterator[Piece]:
        """Read the files; see the class."""
        # DuckDB warns of the copy. That is what is shown here.
        sql = "SELECT * FROM read_parquet(?)"
        result = self._connection.execute(sql, [[str(file) for file in files]])
        yield from _pieces(result.to_arrow_reader(65_536))


class DuckdbSql:
    """`con.sql(sql).to_arrow_reader()`: a relation, computed as it is read."""

    def __init__(self) -> None:
        import duckdb

        self._connection: Any = duckdb.connect()

    def read(self, files: list[Path]) -> Iterator[Piece]:
        """Read the files; see the class."""
        sql = "SELECT * FROM read_parquet(?)"
        relation = self._connection.sql(sql, params=[[str(file) for file in files]])
        yield from _pieces(relation.to_arrow_reader(65_536))


class PyarrowPreBuffer:
    """`dataset.to_batches()` as it comes: pre_buffer reads ahead and keeps what it has read."""

    def __init__(self) -> None:
        import pyarrow.dataset

        self._ds: Any = pyarrow.dataset

    def read(self, files: list[Path]) -> Iterator[Piece]:
        """Read the files; see the class."""
        dataset = self._ds.dataset([str(file) for file in files])
        yield from _pieces(dataset.to_batches(**self._scan()))

    def _scan(self) -> dict[str, Any]:
        return {}


class PyarrowPlain(PyarrowPreBuffer):
    """The same without pre_buffer and with a short readahead."""

    def _scan(self) -> dict[str, Any]:
        options = self._ds.ParquetFragmentScanOptions(pre_buffer=False)
        return {"batch_readahead": 2, "fragment_readahead": 1, "fragment_scan_options": options}


class PolarsStreamingCollect:
    """`collect(engine="streaming")`: the engine streams, its result is whole."""

    def __init__(self) -> None:
        import polars

        self._pl: Any = polars

    def read(self, files: list[Path]) -> Iterator[Piece]:
        """Read the files; see the class."""
        frame = self._pl.scan_parquet([str(file) for file in files]).collect(engine="streaming")
        for part in frame.iter_slices(65_536):
            yield Piece(part.height, part.estimated_size())


class PolarsCollectBatches(PolarsStreamingCollect):
    """`collect_batches()`: the streaming engine, piece by piece."""

    def read(self, files: list[Path]) -> Iterator[Piece]:
        """Read the files; see the class."""
        for part in self._pl.scan_parquet([str(file) for file in files]).collect_batches():
            yield Piece(part.height, part.estimated_size())


class DatafusionStream:
    """`execute_stream()`: batches as they are made."""

    def __init__(self) -> None:
        import datafusion

        self._datafusion: Any = datafusion

    def read(self, files: list[Path]) -> Iterator[Piece]:
        """Read the files; see the class."""
        for batch in self._stream(files):
            yield Piece(batch.num_rows, batch.nbytes)

    def _stream(self, files: list[Path]) -> Iterator[Any]:
        context = self._datafusion.SessionContext()
        context.register_parquet("orders", one_path(files))
        for batch in context.sql("SELECT * FROM orders").execute_stream():
            yield batch.to_pyarrow()


class DatafusionAccumulated(DatafusionStream):
    """The same stream put into a list "for later": streaming undone by its caller."""

    def read(self, files: list[Path]) -> Iterator[Piece]:
        """Read the files; see the class."""
        kept = []
        for batch in self._stream(files):
            kept.append(batch)
            yield Piece(batch.num_rows, batch.nbytes)


def _pieces(batches: Any) -> Iterator[Piece]:
    for batch in batches:
        yield Piece(batch.num_rows, batch.nbytes)
