"""The Threads tab: every OS thread, Python and native, what it costs and what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.text.units import format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.widgets.flame.threads import ThreadChosen
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Hashable

    from perftui.probes.spine.reader import Thread
    from perftui.tui.picture.view import View

GROUP_FROM = 4
"""So many native threads of one name become one row."""

STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "disk wait",
    "T": "stopped",
    "t": "traced",
    "Z": "zombie",
    "X": "dead",
    "I": "idle",
}


class _Entry(NamedTuple):
    key: Hashable
    members: tuple[Thread, ...]
    inside: bool
    """A member of an open group."""


class ThreadsPane(Table):
    """Threads by CPU; enter shows a Python thread in the flame, or opens a group."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self._open: set[Hashable] = set()
        self._python: set[tuple[int, int]] = set()

    def show(self, view: View) -> None:
        """Show another picture."""
        self._view = view
        threads = view.threads
        wanted = view.selection.filter.lower()
        if wanted:
            threads = tuple(
                t for t in threads if wanted in f"{t.name} {t.where} {t.waiting}".lower()
            )
        self._python = {(t.pid, t.tid) for t in threads if t.is_python}
        entries = self._entries(threads)
        many = len({thread.pid for thread in view.threads}) > 1
        gil = any(thread.gil_held_percent is not None for thread in view.threads)
        busy = sum(1 for t in threads if t.cpu_percent >= 1)
        cpu = sum(t.cpu_percent for t in threads)
        python = len(self._python)

        def row(number: int) -> Row:
            return self._thread_row(entries[number], many, gil)

        self.fill(
            [Section(_columns(many, gil), [entry.key for entry in entries], row, 1)],
            head=(
                (f"{len(threads)} thread{'' if len(threads) == 1 else 's'}") if threads else "",
                f"{python} Python · {len(threads) - python} native · {busy} busy · cpu {cpu:.0f} %",
            ),
            empty=_why_empty(view),
        )

    def _entries(self, threads: tuple[Thread, ...]) -> list[_Entry]:
        groups: dict[tuple[int, str], list[Thread]] = {}
        for thread in threads:
            if not thread.is_python:
                groups.setdefault((thread.pid, thread.name), []).append(thread)
        grouped = {key: tuple(g) for key, g in groups.items() if len(g) >= GROUP_FROM}
        entries = [
            _Entry((t.pid, t.tid), (t,), False)
            for t in threads
            if t.is_python or (t.pid, t.name) not in grouped
        ]
        entries += [_Entry(("group", *key), members, False) for key, members in grouped.items()]
        entries.sort(key=lambda e: (-sum(t.cpu_percent for t in e.members), e.members[0].tid))
        flat: list[_Entry] = []
        for entry in entries:
            flat.append(entry)
            if len(entry.members) > 1 and entry.key in self._open:
                flat += [_Entry((t.pid, t.tid), (t,), True) for t in entry.members]
        return flat

    def _thread_row(self, entry: _Entry, many: bool, gil: bool) -> Row:
        first = entry.members[0]
        cpu = sum(t.cpu_percent for t in entry.members)
        group = len(entry.members) > 1
        name = f"{first.name} ×{len(entry.members)}" if group else first.name
        states = sorted({STATES.get(t.state, t.state) for t in entry.members})
        where = first.waiting or first.where
        if first.waiting and first.where:
            where = f"{first.waiting}  ·  {first.where}"
        if not first.is_python:
            where = first.waiting or "native"
        return Row(
            (
                name,
                f"{cpu:.0f} %" if cpu >= 9.95 else f"{cpu:.1f} %",
                format_seconds(sum(t.cpu_s for t in entry.members)),
                ", ".join(states) if len(states) <= 2 else f"{len(states)} states",
                *((_gil_text(first),) if gil else ()),
                "" if group else str(first.tid),
                *((str(first.pid),) if many else ()),
                where,
            ),
            (
                "strong" if first.is_python else "",
                "cool" if cpu >= 1 else "dim",
                "" if cpu >= 1 else "dim",
                "good" if "running" in states else "dim",
                *(("",) if gil else ()),
                "",
                *(("",) if many else ()),
                "" if first.is_python else "dim",
            ),
            indent=2 if entry.inside else 0,
            open=(entry.key in self._open) if group else None,
        )

    def activate(self, key: Hashable) -> None:
        """Open or close a group; tell which Python thread was opened."""
        if isinstance(key, tuple) and key and key[0] == "group":
            self._open ^= {key}
            if self._view is not None:
                self.show(self._view)
        elif isinstance(key, tuple) and key in self._python:
            self.post_message(ThreadChosen(int(key[0]), int(key[1])))


def _gil_text(thread: Thread) -> str:
    """Say how much of the time a thread held the GIL, and waited for it."""
    if thread.gil_held_percent is None:
        return ""
    text = f"{thread.gil_held_percent:.0f} %"
    wait = thread.gil_wait_percent or 0.0
    return f"{text} · waits {wait:.0f} %" if wait >= 1 else text


def _columns(many_processes: bool, gil: bool) -> tuple[Column, ...]:
    return (
        Column("thread", 24),
        Column("cpu", 8, right=True),
        Column("cpu time", 9, right=True, rank=2),
        Column("state", 19, rank=1),
        *((Column("holds GIL", 18, rank=2),) if gil else ()),
        Column("tid", 8, right=True, rank=3, tone="dim"),
        *((Column("pid", 8, right=True, rank=2, tone="dim"),) if many_processes else ()),
        Column("where", words=True),
    )


def _why_empty(view: View) -> tuple[str, ...]:
    if view.selection.filter and view.threads:
        return (f'no thread matches "{clean(view.selection.filter)}"', "esc clears the filter")
    return ("no threads were seen in this range yet",)
