"""The views that SQL over a recording sees. They come from here, never from a file.

`t_s` is seconds since the session's start. Sums are plain integers or doubles, so that every
output format can hold them.

Numbers of nodes, threads and processes are a recording's own. Where SQL sees many recordings, every
row says of which it is and every join is within one: comments like `/*r n=s*/` stand in the
statements where that has to be said, and `over_many` says it. To SQL over one they are comments.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from perftui.probes.recording.format.tables import ROLLUPS, STACK_AMOUNTS, TABLES

RECORDING = "recording"
"""The column that says of which of many recordings a row is."""


class SqlView(NamedTuple):
    """One view or table macro."""

    name: str
    about: str
    sql: str
    parameters: str | None = None
    """Of a table macro, e.g. "a, b"."""


_SELF = """
SELECT /*r s,*/ f.function, f.file, mode(f.line) AS line, f.module,
       (sum(s.wall_ns) / 1e9)::DOUBLE AS wall_s,
       (sum(s.cpu_ns) / 1e9)::DOUBLE AS cpu_s,
       sum(s.grown_bytes)::BIGINT AS grown_bytes,
       (sum(greatest(s.wall_ns - s.cpu_ns, 0)) / 1e9)::DOUBLE AS waiting_s,
       {waits},
       round(sum(s.touched_bytes))::BIGINT AS touched_bytes,
       (sum(s.wall_ns) * 100.0 / sum(sum(s.wall_ns)) OVER (/*r by s*/))::DOUBLE AS wall_percent
FROM {sums} s JOIN nodes n ON n.node = s.node /*r n=s*/
JOIN frames f ON f.frame = n.frame /*r f=n*/
GROUP BY /*r s,*/ f.function, f.file, f.module
ORDER BY wall_s DESC, cpu_s DESC, f.function
"""

_TOTAL = """
WITH RECURSIVE
sums AS (
    SELECT /*r,*/ node, sum(wall_ns) AS wall_ns, sum(cpu_ns) AS cpu_ns,
           sum(grown_bytes) AS grown_bytes, sum(torn_ns) AS torn_ns,
           sum(greatest(wall_ns - cpu_ns, 0)) AS waiting_ns,
           sum(touched_bytes) AS touched_bytes, {summed},
           sum(sum(wall_ns)) OVER (/*r by*/) AS all_ns
    FROM {sums} GROUP BY /*r,*/ node
),
up(/*r,*/ leaf, node, own) AS (
    SELECT /*r,*/ node, node, true FROM sums WHERE node <> 0
    UNION ALL
    SELECT /*r up,*/ up.leaf, n.parent, false
    FROM up JOIN nodes n ON n.node = up.node /*r n=up*/ WHERE n.parent <> 0
),
callers AS (
    SELECT /*r up,*/ up.leaf, f.function, f.file, f.module,
           bool_or(up.own) AS own, min(f.line) AS line
    FROM up JOIN nodes n ON n.node = up.node /*r n=up*/
    JOIN frames f ON f.frame = n.frame /*r f=n*/
    GROUP BY /*r up,*/ up.leaf, f.function, f.file, f.module
),
weighed AS (
    -- A torn stack tells where the thread was, not how it got there.
    SELECT c.*, s.wall_ns AS whole_ns,
           CASE WHEN c.own OR s.wall_ns = 0 THEN 1.0 ELSE 1 - s.torn_ns / s.wall_ns END AS share,
           s.cpu_ns, s.grown_bytes, s.waiting_ns, s.touched_bytes, s.all_ns, {kinds}
    FROM callers c JOIN sums s ON s.node = c.leaf /*r s=c*/
)
SELECT /*r,*/ function, file, mode(line) AS line, module,
       (sum(whole_ns * share) / 1e9)::DOUBLE AS wall_s,
       (sum(cpu_ns * share) / 1e9)::DOUBLE AS cpu_s,
       round(sum(grown_bytes * share))::BIGINT AS grown_bytes,
       (sum(waiting_ns * share) / 1e9)::DOUBLE AS waiting_s,
       {waits},
       round(sum(touched_bytes * share))::BIGINT AS touched_bytes,
       (sum(whole_ns * share) * 100.0 / any_value(all_ns))::DOUBLE AS wall_percent
