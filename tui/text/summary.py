"""The summary as text for a terminal: the same figures as the JSON, most telling first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perftui.probes.answers.process_use import process_name
from perftui.probes.profile.caused import first_call_words
from perftui.probes.profile.place import name_in_words
from perftui.probes.spine.reader import OWN_SAMPLER
from perftui.probes.text.columns import aligned
from perftui.probes.text.units import format_bytes, format_count, format_seconds
from perftui.tui.text.memory_growth import (
    allocation_rows,
    growth_rows,
    growth_title,
    keeper_rows,
    rise_rows,
)
from perftui.tui.text.verdict import verdict_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.records import Notice

TELLING_GC = 0.01
"""Of the time of a process."""
TELLING_GC_PER_S = 1.0
_ROWS = 8
_SPIKES = 4
_PROCESSES = 12
_RUNS = 10
_TASKS = 20
_ON_A_LINE = 6
_Rows = list[tuple[str, ...]]


_PARTS = 8
_SOME_WAITS, _ALL_WAITS = 0.1, 0.95
_COUNTED = {
    "shared once": " (shared pages once)",
    "sum of RSS": " (a sum: what processes share counts more than once)",
}
"""How the memory of several processes was counted."""


def summary_text(summary: dict[str, Any], notices: Sequence[Notice] = ()) -> str:
    """Return the summary as lines of text, without a newline at the end.

    Args:
        summary: What `probes.summary.summarize` returned.
        notices: What has not been told yet.
    """
    lines = [_head(summary)]
    lines += [f"  ! {notice.text}" for notice in notices]
    lines += ["", *verdict_lines(summary)]
    for title, rows in (
        ("alerts", _alerts(summary)),
        ("runs", _runs(summary)),
        ("phases", _phases(summary)),
        ("processes", _processes(summary)),
        ("imports", _imports(summary)),
        ("installed, of what was imported", _installed(summary)),
        ("calls", _calls(summary)),
        ("collections of cycles", _collections(summary)),
        ("counters", _counters(summary)),
        ("plans", _plans(summary)),
        ("tasks, as last seen", _tasks(summary)),
        (_top_title(summary), _top(summary)),
        (growth_title(summary["memory"]), growth_rows(summary["memory"])),
        ("in which function it rose, by entry and exit", rise_rows(summary["memory"])),
        ("who keeps it, by census", keeper_rows(summary["memory"])),
        ("allocated and kept to the end, by memray", allocation_rows(summary["memory"], "memray")),
        (
            "allocated and kept, in windows of tracemalloc",
            allocation_rows(summary["memory"], "tracemalloc"),
        ),
        ("what RSS was made of at the end", _parts(summary)),
    ):
        if rows:
            lines += ["", title, *aligned(rows, indent="  ")]
        if title == "alerts":
            lines += _spikes(summary)
    lines += ["", _profiler(summary)]
    return "\n".join(lines)


def _head(summary: dict[str, Any]) -> str:
    target = summary["target"]
    if target["signal"] is not None:
        end = f"killed by signal {target['signal']}"
    elif target["exit_code"] is not None:
        end = f"exit code {target['exit_code']}"
    else:
        end = "still running or end unknown"
    parts = [f"perftui: {end}, {format_seconds(summary['duration_s'])}"]
    cpu = summary["cpu_s"]
    if cpu["user"] is not None:
        total = format_seconds(cpu["user"] + (cpu["system"] or 0.0))
        parts.append(f"CPU {total}")
    if summary["peak_rss_bytes"] is not None:
        how = _COUNTED.get(summary["memory"].get("counted", ""), "")
        parts.append(f"peak RSS {format_bytes(summary['peak_rss_bytes'])}{how}")
    return ", ".join(parts)


def _alerts(summary: dict[str, Any]) -> _Rows:
    rows: _Rows = []
    for alert in summary["alerts"][:20]:
        if alert["severity"] != "info":
            onset = format_seconds(alert["t_onset_s"])
            clear = alert["t_clear_s"]
            until = "to the end" if clear is None else f"to {format_seconds(clear)}"
            words = [alert["message"], *_clauses(alert["evidence"])]
            for n, text in enumerate(words):
                first = (alert["severity"], alert["kind"], f"from {onset} {until}")
                rows.append((*(("", "", "") if n else first), text))
    return rows


def _runs(summary: dict[str, Any]) -> _Rows:
    """What was waited for in each run, and what of it was what: the first ones and the last."""
    runs = summary["runs"]
    rows: _Rows = []
    for run in runs if len(runs) <= _RUNS else [*runs[: _RUNS // 2], None, *runs[-_RUNS // 2 :]]:
        if run is None:
            rows.append((f"… {len(runs) - _RUNS} more", *("",) * 7))
            continue
        rows.append(
            (
                f"{run['n']} {'cold' if run['cold'] else 'warm'}{'' if run['ok'] else ', failed'}",
                f"waited {format_seconds(run['waited_s'])}",
                "" if run["spawn_s"] is None else f"spawn {format_seconds(run['spawn_s'])}",
                f"held back {format_seconds(run['held_s'])}" if run["held_s"] else "",
                "" if run["load_s"] is None else f"load {format_seconds(run['load_s'])}",
                f"worked {format_seconds(run['worked_s'])}",
                f"of it import {format_seconds(run['imported_s'])}" if run["modules"] else "",
                f"transport {format_seconds(run['transport_s'])}",
            )
        )
    return rows


def _clauses(evidence: str) -> list[str]:
    """Return the evidence one clause a line, as it is too much for one."""
    return [f"  {clause.strip()}" for clause in evidence.split(";") if clause.strip()]


def _spikes(summary: dict[str, Any]) -> list[str]:
    """Return the largest spikes: what rose, where, and what ran only then."""
    largest = sorted(summary["spikes"], key=lambda s: -_height(s))[:_SPIKES]
    lines = []
    for spike in sorted(largest, key=lambda s: s["t0_s"]):
        rose, where, ran = spike["message"].split("; ", 2)
        lines += [f"  at {format_seconds(spike['t0_s'])}  {rose}", f"      {where}", f"      {ran}"]
    if lines:
        more = len(summary["spikes"]) - len(largest)
        lines = ["", "spikes" + (f" ({more} smaller ones in the JSON)" if more else ""), *lines]
    return lines


def _height(spike: dict[str, Any]) -> float:
    grown = (spike["rss_after_bytes"] or 0) - (spike["rss_before_bytes"] or 0)
    cpu_s = (spike["t1_s"] - spike["t0_s"]) * (spike["cpu_percent"] or 0) / 100
    return float(max(grown / 20e6, cpu_s / 0.3))


def _phases(summary: dict[str, Any]) -> _Rows:
    rows: _Rows = []
    for phase in summary["phases"][:40]:
        took = phase["duration_s"]
        peak = phase["peak_rss_bytes"]
        cpu = phase["cpu_s"]
        rows.append(
            (
                phase["name"],
                "not ended" if took is None else format_seconds(took),
                "" if cpu is None else f"CPU {format_seconds(cpu)}",
                "" if peak is None else f"peak {format_bytes(peak)}",
            )
        )
    return rows


def _processes(summary: dict[str, Any]) -> _Rows:
    """Name them when there is more than one, the largest first."""
    found = summary["processes"]
    if len(found) < 2:
        return []
    rows: _Rows = []
    for process in sorted(found, key=lambda each: -(each["peak_rss_bytes"] or 0))[:_PROCESSES]:
        end, peak = process["end_s"], process["peak_rss_bytes"]
        until = summary["duration_s"] if end is None else end
        rows.append(
            (
                f"peak {format_bytes(peak)}" if peak is not None else "",
                f"CPU {format_seconds(process['cpu_s'])}",
                f"lived {format_seconds(max(until - process['start_s'], 0.0))}",
                str(process["pid"]),
                _short(process_name(process["argv"])),
            )
        )
    left = len(found) - len(rows)
    return [*rows, ("", "", "", "", f"and {left} smaller")] if left else rows


def _short(name: str) -> str:
    name = "".join(letter if letter.isprintable() else "·" for letter in name)
    return name if len(name) <= 80 else f"{name[:40]}…{name[-39:]}"


def _installed(summary: dict[str, Any]) -> _Rows:
    """Return the distributions that were imported, a few in a row."""
    words = [f"{name} {version}" for name, version in summary.get("installed", {}).items()]
    return [(", ".join(words[at : at + _ON_A_LINE]),) for at in range(0, len(words), _ON_A_LINE)]


def _imports(summary: dict[str, Any]) -> _Rows:
    modules = sorted(summary["imports"]["modules"], key=lambda row: -row["cumulative_s"])
    slow = [row for row in modules if row["cumulative_s"] >= 0.01][:_ROWS]
    return [
        (
            row["module"],
            format_seconds(row["cumulative_s"]),
            f"self {format_seconds(row['self_s'])}",
            "" if row["rss_bytes"] is None else f"RSS +{format_bytes(row['rss_bytes'])}",
            ", ".join(filter(None, ("" if row["ok"] else "failed", row["cause"]))),
        )
        for row in slow
    ]


def _calls(summary: dict[str, Any]) -> _Rows:
    rows: _Rows = []
    for name, call in summary["calls"].items():
        warm, ratio = call["warm_median_s"], call["ratio"]
        rows.append(
            (
                name,
                f"n {call['n']}",
                f"first {format_seconds(call['first_s'])}",
                "" if warm is None else f"warm {format_seconds(warm)}",
                "" if ratio is None else f"{ratio:.1f}x",
                first_call_words(call["first_s"], call["first_imports"]),
            )
        )
    return rows


def _collections(summary: dict[str, Any]) -> _Rows:
    """Return what collections of cycles took, where that is worth a line."""
    found = summary["gc"]
    if found["generations"] and found["share"] is None:
        # From outside older Pythons tell no times.
        n = sum(row["collections"] for row in found["generations"])
        if n < summary["duration_s"] * TELLING_GC_PER_S:
            return []
        return [
            (f"generation {row['generation']}", f"n {row['collections']}", "pauses are not told")
            for row in found["generations"]
        ]
    if (found["share"] or 0.0) < TELLING_GC:
        return []
    return [
        (
            f"generation {row['generation']}",
            f"n {row['collections']}",
            f"{'' if row['timed'] == row['collections'] else 'about '}"
            f"{format_seconds(row['pause_s'])}",
            f"longest {format_seconds(row['longest_s'])}",
        )
        for row in found["generations"]
    ]


def _counters(summary: dict[str, Any]) -> _Rows:
    rows: _Rows = []
    for name, counter in summary["counters"].items():
        rate = counter["per_s"]
        per_s = "" if rate is None else f"{format_count(rate)}/s"
        rows.append((name, format_count(counter["total"]), per_s))
    return rows


def _plans(summary: dict[str, Any]) -> _Rows:
    # The newest plan of a name; a recording has them all.
    plans = {str(plan["name"]): plan["verdict"] for plan in summary["plans"]}
    rows: _Rows = [(name, verdict or "see the Plans tab") for name, verdict in plans.items()]
    return rows[-20:]


def _tasks(summary: dict[str, Any]) -> _Rows:
    """What asyncio's tasks wait for: those that stand in one place are one row."""
    alike: dict[tuple[str, str], list[str]] = {}
    for task in summary.get("tasks", ()):
        awaits = "" if task["awaits"] is None else f"awaits {task['awaits']}"
        alike.setdefault((task_place(task["frames"]), awaits), []).append(task["name"])
    rows: _Rows = [
        (_names(names), place, awaits) for (place, awaits), names in list(alike.items())[:_TASKS]
    ]
    if len(alike) > _TASKS:
        rows.append((f"… {len(alike) - _TASKS} more places", "", ""))
    return rows


