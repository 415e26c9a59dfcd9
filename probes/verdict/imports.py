"""Imports: of which modules, from where, and whether somebody waited for them late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.spine.calltree import ROOT
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
OWN_NAME = "perftui"


def outermost(imports: tuple[Import, ...]) -> list[Import]:
    """Return imports that no other caused, without those of perftui itself."""
    known = {(row.pid, row.id) for row in imports}
    return [
        row
        for row in imports
        if (row.pid, row.parent_id) not in known and row.module.partition(".")[0] != OWN_NAME
    ]


def imports(case: Case) -> Iterator[RankedFinding]:
    """Yield what imports took, of the process in which they took most."""
    by_pid: dict[int, list[Import]] = {}
    for row in outermost(case.imports):
        by_pid.setdefault(row.pid, []).append(row)
    if not by_pid:
        return
    took = {pid: _covered_ns(rows) for pid, rows in by_pid.items()}
    pid = max(took, key=lambda each: took[each])
    took_s = took[pid] / NS_PER_S
    share = min(took_s / case.span_s, 1.0)
    is_long = took_s >= LEAST_IMPORT_S and share >= LEAST_IMPORT_SHARE
    if not is_long and not (took_s >= SHORT_IMPORT_S and share >= SHORT_IMPORT_SHARE):
        return
    rows = sorted(by_pid[pid], key=lambda row: -row.total_ns)
    first = rows[0]
    count = sum(row.pid == pid for row in case.imports)
    telling = [row for row in rows if row.total_ns >= 0.1 * took[pid]] or rows  # many small ones
    named = ", ".join(
        f"{row.module} {format_seconds(row.total_ns / NS_PER_S)}" for row in telling[:3]
    )
    where = f" of process {pid}" if len(by_pid) > 1 else ""
    yield RankedFinding(
        "imports",
        f"imports {_of(took_s, case.span_s)}: {named}",
        "info",
        share,
        min(row.t0_ns for row in telling),
        max(row.t0_ns + row.total_ns for row in telling),
        "Imports",
        proof.IMPORTS,
        f"{count} modules{where}",
        _importer(case, first),
        seconds=took_s,
        next_step=f"import {first.module} where it is used, if that is not always",
    )


def _covered_ns(rows: list[Import]) -> int:
    """Return the time in which at least one of them ran."""
    covered, until = 0, 0
    for row in sorted(rows, key=lambda each: each.t0_ns):
        end = row.t0_ns + row.total_ns
        covered += max(end - max(row.t0_ns, until), 0)
        until = max(until, end)
    return covered


def _importer(case: Case, row: Import) -> str:
    """Return the program's own line that was on the stack while a module was imported."""
    threads = case.reader.call_tree(row.t0_ns, row.t0_ns + max(row.total_ns, 1))
    places: dict[int, int] = {}
    for thread, node, weights in leaves(threads):
        spot = case.spots.of(node)
        if thread.pid == row.pid and spot.importing and spot.own != ROOT:
            places[spot.own] = places.get(spot.own, 0) + weights.wall_ns
    return case.spots.place(max(places, key=lambda node: places[node])) if places else ""


def _of(part_s: float, whole_s: float) -> str:
    """Say a part of a time with one unit: "8.1 of 82 s"."""
    part, whole = format_seconds(part_s), format_seconds(whole_s)
    number, _, unit = part.rpartition(" ")
    return f"{number} of {whole}" if whole.endswith(f" {unit}") else f"{part} of {whole}"