FROM weighed GROUP BY /*r,*/ function, file, module
ORDER BY wall_s DESC, cpu_s DESC, function
"""

_RANGE = """(
    SELECT /*r,*/ pid, tid, node,
           coalesce(wall_ns, t1_ns - t0_ns) * (part / greatest(t1_ns - t0_ns, 1)) AS wall_ns,
           coalesce(cpu_ns * (part / greatest(t1_ns - t0_ns, 1)), part * cpu_share) AS cpu_ns,
           grown_bytes * (part / greatest(t1_ns - t0_ns, 1)) AS grown_bytes,
           CASE WHEN torn THEN part ELSE 0 END AS torn_ns, {amounts}
    FROM (
        SELECT *, least(t1_s, b) * 1e9 - greatest(t0_s, a) * 1e9 AS part
        FROM stacks WHERE t0_s < b AND t1_s > a
    )
)"""

_KINDS = tuple(name for name in STACK_AMOUNTS if name.endswith("_ns"))
"""Kinds of waiting, and time with the GIL; null where they are not known."""


def _self(sums: str) -> str:
    waits = ", ".join(
        f"(sum(s.{name}) / 1e9)::DOUBLE AS {name.removesuffix('_ns')}_s" for name in _KINDS
    )
    return _SELF.format(sums=sums, waits=waits)


def _total(sums: str) -> str:
    waits = ", ".join(
        f"(sum({name} * share) / 1e9)::DOUBLE AS {name.removesuffix('_ns')}_s" for name in _KINDS
    )
    summed = ", ".join(f"sum({name}) AS {name}" for name in _KINDS)
    kinds = ", ".join(f"s.{name}" for name in _KINDS)
    return _TOTAL.format(sums=sums, waits=waits, summed=summed, kinds=kinds)


_OF_RANGE = _RANGE.format(
    amounts=", ".join(
        f"{name} * (part / greatest(t1_ns - t0_ns, 1)) AS {name}" for name in STACK_AMOUNTS
    )
)

_ALLOCATED = """
SELECT /*r,*/ told_by, function, file, mode(line) AS line,
       own_function, own_file, mode(own_line) AS own_line,
       thread, pid, sum(bytes)::BIGINT AS bytes, sum(allocations)::BIGINT AS allocations,
       coalesce(sum(bytes) FILTER ({kept}), 0)::BIGINT AS kept_bytes,
       coalesce(sum(allocations) FILTER ({kept}), 0)::BIGINT AS kept_allocations
FROM allocations {where}
GROUP BY /*r,*/ told_by, function, file, CASE WHEN function = '' THEN line END,
         own_function, own_file, thread, pid
ORDER BY kept_bytes DESC, bytes DESC, function
"""

VIEWS: tuple[SqlView, ...] = (
    SqlView("top_self", "functions by their own time", _self("stack_sums")),
    SqlView("top_total", "functions by time with all they called", _total("stack_sums")),
    SqlView("top_self", "the same from second a to b", _self(_OF_RANGE), "a, b"),
    SqlView("top_total", "the same from second a to b", _total(_OF_RANGE), "a, b"),
    SqlView(
        "stack_at",
        "the stack of every thread at a second, outermost frame first",
        """
WITH RECURSIVE
here AS (SELECT /*r,*/ pid, tid, node AS leaf, torn FROM stacks
         WHERE t0_s <= t AND t1_s > t AND coalesce(held, true)),
