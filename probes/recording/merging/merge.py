"""Writing several recordings as one: their tables side by side, five minutes at a time."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format import meta as meta_file
from perftui.probes.recording.format.arrow import arrow, compute
from perftui.probes.recording.format.claim import Claim
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.redacted import RULES_FIELD
from perftui.probes.recording.format.schema import arrow_schema
from perftui.probes.recording.format.tables import FORMAT, RECORDED, TABLES, VERSION
from perftui.probes.recording.merging.sources import merged_meta_sources, sources_of
from perftui.probes.recording.merging.sums import count_rows, family_rows, part_rows, pool_rows
from perftui.probes.recording.merging.trees import one_tree
from perftui.probes.recording.write.seal import seal
from perftui.probes.spine.reader import TREE, Target
from perftui.probes.text.redact import RULES
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perftui.probes.recording.merging.sources import Merged
    from perftui.probes.recording.read.face import RecordedReader
    from perftui.probes.spine.calltree import CallTree

WINDOW_NS = 300 * NS_PER_S
_TREE_TABLES = ("frames", "nodes")
_PID = re.compile(r"\(pid (\d{1,9})\)")
_SUMMED = ("metrics", "memory_parts", "counts", "pools")


def merge_recordings(readers: Sequence[RecordedReader], out: Path) -> tuple[Merged, ...]:
    """Write recordings as one, on the clock of the first; returns what was merged, and how.

    Args:
        readers: Two or more, none of them still being written.
        out: The new recording; must not be there.

    Raises:
        RecordingError: they cannot be merged, or it cannot be written; nothing is left then.
    """
    sources = sources_of(readers)
    if out.exists():
        raise RecordingError(f"{out} is there already")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        claim = Claim.take(out)
    except OSError as error:
        raise RecordingError(f"cannot write {out}: {error.strerror or error}") from error
    try:
        out.chmod(0o700)
        peak = _write(sources, out)
        meta_file.write_meta(out, _meta(sources, out, peak))
    except BaseException as error:
        claim.end()
        shutil.rmtree(out, ignore_errors=True)
        if isinstance(error, OSError):
            raise RecordingError(f"cannot write {out}: {error.strerror or error}") from error
        raise
    claim.end()
    return sources


def _write(sources: Sequence[Merged], out: Path) -> int | None:
    """Write all tables; returns the highest sum of RSS."""
    tree, places = one_tree([source.reader.tree for source in sources])
    first_ns = min(source.t0_ns for source in sources)
    last_ns = max(source.t1_ns for source in sources)
    orders = _orders(sources)
    peak: int | None = None
    number = 0
    t0_ns = -(1 << 62)  # what was said before the session began belongs to its beginning
    t1_ns = first_ns + WINDOW_NS
    while True:
        last = t1_ns > last_ns
        span = (t0_ns, 1 << 62 if last else t1_ns)
        tables: dict[str, Any] = {}
        for name in RECORDED:
            if name in _TREE_TABLES:
                table = _tree_table(name, tree) if number == 0 else None
            else:
                table = _table(name, sources, span, places, orders)
            if table is not None and table.num_rows:
                tables[name] = table
        if "metrics" in tables:
            peak = max(peak or 0, _peak(tables["metrics"])) or None
        if tables:
            seal(out, number, tables)
            number += 1
        if last:
            return peak
        t0_ns, t1_ns = t1_ns, t1_ns + WINDOW_NS


def _tree_table(name: str, tree: CallTree) -> Any:
    pa = arrow()
    if name == "frames":
        rows: list[tuple[Any, ...]] = [(number, *each) for number, each in tree.frames_since(1)]
    else:
        rows = list(tree.nodes_since(1))
    columns = zip(*rows, strict=True) if rows else [() for _ in TABLES[name].columns]
    schema = arrow_schema(name)
    return pa.table([list(column) for column in columns], schema=schema)


def _orders(sources: Sequence[Merged]) -> list[dict[int, int]]:
    """Return for each source the new place of each record that has one: by time."""
    found: list[tuple[int, int, int]] = []
    for number, source in enumerate(sources):
        for name in RECORDED:
            about = TABLES[name]
            if about.time is None or "seq" not in about.names():
                continue
            catalog = source.reader.catalog
            table = _of(catalog, name, (-(1 << 62), 1 << 62), ("seq", about.time))
            times = table[about.time].to_pylist()
            found += [
                (t_ns + source.shift_ns, number, seq)
                for t_ns, seq in zip(times, table["seq"].to_pylist(), strict=True)
            ]
    found.sort()
    orders: list[dict[int, int]] = [{} for _ in sources]
    for place, (_, number, seq) in enumerate(found, 1):
        orders[number][seq] = place
    return orders


def _of(
    catalog: Any, name: str, span: tuple[int, int], columns: tuple[str, ...] | None = None
) -> Any:
    """Return the rows of a table that begin in a span, of the recording's own clock."""
    pa, pc = arrow(), compute()
    about = TABLES[name]
    if about.merged:
        table = catalog.whole(name)
    else:
        parts = [catalog.load(name, segment) for segment in catalog.overlapping(name, *span)]
        table = pa.concat_tables(parts) if parts else arrow_schema(name).empty_table()
    if columns is not None:
        table = table.select(list(columns))
    time_ = table[about.time]
    mask = pc.and_(pc.greater_equal(time_, span[0]), pc.less(time_, span[1]))
    return table.filter(mask)


