"""The tables of a recording, format 1.7: names, columns, types, units.

Readers find columns by name. A minor version only adds nullable columns and tables; a major
one may change anything, and older readers refuse it.
"""

from __future__ import annotations

from perftui.probes.recording.format.allocations import ALLOCATIONS
from perftui.probes.recording.format.columns import PID, SEQ, T_NS, TID, ColumnSpec, TableSpec
from perftui.probes.recording.format.columns import real as _f
from perftui.probes.recording.format.columns import text as _s
from perftui.probes.recording.format.columns import truth as _b
from perftui.probes.recording.format.columns import whole as _i
from perftui.probes.recording.format.growth_tables import GROWTH
from perftui.probes.recording.format.rollup_tables import rollup_tables
from perftui.probes.spine.derived import METRIC_FIELDS

FORMAT = "perftui-recording"
VERSION = (1, 7)
"""1.1 added the tables plans and runs; 1.2 tasks, and what the own sampler tells of each stack; 1.3
loop_blocks, memory_parts, the backends of pools, and who makes memory grow; 1.4 allocations and
newcomers; 1.5 installed; 1.6 gc_events, where imports are caused, and what was used in brief
bursts; 1.7 how often stacks were caught touching memory."""

FLOAT_METRICS = ("cpu_s", "cpu_user_s", "cpu_system_s", "run_queue_wait_s")

_TOUCHED_AND_WAITS = (
    _i("touched_bytes", "touched for the first time, freed since or not", nullable=True),
    _i("queue_ns", "runnable, no CPU was free; this and the following: waiting", nullable=True),
    _i("gil_ns", nullable=True),
    _i("lock_ns", nullable=True),
    _i("io_ns", nullable=True),
    _i("sleep_ns", nullable=True),
    _i("child_ns", nullable=True),
    _i("with_gil_ns", "held the GIL, by the readings; no part of waiting", nullable=True),
    _i("unsure_bytes", "of touched_bytes: no reading met it, an estimate", nullable=True),
    _i("brief_ns", "of cpu_ns: in bursts under 0.5 ms that no reading met", nullable=True),
    _i("catches", "readings that caught it touching memory", nullable=True),
)
STACK_AMOUNTS = tuple(column.name for column in _TOUCHED_AND_WAITS)

_ROLLUPS = rollup_tables(_TOUCHED_AND_WAITS)