up(/*r,*/ pid, tid, torn, node, level) AS (
    SELECT /*r,*/ pid, tid, torn, leaf, 0 FROM here WHERE leaf <> 0
    UNION ALL
    SELECT /*r up,*/ up.pid, up.tid, up.torn, n.parent, up.level + 1
    FROM up JOIN nodes n ON n.node = up.node /*r n=up*/ WHERE n.parent <> 0
)
SELECT /*r up,*/ up.pid, up.tid,
       max(level) OVER (PARTITION BY /*r up,*/ up.pid, up.tid) - level AS depth,
       f.function, f.file, f.line, up.torn
FROM up JOIN nodes n ON n.node = up.node /*r n=up*/
JOIN frames f ON f.frame = n.frame /*r f=n*/
ORDER BY /*r up,*/ up.pid, up.tid, depth
""",
        "t",
    ),
    *(
        SqlView("allocated", about, _ALLOCATED.format(kept=kept, where=where), parameters)
        for about, kept, where, parameters in (
            (
                "functions by what they allocated and kept, says memray or tracemalloc",
                "freed_s IS NULL",
                "",
                None,
            ),
            (
                "the same from second a to b, kept until b",
                "(freed_s IS NULL OR freed_s > b)",
                "WHERE (t_s + t1_s) / 2 >= a AND (t_s + t1_s) / 2 < b",
                "a, b",
            ),
        )
    ),
    SqlView(
        "metrics_1s",
        "lowest, highest and last value of every metric in each second",
        "SELECT /*r,*/ t_s, pid, name, low, high, last FROM series_1s",
    ),
    SqlView(
        "phases",
        "phases with their two ends joined",
        """
SELECT /*r b,*/ b.pid, b.id, b.parent_id, b.name, b.t_s AS start_s, e.t_s AS end_s,
       e.t_s - b.t_s AS duration_s, e.cpu_s - b.cpu_s AS cpu_s,
       b.rss_bytes AS rss_start_bytes, e.rss_bytes AS rss_end_bytes
FROM phase_edges b
LEFT JOIN phase_edges e ON e.edge = 'end' AND e.pid = b.pid AND e.id = b.id /*r e=b*/
WHERE b.edge = 'begin' ORDER BY /*r b,*/ b.t_ns
""",
    ),
    SqlView(
        "memory_by_phase",
        "RSS at the ends of each phase, its peak and its growth",
        """
WITH spans AS (
    SELECT q.*, coalesce(end_s, (SELECT max(m.t_s) FROM metrics m WHERE true /*r m=q*/)) AS until_s
    FROM phases q
)
SELECT /*r p,*/ p.name, p.pid, p.start_s, p.until_s - p.start_s AS duration_s,
       coalesce(p.rss_start_bytes, arg_min(m.rss_bytes, m.t_s)) AS rss_start_bytes,
       coalesce(p.rss_end_bytes, arg_max(m.rss_bytes, m.t_s)) AS rss_end_bytes,
       greatest(max(m.rss_bytes), p.rss_start_bytes, p.rss_end_bytes) AS peak_rss_bytes
FROM spans p
LEFT JOIN metrics m ON m.pid = p.pid AND m.t_s BETWEEN p.start_s AND p.until_s /*r m=p*/
GROUP BY /*r p,*/ p.name, p.pid, p.id, p.start_s, p.until_s, p.rss_start_bytes, p.rss_end_bytes
ORDER BY /*r p,*/ p.start_s
""",
    ),
    SqlView(
        "imports",
        "module imports",
        """
SELECT /*r b,*/ b.pid, b.module, parent.module AS parent, b.t_s,
       e.self_ns / 1e9 AS self_s, e.total_ns / 1e9 AS total_s,
       e.rss_bytes - b.rss_bytes AS rss_bytes, e.ok, b.lazy, b.function, b.file, b.line
FROM import_edges b
LEFT JOIN import_edges e ON e.edge = 'end' AND e.pid = b.pid AND e.id = b.id /*r e=b*/
LEFT JOIN import_edges parent
    ON parent.edge = 'begin' AND parent.pid = b.pid AND parent.id = b.parent_id /*r parent=b*/
