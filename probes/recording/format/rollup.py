"""Sums of one segment: what a whole range is added up from. Pure functions of its tables.

The writer seals them with the segment; a reader computes the same for a segment that was never
sealed.
"""

from __future__ import annotations

from typing import Any

from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.recording.format.schema import arrow_schema, empty
from perftui.probes.recording.format.tables import STACK_AMOUNTS, TABLES
from perftui.probes.spine.reader import TREE
from perftui.probes.text.units import NS_PER_S

_MOST = 1 << 60
"""More than this is damage."""
STEP_NS = 30 * NS_PER_S


def rollups(segment: int, tables: dict[str, Any]) -> dict[str, Any]:
    """Return the rollup tables of a segment, empty ones left out.

    Args:
        segment: Its number.
        tables: Its recorded tables as `pyarrow.Table`, rows in the order of arrival.
    """
    fine = series_of(tables)
    found = {
        "series_1s": fine,
        "series_30s": _with_segment("series_30s", segment, coarser(fine, STEP_NS)),
        "stack_sums": stack_sums(tables.get("stacks")),
        "thread_sums": _thread_sums(segment, tables),
        "call_sums": _call_sums(segment, tables.get("calls")),
        "count_sums": _count_sums(segment, tables.get("counts")),
        "segments": manifest(segment, tables),
    }
    return {name: table for name, table in found.items() if table.num_rows}


def weighed(stacks: Any) -> Any:
    """Return stacks with torn_ns besides, and with every weight where a row leaves it open."""
    pa = arrow()
    pc = compute()
    span = pc.subtract(stacks["t1_ns"], stacks["t0_ns"])
    share = stacks["cpu_share"]
    possible = pc.and_(pc.greater_equal(share, 0.0), pc.less_equal(share, 1.0))
    share = pc.if_else(possible, share, 0.0)
    spread = pc.round(pc.multiply(pc.cast(span, pa.float64(), safe=False), share))
    wall = pc.if_else(_possible(stacks["wall_ns"]), stacks["wall_ns"], span)
    cpu = pc.if_else(
        _possible(stacks["cpu_ns"]), stacks["cpu_ns"], pc.cast(spread, pa.int64(), safe=False)
    )
    torn = pc.if_else(pc.fill_null(stacks["torn"], False), wall, 0)
    known = {"wall_ns": wall, "cpu_ns": cpu}
    for name in STACK_AMOUNTS:
        # Null stays null: nobody knows.
        known[name] = pc.if_else(_possible(stacks[name]), stacks[name], pa.scalar(None, pa.int64()))
    for name, column in known.items():
        stacks = stacks.set_column(stacks.column_names.index(name), name, column)
    return stacks.append_column("torn_ns", torn)


def _possible(column: Any) -> Any:
    """Tell which values are there and may be ones."""
    pc = compute()
    fits = pc.and_(pc.greater_equal(column, 0), pc.less(column, _MOST))
    return pc.fill_null(fits, False)


def stack_sums(stacks: Any | None) -> Any:
    """Return stack time per thread and leaf node."""
    if stacks is None or not stacks.num_rows:
        return empty("stack_sums")
    return add_stack_sums(weighed(stacks))


def add_stack_sums(table: Any) -> Any:
    """Add rows of the same thread and node up."""
    keys = ["pid", "tid", "node"]
    values = ["wall_ns", "cpu_ns", "grown_bytes", "torn_ns", *STACK_AMOUNTS]
    sums = table.group_by(keys, use_threads=False).aggregate([(name, "sum") for name in values])
    return sums.select([*keys, *(f"{name}_sum" for name in values)]).rename_columns(
        [*keys, *values]
    )


def series_of(tables: dict[str, Any]) -> Any:
    """Return the 1 s steps of every metric of a segment."""
    pa = arrow()
    parts = [empty("series_1s")]
    metrics = tables.get("metrics")
    if metrics is not None:
        parts += _metric_steps(metrics)
    parts += [coarser(points, NS_PER_S) for points in named_points(tables)]
    return _in_order(pa.concat_tables(parts))


