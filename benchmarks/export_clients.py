"""Exports in the programs that they are for, and what each makes of them.

    python benchmarks/export_clients.py [RECORDING] [--from S] [--to S] [--pictures DIR]

Opens every export in its clients: the speedscope web application (npm, headless Chromium), the
Firefox profiler's loader (npm), `go tool pprof`, DuckDB, pandas; and compares the functions and
their seconds with ours. Without a recording it makes one, with names that want to break out.
A client that is not installed is named; `.ci/run` installs them. Exit code 1 if one disagrees.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path.insert(0, str(TESTS))

from support.export import clients  # noqa: E402

from perftui.probes.export.formats import exporter_of  # noqa: E402
from perftui.probes.export.material.names import plain  # noqa: E402
from perftui.probes.export.material.slice import slice_of  # noqa: E402
from perftui.probes.export.write import Order, write_stream  # noqa: E402
from perftui.probes.profile.sums import function_sums  # noqa: E402
from perftui.probes.recording.read.reader import open_recording  # noqa: E402
from perftui.probes.recording.shelf.shelf import resolve  # noqa: E402
from perftui.probes.text.units import format_bytes, format_seconds  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.export.clients import Function

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.recording.read.face import RecordedReader

CLOSE = 0.02
"""Clients round: speedscope shows three digits."""
SMALLEST_S = 0.01


class Check(NamedTuple):
    client: str
    format: str
    table: str | None
    run: Callable[[Bench, Path], str]
    """Returns what was found, or raises AssertionError with what is wrong."""


class Bench:
    """One recording, its exports, and what they must come to."""

    def __init__(self, reader: RecordedReader, part: Slice, pictures: Path | None) -> None:
        self.reader = reader
        self.part = part
        self.pictures = pictures
        trees = reader.call_tree(part.t0_ns, part.t1_ns)
        assert trees, "there are no stacks in this range"
        self.hottest = trees[0]
        """The thread that a client shows first."""
        self.wall_s = sum(tree.wall_ns for tree in trees) / 1e9
        self.all = function_sums(reader.tree, trees)
        self.first = function_sums(reader.tree, trees[:1])

    def agree(self, told: list[Function], *, first: bool, cut: str = "") -> str:
        """Compare by name: functions of one name in several files are one to a client's list."""
        wanted: dict[str, float] = {}
        for row in self.first if first else self.all:
            name = plain(row.function) or "?"
            name = (name.rpartition(cut)[2] if cut else name).strip()
            wanted[name] = wanted.get(name, 0.0) + row.self_.wall_ns / 1e9
        found: dict[str, float] = {}
        for function in told:
            name = function.name.strip()
            found[name] = found.get(name, 0.0) + function.self_s
        assert found, "it shows no function"
        seen = 0
        for name, own in found.items():
            assert name in wanted, f"it shows {name[:60]!r}, which is not in the range"
            off = abs(own - wanted[name])
            close = off <= max(CLOSE * wanted[name], SMALLEST_S)
            assert close, f"{name[:60]!r}: {own:.3f} s there, {wanted[name]:.3f} s here"
            seen += 1
        return f"{seen} of {len(wanted)} functions shown, all within {CLOSE:.0%} of ours"


def in_speedscope(bench: Bench, path: Path) -> str:
    picture = None if bench.pictures is None else bench.pictures / f"{path.name}.png"
    shown = clients.speedscope(path, picture)
    return f"{shown.title!r}; {bench.agree(shown.functions, first=True)}"


def trace_in_speedscope(bench: Bench, path: Path) -> str:
    picture = None if bench.pictures is None else bench.pictures / f"{path.name}.png"
    shown = clients.speedscope(path, picture)
    name = plain(bench.hottest.name)
    assert name[:200] in shown.text, f"no thread {name[:60]!r} is shown"
    return f"{shown.title!r}; its threads are listed"


def collapsed_in_speedscope(bench: Bench, path: Path) -> str:
    shown = clients.speedscope(path)
    total = max(function.total_s for function in shown.functions)
    wall_s = bench.hottest.wall_ns / 1e9
    assert total > CLOSE * wall_s, f"it shows {total:.3f} s, there are {bench.wall_s:.3f} s"
    return f"{shown.title!r}; {len(shown.functions)} frames shown"


