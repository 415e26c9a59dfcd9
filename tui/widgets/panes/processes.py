"""The Procs tab: what each process of the tree costs; servers and workers are told apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message

from perftui.probes.answers.process_use import process_name
from perftui.probes.text.units import NS_PER_S, format_bytes, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.charts.time_axis import start_text
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from perftui.probes.spine.reader import Process, ProcessUse
    from perftui.probes.spine.records import Alert
    from perftui.tui.picture.view import View

_COLUMNS = (
    Column("process"),
    Column("pid", 8, right=True, rank=3, tone="dim"),
    Column("cpu", 7, right=True, tone="cool"),
    Column("cpu time", 9, right=True, tone="strong"),
    Column("RSS", 9, right=True, tone="strong"),
    Column("peak", 9, right=True, tone="warm"),
    Column("threads", 8, right=True, rank=4, tone="dim"),
    Column("from", 9, right=True, rank=5, tone="dim"),
    Column("lived", 9, right=True, rank=2),
)


_ODD = {
    "straggler": "◀ straggler",
    "lone_growth": "◀ grows alone",
    "memory_skew": "◀ holds most",
}
"""By kind of alert, in the order of weight: what a row says of a process that its peers are not."""
_PID = re.compile(r"\(pid (\d+)\)")


def odd_ones(alerts: Sequence[Alert], t0_ns: int, t1_ns: int) -> dict[int, str]:
    """Return by pid the mark of each process that was the odd one out in a range."""
    found: dict[int, str] = {}
    for kind, mark in reversed(_ODD.items()):
        for alert in alerts:
            end_ns = t1_ns if alert.t_clear_ns is None else alert.t_clear_ns
            named = _PID.search(alert.message) if alert.kind == kind else None
            if named is not None and alert.t_onset_ns < t1_ns and end_ns >= t0_ns:
                found[int(named[1])] = mark
    return found


class _Line(NamedTuple):
    process: Process
    use: ProcessUse
    depth: int


class ProcessesPane(Table):
    """Processes as a tree; enter shows one alone, and all again."""

    class Chosen(Message):
        """A process was opened."""

        def __init__(self, pid: int) -> None:
            super().__init__()
            self.pid = pid

    def show(self, view: View) -> None:
        """Show another picture."""
        lines = _in_order(view.processes, view.process_use)
        wanted = view.selection.filter.lower()
        lines = [line for line in lines if wanted in process_name(line.process.argv).lower()]
        whole = sum(line.use.peak_rss_bytes or 0.0 for line in lines)
        alive = sum(line.use.rss_bytes is not None for line in lines)
        rss = sum(line.use.rss_bytes or 0.0 for line in lines)
        if not wanted and view.selection.process is None and view.selection.cursor_ns is None:
            rss = min(rss, view.latest.get("rss_bytes", rss))  # shared pages once
        cpu = sum(line.use.cpu_percent or 0.0 for line in lines)
        spent = format_seconds(sum(line.use.cpu_s for line in lines))
        odd = odd_ones(view.alerts, *view.range)
        word = "process" if len(lines) == 1 else "processes"
        self.fill(
            [
                Section(
                    _COLUMNS,
                    [line.process.pid for line in lines],
                    lambda n: _row(lines[n], whole, view, odd),
                )
            ],
            head=(
                f"{len(lines)} {word}" if lines else "",
                f"{alive} alive · cpu {cpu:.0f} % · {spent} spent · RSS {format_bytes(rss)}"
                " · enter shows one alone",
            ),
            empty=_why_empty(view),
        )

    def activate(self, key: Hashable) -> None:
        """Tell which process was opened."""
        if isinstance(key, int):
            self.post_message(self.Chosen(key))


def _in_order(processes: Sequence[Process], uses: Sequence[ProcessUse]) -> list[_Line]:
    """Return children below their parents, the oldest first."""
    by_pid = {use.pid: use for use in uses}
    shown = [process for process in processes if process.pid in by_pid]
    known = {process.pid for process in shown}
    children: dict[int | None, list[Process]] = {}
    for process in shown:
        parent = process.ppid if process.ppid in known and process.ppid != process.pid else None
        children.setdefault(parent, []).append(process)
    lines: list[_Line] = []
    pending = [(process, 0) for process in reversed(children.get(None, []))]
    while pending:
        process, depth = pending.pop()
        lines.append(_Line(process, by_pid[process.pid], depth))
        below = children.pop(process.pid, [])
        pending += [(child, depth + 1) for child in reversed(below)]
    return lines


def _row(line: _Line, whole: float, view: View, odd: Mapping[int, str]) -> Row:
    process, use, depth = line
    end_ns = process.t_end_ns
    until_ns = view.status.t_end_ns if end_ns is None else end_ns
    lived = format_seconds(max(until_ns - process.t_start_ns, 0) / NS_PER_S)
    gone = use.rss_bytes is None
    chosen = view.selection.process == process.pid
    return Row(
        (
            process_name(process.argv),
            str(process.pid),
            "" if use.cpu_percent is None else f"{use.cpu_percent:.0f} %",
            format_seconds(use.cpu_s),
            "" if use.rss_bytes is None else format_bytes(use.rss_bytes),
            "" if use.peak_rss_bytes is None else format_bytes(use.peak_rss_bytes),
            str(use.threads) if use.threads else "",
            start_text(view.seconds(process.t_start_ns)),
            lived if end_ns is not None else f"{lived} …",
        ),
        ("dim", "", "", "dim", "", "dim", "", "", "dim") if gone else (),
        indent=2 * min(depth, 8),
        bar=(use.peak_rss_bytes or 0.0) / whole if whole else 0.0,
        bar_tone="warmbar" if chosen else "bar",
        mark="◀ alone"
        if chosen
        else odd.get(process.pid, "ended" if end_ns is not None and gone else ""),
    )


def _why_empty(view: View) -> tuple[str, ...]:
    if view.selection.filter and view.process_use:
        return (f'no process matches "{clean(view.selection.filter)}"', "esc clears the filter")
    return ("no process was seen in this range", "esc clears the range")
