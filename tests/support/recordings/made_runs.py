"""Recordings with known parts, written by the program's own writer: what differs is an argument."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from perftui.probes.compare.comparison import ComparedRun
from perftui.probes.compare.place import place_of
from perftui.probes.recording.read.reader import open_recording
from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Alert,
    Call,
    Count,
    Exit,
    ImportBegin,
    ImportEnd,
    Metric,
    Overhead,
    PhaseBegin,
    PhaseEnd,
    ProcessStart,
    Record,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from support.enriched import feed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

S = 1_000_000_000
MB = 1_000_000
T0 = 5_000 * S
PID = 4_000
OPTIONS = {"stacks": True, "stack_rate_hz": 100.0, "metrics_rate_hz": 20.0, "native": False}


def make(
    path: Path,
    *,
    seconds: int = 20,
    seed: int = 1,
    shares: Mapping[str, float] | None = None,
    phases: Sequence[tuple[str, int]] = (("load", 5), ("work", 10), ("work", 5)),
    imports: Sequence[tuple[str, str | None, float]] = (("json", None, 0.020),),
    peak: int = 100 * MB,
    rows_per_s: float = 1000.0,
    call_s: float = 0.010,
    alerts: Sequence[str] = (),
    folder: str = "/srv/app",
    python: str = "3.12.1",
    title: str = "job.py",
    stacks: bool = True,
    jitter: float = 0.0,
    close: bool = True,
) -> Path:
    """Write a recording.

    Args:
        shares: Function -> part of every second; `jitter` shifts it from second to second.
        phases: (name, seconds) one after the other.
        imports: (module, parent, own seconds).
        folder: Where the program lies.
    """
    rng = random.Random(seed)
    shares = {"parse": 0.5, "merge": 0.3, "write": 0.2} if shares is None else shares
    tree = CallTree()
    main = tree.frame_id("main", f"{folder}/job.py", 1)
    leaves = {
        name: tree.intern([main, tree.frame_id(name, f"{folder}/job.py", 10 * n)])
        for n, name in enumerate(shares, 1)
    }
    now = [T0]
    target = Target(title, ("python", title), PID, python, launched=True, agent=True)
    options = WriterOptions(seal_s=40, session=dict(OPTIONS, stacks=stacks))
    recording = Recording(path, tree, target, T0, options, clock=lambda: now[0])
    feed(
        recording,
        [
            ProcessStart(T0, PID, 1, target.argv, python),
            ThreadName(T0, PID, PID, "MainThread"),
            *_imports(imports),
        ],
    )
    cpu_s, edges = 0.0, _edges(phases)
    for second in range(seconds):
        base = T0 + second * S
        rows: list[Record] = []
        for number, (name, begin, end) in enumerate(edges, 1):
            if begin == second:
                rows.append(PhaseBegin(base, PID, PID, number, name, None, cpu_s, 30 * MB))
            if end == second:
                rows.insert(0, PhaseEnd(base, PID, number, cpu_s, 40 * MB))
        rows.append(Count(base, PID, "rows", second * rows_per_s))
        rows.append(Call(base + 5, PID, PID, "query", second + 1, round(call_s * S), ok=True))
        feed(recording, rows)
        rss = 20 * MB + (peak - 20 * MB) * min(second + 1, seconds // 2) // (seconds // 2)
        for tick in range(20):
            t = base + tick * S // 20
            cpu_s += 0.05
            metric = Metric(t, PID, cpu_s, rss, cpu_user_s=cpu_s * 0.9, cpu_system_s=cpu_s / 10)
            feed(recording, [metric])  # a batch is one tick
            feed(recording, [ThreadCpu(t, PID, PID, "python", cpu_s, "R", None)])
        if stacks:
            feed(recording, _stacks(rng, base, shares, leaves, jitter))
        now[0] = base + S
        recording.flush()
    last = T0 + seconds * S
    ends = [
        PhaseEnd(last, PID, n, cpu_s, 40 * MB)
        for n, edge in enumerate(edges, 1)
        if edge[2] >= seconds
    ]
    told = [Alert(kind, "warn", T0 + S, T0 + 2 * S, None, f"{kind} here", "") for kind in alerts]
    feed(recording, [*ends, *told, Overhead(last, 0.04 * seconds, 45 * MB, 0, 0, 0)])
    if close:
        feed(recording, [Exit(last, PID, 0, None, cpu_s * 0.9, cpu_s / 10, peak)])
    recording.flush()
    if close:
        recording.close()
    return path


def _edges(phases: Sequence[tuple[str, int]]) -> list[tuple[str, int, int]]:
    edges, at = [], 0
    for name, length in phases:
        edges.append((name, at, at + length))
        at += length
    return edges


def _imports(imports: Sequence[tuple[str, str | None, float]]) -> list[Record]:
    ids = {module: n for n, (module, _, _) in enumerate(imports, 1)}
    rows: list[Record] = []
    for module, parent, own_s in imports:
        number = ids[module]
        below = sum(s for m, p, s in imports if p == module)
        begin, own = T0 + 1000 * number, round(own_s * S)
        above = None if parent is None else ids[parent]
        rows.append(ImportBegin(begin, PID, PID, number, module, above, 9 * MB))
        whole = own + round(below * S)
        rows.append(ImportEnd(begin + whole, PID, number, own, whole, 10 * MB, ok=True))
    return sorted(rows, key=lambda row: row.t_ns)  # type: ignore[union-attr]


def _stacks(
    rng: random.Random,
    base: int,
    shares: Mapping[str, float],
    leaves: Mapping[str, int],
    jitter: float,
) -> list[Record]:
    weights = {name: max(share + rng.gauss(0, jitter), 0.0) for name, share in shares.items()}
    whole = sum(weights.values())
    rows: list[Record] = []
    at = base
    for name, weight in weights.items():
        until = min(at + round(S * weight / whole), base + S)
        rows.append(Stack(at, until, PID, PID, leaves[name], torn=False))
        at = until
    return [*rows, StackWindow(base, base + S, PID, 100, 100, 0, 0, 0.02, "py-spy")]


def run_of(path: Path) -> ComparedRun:
    reader = open_recording(path)
    return ComparedRun(reader, path.name.removesuffix(".perftui"), place_of(reader))