def in_firefox(bench: Bench, path: Path) -> str:
    loaded = clients.firefox(path)
    said = bench.agree(loaded.functions, first=True, cut="!")
    tracks = ", ".join(plain(counter["name"])[:20] for counter in loaded.counters)
    markers = ", ".join(f"{count} {name}" for name, count in loaded.markers.items())
    return f"{said}; tracks {tracks}; markers {markers or 'none'}"


def in_pprof(bench: Bench, path: Path) -> str:
    told = clients.pprof(path)
    assert told.kind == "wall"
    said = bench.agree(told.functions, first=False)
    cpu_s = sum(function.self_s for function in clients.pprof(path, "cpu").functions)
    ours = sum(tree.cpu_ns for tree in bench.reader.call_tree(bench.part.t0_ns, bench.part.t1_ns))
    assert abs(cpu_s - ours / 1e9) < max(CLOSE * ours / 1e9, 0.5), f"{cpu_s:.2f} s of CPU"
    phases = len(told.tags.get("phase", []))
    return f"{said}; {cpu_s:.2f} s CPU; {phases} phases as labels"


def in_duckdb(bench: Bench, path: Path) -> str:
    import duckdb

    select = f"SELECT count(*), coalesce(sum(t1_ns - t0_ns), 0)::BIGINT FROM '{path}'"
    ((rows, wall_ns),) = duckdb.sql(select).fetchall()
    return _rows(bench, rows, wall_ns / 1e9)


def in_pandas(bench: Bench, path: Path) -> str:
    try:
        import pandas
    except ImportError as error:
        raise clients.Missing("pandas is not installed") from error
    kinds = {
        ".csv": pandas.read_csv,
        ".json": pandas.read_json,
        ".parquet": pandas.read_parquet,
        ".arrow": pandas.read_feather,
    }
    frame = kinds[path.suffix](path)
    return _rows(bench, len(frame), float((frame["t1_ns"] - frame["t0_ns"]).sum()) / 1e9)


def _rows(bench: Bench, rows: int, wall_s: float) -> str:
    # The intervals at the edges are whole in the table.
    assert bench.wall_s <= wall_s + 1e-6, f"{wall_s:.3f} s of stacks, here {bench.wall_s:.3f} s"
    return f"{rows:,} rows of stacks, {format_seconds(wall_s)} of thread time"


CHECKS = (
    Check("speedscope", "speedscope", None, in_speedscope),
    Check("speedscope", "chrome-trace", None, trace_in_speedscope),
    Check("speedscope", "collapsed", None, collapsed_in_speedscope),
    Check("Firefox profiler", "firefox", None, in_firefox),
    Check("go tool pprof", "pprof", None, in_pprof),
    *(Check("DuckDB", name, "stacks", in_duckdb) for name in ("csv", "json", "parquet")),
    *(Check("pandas", name, "stacks", in_pandas) for name in ("csv", "json", "parquet", "arrow")),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recording", nargs="?")
    parser.add_argument("--from", dest="from_s", type=float)
    parser.add_argument("--to", dest="to_s", type=float)
    parser.add_argument("--pictures", type=Path, help="screenshots of speedscope go here")
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="perftui-clients-") as folder:
        if args.recording is None:
            from support.export.hostile import make_hostile

            source = make_hostile(Path(folder) / "hostile.perftui")
        else:
            source = resolve(args.recording)
        reader = open_recording(source)
        part = slice_of(reader, from_s=args.from_s, to_s=args.to_s)
        bench = Bench(reader, part, args.pictures)
        for check in CHECKS:
            exporter = exporter_of(check.format)
            path = Path(folder) / f"a{exporter.suffix}"
            with path.open("wb") as file:
                write_stream(reader, Order(exporter, part, check.table), file)
            begin = time.perf_counter()
            try:
                verdict, said = "ok", check.run(bench, path)
            except clients.Missing as missing:
                verdict, said = "not installed", str(missing)
            except AssertionError as error:
                verdict, said = "DISAGREES", str(error)[:400]
                failed += 1
            size = format_bytes(path.stat().st_size)
            took = time.perf_counter() - begin
            head = f"{check.client:<17} {check.format:<13} {size:>8}  {took:5.1f} s"
            print(f"{head}  {verdict}: {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
