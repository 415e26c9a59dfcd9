"""What each stack weighs, as the records of a session come: CPU, waiting, memory touched.

A record with the kernel's own counters is weighed by the rules of `weigh_cpu`, `weigh_waiting` and
`weigh_faults`; the sums of a thread are what the thread used. Records without
(other samplers) are weighed by `spine.weighing`, which spreads: an estimate.

One `Weigher` a session: what a stack shows depends on those before it.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, cast

from perftui.probes.own.tuples import made
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
    from perftui.probes.stacks.own.weigh_waiting import Waited, WaitGroup

SETTLE_NS = NS_PER_S
"""What was not met by any sweep, and memory, are given out once a second."""
_FORGET_NS = 30 * NS_PER_S
ENDED = "X"
"""State of the last record of a thread."""
_AT: dict[WaitGroup, int] = {
    "queue": 0,
    "gil": 1,
    "lock": 2,
    "io": 3,
    "sleep": 4,
    "child": 5,
    "unknown": 6,
}
"""Places of the kinds of waiting in `_Amounts.waits_ns`: as in `WeighedStack`, and the rest."""
_NO_WAITS = (0,) * len(_AT)


class _Reading:
    """A stack record as the rules of weighing see it. They ask for its fields again and again:
    those of a tuple would have to be searched for by name each time."""

    __slots__ = (
        "biased",
        "brief",
        "cpu_ns",
        "failed",
        "faults",
        "faults_in_window",
        "gil_held",
        "on_cpu",
        "run_queue_ns",
        "stack",
        "state",
        "sweep_ns",
        "t_ns",
        "wait",
    )

    wait: WaitKind

    def __init__(self, stack: Stack) -> None:
        (
            self.t_ns,
            _,
            _,
            _,
            self.stack,
            _,
            cpu_ns,
            run_queue_ns,
            faults,
            self.faults_in_window,
            state,
            self.on_cpu,
            gil_held,
            _,
            wait,
            _,
            self.sweep_ns,
            self.biased,
            self.brief,
        ) = stack
        self.cpu_ns = cpu_ns or 0
        self.run_queue_ns = run_queue_ns or 0
        self.faults = faults or 0
        self.state = state or "?"
        self.gil_held = gil_held is True
        self.failed = False
        self.wait = wait or ""  # type: ignore[assignment]


class _Amounts:
    """What one interval has been given so far."""

    __slots__ = (
        "brief_ns",
        "catches",
        "cpu_ns",
        "grown_bytes",
        "node",
        "stack",
        "touched_bytes",
        "unsure_bytes",
        "waits_ns",
    )

    def __init__(self, node: int, stack: Stack | None) -> None:
        self.node = node
        self.stack = stack
        self.cpu_ns = 0
        self.brief_ns = 0
        self.grown_bytes = 0
        self.touched_bytes = 0
        self.unsure_bytes = 0
        self.catches = 0
        self.waits_ns: list[int] | None = None

    def piece(self, thread: ThreadKey, span: tuple[int, int]) -> WeighedStack:
        """Return the interval with its weights; `span`: its time if it is none of the thread's."""
        stack, cpu_ns = self.stack, self.cpu_ns
        waits_ns = self.waits_ns or _NO_WAITS
        queue_ns, gil_ns, lock_ns, io_ns, sleep_ns, child_ns, _ = waits_ns
        if stack is None:
            t0_ns, t1_ns = span
            torn, state, gil_held, unsteady, task = False, None, None, None, None
        else:
            t0_ns, t1_ns, _, _, _, torn = stack[:6]
            state, _, gil_held, unsteady, _, task = stack[10:16]
        lasted_ns = t1_ns - t0_ns
        cpu_share = cpu_ns / (lasted_ns if lasted_ns > 1 else 1)
        return made(
            WeighedStack,
            (
                t0_ns,
                t1_ns,
                thread,
                self.node,
                cpu_ns,
                self.grown_bytes,
                torn,
                cpu_share if cpu_share < 1.0 else 1.0,
                cpu_ns + sum(waits_ns),
                self.touched_bytes,
                queue_ns,
                gil_ns,
                lock_ns,
                io_ns,
                sleep_ns,
                child_ns,
                lasted_ns if gil_held else 0,
                self.unsure_bytes,
                self.brief_ns,
                self.catches,
                stack is not None,
                state,
                gil_held,
                unsteady,
                task,
            ),
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
        pieces = self._weigh(known, rss)
        if len(known) < len(stacks):
            others = [stack for stack in stacks if stack.state is None]
            pieces += spread(others, cpu_of, rss)
        return pieces

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
            tid = stack.tid
            if stack.state == AMOUNTS_ALONE:
                outside.append(stack)
            elif tid in by_thread:
                by_thread[tid].append(stack)
            else:
                by_thread[tid] = [stack]
        now = max([stack.t1_ns for stack in stacks])
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
        for given in thread.cpu.settle(final=final):
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
        self._rows = [_Amounts(stack.node, stack) for stack in stacks]
        self._beside: list[_Amounts] = []
        self._latest: dict[Where, _Amounts] = {}
        """By stack: where something is given to it now. Of two intervals in one stack, with the
        reading between them, that is the earlier one."""
        self.span = (0, 0)
        """From when to when the amounts came to light that no interval takes."""
        if not stacks:
            return
        self.span = (stacks[0].t0_ns, stacks[-1].t1_ns)
        thread = process.threads.get(tid)
        if thread is None:
            thread = process.threads[tid] = _Thread(process.code)
        thread.last_ns = self.span[1]
        self._take(thread, stacks)
        self._wait(thread.waiting.until(self.span[1]))

    def _take(self, thread: _Thread, stacks: list[Stack]) -> None:
        """Give the intervals what the readings with which they begin have to give."""
        cpu, latest, before = thread.cpu, self._latest, -1
        for row, stack in zip(self._rows, stacks, strict=True):
            node = row.node
            if stack.cpu_ns is not None:
                if node != before:
                    latest[node] = row
                reading = _Reading(stack)
                for where, used_ns in cpu.add(reading):
                    (latest[where] if where in latest else self.at(where)).cpu_ns += used_ns
                self._wait(thread.waiting.add(reading))
                thread.faults.add(reading, at_work=cpu.at_work, waits_there=node in cpu.sleeps)
            latest[node] = row
            before = node

    def _wait(self, waits: Iterable[Waited]) -> None:
        latest = self._latest
        for stack, group, ns in waits:
            amounts = latest[stack] if stack in latest else self.at(stack)
            if amounts.waits_ns is None:
                amounts.waits_ns = [*_NO_WAITS]
            amounts.waits_ns[_AT[group]] += ns

    def at(self, stack: Where) -> _Amounts:
        """Return the thread's latest interval in a stack, or what is kept beside the intervals."""
        found = self._latest.get(stack)
        if found is None:
            found = self._latest[stack] = _Amounts(cast("int", stack), None)
            self._beside.append(found)
        return found

    def pieces(self, thread: ThreadKey) -> list[WeighedStack]:
        """Return the intervals with their weights, and behind them what none of them took."""
        return [amounts.piece(thread, self.span) for amounts in self._rows + self._beside]