def named_points(tables: dict[str, Any]) -> list[Any]:
    """Return raw points of counters, rates, pools, parts as series rows (low = high = last)."""
    pc = compute()
    parts = []
    counts = tables.get("counts")
    if counts is not None and counts.num_rows:
        parts.append(_points(counts, "count:", "t_ns", "tree_total", tree=True))
        rates = counts.filter(pc.is_valid(counts["rate_per_s"]))
        if rates.num_rows:
            # A rate belongs to the time before its count: two points draw it from there on.
            before = pc.subtract(rates["t_ns"], 1)
            ends = rates.set_column(rates.column_names.index("t_ns"), "t_ns", before)
            starts = _points(rates, "rate:", "rate_since_ns", "rate_per_s", tree=True)
            stops = _points(ends, "rate:", "t_ns", "rate_per_s", tree=True)
            both = _concat([starts, stops])
            parts.append(both.sort_by([("name", "ascending"), ("t_ns", "ascending")]))
    pools = tables.get("pools")
    if pools is not None and pools.num_rows:
        parts.append(_points(pools, "pool:", "t_ns", "bytes", tree=False))
        parts.append(_points(pools, "pool:", "t_ns", "tree_bytes", tree=True))
    resident = tables.get("memory_parts")
    if resident is not None and resident.num_rows:
        parts.append(_points(resident, "part:", "t_ns", "bytes", tree=False))
    return parts


def _concat(tables: list[Any]) -> Any:
    pa = arrow()
    return pa.concat_tables(tables)


def _points(table: Any, prefix: str, time: str, value: str, *, tree: bool) -> Any:
    pa = arrow()
    pc = compute()
    count = table.num_rows
    names = pc.binary_join_element_wise(prefix, table["name"], "")
    pid = pa.chunked_array([pa.array([TREE], pa.int64()).take(pa.array([0] * count))])
    values = pc.cast(table[value], pa.float64(), safe=False)
    columns = [pid if tree else table["pid"], names, table[time], values, values, values]
    return pa.Table.from_arrays(columns, schema=arrow_schema("series_1s"))


def _metric_steps(metrics: Any) -> list[Any]:
    """One pass over all columns; then a row per second, process and metric that was read."""
    pa = arrow()
    pc = compute()
    names = [
        column.name
        for column in TABLES["metrics"].columns
        if column.name not in ("t_ns", "pid", "cpu_s")
        and metrics[column.name].null_count < len(metrics)
    ]
    second = _floor(metrics["t_ns"], NS_PER_S)
    table = metrics.append_column("second", second)
    wanted = [(name, how) for name in names for how in ("min", "max", "last")]
    steps = table.group_by(["pid", "second"], use_threads=False).aggregate(wanted)
    parts = []
    for name in names:
        kept = steps.filter(pc.is_valid(steps[f"{name}_last"]))
        values = [
            pc.cast(kept[f"{name}_{how}"], pa.float64(), safe=False)
            for how in ("min", "max", "last")
        ]
        label = pa.repeat(pa.scalar(name), kept.num_rows)
        columns = [kept["pid"], label, kept["second"], *values]
        parts.append(pa.Table.from_arrays(columns, schema=arrow_schema("series_1s")))
    return parts


def _floor(times: Any, step_ns: int) -> Any:
    pc = compute()
    return pc.multiply(pc.divide(times, step_ns), step_ns)


def coarser(series: Any, step_ns: int) -> Any:
    """Return series rows in wider steps; those of one metric must be in time order."""
    pa = arrow()
    if not series.num_rows:
        return empty("series_1s")
    index = series.column_names.index("t_ns")
    table = series.set_column(index, "t_ns", _floor(series["t_ns"], step_ns))
    steps = table.group_by(["pid", "name", "t_ns"], use_threads=False).aggregate(
        [("low", "min"), ("high", "max"), ("last", "last")]
    )
    columns = [steps[name] for name in ("pid", "name", "t_ns", "low_min", "high_max", "last_last")]
    return _in_order(pa.Table.from_arrays(columns, schema=arrow_schema("series_1s")))


def _in_order(series: Any) -> Any:
    """Sort series rows: groups come out of an aggregation in no order that may be relied on."""
    return series.sort_by([(name, "ascending") for name in ("pid", "name", "t_ns")])


