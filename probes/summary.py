"""The summary of a session as plain data: the contract that scripts rely on (schema 1).

Absent knowledge is None or an empty list, never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.answers.holding import PART_NS, is_untold
from perftui.probes.detect.spikes.finder import SpikeFinder
from perftui.probes.detect.spikes.spike import spike_json
from perftui.probes.plans.verdict import plan_verdict
from perftui.probes.profile.bursts import brief_bursts
from perftui.probes.profile.caused import causes_json, first_imports_json
from perftui.probes.profile.collected import collections_json
from perftui.probes.profile.memory.allocated import allocations_json
from perftui.probes.profile.memory.blame import blame_json
from perftui.probes.profile.memory.settled import where_it_rose
from perftui.probes.profile.sums import busy, function_sums, plumbing_last
from perftui.probes.spine.derived import POOL_HOLD_NS
from perftui.probes.spine.reader import TREE
from perftui.probes.stacks.why import why_py_spy
from perftui.probes.text.units import NS_PER_S
from perftui.probes.verdict.finding import findings_json
from perftui.probes.verdict.ranked import verdict

if TYPE_CHECKING:
    from perftui.probes.spine.reader import (
        CallStats,
        Import,
        Phase,
        Reader,
        RunCost,
        Target,
        Task,
    )
    from perftui.probes.spine.records import Exit, Plan

SCHEMA = 1
TOP_FUNCTIONS = 30
GROWTH_FUNCTIONS = 20


def summarize(reader: Reader, finder: SpikeFinder | None = None) -> dict[str, Any]:
    """Return the summary of everything seen so far.

    Args:
        reader: A session or a recording.
        finder: What has followed the session for spikes; without one the session is looked
            through now, in which what is older than minutes may be coarse.
    """
    status = reader.status()
    t0_ns, t1_ns = status.t_start_ns, status.t_end_ns + 1
    target = reader.target()
    exit_ = reader.exit()
    overhead = reader.overhead()
    found = verdict(reader)
    blame = reader.blame(t0_ns, t1_ns)
    return {
        "schema": SCHEMA,
        "target": {
            "argv": list(target.argv),
            "pid": target.pid,
            "python": target.python,
            "exit_code": status.exit_code,
            "signal": status.signal,
        },
        "duration_s": (status.t_end_ns - status.t_start_ns) / NS_PER_S,
        "cpu_s": cpu_seconds(reader, exit_ is not None),
        "peak_rss_bytes": peak_rss_bytes(reader, target),
        "processes": _processes(reader, t0_ns, t1_ns),
        "phases": [_phase(phase, t0_ns) for phase in reader.phases(t0_ns, t1_ns)],
        "imports": _imports(reader.imports(t0_ns, t1_ns), reader, t0_ns),
        "gc": collections_json(reader.collected(t0_ns, t1_ns), t1_ns - t0_ns),
        "runs": [_run(cost, t0_ns) for cost in reader.runs(t0_ns, t1_ns)],
        "installed": {each.name: each.version for each in reader.installed()},
        "calls": {stats.name: _calls(stats) for stats in reader.calls(t0_ns, t1_ns)},
        "counters": {
            counter.name: {"total": counter.total, "per_s": counter.per_s}
            for counter in reader.counters(t0_ns, t1_ns)
        },
        "plans": [_plan(plan) for plan in reader.plans(t1_ns)],
        "tasks": [_task(task) for task in reader.tasks(t1_ns)],
        "stacks": _stacks(reader, t0_ns, t1_ns),
        "memory": {
            "pools": _pools(reader, t0_ns, t1_ns),
            "parts": _parts(reader, t0_ns, t1_ns),
            "growth": _growth(reader, t0_ns, t1_ns),
            **_peaks(reader, exit_),
            **blame_json(blame, reader, t0_ns),
            "allocations": allocations_json(blame.allocated, t1_ns),
        },
        "alerts": [
            {
                "kind": alert.kind,
                "severity": alert.severity,
                "t_onset_s": (alert.t_onset_ns - t0_ns) / NS_PER_S,
                "t_detect_s": (alert.t_detect_ns - t0_ns) / NS_PER_S,
                "t_clear_s": None
                if alert.t_clear_ns is None
                else (alert.t_clear_ns - t0_ns) / NS_PER_S,
                "message": alert.message,
                "evidence": alert.evidence,
            }
            for alert in reader.alerts(t0_ns, t1_ns)
        ],
        "findings": findings_json(found),
        "in_short": found.plain,
        "spikes": [spike_json(spike, t0_ns) for spike in (finder or SpikeFinder(reader)).finish()],
        "profiler": {
            "cpu_s": overhead.cpu_s if overhead else None,
            "peak_rss_bytes": reader.own_peak_rss_bytes(),
            "late_samples": status.late_samples,
            "dropped_records": status.dropped_records,
        },
    }


def cpu_seconds(reader: Reader, ended: bool) -> dict[str, float | None]:
    """Return the largest of three sums: what the kernel settled, and what readings say.

    The kernel's has the target and those whose end was waited for, to the last tick; not those
    that left the tree. The readings of the tree have everybody, as far as they were read; those
    of each process's threads may be later than its own, and an end before the next. None counts
    anything twice.
    """
    exit_ = reader.exit() if ended else None
    user, system = (reader.last(name, TREE) for name in ("cpu_user_s", "cpu_system_s"))
    if exit_ is not None and exit_.cpu_user_s is not None:
        settled = exit_.cpu_user_s + (exit_.cpu_system_s or 0.0)
        if settled >= (user or 0.0) + (system or 0.0):
            user, system = exit_.cpu_user_s, exit_.cpu_system_s
    if user is not None and system is not None:
        uses = reader.process_use(0, reader.status().t_end_ns + 1)
        # What a thread's time was spent on is not told: it is shared out like the rest.
        share = user / (user + system) if user + system > 0 else 1.0
        more = max(sum(use.cpu_s for use in uses) - (user + system), 0.0)
        user, system = user + share * more, system + (1 - share) * more
    return {"user": user, "system": system}


def peak_rss_bytes(reader: Reader, target: Target) -> int | None:
    """Return the most memory at once, by whoever saw most of it: kernel, probe or agent."""
    exit_ = reader.exit()
    peaks = [
        reader.last("high_water_rss_bytes", TREE),
        reader.highest("rss_bytes", 0, 1 << 62, TREE),
        exit_.max_rss_bytes if exit_ is not None and exit_.pid == target.pid else None,
    ]
    # The agent reads RSS at the ends of phases: a moment no reading from outside may have met.
    peaks += [phase.peak_rss_bytes for phase in reader.phases(0, 1 << 62)]
    known = [peak for peak in peaks if peak is not None]
    return int(max(known)) if known else None


def _processes(reader: Reader, t0_ns: int, t1_ns: int) -> list[dict[str, Any]]:
    known = {process.pid: process for process in reader.processes()}
    rows = []
    for use in reader.process_use(t0_ns, t1_ns):
        process = known[use.pid]
        end_ns = process.t_end_ns
        rows.append(
            {
                "pid": use.pid,
                "ppid": process.ppid,
                "argv": list(process.argv),
                "start_s": (process.t_start_ns - t0_ns) / NS_PER_S,
                "end_s": None if end_ns is None else (end_ns - t0_ns) / NS_PER_S,
                "cpu_s": use.cpu_s,
                "peak_rss_bytes": use.peak_rss_bytes,
                "rss_bytes": use.rss_bytes,
            }
        )
    return rows


def _phase(phase: Phase, t0_ns: int) -> dict[str, Any]:
    return {
        "name": phase.name,
        "start_s": (phase.t0_ns - t0_ns) / NS_PER_S,
        "duration_s": None if phase.t1_ns is None else (phase.t1_ns - phase.t0_ns) / NS_PER_S,
        "cpu_s": phase.cpu_s,
        "rss_start_bytes": phase.rss_start_bytes,
        "rss_end_bytes": phase.rss_end_bytes,
        "peak_rss_bytes": phase.peak_rss_bytes,
    }


def _imports(imports: tuple[Import, ...], reader: Reader, t0_ns: int) -> dict[str, Any]:
    names = {(row.pid, row.id): row.module for row in imports}
    return {
        "total_s": imports_total_s(imports),
        "modules": [
            {
                "module": row.module,
                "parent": None if row.parent_id is None else names.get((row.pid, row.parent_id)),
                "self_s": row.self_ns / NS_PER_S,
                "cumulative_s": row.total_ns / NS_PER_S,
                "rss_bytes": row.rss_bytes,
                **cause,
            }
            for row, cause in zip(imports, causes_json(imports, reader, t0_ns), strict=True)
        ],
    }


def imports_total_s(imports: tuple[Import, ...]) -> float | None:
    """Return how long imports took, those inside of others not counted twice; None without any."""
    known = {(row.pid, row.id) for row in imports}
    roots = [row for row in imports if (row.pid, row.parent_id) not in known]
    return sum(row.total_ns for row in roots) / NS_PER_S if imports else None


def _calls(stats: CallStats) -> dict[str, Any]:
    warm_ns = stats.warm_median_ns
    return {
        "n": stats.n,
        "first_s": stats.first_ns / NS_PER_S,
        "first_imports": first_imports_json(stats),
        "warm_median_s": None if warm_ns is None else warm_ns / NS_PER_S,
        "ratio": stats.ratio,
        "steady_state": None,
    }


def _run(cost: RunCost, t0_ns: int) -> dict[str, Any]:
    run = cost.run
    return {
        "n": run.n,
        "cold": run.cold,
        "ok": run.ok,
        "start_s": (run.t_work_ns - t0_ns) / NS_PER_S,
        "waited_s": run.waited_ns / NS_PER_S,
        "spawn_s": _seconds(run.spawn_ns),
        "held_s": _seconds(run.held_ns),
        "load_s": _seconds(run.load_ns),
        "worked_s": run.worked_ns / NS_PER_S,
        "imported_s": cost.imported_ns / NS_PER_S,
        "modules": cost.modules,
        "transport_s": cost.transport_ns / NS_PER_S,
    }


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / NS_PER_S


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "verdict": plan_verdict(plan) or None,
        "filter": plan.filter,
        "columns_read": plan.columns_read,
        "columns_needed": plan.columns_needed,
        "rows_read": plan.rows_read,
        "rows_needed": plan.rows_needed,
        "text": plan.text,
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "frames": [
            {"function": function, "file": file, "line": line}
            for function, file, line in task.frames
        ],
        "awaits": task.awaits,
    }


def _stacks(reader: Reader, t0_ns: int, t1_ns: int) -> dict[str, Any]:
    """Shares are of the wall time of threads that did something, and of the main thread's; of
    all threads where none did anything."""
    status = reader.status()
    spied = status.stack_backend == "py-spy"
    samples, torn = reader.sample_counts()
    trees = busy(reader.call_tree(t0_ns, t1_ns + NS_PER_S))  # told after the end, too
    whole_ns = sum(tree.wall_ns for tree in trees)
    rows = plumbing_last(function_sums(reader.tree, trees))[:TOP_FUNCTIONS] if whole_ns else []
    bursts = brief_bursts(trees, status.stack_rate_hz)
    return {
        "backend": status.stack_backend,
        "backend_why": why_py_spy(status.notices, reader.target().pid) if spied else None,
        "rate_hz": status.stack_rate_hz,
        "samples": samples,
        "coverage": status.stack_coverage,
        "torn": torn,
        "brief_bursts": {
            "cpu_s": bursts.brief_ns / NS_PER_S,
            "of_cpu_pct": bursts.share * 100,
            "share_off_points": bursts.error() * 100,
        }
        if bursts.worth_telling
        else None,
        "note": bursts.words,
        "top": [
            {
                "function": row.function,
                "file": row.file,
                "line": row.line,
                "self_pct": row.self_.wall_ns * 100 / whole_ns,
                "total_pct": row.total.wall_ns * 100 / whole_ns,
                "cpu_s": row.self_.cpu_ns / NS_PER_S,
                "waiting_s": row.self_.waiting_ns / NS_PER_S,
            }
            for row in rows
        ],
    }


def _pools(reader: Reader, t0_ns: int, t1_ns: int) -> dict[str, Any]:
    names = [name for name in reader.metric_names() if name.startswith("pool:")]
    return {
        name.removeprefix("pool:"): {
            "peak_bytes": reader.highest(name, t0_ns, t1_ns),
            "end_bytes": _lately(reader, name, t1_ns, POOL_HOLD_NS),
        }
        for name in names
    }


def _parts(reader: Reader, t0_ns: int, t1_ns: int) -> dict[str, Any]:
    """What RSS is made of: at the moment that was read last, and each part's own peak.

    Where RSS has risen since, nobody knows what it is made of at the end. It falls while a program
    ends, and what it was made of before stands.
    """
    found: dict[str, dict[str, float | None]] = {}
    pools = _pools(reader, t0_ns, t1_ns)
    heard = [name for name, pool in pools.items() if pool["end_bytes"] is not None]
    for name in sorted(name for name in reader.metric_names() if name.startswith("part:")):
        peak = reader.highest(name, t0_ns, t1_ns)
        if peak:
            end = _lately(reader, name, t1_ns, PART_NS)
            if end == 0 and is_untold(name.removeprefix("part:"), heard):
                end = None
            found[name.removeprefix("part:")] = {"peak_bytes": peak, "end_bytes": end}
    rss = reader.last("rss_bytes") or 0.0
    if sum(part["end_bytes"] or 0.0 for part in found.values()) < rss * _NEAR_PEAK:
        for part in found.values():
            part["end_bytes"] = None
    return found


def _peaks(reader: Reader, exit_: Exit | None) -> dict[str, Any]:
    """How memory was counted, and what the kernel says of peaks beside it.

    "RSS" of a single process; of several "shared once", or "sum of RSS" where the kernel does not
    tell what they share. The kernel's peak is that of the largest process; that of the control
    group has page cache and whoever else is in it.
    """
    counted = "RSS"
    if len(reader.processes()) > 1:
        counted = "sum of RSS" if reader.last("pss_bytes") is None else "shared once"
    return {
        "counted": counted,
        "peak_pss_bytes": _peak_pss(reader),
        "kernel_peak_bytes": None if exit_ is None else exit_.max_rss_bytes,
        "group_peak_bytes": reader.last("group_peak_bytes"),
    }


_PEAK_STEPS = 2_000
_NEAR_PEAK = 0.9
"""Of RSS: what was read while it was less is of another moment."""


def _peak_pss(reader: Reader) -> float | None:
    """Return the highest PSS; None if RSS peaked while nobody read it, as it is read seldom."""
    status = reader.status()
    t0_ns, t1_ns = status.t_start_ns, status.t_end_ns + 1
    highest = reader.highest("rss_bytes", 0, 1 << 62)
    known = reader.metric("pss_bytes", t0_ns, t1_ns, _PEAK_STEPS).high
    peak = max((value for value in known if value is not None), default=None)
    if peak is None or highest is None:
        return peak
    at = known.index(peak)
    then = reader.metric("rss_bytes", t0_ns, t1_ns, _PEAK_STEPS).high[at]
    return peak if then is not None and then >= highest * _NEAR_PEAK else None


def _lately(reader: Reader, name: str, t1_ns: int, hold_ns: int) -> float | None:
    """Return the newest value of a metric, None if it is too old to tell anything of the end."""
    return reader.metric(name, max(t1_ns - hold_ns, 0), t1_ns, 1).last[0]


def _growth(reader: Reader, t0_ns: int, t1_ns: int) -> list[dict[str, Any]]:
    """Where RSS rose: by the samples, and where they cannot tell by entry and exit."""
    rows = where_it_rose(
        reader.tree,
        reader.call_tree(t0_ns, t1_ns),
        reader.blame(t0_ns, t1_ns),
        reader.call_tree,
    )
    return [
        {
            "function": grown.row.function,
            "file": grown.row.file,
            "line": grown.row.line,
            "grown_bytes": grown.row.self_.grown_bytes,
            "touched_bytes": grown.row.self_.touched_bytes,
            "by": grown.by,
            "confidence": grown.confidence,
            "within": list(grown.within),
            "why": grown.why,
            "thread": grown.thread,
            "pid": grown.pid,
        }
        for grown in rows[:GROWTH_FUNCTIONS]
    ]
