"""Streaming against collecting: the same query, the same rows, another memory curve.

The program cleans a text column of every order, part file by part file. Collecting, it keeps
each result, as programs do that append to a list and concatenate at the end; streaming, it
looks at each batch once.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import perftui
from perftui.probes.units import format_bytes, format_count, format_seconds
from perftui.scenarios.definition import scenario
from perftui.scenarios.orders import ARROW_BYTES_PER_ROW, orders, rows_for
from perftui.scenarios.parameters import Range, ScenarioError, Size
from perftui.scenarios.process_memory import available_bytes, rss_bytes

_300_MB = Size("300MB")
_SETTLE_S = 1.5
"""Allocators give memory back late: some take more than a second."""
_QUERY = r"""
    SELECT id, customer, amount * (1 + tax) AS gross,
           regexp_replace(regexp_replace(note, '[0-9]+', '#', 'g'), '\s+', ' ', 'g') AS note
    FROM read_parquet(?)
"""


@scenario(
    "stream-vs-collect",
    summary="read Parquet by streaming or by collecting, and watch the memory",
    shows="collecting ramps with the rows read; streaming stays flat, with the same answer",
    requires=("duckdb", "pyarrow"),
)
def stream_vs_collect(
    mode: Annotated[
        Literal["collect", "stream", "both"], "collect keeps every result, stream keeps none"
    ] = "collect",
    engine: Annotated[Literal["duckdb", "pyarrow"], "what reads and computes"] = "duckdb",
    size: Annotated[Size, Range(1_000_000, 10**12), "of the Parquet files"] = _300_MB,
    passes: Annotated[int, Range(1, 1000), "how often the files are read"] = 4,
) -> None:
    """See the module."""
    with perftui.phase("import"):
        reader = _DuckdbReader() if engine == "duckdb" else _PyarrowReader()
    with perftui.phase("setup"):
        rows = rows_for(size)
        if mode != "stream":
            _check_memory(rows * passes * ARROW_BYTES_PER_ROW)
        files = orders(rows)
        on_disk = sum(file.stat().st_size for file in files)
    growth: dict[str, int] = {}
    for each in ("collect", "stream") if mode == "both" else (mode,):
        outer: AbstractContextManager[object] = (
            perftui.phase(each) if mode == "both" else nullcontext()
        )
        with outer:
            growth[each] = _run(each, reader, files, passes)
    with perftui.phase("teardown"):
        reader.close()
    print(f"{engine}, {len(files)} files of {format_bytes(on_disk)} in all, {passes} passes")
    if mode == "both":
        ratio = growth["collect"] / max(growth["stream"], 1)
        print(f"collect grew {ratio:.1f} times as much as stream")


def _run(mode: str, reader: "_Reader", files: list[Path], passes: int) -> int:
    """Read everything once per pass; the result is the highest growth of RSS seen, in bytes."""
    kept: list[Any] = []
    base = rss_bytes()
    started = time.perf_counter()
    with perftui.phase("read"):
        rows, gross, peak = _read(reader, files * passes, kept if mode == "collect" else None)
    took_s = time.perf_counter() - started
    print(
        f"{mode}: {format_count(rows)} rows in {format_seconds(took_s)}, "
        f"RSS {format_bytes(base)} -> {format_bytes(peak)} (+{format_bytes(peak - base)}), "
        f"sum of gross {gross:.6g}"
    )
    with perftui.phase("settle"):
        kept.clear()
        gc.collect()
        time.sleep(_SETTLE_S)
    with perftui.phase("release"):
        before = rss_bytes()
        reader.release()
        after = rss_bytes()
    print(
        f"{mode}: after del {format_bytes(before)}, "
        f"after the allocator was asked to release {format_bytes(after)}"
    )
    return peak - base


def _read(reader: "_Reader", files: list[Path], keep: list[Any] | None) -> tuple[int, float, int]:
    """Read files and sum one column; `keep` takes the results, None streams.

    Returns:
        Rows, the sum, and the highest RSS seen in bytes.
    """
    rows, gross, peak = 0, 0.0, rss_bytes()
    for file in files:
        for piece in reader.stream(file) if keep is None else [reader.collect(file)]:
            rows += piece.num_rows
            gross += reader.gross(piece)
            perftui.count("rows", piece.num_rows)
            perftui.count("bytes", piece.nbytes)
            peak = max(peak, rss_bytes())
            if keep is not None:
                keep.append(piece)
    return rows, gross, peak


def _check_memory(need_bytes: int) -> None:
    free = available_bytes()
    if free is not None and need_bytes > 0.8 * free:
        raise ScenarioError(
            f"collecting would take about {format_bytes(need_bytes)} of memory and "
            f"{format_bytes(free)} are available: choose a smaller size or fewer passes"
        )


class _DuckdbReader:
    def __init__(self) -> None:
        import duckdb
        import pyarrow
        import pyarrow.compute

        self._pa: Any = pyarrow
        self._pc: Any = pyarrow.compute
        self._connection = duckdb.connect()

    def collect(self, file: Path) -> Any:
        # DuckDB warns that this makes an extra copy. That is what is shown here.
        return self._connection.execute(_QUERY, [str(file)]).to_arrow_table()

    def stream(self, file: Path) -> Iterator[Any]:
        yield from self._connection.sql(_QUERY, params=[str(file)]).to_arrow_reader(65_536)

    def gross(self, piece: Any) -> float:
        return float(self._pc.sum(piece["gross"]).as_py() or 0.0)

    def release(self) -> None:
        self._pa.default_memory_pool().release_unused()

    def close(self) -> None:
        self._connection.close()


class _PyarrowReader:
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
        return self._ds.dataset(file).to_table(columns=self._columns)

    def stream(self, file: Path) -> Iterator[Any]:
        # Both are needed: by default pyarrow reads ahead, and keeps, a whole file.
        options = self._ds.ParquetFragmentScanOptions(pre_buffer=False)
        yield from self._ds.dataset(file).to_batches(
            columns=self._columns, batch_readahead=2, fragment_scan_options=options
        )

    def gross(self, piece: Any) -> float:
        return float(self._pc.sum(piece["gross"]).as_py() or 0.0)

    def release(self) -> None:
        self._pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Nothing is held between reads."""


_Reader = _DuckdbReader | _PyarrowReader