def _with_segment(name: str, segment: int, table: Any) -> Any:
    pa = arrow()
    label = pa.repeat(pa.scalar(segment, pa.int64()), table.num_rows)
    return pa.Table.from_arrays([label, *table.columns], schema=arrow_schema(name))


def _thread_sums(segment: int, tables: dict[str, Any]) -> Any:
    pa = arrow()
    pc = compute()
    rows: dict[tuple[int, int], list[Any]] = {}
    cpu = tables.get("thread_cpu")
    if cpu is not None and cpu.num_rows:
        wanted = [
            ("name", "last"),
            ("state", "last"),
            ("t_ns", "first"),
            ("cpu_s", "first"),
            ("t_ns", "last"),
            ("cpu_s", "last"),
            ("run_wait_s", "first"),
            ("run_wait_s", "last"),
        ]
        sums = cpu.group_by(["pid", "tid"], use_threads=False).aggregate(wanted)
        names = ["pid", "tid", *(f"{name}_{how}" for name, how in wanted)]
        for row in zip(*(sums[name].to_pylist() for name in names), strict=True):
            rows[row[0], row[1]] = [*row[2:], None]
    stacks = tables.get("stacks")
    if stacks is not None and stacks.num_rows:
        whole = stacks.filter(
            pc.and_(
                pc.invert(pc.fill_null(stacks["torn"], False)), pc.fill_null(stacks["held"], True)
            )
        )
        latest = whole.group_by(["pid", "tid"], use_threads=False).aggregate([("node", "last")])
        for pid, tid, node in zip(
            *(latest[name].to_pylist() for name in ("pid", "tid", "node_last")), strict=True
        ):
            rows.setdefault((pid, tid), [None] * 9)[-1] = node
    schema = arrow_schema("thread_sums")
    return pa.Table.from_pylist(
        [
            dict(zip(schema.names, (segment, *thread, *values), strict=True))
            for thread, values in rows.items()
        ],
        schema=schema,
    )


def _call_sums(segment: int, calls: Any | None) -> Any:
    pa = arrow()
    pc = compute()
    if calls is None or not calls.num_rows:
        return empty("call_sums")
    failed = pc.cast(pc.invert(calls["ok"]), pa.int64())
    table = calls.append_column("failed", failed)
    firsts = [(name, "first") for name in ("t_ns", "pid", "tid", "n", "duration_ns", "ok")]
    sums = table.group_by("name", use_threads=False).aggregate(
        [([], "count_all"), ("failed", "sum"), *firsts, ("t_ns", "last")]
    )
    names = ["name", "count_all", "failed_sum", *(f"{name}_first" for name, _ in firsts)]
    columns = [sums[name] for name in (*names, "t_ns_last")]
    label = pa.repeat(pa.scalar(segment, pa.int64()), sums.num_rows)
    return pa.Table.from_arrays([label, *columns], schema=arrow_schema("call_sums"))


def _count_sums(segment: int, counts: Any | None) -> Any:
    pa = arrow()
    if counts is None or not counts.num_rows:
        return empty("count_sums")
    sums = counts.group_by(["name", "pid"], use_threads=False).aggregate(
        [("t_ns", "first"), ("t_ns", "last"), ("total", "last")]
    )
    names = ("name", "pid", "t_ns_first", "t_ns_last", "total_last")
    label = pa.repeat(pa.scalar(segment, pa.int64()), sums.num_rows)
    columns = [label, *(sums[name] for name in names)]
    return pa.Table.from_arrays(columns, schema=arrow_schema("count_sums"))


def manifest(segment: int, tables: dict[str, Any]) -> Any:
    """Return which tables a segment has, and from when to when."""
    pa = arrow()
    pc = compute()
    rows = []
    for name, table in tables.items():
        about = TABLES[name]
        t0 = t1 = None
        if about.time is not None:
            t0 = pc.min(table[about.time]).as_py()
            t1 = pc.max(table[about.time_end or about.time]).as_py()
        rows.append(
            {"segment": segment, "table": name, "rows": table.num_rows, "t0_ns": t0, "t1_ns": t1}
        )
    return pa.Table.from_pylist(rows, schema=arrow_schema("segments"))
