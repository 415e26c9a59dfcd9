"""What each stack weighs, as the records of a session come: CPU, waiting, memory touched.

A record with the kernel's own counters is weighed by the rules of `weigh_cpu`, `weigh_waiting` and
`weigh_faults`; the sums of a thread are what the thread used. Records without
(other samplers) are weighed by `spine.weighing`, which spreads: an estimate.

One `Weigher` a session: what a stack shows depends on those before it.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, NamedTuple, cast

from perftui.probes.spine.records import AMOUNTS_ALONE
from perftui.probes.spine.weighed import WeighedStack
from perftui.probes.spine.weighing import weigh as spread
from perftui.probes.stacks.own.weigh_cpu import CpuByStack, share
from perftui.probes.stacks.own.weigh_faults import FaultsByStack, WhoseCode
from perftui.probes.stacks.own.weigh_waiting import ThreadWaiting
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.records import Stack, ThreadKey
    from perftui.probes.spine.weighing import Readings
    from perftui.probes.stacks.own.records import WaitKind, Where
    from perftui.probes.stacks.own.weigh_waiting import Waited

SETTLE_NS = NS_PER_S
"""What was not met by any sweep, and memory, are given out once a second."""
_FORGET_NS = 30 * NS_PER_S
ENDED = "X"
"""State of the last record of a thread."""
_KINDS = ("queue", "gil", "lock", "io", "sleep", "child")


class _Reading(NamedTuple):
    """A stack record as the rules of weighing see it."""

    t_ns: int
    stack: Where
    cpu_ns: int
    run_queue_ns: int
    faults: int
    faults_in_window: int | None
    state: str
    on_cpu: bool | None
    gil_held: bool
    failed: bool
    wait: WaitKind
    sweep_ns: int | None
    biased: bool
    brief: bool


class _Amounts:
    """What one interval has been given so far."""

    __slots__ = (
        "brief_ns",
        "catches",
        "cpu_ns",
        "grown_bytes",
        "stack",
        "touched_bytes",
        "unsure_bytes",
        "waits",
        "whole_wait_ns",
    )

    def __init__(self, stack: Stack | None) -> None:
        self.stack = stack
        self.cpu_ns = 0
        self.brief_ns = 0
        self.grown_bytes = 0
        self.touched_bytes = 0
        self.unsure_bytes = 0
        self.catches = 0
        self.waits: dict[str, int] = {}
        self.whole_wait_ns = 0

    def wait(self, waited: Waited) -> None:
        self.whole_wait_ns += waited.ns
        if waited.group in _KINDS:
            self.waits[waited.group] = self.waits.get(waited.group, 0) + waited.ns

    def piece(self, t0_ns: int, t1_ns: int, thread: ThreadKey, node: int) -> WeighedStack:
        waits, stack = self.waits, self.stack
        return WeighedStack(
            t0_ns,
            t1_ns,
            thread,
            node,
            self.cpu_ns,
            self.grown_bytes,
            torn=stack.torn if stack is not None else False,
            cpu_share=min(self.cpu_ns / max(t1_ns - t0_ns, 1), 1.0),
            wall_ns=self.cpu_ns + self.whole_wait_ns,
            touched_bytes=self.touched_bytes,
            queue_ns=waits.get("queue", 0),
            gil_ns=waits.get("gil", 0),
            lock_ns=waits.get("lock", 0),
            io_ns=waits.get("io", 0),
            sleep_ns=waits.get("sleep", 0),
            child_ns=waits.get("child", 0),
            with_gil_ns=t1_ns - t0_ns if stack is not None and stack.gil_held else 0,
            unsure_bytes=self.unsure_bytes,
            brief_ns=self.brief_ns,
            catches=self.catches,
            held=stack is not None,
            state=None if stack is None else stack.state,
            gil_held=None if stack is None else stack.gil_held,
            unsteady=None if stack is None else stack.unsteady,
            task=None if stack is None else stack.task,
        )


class _Thread:
    """What is remembered of one thread."""

    def __init__(self, code: WhoseCode) -> None:
        self.cpu = CpuByStack()
        self.waiting = ThreadWaiting()
        self.faults = FaultsByStack(code)
        self.last_ns = 0


class _Process:
    def __init__(self, t_ns: int, code: WhoseCode) -> None:
        self.code = code
        self.threads: dict[int, _Thread] = {}
        self.settled_ns = t_ns
        self.rss_bytes: float | None = None
        """When growth was shared out last."""
        self.touched: list[tuple[int, Where, int]] = []
        """(tid, stack, faults) since then."""


class Weigher:
    """See the module."""

    def __init__(self, page_bytes: int = mmap.PAGESIZE) -> None:
        self._page_bytes = page_bytes
        self._code = WhoseCode()
        self._processes: dict[int, _Process] = {}

    def know(self, tree: CallTree) -> None:
        """Know whose code the nodes of the session's call tree are."""
        self._code = WhoseCode(tree)

    def weigh(
        self,
        stacks: Sequence[Stack],
        cpu_of: Callable[[ThreadKey], Readings | None],
        rss: Readings | None,
    ) -> list[WeighedStack]:
        """Give each interval of one process what it weighs.

        Args:
            stacks: Of one process, in time order within each thread.
            cpu_of: Cumulative CPU seconds of a thread.
            rss: Of the process.
        """
        known = [stack for stack in stacks if stack.state is not None]
        if not known:
            return spread(stacks, cpu_of, rss)
        others = [stack for stack in stacks if stack.state is None]
        pieces = self._weigh(known, rss)
        return pieces + spread(others, cpu_of, rss) if others else pieces

    def _weigh(self, stacks: list[Stack], rss: Readings | None) -> list[WeighedStack]:
        pid = stacks[0].pid
        process = self._processes.get(pid)
        if process is None:
            begin_ns = min(stack.t0_ns for stack in stacks)
            process = self._processes[pid] = _Process(begin_ns, self._code)
            process.rss_bytes = None if rss is None else rss.value_at(process.settled_ns)
        by_thread: dict[int, list[Stack]] = {}
        outside: list[Stack] = []
        for stack in stacks:
            if stack.state == AMOUNTS_ALONE:
                outside.append(stack)
            else:
                by_thread.setdefault(stack.tid, []).append(stack)
        now = max(stack.t1_ns for stack in stacks)
        books = {tid: _Book(process, tid, rows) for tid, rows in by_thread.items()}
        for stack in outside:
            self._touched_outside(process, stack, books, now)
        due = now - process.settled_ns >= SETTLE_NS
        ended = [tid for tid, rows in by_thread.items() if rows[-1].state == ENDED]
        if due:
            late = now - _FORGET_NS
            ended += [tid for tid, each in process.threads.items() if each.last_ns < late]
        for tid in process.threads if due else ended:
            self._settle(process, tid, books, now, final=tid in ended)
        for tid in ended:
            process.threads.pop(tid, None)
        if due or not process.threads:
            self._share_growth(process, books, now, rss)
        if not process.threads:
            del self._processes[pid]
        found: list[WeighedStack] = []
        for tid, book in books.items():
            found += book.pieces((pid, tid))
        return found

    def _touched_outside(
        self, process: _Process, stack: Stack, books: dict[int, _Book], now: int
    ) -> None:
        """Note what a thread touched where it has no Python stack."""
        book = books.get(stack.tid)
        if book is None:
            book = books[stack.tid] = _Book(process, stack.tid, [])
            book.span = (min(stack.t0_ns, now - 1), now)
        faults = stack.faults or 0
        book.at(stack.node).touched_bytes += faults * self._page_bytes
        process.touched.append((stack.tid, stack.node, faults))

    def _settle(
        self, process: _Process, tid: int, books: dict[int, _Book], now: int, *, final: bool
    ) -> None:
        """Give out the CPU of a thread that no sweep met, and the memory that it touched."""
        thread = process.threads[tid]
        book = books.get(tid)
        if book is None:
            book = books[tid] = _Book(process, tid, [])
        book.span = (min(process.settled_ns, now - 1), now)
        for given in thread.cpu.settle(now, final=final):
            amounts = book.at(given.stack)
            amounts.cpu_ns += given.amount
            amounts.brief_ns += given.brief
        for stack, faults, unsure, catches in thread.faults.settle(final=final):
            amounts = book.at(stack)
            amounts.catches += catches
            amounts.touched_bytes += faults * self._page_bytes
            amounts.unsure_bytes += unsure * self._page_bytes
            process.touched.append((tid, stack, faults))

    @staticmethod
    def _share_growth(
        process: _Process, books: dict[int, _Book], now: int, rss: Readings | None
    ) -> None:
        """Share the net growth since the last time by faults."""
        process.settled_ns = now
        before, after = process.rss_bytes, None if rss is None else rss.value_at(now)
        process.rss_bytes = after if after is not None else before
        touched, process.touched = process.touched, []
        if before is None or after is None or after <= before:
            return
        weights: dict[Where, float] = {index: row[2] for index, row in enumerate(touched)}
        for index, grown in share(round(after - before), weights).items():
            tid, stack, _ = touched[cast("int", index)]
            book = books.get(tid)
            if book is None:
                book = books[tid] = _Book(process, tid, [])
                book.span = (now - 1, now)
            book.at(stack).grown_bytes += grown


