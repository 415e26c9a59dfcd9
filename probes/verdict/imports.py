"""Imports: of which modules, from where, and whether somebody waited for them late."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.calltree import ROOT, own_path
from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.probes.verdict import proof
from perftui.probes.verdict.finding import RankedFinding
from perftui.probes.verdict.places import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.spine.reader import Import
    from perftui.probes.verdict.case import Case

LEAST_IMPORT_S, LEAST_IMPORT_SHARE = 2.0, 0.05
SHORT_IMPORT_S, SHORT_IMPORT_SHARE = 0.3, 0.2
"""Of a short run: where much of it is importing, that is its story."""
INSIDE_S = 0.15
"""An import inside of a function is a wait of whoever calls it first."""
LATE_S = 2.0
"""After the start of its process it is no part of the start any more, but of a request."""
LATE_IMPACT = 0.1
MORE_PROCESSES = 1.5
"""Where imports of all processes took so many times as long as those of the one with most."""
OWN_NAME = "perftui"
OURS_THAT_RUN = "scenarios/catalogue"
"""What is the program when it is run; what else of perftui imports is no request's wait."""


def outermost(imports: tuple[Import, ...]) -> list[Import]:
    """Return imports that no other caused, without those of perftui itself."""
    known = {(row.pid, row.id) for row in imports}
    return [
        row
        for row in imports
        if (row.pid, row.parent_id) not in known and row.module.partition(".")[0] != OWN_NAME
    ]


def imports(case: Case) -> Iterator[RankedFinding]:
    """Yield what imports took: of one process, or of many where many import."""
    by_pid: dict[int, list[Import]] = {}
    for row in outermost(case.imports):
        by_pid.setdefault(row.pid, []).append(row)
    yield from _unrecorded(case, set(by_pid))
    if not by_pid:
        return
    took = {pid: _covered_ns(rows) for pid, rows in by_pid.items()}
    pid = max(took, key=lambda each: took[each])
    rows, took_ns, where = by_pid[pid], took[pid], f" of process {pid}" if len(by_pid) > 1 else ""
    all_rows = [row for rows in by_pid.values() for row in rows]
    if _covered_ns(all_rows) >= MORE_PROCESSES * took_ns:
        rows, took_ns = all_rows, _covered_ns(all_rows)
        where = f" in {sum(ns > 0.1 * took[pid] for ns in took.values())} processes"
    rows = sorted(rows, key=lambda row: -row.total_ns)
    inside = _inside(case, rows[0])
    # A busy machine makes every import long; one that a request waits for is long all the same.
    ready_s = max(took_ns - _queued_ns(case, {row.pid for row in rows}), 0) / NS_PER_S
    if inside.function:
        ready_s = took_ns / NS_PER_S
    if not _matters(ready_s, min(ready_s / case.span_s, 1.0), inside):
        return
    yield _imported(case, rows, took_ns / NS_PER_S, where, inside)


def _unrecorded(case: Case, recorded: set[int]) -> Iterator[RankedFinding]:
    """Yield the imports of processes that told of none, by what their stacks say."""
    by_package: dict[str, int] = {}
    pids = set()
    for thread, node, weights in leaves(case.threads):
        if thread.pid in recorded or not weights.wall_ns:
            continue
        spot = case.spots.of(node)
        if spot.importing:
            name = spot.package or "the standard library"
            by_package[name] = by_package.get(name, 0) + weights.wall_ns
            pids.add(thread.pid)
    took_s = sum(by_package.values()) / NS_PER_S
    share = min(took_s / max(len(pids), 1) * _at_once(case, pids) / case.span_s, 1.0)
    if took_s < LEAST_IMPORT_S or share < LEAST_IMPORT_SHARE:
        return
    named = ", ".join(
        f"{name} {format_seconds(by_package[name] / NS_PER_S)}"
        for name in sorted(by_package, key=lambda each: -by_package[each])[:3]
    )
    many = f"{len(pids)} processes" if len(pids) > 1 else f"process {min(pids)}"
    yield RankedFinding(
        "imports",
        f"imports {format_seconds(took_s)} in {many}, together: {named}",
        "info",
        share,
        case.t0_ns,
        case.t1_ns,
        "Flame",
        proof.IMPORTING,
        "by their stacks: these processes did not tell of imports",
        seconds=took_s,
        next_step="start fewer processes, or import less in them",
    )


def _queued_ns(case: Case, pids: set[int]) -> int:
    """Return how long threads of some processes waited for a free core while they imported."""
    return sum(
        weights.queue_ns
        for thread, node, weights in leaves(case.threads)
        if thread.pid in pids and case.spots.of(node).importing
    )