WHERE b.edge = 'begin' ORDER BY /*r b,*/ b.t_ns
""",
    ),
    SqlView(
        "counters",
        "counters at the end, summed over processes",
        """
SELECT /*r,*/ name, arg_max(tree_total, t_ns) AS total, min(t_s) AS first_s, max(t_s) AS last_s,
       (max(tree_total) - min(tree_total)) / nullif(max(t_s) - min(t_s), 0) AS per_s
FROM counts GROUP BY /*r,*/ name ORDER BY /*r,*/ min(t_ns)
""",
    ),
    SqlView(
        "threads",
        "threads with the CPU they used while they were seen",
        """
SELECT /*r c,*/ c.pid, c.tid, coalesce(any_value(n.name), arg_max(c.name, c.t_ns)) AS name,
       any_value(n.name) IS NOT NULL AS is_python,
       min(c.t_s) AS first_s, max(c.t_s) AS last_s, max(c.cpu_s) - min(c.cpu_s) AS cpu_s
FROM thread_cpu c LEFT JOIN (
    SELECT /*r,*/ pid, tid, arg_max(name, seq) AS name FROM thread_names GROUP BY /*r,*/ pid, tid
) n ON n.pid = c.pid AND n.tid = c.tid /*r n=c*/
GROUP BY /*r c,*/ c.pid, c.tid ORDER BY cpu_s DESC
""",
    ),
)

EXAMPLES = (
    "SELECT function, file, wall_s, cpu_s FROM top_self LIMIT 10",
    "SELECT t_s, high / 1e6 AS rss_mb FROM metrics_1s WHERE pid = 0 AND name = 'rss_bytes'",
    "SELECT * FROM stack_at(12.5)",
)

HIDDEN = frozenset(name for name in ROLLUPS if name != "series_1s") - {"stack_sums"}
"""Tables that only serve the reader."""


TIMES = ("t_ns", "t0_ns", "t1_ns", "t_onset_ns", "t_detect_ns", "t_clear_ns", "freed_ns")
"""Columns of the session's clock, which are told in seconds since its start too."""
DURATIONS = ("duration_ns", "self_ns", "total_ns")


def base_tables() -> tuple[str, ...]:
    """Return the tables that SQL sees."""
    return tuple(name for name in TABLES if name not in HIDDEN)


_DURATIONS = (
    *("duration_ns", "self_ns", "total_ns"),
    *("took_ns", "waited_ns", "spawn_ns", "held_ns", "load_ns", "worked_ns"),
)


_PLACES = (
    (re.compile(r"/\*r (\w+)=(\w+)\*/"), rf"AND \1.{RECORDING} = \2.{RECORDING}"),
    (re.compile(r"/\*r (\w+),\*/"), rf"\1.{RECORDING},"),
    (re.compile(r"/\*r,\*/"), f"{RECORDING},"),
    (re.compile(r"/\*r by (\w+)\*/"), rf"PARTITION BY \1.{RECORDING}"),
    (re.compile(r"/\*r by\*/"), f"PARTITION BY {RECORDING}"),
)


def over_many(sql: str) -> str:
    """Return the statement of a view as it is over many recordings."""
    for place, said in _PLACES:
        sql = place.sub(said, sql)
    return sql


def with_seconds(name: str, source: str, start_ns: int | str, columns: str = "*") -> str:
    """Return the SELECT of a base table: its columns, and its times in seconds too.

    Args:
        name: The table.
        source: Where its rows come from.
        start_ns: The session's start, or the name of the column that has it.
        columns: What is taken of the source.
    """
    seconds = [
        f"({column.name} - {start_ns}) / 1e9 AS {column.name.removesuffix('_ns')}_s"
        for column in TABLES[name].columns
        if column.name in (*TIMES, "t_work_ns")
    ]
    durations = [
        f"{column.name} / 1e9 AS {column.name.removesuffix('_ns')}_s"
        for column in TABLES[name].columns
        if column.name in _DURATIONS
    ]
    return f"SELECT {', '.join([*seconds, *durations, columns])} FROM {source}"
