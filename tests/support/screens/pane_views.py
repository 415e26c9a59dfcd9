"""Small hand-made pictures for the tab panes: a streaming-against-collect run, 18 s in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import (
    Buckets,
    CallStats,
    Counter,
    Import,
    Phase,
    Status,
    Target,
    Thread,
    ThreadTree,
    Weights,
)
from perftui.probes.spine.records import LogLine
from perftui.tui.picture.selection import Selection
from perftui.tui.picture.view import View

S = 1_000_000_000
MS = 1_000_000
MB = 1_000_000
T0 = 1000 * S
SITE = "/venv/lib/python3.12/site-packages"
EMPTY = Buckets(T0, T0 + 10 * S, (), (), ())
MAIN = (48213, 48213)
READER = (48213, 48220)


def weights(wall_ms: float, cpu_ms: float, grown_mb: float = 0, torn_ms: float = 0) -> Weights:
    return Weights(
        round(wall_ms * MS), round(cpu_ms * MS), round(grown_mb * MB), round(torn_ms * MS)
    )


def thread_tree(
    who: tuple[int, int], name: str, selfs: dict[int, Weights], waiting: str = ""
) -> ThreadTree:
    return ThreadTree(
        *who,
        name,
        sum(w.wall_ns for w in selfs.values()),
        sum(w.cpu_ns for w in selfs.values()),
        sum(w.grown_bytes for w in selfs.values()),
        selfs,
        waiting,
    )


def stacks_of(tree: CallTree) -> tuple[ThreadTree, ...]:
    def node(*frames: tuple[str, str, int]) -> int:
        return tree.intern(tree.frame_id(*frame) for frame in frames)

    top = ("<module>", "/work/demo/stream_vs_collect.py", 88)
    run = ("run_collect", "/work/demo/scenarios/streaming.py", 41)
    fetch = ("fetch_all", "/work/demo/examples/query.py", 41)
    arrow = ("to_arrow_table", f"{SITE}/duckdb/__init__.py", 2301)
    convert = ("convert", f"{SITE}/duckdb/arrow.py", 77)
    batches = ("Table.from_batches", f"{SITE}/pyarrow/table.py", 412)
    concat = ("concat_tables", f"{SITE}/pyarrow/table.py", 98)
    main = {
        node(top, run): weights(70, 60, 4),
        node(top, run, fetch): weights(20, 20, 1),
        node(top, run, fetch, arrow): weights(2100, 80, 210),
        node(top, run, fetch, arrow, convert): weights(400, 400, 30),
        node(top, run, fetch, arrow, convert, ("alloc", f"{SITE}/duckdb/arrow.py", 12)): weights(
            330, 300, 60
        ),
        node(top, run, fetch, arrow, convert, ("copy", f"{SITE}/duckdb/arrow.py", 31)): weights(
            480, 470, 5
        ),
        node(top, run, fetch, batches): weights(10, 10),
        node(top, run, fetch, batches, concat): weights(410, 400, 90),
        node(top, run, fetch, batches, concat, ("realloc", f"{SITE}/pyarrow/pool.py", 8)): weights(
            480, 300, 40
        ),
        node(top, run, fetch, batches, ("combine", f"{SITE}/pyarrow/table.py", 120)): weights(
            390, 390, 10
        ),
        node(top, run, ("count", "/work/demo/examples/query.py", 55)): weights(300, 290, 2),
        node(top, ("encode", "/usr/lib/python3.12/json/encoder.py", 200)): weights(70, 70),
    }
    wait = ("wait", "/usr/lib/python3.12/threading.py", 359)
    loop = ("_reader", "/work/demo/examples/reader.py", 17)
    reader = {node(loop, wait): weights(5000, 3), node(loop): weights(80, 40)}
    return (
        thread_tree(MAIN, "MainThread", main, "native duckdb (9 threads)"),
        thread_tree(READER, "reader", reader, "lock"),
    )


def threads_of() -> tuple[Thread, ...]:
    native = [
        Thread(48213, 48230 + n, "duckdb-scan", False, "R" if n < 3 else "S", 14.5, 0.8, "", "")
        for n in range(9)
    ]
    return (
        *native,
        Thread(*MAIN, "MainThread", True, "S", 48.6, 2.67, "fetch_all query.py:41",
               "waiting in duckdb"),
        Thread(48213, 48250, "ArrowIO", False, "S", 7.2, 0.4, "", ""),
        Thread(48213, 48251, "ArrowIO", False, "S", 6.8, 0.37, "", ""),
        Thread(*READER, "reader", True, "S", 0.8, 0.04, "wait threading.py:359",
               "waiting for a lock"),
        Thread(48213, 48219, "perftui-agent", True, "S", 0.4, 0.02, "", ""),
    )  # fmt: skip


def imports_of() -> tuple[Import, ...]:
    def item(
        id: int, parent: int | None, module: str, t0_ms: int, own: float, total: float, rss: float,
        running: bool = False,
    ) -> Import:  # fmt: skip
        return Import(48213, id, parent, module, T0 + t0_ms * MS, round(own * MS),
                      round(total * MS), round(rss * MB), running, True)  # fmt: skip

    first = [
        item(1, None, "lancedb", 50, 140, 930, 148, True),
        item(2, 1, "lance_namespace_urllib3_client", 90, 94, 496, 31),
        item(3, 2, "lance_namespace_urllib3_client.models", 110, 40, 402, 27),
    ]
    models = [
        item(100 + n, 3, f"lance_namespace_urllib3_client.models.model_{n}", 112 + n, 1.7, 1.7, 0.1)
        for n in range(213)
    ]
    rest = [
        item(4, 1, "pandas", 580, 61, 118, 36),
        item(5, 4, "pandas.core.api", 590, 57, 57, 20),
        item(6, 1, "pyarrow", 510, 31, 71, 29),
        item(7, 6, "pyarrow.lib", 520, 39, 40, 24),
        item(8, 7, "decimal", 521, 1, 1, 0.2),
        item(9, 1, "lancedb.remote", 910, 0, 22, 3, True),
        item(10, 9, "aiohttp", 920, 18, 20, 2, True),
        *[item(20 + n, 1, f"tiny{n}", 700 + n, 0.4, 0.4, 0) for n in range(12)],
    ]
    return tuple(sorted(first + models + rest, key=lambda i: (i.t0_ns, i.id)))


def phases_of(now: int) -> tuple[Phase, ...]:
    def phase(
        id: int, parent: int | None, name: str, depth: int, t0: float, t1: float | None,
        cpu: float | None, rss0: float, rss1: float | None, peak: float,
    ) -> Phase:  # fmt: skip
        return Phase(48213, id, parent, name, depth, T0 + round(t0 * S),
                     None if t1 is None else T0 + round(t1 * S), cpu, round(rss0 * MB),
                     None if rss1 is None else round(rss1 * MB), round(peak * MB))  # fmt: skip

    batches = [
        phase(50 + n, 4, "batch", 1, 9.5 + n * 0.4, 9.5 + n * 0.4 + 0.39, 0.5, 300, 330, 340)
        for n in range(22)
    ]
    return (
        phase(1, None, "import", 0, 0.6, 3.0, 2.3, 20, 150, 151),
        phase(2, None, "setup", 0, 3.0, 5.7, 4.1, 150, 180, 190),
        phase(3, None, "first", 0, 5.7, 9.4, 6.6, 180, 300, 320),
        phase(4, None, "read", 0, 9.4, None, 14.2, 300, None, 1210),
        *batches,
    )


LOG = (
    LogLine(T0 + 600 * MS, "stdout", "opening 700 MB of Parquet"),
    LogLine(T0 + 3000 * MS, "stderr", "UserWarning: Arrow output on a DB-API result makes a copy"),
    LogLine(T0 + 9400 * MS, "stdout", "\x1b[32mfirst row\x1b[0m after 6.42 s"),
    LogLine(T0 + 11000 * MS, "stderr", "error: batch 7 was read twice " + "x" * 300),
    *(LogLine(T0 + (11000 + 40 * n) * MS, "stdout", f"batch {n}: 2,048 rows") for n in range(150)),
)


def make_view(selection: Selection | None = None, **changes: Any) -> View:
    """A believable picture; any field can be replaced."""
    tree = CallTree()
    now = T0 + round(18.4 * S)
    view = View(
        selection=selection or Selection(),
        tree=tree,
        target=Target("stream-vs-collect", ("python", "x.py"), 48213, "3.12.1", True, True),
        status=Status(
            "live", T0, now, None, None, "py-spy", 99.0, 0.99, 0.01, 3.8, 51 * MB, 0, 0, ()
        ),
        axis=(T0, now),
        range=(T0, now),
        rss=EMPTY,
        cpu=EMPTY,
        counter_rates=(),
        pools=(),
        latest={},
        peak_rss_bytes=None,
        axis_phases=(),
        phases=phases_of(now),
        threads=threads_of(),
        stacks=stacks_of(tree),
        imports=imports_of(),
        calls=(
            CallStats("query", 214, 260 * MS, 3 * MS, 4 * MS, 86.7, 0),
            CallStats("write_batch", 1, 120 * MS, None, 120 * MS, None, 1),
        ),
        counters=(Counter("rows", 5.31e6, 412_000.0, T0 + round(6.42 * S)),),
        events=(),
        log_lines=LOG,
        alerts=(),
        processes=(),
    )
    return replace(view, **changes)


def bare_view(selection: Selection | None = None, **changes: Any) -> View:
    """A picture of a session that knows nothing yet."""
    view = make_view(
        selection, phases=(), threads=(), stacks=(), imports=(), calls=(), counters=(), log_lines=()
    )
    return replace(view, **changes)