def _table(
    name: str,
    sources: Sequence[Merged],
    span: tuple[int, int],
    places: Sequence[list[int]],
    orders: Sequence[dict[int, int]],
) -> Any:
    """Return one table of all sources in a span of the common clock."""
    pa, pc = arrow(), compute()
    parts: list[Any] = []
    for number, source in enumerate(sources):
        own = (span[0] - source.shift_ns, span[1] - source.shift_ns)
        table = _of(source.reader.catalog, name, own)
        if not table.num_rows:
            parts.append(None)
            continue
        about = TABLES[name]
        for column in about.columns:
            at = table.column_names.index(column.name)
            field = table.schema.field(at)
            values = table[column.name]
            if column.name in _TIMES:
                values = pc.add(values, source.shift_ns)
            elif column.name in ("pid", "ppid") and source.pid_shift:
                shifted = pc.add(values, source.pid_shift)
                values = pc.if_else(pc.greater(values, TREE), shifted, values)
            elif column.name == "node":
                values = pc.take(pa.array(places[number], pa.int64()), values)
            elif column.name == "seq":
                values = pa.array([orders[number][seq] for seq in values.to_pylist()], pa.int64())
            else:
                continue
            table = table.set_column(at, field, values)
        parts.append(_said_of_whom(name, table, source, sources))
    present = [part for part in parts if part is not None]
    if not present:
        return None
    if name == "clock":
        # One clock: the first one's own pairs.
        return parts[0]
    if name in _SUMMED:
        return _summed(name, [part for part in parts if part is not None])
    table = pa.concat_tables(present)
    by = TABLES[name].time
    return table if by is None else table.sort_by([(by, "ascending")])


_TIMES = frozenset(
    column.name
    for table in TABLES.values()
    for column in table.columns
    if column.name in ("t_ns", "t0_ns", "t1_ns", "t_onset_ns", "t_detect_ns", "t_clear_ns")
    or column.name in ("t_work_ns", "rate_since_ns", "freed_ns")
)


def _said_of_whom(name: str, table: Any, source: Merged, sources: Sequence[Merged]) -> Any:
    """Say of what was told in words, and of processes, whose it is."""
    column = {"notices": "text", "alerts": "message", "processes": "argv"}.get(name)
    if column is None:
        return table
    who = _who(source, sources)
    values = table[column].to_pylist()
    if name == "processes":
        if who in ("", source.name):
            return table
        told = [_with_host(text, who) for text in values]
    else:
        told = [f"{who or source.name}: {_with_pids(text, source)}" for text in values]
    at = table.column_names.index(column)
    return table.set_column(at, table.schema.field(at), arrow().array(told, arrow().string()))


def _who(source: Merged, sources: Sequence[Merged]) -> str:
    """Return what tells a recording from the others: its host where they differ, else its name."""
    hosts = {each.host for each in sources}
    return source.host if len(hosts) == len(sources) and source.host else source.name


