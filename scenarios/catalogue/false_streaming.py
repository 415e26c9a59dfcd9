"""False streaming: two programs that look alike, and only one of them streams.

Each half of a pair runs in a process of its own below this one, so that neither inherits the
other's memory; RSS is sampled here, from outside, while it reads. One half alone runs in this
process: there is nothing to inherit.
"""

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import perftui
from perftui.probes.own import interrupts
from perftui.probes.own.python import own_module
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.scenarios.catalogue.stream_vs_collect import SETTLE_S
from perftui.scenarios.data.orders import ARROW_BYTES_PER_ROW, PARTS, orders, rows_for
from perftui.scenarios.define.definition import scenario
from perftui.scenarios.define.parameters import Range, ScenarioError, Size
from perftui.scenarios.engines import parquet_readers as readers
from perftui.scenarios.engines.available import require_modules
from perftui.scenarios.say.figures import hand_over
from perftui.scenarios.say.process_memory import check_memory, rss_bytes
from perftui.scenarios.say.table import print_table

_SIZE = Size("600MB")
_SAMPLE_S = 0.01
_STREAMS_BELOW = 0.6
"""Of the other's growth: from there on we say that one streams and the other does not."""


class _Pair(NamedTuple):
    module: str
    false: str
    false_reader: Callable[[], Any]
    true: str
    true_reader: Callable[[], Any]


PAIRS = {
    "duckdb": _Pair(
        "duckdb",
        *("con.execute(q).to_arrow_reader()", readers.DuckdbExecute),
        *("con.sql(q).to_arrow_reader()", readers.DuckdbSql),
    ),
    "pyarrow": _Pair(
        "pyarrow",
        *("to_batches()", readers.PyarrowPreBuffer),
        *("to_batches(pre_buffer=False)", readers.PyarrowPlain),
    ),
    "polars": _Pair(
        "polars",
        *('collect(engine="streaming")', readers.PolarsStreamingCollect),
        *("collect_batches()", readers.PolarsCollectBatches),
    ),
    "datafusion": _Pair(
        "datafusion",
        *("execute_stream() into a list", readers.DatafusionAccumulated),
        *("execute_stream()", readers.DatafusionStream),
    ),
}
"""By engine: the false streamer, the true one."""


class _Run(NamedTuple):
    rows: int
    took_s: float
    first_s: float
    base_bytes: int
    peak_bytes: int


@scenario(
    "false-streaming",
    summary="two ways to iterate over the same Parquet data that look alike",
    shows="that an iterator does not prove streaming: the memory curve does",
    requires=("pyarrow",),
    uses=("duckdb", "polars", "datafusion"),
)
def false_streaming(
    pair: Annotated[
        Literal["duckdb", "pyarrow", "polars", "datafusion"], "whose two look-alikes"
    ] = "duckdb",
    size: Annotated[Size, Range(1_000_000, 10**12), "of the Parquet files"] = _SIZE,
    half: Annotated[
        Literal["both", "false", "true"], "both and compare, or the one that streams or does not"
    ] = "both",
    parts: Annotated[int, Range(1, PARTS), "of the eight files that are read"] = PARTS,
    settle: Annotated[
        float, Range(0, 600), "seconds that the allocator gets to let go (one half alone)"
    ] = SETTLE_S,
) -> None:
    """See the module."""
    chosen = PAIRS[pair]
    require_modules(f"pair {pair}", (chosen.module, "pyarrow"))
    if half != "both":
        make = chosen.false_reader if half == "false" else chosen.true_reader
        _read_here(chosen.false if half == "false" else chosen.true, make, size, parts, settle)
        return
    with perftui.phase("setup"):
        rows = rows_for(size)
        check_memory(2 * rows * ARROW_BYTES_PER_ROW, "the false half", "choose a smaller size")
        files = orders(rows)[:parts]
    runs = {}
    kinds = (("false", chosen.false), ("true", chosen.true))
    for kind, code in kinds:
        with perftui.phase(code):
            runs[code] = _watched(pair, kind, files)
    for (kind, code), run in zip(kinds, runs.values(), strict=True):
        hand_over("false streaming", engine=pair, kind=kind, code=code, **run._asdict())
    _report(runs, files)