_ALL: tuple[TableSpec, ...] = (
    TableSpec(
        "frames",
        "places in code, named once",
        (_i("frame"), _s("function"), _s("file"), _i("line"), _s("module"), _s("kind")),
    ),
    TableSpec(
        "nodes",
        "call-tree nodes: a frame below a parent node; 0 is the root",
        (_i("node"), _i("parent", "always smaller than node"), _i("frame")),
    ),
    TableSpec(
        "stacks",
        "one thread was in one call-tree node from t0 to t1",
        (
            _i("t0_ns"),
            _i("t1_ns"),
            PID,
            TID,
            _i("node"),
            _b("torn", "read while it changed: the leaf counts, the path does not"),
            _f("cpu_share", "share of the interval on a CPU, from the kernel"),
            _i("grown_bytes", "RSS gained meanwhile, by what was touched or by CPU: an estimate"),
            _i("wall_ns", "CPU and waiting; null: as long as the interval", nullable=True),
            _i("cpu_ns", "by the thread's own counters; null: by cpu_share", nullable=True),
            *_TOUCHED_AND_WAITS,
            _b("held", "false: amounts that came to light in that time", nullable=True),
            _s("state", "of the kernel as the stack was read", nullable=True),
            _b("gil_held", nullable=True),
            _b("unsteady", "moved in every reading: only its outer part is here", nullable=True),
            _s("task", "asyncio task that ran", nullable=True),
        ),
        time="t0_ns",
        time_end="t1_ns",
        merged=False,
        sort=("pid", "tid", "t0_ns"),
    ),
    TableSpec(
        "metrics",
        "readings per process; pid 0 is the sum over the process tree",
        (
            T_NS,
            PID,
            _f("cpu_percent", nullable=True),
            *(
                _f(name, nullable=True) if name in FLOAT_METRICS else _i(name, nullable=True)
                for name in METRIC_FIELDS
            ),
            _i("brought_bytes", "pid 0: what later processes had when young", nullable=True),
            _i("newcomers", "pid 0: processes that came later, so far", nullable=True),
        ),
        time="t_ns",
        merged=False,
        sort=("pid", "t_ns"),
    ),
    TableSpec(
        "thread_cpu",
        "cumulative CPU per OS thread",
        (
            T_NS,
            PID,
            TID,
            _s("name"),
            _f("cpu_s"),
            _s("state"),
            _f("run_wait_s", "could run and no core was free, cumulative", nullable=True),
        ),
        time="t_ns",
        merged=False,
        sort=("pid", "tid", "t_ns"),
    ),
    TableSpec(
        "thread_names",
        "the names that Python gives to threads",
        (SEQ, T_NS, PID, TID, _s("name")),
        time="t_ns",
    ),
    TableSpec(
        "windows",
        "how well each window of stack sampling went",
        (
            _i("t0_ns"),
            _i("t1_ns"),
            PID,
            _f("rate_hz"),
            _i("samples"),
            _i("errors"),
            _i("torn"),
            _f("sampler_cpu_s"),
            _s("backend", "empty if nobody could sample the process"),
            _i("sweeps", "looks at the process", nullable=True),
            _i("cpu_ns", "of the process since its window before", nullable=True),
            _i("covered_cpu_ns", "part of it for which there are stacks", nullable=True),
            _i("threads", "threads seen in the window"),
            _f("covered_ns", "time with stacks of the target so far, cumulative"),
        ),
        time="t0_ns",
        time_end="t1_ns",
    ),
    TableSpec(
        "phase_edges",
        "begins and ends of phases",
        (
            SEQ,
            T_NS,
            _s("edge", "begin or end"),
            PID,
            _i("tid", nullable=True),
            _i("id"),
            _s("name", nullable=True),
            _i("parent_id", nullable=True),
            _f("cpu_s", nullable=True),
            _i("rss_bytes", nullable=True),
        ),
        time="t_ns",
    ),
    TableSpec(
        "import_edges",
        "begins and ends of module imports",
        (
            SEQ,
            T_NS,
            _s("edge", "begin or end"),
            PID,
            _i("tid", nullable=True),
            _i("id"),
            _s("module", nullable=True),
            _i("parent_id", nullable=True),
            _i("rss_bytes", nullable=True),
            _i("self_ns", nullable=True),
            _i("total_ns", nullable=True),
            _b("ok", nullable=True),
            _s("function", "code that caused it; null: another import did", nullable=True),
            _s("file", nullable=True),
            _i("line", nullable=True),
            _b("lazy", "it was put off before, and happens now", nullable=True),
        ),
        time="t_ns",
    ),
    TableSpec(
        "calls",
        "timed calls, told when they end",
        (SEQ, T_NS, PID, TID, _s("name"), _i("n"), _i("duration_ns"), _b("ok")),
        time="t_ns",
        merged=False,
    ),
    TableSpec(
        "counts",
        "counters",
        (
            T_NS,
            PID,
            _s("name"),
            _f("total", "of this process, cumulative"),
            _f("tree_total", "of all processes, cumulative"),
            _f("rate_per_s", "of all processes, since rate_since_ns", nullable=True),
            _i("rate_since_ns", nullable=True),
        ),
        time="t_ns",
        merged=False,
    ),
    TableSpec("marks", "marked moments", (SEQ, T_NS, PID, _s("name")), time="t_ns"),
    TableSpec(
        "plans",
        "what engines said that they would do for a query",
        (
            SEQ,
            T_NS,
            PID,
            _s("name", "of the query, as its calls are named"),
            _s("text", "the engine's own EXPLAIN"),
            _s("filter", "where it takes place: in the scan, prunes only, ...", nullable=True),
            _i("columns_read", "by the scan", nullable=True),
            _i("columns_needed", nullable=True),
            _i("rows_read", "by the scan", nullable=True),
            _i("rows_needed", nullable=True),
        ),
        time="t_ns",
    ),
    TableSpec(
        "tasks",
        "asyncio tasks and what they wait for: lists, each with a time of its own",
        (
            SEQ,
            T_NS,
            PID,
            _i("n", "place in the list, from 1 on; 0: the process has no task any more"),
            _i("total", "tasks there were; a list has no more than the first 1,000"),
            _s("name"),
            _s("awaits", "null: nothing, it runs or may run", nullable=True),
            _s("frames", "JSON [[function, file, line], ...], outermost first"),
        ),
        time="t_ns",
    ),
    TableSpec(
        "loop_blocks",
        "callbacks that an event loop of asyncio did not come back from, up to t_ns",
        (
            SEQ,
            T_NS,
            PID,
            _i("tid", "of the loop's thread, 0 if unknown"),
            _i("n", "blocks of this process so far; not each of them is told"),
            _i("took_ns", "seen so far"),
            _b("ended"),
            _s("callback", "the program's outermost function below the loop"),
            _s("innermost", "its innermost one, where it stood"),
            _s("stack"),
        ),
        time="t_ns",
    ),
    TableSpec(
        "gc_events",
        "collections of cycles in one generation, in [t0, t)",
        (
            SEQ,
            T_NS,
            PID,
            _i("t0_ns"),
            _i("generation"),
            _i("collections", "by the interpreter's own count"),
            _i("timed", "of very many not all are"),
            _i("pause_ns", "of all: those not timed count like others; 0 if none was timed"),
            _i("longest_ns", "of those that were timed"),
            _i("objects", "collected, by the interpreter's own count"),
        ),
        time="t_ns",
    ),
    *GROWTH,
    ALLOCATIONS,
    TableSpec(
        "runs",
        "runs of a target that keeps its process: what was waited for, and what was worked",
        (
            SEQ,
            T_NS,
            PID,
            _i("n"),
            _b("cold", "the first of its program"),
            _b("ok"),
            _i("waited_ns", "from the order to the answer"),
            _i("spawn_ns", "the interpreter started; null if warm", nullable=True),
            _i("held_ns", "perftui held it back; null if warm", nullable=True),
            _i("load_ns", "the scenario was imported; null if warm", nullable=True),
            _i("t_work_ns"),
            _i("worked_ns", "by the target's own clock"),
        ),
        time="t_ns",
    ),
    TableSpec(
        "installed",
        "distributions of which the program imported something, told at its end",
        (SEQ, T_NS, PID, _s("name"), _s("version")),
        time="t_ns",
    ),
    TableSpec(
        "pools",
        "bytes that allocators say they have given out",
        (
            T_NS,
            PID,
            _s("name"),
            ColumnSpec("bytes", "i64", "B"),
            _s("backend", "whose memory it gives out", nullable=True),
            _i("tree_bytes", "over all processes"),
        ),
        time="t_ns",
        merged=False,
    ),
    TableSpec(
        "memory_parts",
        "what RSS is made of; pid 0 is the process tree, with shared pages counted once",
        (T_NS, PID, _s("name"), ColumnSpec("bytes", "i64", "B")),
        time="t_ns",
        merged=False,
    ),
    TableSpec(
        "log",
        "what the target wrote",
        (T_NS, _s("stream"), _s("text")),
        time="t_ns",
        merged=False,
    ),
    TableSpec(
        "notices",
        "what perftui had to say",
        (SEQ, T_NS, _s("severity"), _s("text")),
        time="t_ns",
    ),
    TableSpec(
        "gaps",
        "times without measurements",
        (SEQ, _i("t0_ns"), _i("t1_ns"), _s("reason")),
        time="t0_ns",
        time_end="t1_ns",
    ),
    TableSpec(
        "exits",
        "ends of processes, with the kernel's own sums",
        (
            SEQ,
            T_NS,
            PID,
            _i("exit_code", nullable=True),
            _i("signal", nullable=True),
            _f("cpu_user_s", nullable=True),
            _f("cpu_system_s", nullable=True),
            _i("max_rss_bytes", nullable=True),
        ),
        time="t_ns",
    ),
    TableSpec(
        "alerts",
        "findings of the detectors",
        (
            SEQ,
            _s("kind"),
            _s("severity"),
            _i("t_onset_ns"),
            _i("t_detect_ns"),
            _i("t_clear_ns", nullable=True),
            _s("message"),
            _s("evidence"),
        ),
        time="t_detect_ns",
    ),
    TableSpec(
        "overhead",
        "what perftui itself cost, cumulative",
        (
            T_NS,
            _f("cpu_s"),
            _i("rss_bytes"),
            _i("late_samples"),
            _i("worst_late_ns"),
            _i("dropped_records"),
        ),
        time="t_ns",
    ),
    TableSpec(
        "clock",
        "pairs of the session's clock and the wall clock",
        (T_NS, _i("wall_ns", "since 1970, UTC")),
        time="t_ns",
    ),
    TableSpec(
        "processes",
        "processes of the target's tree, first seen; a second row is a new command line",
        (
            SEQ,
            T_NS,
            PID,
            _i("ppid"),
            _s("argv", "JSON array, secrets redacted"),
            _s("python", nullable=True),
        ),
        time="t_ns",
    ),
    *_ROLLUPS,
)

TABLES: dict[str, TableSpec] = {table.name: table for table in _ALL}
ROLLUPS = tuple(table.name for table in _ROLLUPS)
RECORDED = tuple(name for name in TABLES if name not in ROLLUPS)
"""Tables that are written live, in the order of writing: frames and nodes before their users."""