def _names(names: list[str]) -> str:
    first = ", ".join(names[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"


def task_place(frames: Sequence[dict[str, Any]]) -> str:
    """Return where a task stands: its coroutine, and the innermost that is not asyncio's."""
    own = [frame for frame in frames if "/asyncio/" not in frame["file"]] or list(frames[:1])
    if not own:
        return ""
    words = f"{own[-1]['function']} {own[-1]['file'].rpartition('/')[2]}:{own[-1]['line']}"
    return words if len(own) == 1 else f"{own[0]['function']} > {words}"


def _top_title(summary: dict[str, Any]) -> str:
    note = summary["stacks"]["note"]
    return f"self time ({note})" if note else "self time"


def _top(summary: dict[str, Any]) -> _Rows:
    rows = [row for row in summary["stacks"]["top"] if row["self_pct"] >= 0.5][:_ROWS]
    # Of others the CPU of a function is an estimate.
    told = summary["stacks"]["backend"] == OWN_SAMPLER
    return [
        (
            f"{row['self_pct']:.1f} %",
            f"total {row['total_pct']:.1f} %",
            name_in_words(row["function"], row["file"]),
            f"{row['file'].rpartition('/')[2]}:{row['line']}",
            _waits(row["cpu_s"], row["waiting_s"]) if told else "",
        )
        for row in rows
    ]


def _waits(cpu_s: float, waiting_s: float) -> str:
    """Say how much of the time of a function is waiting, where it is not work alone."""
    share = waiting_s / (cpu_s + waiting_s) if cpu_s + waiting_s > 0 else 0.0
    if share >= _ALL_WAITS:
        return "waits"
    return f"waits {share * 100:.0f} %" if share >= _SOME_WAITS else ""


def _parts(summary: dict[str, Any]) -> _Rows:
    known = [
        (name, part["end_bytes"], part["peak_bytes"])
        for name, part in summary["memory"].get("parts", {}).items()
        if part["end_bytes"] is not None
    ]
    whole = sum(end for _, end, _ in known)
    rows = sorted(known, key=lambda row: -row[1])[:_PARTS]
    return [
        (name, format_bytes(end), f"peak {format_bytes(peak)}")
        for name, end, peak in rows
        if end >= 0.01 * whole > 0
    ]


def _profiler(summary: dict[str, Any]) -> str:
    own, stacks = summary["profiler"], summary["stacks"]
    parts = []
    if own["cpu_s"] is not None:
        share = own["cpu_s"] * 100 / max(summary["duration_s"], 1e-9)
        parts.append(f"itself {format_seconds(own['cpu_s'])} CPU ({share:.1f} % of a core)")
    if own["peak_rss_bytes"] is not None:
        parts.append(format_bytes(own["peak_rss_bytes"]))
    if stacks["backend"] is None:
        parts.append("no stacks")
    else:
        coverage = stacks["coverage"]
        text = f"stacks by {stacks['backend']}"
        if stacks["backend_why"]:
            text += f" ({stacks['backend_why']})"
        if coverage is not None:
            text += f", coverage {coverage * 100:.0f} %"
        if stacks["samples"]:
            text += f", torn {stacks['torn'] * 100 / stacks['samples']:.1f} %"
        parts.append(text)
    if own["dropped_records"]:
        parts.append(f"{own['dropped_records']} records dropped")
    return "measured with perftui: " + ", ".join(parts)