def _read_here(code: str, make: Callable[[], Any], size: int, parts: int, settle_s: float) -> None:
    """Read in this process, then let go of everything, a phase each."""
    with perftui.phase("import"):
        reader = make()
        import pyarrow

        pyarrow.array([0]).to_pylist()  # every half has Arrow in its base
    with perftui.phase("setup"):
        rows = rows_for(size)
        need = 2 * rows * ARROW_BYTES_PER_ROW * parts // PARTS
        check_memory(need, "the false half", "choose a smaller size")
        files = orders(rows)[:parts]
    seen, started = 0, time.perf_counter()
    with perftui.phase("read"):
        for piece in reader.read(files):
            seen += piece.rows
            perftui.count("rows", piece.rows)
            perftui.count("bytes", piece.bytes)
    print(f"{code}: {format_count(seen)} rows in {format_seconds(time.perf_counter() - started)}")
    with perftui.phase("settle"):
        del reader
        gc.collect()
        time.sleep(settle_s)
    with perftui.phase("release"):
        pyarrow.default_memory_pool().release_unused()


def _watched(pair: str, kind: str, files: Sequence[Path]) -> _Run:
    """Run one half in a fresh process and sample its RSS until it ends."""
    words = [pair, kind, *map(str, files)]
    with interrupts.held_back():
        child = subprocess.Popen(
            own_module("perftui.scenarios.catalogue.false_streaming", *words),
            stdout=subprocess.PIPE,
            text=True,
        )
    stdout = child.stdout
    assert stdout is not None
    try:
        base = int(stdout.readline() or 0)  # printed when the imports are done
        peak = base
        with perftui.phase("read"):
            while child.poll() is None:
                peak = max(peak, _rss_of(child.pid))
                time.sleep(_SAMPLE_S)
        answer = stdout.read().split()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        stdout.close()
    if child.returncode or len(answer) != 4:
        raise ScenarioError(
            f"the reader process of pair {pair} ended with exit code {child.returncode}: "
            "see its messages"
        )
    rows, took_s, first_s, own_peak = (float(word) for word in answer)
    perftui.count("rows", rows)
    return _Run(int(rows), took_s, first_s, base, max(peak, int(own_peak)))


def _rss_of(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0  # it has just ended
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _report(runs: dict[str, _Run], files: Sequence[Path]) -> None:
    rows = [
        (
            code,
            format_count(run.rows),
            format_seconds(run.took_s),
            format_seconds(run.first_s),
            format_bytes(run.base_bytes),
            "+" + format_bytes(run.peak_bytes - run.base_bytes),
        )
        for code, run in runs.items()
    ]
    print_table(("code", "rows", "time", "first batch", "base RSS", "peak"), rows)
    false, true = (max(run.peak_bytes - run.base_bytes, 1) for run in runs.values())
    false_code, true_code = runs
    on_disk = format_bytes(sum(file.stat().st_size for file in files))
    if true < _STREAMS_BELOW * false:
        print(
            f"{false_code} grew {false / true:.1f} times as much as {true_code} over the same "
            f"{on_disk}: it iterates, but it does not stream"
        )
    else:
        print(
            f"the two grew alike over {on_disk}: data as small as this fit into the readahead; "
            "use a larger size"
        )


def main(argv: Sequence[str]) -> int:
    """The process that reads: pair, kind, files. Prints its base RSS, then what it did."""
    interrupts.end_without_a_word()  # on Ctrl-C the scenario itself has the word
    pair, kind, *names = argv
    files = [Path(name) for name in names]
    chosen = PAIRS[pair]
    reader = (chosen.false_reader if kind == "false" else chosen.true_reader)()
    import pyarrow

    pyarrow.array([0]).to_pylist()  # every half has Arrow in its base
    print(rss_bytes(), flush=True)
    started = time.perf_counter()
    first_s, rows, peak = 0.0, 0, rss_bytes()
    for piece in reader.read(files):
        first_s = first_s or time.perf_counter() - started
        rows += piece.rows
        peak = max(peak, rss_bytes())
    print(rows, time.perf_counter() - started, first_s, peak, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
