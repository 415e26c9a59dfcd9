"""Streaming against collecting: the same query, the same rows, another memory curve.

The program cleans a text column of every order, part file by part file. Collecting, it keeps
each result, as programs do that append to a list and concatenate at the end; streaming, it
looks at each batch once.
"""

import gc
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import perftui
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.data.orders import ARROW_BYTES_PER_ROW, PARTS, orders, rows_for
from perftui.scenarios.data.orders_lance import lance_parts
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, Size
from perftui.scenarios.engines.available import modules_of, require_modules
from perftui.scenarios.engines.stream_readers import READERS, StreamReader
from perftui.scenarios.say.figures import hand_over
from perftui.scenarios.say.process_memory import check_memory, rss_bytes

_300_MB = Size("300MB")
SETTLE_S = 1.5
"""Allocators give memory back late: some take more than a second."""


class _Run(NamedTuple):
    rows: int
    took_s: float
    cpu_s: float
    first_s: float
    """Until the engine gave the first piece: a batch, or collecting, a whole part file."""
    base_bytes: int
    grown_bytes: int
    """Highest RSS above the base."""
    after_del_bytes: int
    after_release_bytes: int
    gross: float


class _Read(NamedTuple):
    rows: int
    gross: float
    peak: int
    """Highest RSS seen, in bytes."""
    first_s: float


@scenario(
    "stream-vs-collect",
    summary="read Parquet by streaming or by collecting, and watch the memory",
    shows="collecting ramps with the rows read; streaming stays flat, with the same answer",
    requires=("pyarrow",),
    uses=("duckdb", "polars", "datafusion", "lance", "pandas"),
)
def stream_vs_collect(
    mode: Annotated[
        Literal["collect", "stream", "both"], "collect keeps every result, stream keeps none"
    ] = "collect",
    engine: Annotated[
        Literal["duckdb", "pyarrow", "polars", "datafusion", "lance", "pandas"],
        "what reads and computes",
    ] = "duckdb",
    size: Annotated[Size, Range(1_000_000, 10**12), "of the Parquet files"] = _300_MB,
    passes: Annotated[int, Range(1, 1000), "how often the files are read"] = 4,
    parts: Annotated[int, Range(1, PARTS), "of the eight files that are read"] = PARTS,
    settle: Annotated[float, Range(0, 600), "seconds that the allocator gets to let go"] = SETTLE_S,
) -> None:
    """See the module."""
    require_modules(f"engine {engine}", (*modules_of(engine), "pyarrow"))
    with perftui.phase("import"):
        reader = READERS[engine]()
    with perftui.phase("setup"):
        rows = rows_for(size)
        if mode != "stream":
            need = rows * passes * ARROW_BYTES_PER_ROW * parts // PARTS
            check_memory(need, "collecting", "choose a smaller size or fewer passes")
        files = (lance_parts(rows) if engine == "lance" else orders(rows))[:parts]
        on_disk = sum(_size(file) for file in files)
    growth: dict[str, int] = {}
    for each in ("collect", "stream") if mode == "both" else (mode,):
        outer: AbstractContextManager[object] = (
            perftui.phase(each) if mode == "both" else nullcontext()
        )
        with outer:
            found = _run(each, reader, files * passes, settle)
        growth[each] = found.grown_bytes
        hand_over(
            "streaming",
            engine=engine,
            mode=each,
            on_disk_bytes=on_disk,
            passes=passes,
            **found._asdict(),
        )
    with perftui.phase("teardown"):
        reader.close()
    often = "read once" if passes == 1 else f"{passes} passes"
    print(f"{engine}, {len(files)} files of {format_bytes(on_disk)} in all, {often}")
    if mode == "both":
        ratio = growth["collect"] / max(growth["stream"], 1)
        print(f"collect grew {ratio:.1f} times as much as stream")


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _run(mode: str, reader: StreamReader, files: list[Path], settle_s: float) -> _Run:
    """Read the files, once each as they are listed."""
    kept: list[Any] = []
    base = rss_bytes()
    cpu_before, started = time.process_time(), time.perf_counter()
    with perftui.phase("read"):
        read = _read(reader, files, kept if mode == "collect" else None)
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_before
    print(
        f"{mode}: {format_count(read.rows)} rows in {format_seconds(took_s)}, first after "
        f"{format_seconds(read.first_s)}, RSS {format_bytes(base)} -> {format_bytes(read.peak)} "
        f"(+{format_bytes(read.peak - base)}), sum of gross {read.gross:.6g}"
    )
    with perftui.phase("settle"):
        kept.clear()
        gc.collect()
        time.sleep(settle_s)
    with perftui.phase("release"):
        before = rss_bytes()
        reader.release()
        after = rss_bytes()
    print(
        f"{mode}: after del {format_bytes(before)}, "
        f"after the allocator was asked to release {format_bytes(after)}"
    )
    return _Run(
        read.rows, took_s, cpu_s, read.first_s, base, read.peak - base, before, after, read.gross
    )


def _read(reader: StreamReader, files: list[Path], keep: list[Any] | None) -> _Read:
    """Read files and sum one column; `keep` takes the results, None streams."""
    rows, gross, peak, first_s = 0, 0.0, rss_bytes(), 0.0
    started = time.perf_counter()
    for file in files:
        for piece in reader.stream(file) if keep is None else [reader.collect(file)]:
            if not rows:
                first_s = time.perf_counter() - started
            rows += piece.num_rows
            gross += reader.gross(piece)
            perftui.count("rows", piece.num_rows)
            perftui.count("bytes", piece.nbytes)
            perftui.count("batches")
            peak = max(peak, rss_bytes())
            if keep is not None:
                keep.append(piece)
    return _Read(rows, gross, peak, first_s)