class _Book:
    """The intervals of one thread in one batch, and what they are given."""

    def __init__(self, process: _Process, tid: int, stacks: list[Stack]) -> None:
        self._rows = [_Amounts(stack) for stack in stacks]
        self._beside: dict[Where, _Amounts] = {}
        self._latest: dict[Where, _Amounts] = {}
        self.span = (0, 0)
        """From when to when the amounts came to light that no interval takes."""
        if not stacks:
            return
        self.span = (stacks[0].t0_ns, stacks[-1].t1_ns)
        thread = process.threads.get(tid)
        if thread is None:
            thread = process.threads[tid] = _Thread(process.code)
        thread.last_ns = self.span[1]
        before: _Amounts | None = None
        for row in self._rows:
            stack = row.stack
            assert stack is not None
            if stack.cpu_ns is not None:
                self._take(thread, _reading(stack), before, row)
            self._latest[stack.node] = before = row
        self._wait(thread.waiting.until(self.span[1]), before, before)

    def _take(
        self, thread: _Thread, reading: _Reading, before: _Amounts | None, row: _Amounts
    ) -> None:
        for given in thread.cpu.add(reading):
            self._of(given.stack, before, row).cpu_ns += given.amount
        self._wait(thread.waiting.add(reading), before, row)
        thread.faults.add(
            reading,
            at_work=thread.cpu.at_work,
            waits_there=thread.cpu.waits_at(reading.stack),
        )

    def _wait(self, waits: Iterable[Waited], before: _Amounts | None, row: _Amounts | None) -> None:
        for waited in waits:
            self._of(waited.stack, before, row).wait(waited)

    def _of(self, stack: Where, before: _Amounts | None, row: _Amounts | None) -> _Amounts:
        """Return the interval that ends or begins with a reading, by its stack."""
        for one in (before, row):
            if one is not None and one.stack is not None and one.stack.node == stack:
                return one
        return self.at(stack)

    def at(self, stack: Where) -> _Amounts:
        """Return the thread's latest interval in a stack, or what is kept beside the intervals."""
        found = self._latest.get(stack)
        if found is None:
            found = self._latest[stack] = self._beside[stack] = _Amounts(None)
        return found

    def pieces(self, thread: ThreadKey) -> list[WeighedStack]:
        """Return the intervals with their weights, and behind them what none of them took."""
        found = []
        for row in self._rows:
            stack = row.stack
            assert stack is not None
            found.append(row.piece(stack.t0_ns, stack.t1_ns, thread, stack.node))
        for node, amounts in self._beside.items():
            found.append(amounts.piece(*self.span, thread, cast("int", node)))
        return found


def _reading(stack: Stack) -> _Reading:
    return _Reading(
        stack.t0_ns,
        stack.node,
        stack.cpu_ns or 0,
        stack.run_queue_ns or 0,
        stack.faults or 0,
        stack.faults_in_window,
        stack.state or "?",
        stack.on_cpu,
        bool(stack.gil_held),
        False,
        cast("WaitKind", stack.wait or ""),
        stack.sweep_ns,
        stack.biased,
        stack.brief,
    )