def _at_once(case: Case, pids: set[int]) -> float:
    """Return how much of the run some processes cover, as a multiple of one's mean life."""
    spans = sorted(
        (p.t_start_ns, p.t_end_ns or case.t1_ns) for p in case.reader.processes() if p.pid in pids
    )
    covered, until, whole = 0, 0, 0
    for begin, end in spans:
        covered += max(end - max(begin, until), 0)
        until = max(until, end)
        whole += end - begin
    return covered / (whole / len(spans)) if whole else 1.0


class _Inside(NamedTuple):
    """Where in the program an import was met."""

    code: str
    function: str
    """"" if that is the code of a module, which runs at the start."""
    late_s: float
    """After the start of its process."""


def _matters(took_s: float, share: float, inside: _Inside) -> bool:
    if took_s >= LEAST_IMPORT_S and share >= LEAST_IMPORT_SHARE:
        return True
    if took_s >= SHORT_IMPORT_S and share >= SHORT_IMPORT_SHARE:
        return True
    is_late = share >= LEAST_IMPORT_SHARE or inside.late_s >= LATE_S
    return bool(inside.function) and took_s >= INSIDE_S and is_late


def _imported(
    case: Case, rows: list[Import], took_s: float, where: str, inside: _Inside
) -> RankedFinding:
    share = min(took_s / case.span_s, 1.0)
    by_module: dict[str, int] = {}
    for row in rows:
        by_module[row.module] = by_module.get(row.module, 0) + row.total_ns
    first = max(by_module, key=lambda module: by_module[module])
    telling = [m for m, ns in by_module.items() if ns >= 0.1 * took_s * NS_PER_S] or [
        *by_module  # many small ones
    ]
    telling.sort(key=lambda module: -by_module[module])
    named = ", ".join(f"{m} {format_seconds(by_module[m] / NS_PER_S)}" for m in telling[:3])
    mine = [row for row in rows if row.module in telling]
    pids = {row.pid for row in rows}
    count = sum(row.pid in pids for row in case.imports)
    evidence, step = f"{count} modules{where}", f"import {first} where it is used, if not always"
    is_late = bool(inside.function) and inside.late_s >= LATE_S
    if inside.function:
        evidence += f"; inside {inside.function}: whoever calls it first waits for it"
        step = f"import {first} at the start, or call {inside.function} once before it counts"
    return RankedFinding(
        "imports",
        f"imports {_of(took_s, case.span_s)}{where if len(pids) > 1 else ''}: {named}",
        "info",
        max(share, LATE_IMPACT if is_late else 0.0),
        min(row.t0_ns for row in mine),
        max(row.t0_ns + row.total_ns for row in mine),
        "Imports",
        proof.IMPORTS,
        evidence,
        inside.code,
        seconds=took_s,
        next_step=step,
    )


def _covered_ns(rows: list[Import]) -> int:
    """Return the time in which at least one of them ran."""
    covered, until = 0, 0
    for row in sorted(rows, key=lambda each: each.t0_ns):
        end = row.t0_ns + row.total_ns
        covered += max(end - max(row.t0_ns, until), 0)
        until = max(until, end)
    return covered


def _inside(case: Case, row: Import) -> _Inside:
    """Return the program's own line that was on the stack while a module was imported."""
    threads = case.reader.call_tree(row.t0_ns, row.t0_ns + max(row.total_ns, 1))
    places: dict[int, int] = {}
    for thread, node, weights in leaves(threads):
        spot = case.spots.of(node)
        if thread.pid == row.pid and spot.importing and spot.own != ROOT:
            places[spot.own] = places.get(spot.own, 0) + weights.wall_ns
    if not places:
        return _Inside("", "", 0.0)
    node = max(places, key=lambda each: places[each])
    frame = case.reader.tree.frame(node)
    runs = (own_path(frame.file) or OURS_THAT_RUN).startswith(OURS_THAT_RUN)
    name = frame.function if runs else "<ours>"
    started = [p.t_start_ns for p in case.reader.processes() if p.pid == row.pid]
    late_s = (row.t0_ns - started[0]) / NS_PER_S if started else 0.0
    return _Inside(case.spots.place(node), "" if name.startswith("<") else name, late_s)


def _of(part_s: float, whole_s: float) -> str:
    """Say a part of a time with one unit: "8.1 of 82 s"."""
    part, whole = format_seconds(part_s), format_seconds(whole_s)
    number, _, unit = part.rpartition(" ")
    return f"{number} of {whole}" if whole.endswith(f" {unit}") else f"{part} of {whole}"
