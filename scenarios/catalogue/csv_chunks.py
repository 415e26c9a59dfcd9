"""A CSV file read whole against read in chunks: a ramp against a sawtooth, with the same sum."""

import csv
import gc
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import perftui
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.data.csv_file import BYTES_PER_ROW, csv_file
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, Size
from perftui.scenarios.engines.available import require_modules
from perftui.scenarios.say.process_memory import check_memory, rss_bytes
from perftui.scenarios.say.table import print_table

_100_MB = Size("100MB")
_MEMORY_PER_BYTE = {"stdlib": 9, "pandas": 5, "pyarrow": 3}
"""What reading it whole takes, in bytes per byte of the file, measured and rounded up."""


class _Run(NamedTuple):
    mode: str
    rows: int
    amount: float
    took_s: float
    grown_bytes: int


@scenario(
    "csv-chunks",
    summary="a CSV file read in chunks and read whole",
    shows="chunks draw a sawtooth that never rises; the whole file draws a ramp",
    uses=("pandas", "pyarrow"),
)
def csv_chunks(
    mode: Annotated[Literal["chunks", "whole", "both"], "how it is read"] = "both",
    engine: Annotated[
        Literal["stdlib", "pandas", "pyarrow"], "what reads it; stdlib is the csv module"
    ] = "stdlib",
    size: Annotated[Size, Range(100_000, 10**12), "of the file"] = _100_MB,
    chunk: Annotated[int, Range(1, 100_000_000), "rows per chunk"] = 100_000,
    passes: Annotated[int, Range(1, 1000), "how often it is read"] = 1,
) -> None:
    """See the module."""
    require_modules(f"engine {engine}", () if engine == "stdlib" else (engine,))
    with perftui.phase("import"):
        read = {"stdlib": _stdlib, "pandas": _pandas, "pyarrow": _pyarrow}[engine](chunk)
    with perftui.phase("setup"):
        if mode != "chunks":
            need = int(size) * _MEMORY_PER_BYTE[engine]
            check_memory(need, "reading it whole", "choose a smaller size or mode=chunks")
        file = csv_file(max(int(size) // BYTES_PER_ROW, 1))
    # Chunks first: what the whole file leaves in the allocator would be their base.
    modes = ("chunks", "whole") if mode == "both" else (mode,)
    runs = [_run(each, read, file) for each in modes for _ in range(passes)]
    print_table(
        ("mode", "rows", "time", "rows/s", "RSS above base", "sum of amount"),
        [
            (
                run.mode,
                format_count(run.rows),
                format_seconds(run.took_s),
                format_count(run.rows / run.took_s),
                "+" + format_bytes(run.grown_bytes),
                f"{run.amount:.6g}",
            )
            for run in runs
        ],
    )
    print(f"{engine}, {format_bytes(file.stat().st_size)}, chunks of {format_count(chunk)} rows")
    if mode == "both":
        _compare(runs, passes)


def _compare(runs: list[_Run], passes: int) -> None:
    chunks = max(run.grown_bytes for run in runs[:passes])
    whole = max(run.grown_bytes for run in runs[passes:])
    if whole > 1.5 * chunks:
        print(f"the whole file took {whole / max(chunks, 1):.1f} times the memory of chunks")
    else:
        print(
            "both took about the same memory: the reader reads ahead this much in any case; "
            "use a larger size or a smaller chunk"
        )


_Read = Callable[[Path, bool], Iterator[tuple[int, float, object]]]
"""(file, whole) -> per piece its rows, the sum of its amounts, and the piece itself."""


def _run(mode: str, read: _Read, file: Path) -> _Run:
    base = peak = rss_bytes()
    rows, amount = 0, 0.0
    started = time.perf_counter()
    with perftui.phase(mode):
        for piece_rows, piece_amount, _piece in read(file, mode == "whole"):
            rows += piece_rows
            amount += piece_amount
            perftui.count("rows", piece_rows)
            perftui.count("batches")
            peak = max(peak, rss_bytes())
    took_s = time.perf_counter() - started
    perftui.count("bytes", file.stat().st_size)
    del _piece
    with perftui.phase("settle"):
        gc.collect()
        time.sleep(0.3)
    return _Run(mode, rows, amount, took_s, peak - base)


def _stdlib(chunk: int) -> _Read:
    def read(file: Path, whole: bool) -> Iterator[tuple[int, float, object]]:
        with file.open(newline="") as handle:
            reader = csv.reader(handle)
            next(reader)
            while piece := list(reader if whole else islice(reader, chunk)):
                yield len(piece), sum(float(row[2]) for row in piece), piece
                del piece  # else two chunks are held while the next one is read

    return read


def _pandas(chunk: int) -> _Read:
    import pandas

    pd: Any = pandas

    def read(file: Path, whole: bool) -> Iterator[tuple[int, float, object]]:
        pieces = [pd.read_csv(file)] if whole else pd.read_csv(file, chunksize=chunk)
        for piece in pieces:
            yield len(piece), float(piece["amount"].sum()), piece

    return read


def _pyarrow(chunk: int) -> _Read:
    import pyarrow.compute
    import pyarrow.csv

    pa_csv: Any = pyarrow.csv
    pc: Any = pyarrow.compute

    def read(file: Path, whole: bool) -> Iterator[tuple[int, float, object]]:
        options = pa_csv.ReadOptions(block_size=max(chunk * BYTES_PER_ROW, 4096))
        pieces = [pa_csv.read_csv(file)] if whole else pa_csv.open_csv(file, read_options=options)
        for piece in pieces:
            yield piece.num_rows, float(pc.sum(piece["amount"]).as_py() or 0), piece

    return read