def _with_pids(text: str, source: Merged) -> str:
    """Return words whose "(pid 12)" is the process's number in all of them together."""
    return _PID.sub(lambda found: f"(pid {source.pid(int(found[1]))})", text)


def _with_host(argv: str, host: str) -> str:
    try:
        words = json.loads(argv)
    except (ValueError, RecursionError):
        return argv
    return json.dumps([f"{host}:", *words]) if isinstance(words, list) and words else argv


def _summed(name: str, parts: list[Any]) -> Any:
    """Return a table whose figures of the whole tree are those of all recordings."""
    pa, pc = arrow(), compute()
    if name in ("metrics", "memory_parts"):
        each = [part.filter(pc.not_equal(part["pid"], TREE)) for part in parts]
        sums = [part.filter(pc.equal(part["pid"], TREE)).to_pylist() for part in parts]
        make = family_rows if name == "metrics" else part_rows
        rows = list(make(sums))
    else:
        each = []
        make = count_rows if name == "counts" else pool_rows
        rows = list(make([part.to_pylist() for part in parts]))
    schema = parts[0].schema
    told = pa.Table.from_pylist(rows, schema=schema) if rows else schema.empty_table()
    return pa.concat_tables([*each, told]).sort_by([("t_ns", "ascending")])


def _peak(metrics: Any) -> int:
    pc = compute()
    whole = metrics.filter(pc.equal(metrics["pid"], TREE))
    return int(pc.max(whole["rss_bytes"]).as_py() or 0)


def _meta(sources: Sequence[Merged], out: Path, peak: int | None) -> dict[str, Any]:
    first = sources[0].reader
    t0_ns = min(source.t0_ns for source in sources)
    t1_ns = max(source.t1_ns for source in sources)
    targets = [source.reader.target() for source in sources]
    # The end of the target is the end of the session: it is that of the one that ends last.
    last = max(sources, key=lambda source: source.t1_ns)
    pythons = {target.python for target in targets}
    target = Target(
        " + ".join(
            f"{_who(source, sources)}: {target.title}"
            for source, target in zip(sources, targets, strict=True)
        ),
        last.reader.target().argv,
        last.pid(last.reader.target().pid),
        pythons.pop() if len(pythons) == 1 else None,
        launched=False,
        agent=any(target.agent for target in targets),
    )
    meta = first.meta
    summaries = [source.reader.meta.get("summary") for source in sources]
    known = [summary for summary in summaries if isinstance(summary, dict)]

    def total(name: str) -> int:
        return sum(value for summary in known if isinstance(value := summary.get(name), int))

    hosts = list(dict.fromkeys(source.host for source in sources if source.host))
    return {
        "format": FORMAT,
        "version": list(VERSION),
        "state": "closed",
        "id": os.urandom(16).hex(),
        "created_wall_ns": meta.get("created_wall_ns", time.time_ns()),
        "t_start_ns": t0_ns,
        "t_end_ns": t1_ns,
        "clock": meta.get("clock"),
        "host": " + ".join(hosts) or None,
        "target": meta_file.target_dict(target),
        "options": _options(meta),
        "recorder": None,
        "versions": meta_file.versions(),
        RULES_FIELD: RULES,
        "machine": meta.get("machine"),
        "merged": merged_meta_sources(sources),
        "summary": {
            "duration_s": max(t1_ns - t0_ns, 0) / NS_PER_S,
            "peak_rss_bytes": peak,
            "alerts": total("alerts"),
            "stack_samples": total("stack_samples"),
            "exit_code": None,
            "signal": None,
            "ended": True,
            "lost_rows": total("lost_rows"),
            "lines_left_out": total("lines_left_out"),
            "file_bytes": sum(path.stat().st_size for path in out.iterdir()),
        },
    }


def _options(meta: Any) -> dict[str, Any]:
    """Return the first one's options, without what only holds for one machine."""
    options = meta.get("options")
    kept = dict(options) if isinstance(options, dict) else {}
    return {**kept, "known_limit_bytes": None, "limit_bytes": None, "cores": None}
