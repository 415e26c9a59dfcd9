"""A session without a target: made-up records through the real log into the real store.

The clock is the test's own: `to(18.4)` feeds all that happens until then.
`python -m support.screens.synthetic_session [SECONDS]` in `tests` shows it on a real terminal,
where it goes on by itself.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Call,
    Count,
    Exit,
    ImportBegin,
    ImportEnd,
    LogLine,
    Metric,
    Overhead,
    PhaseBegin,
    PhaseEnd,
    Plan,
    Pool,
    ProcessStart,
    Record,
    Run,
    Stack,
    StackWindow,
    TaskSeen,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.store.store import Store
from support.screens.plot import (
    ALERT,
    CHILD,
    COLLECT,
    FIRST_CALL_NS,
    FIRST_ROW_S,
    MB,
    PHASES,
    PID,
    T0,
    Plot,
    S,
    cpu,
    rss,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW_S = 18.4
TICK_S = 0.05
STACKS_S = 0.1
"""In this grain the stacks of the main thread take turns."""
THREAD_SHARES = (0.9, 0.58, 0.14)
"""Of a core."""
IMPORTS = 60
COUNTERS = (("rows", 412e3), ("batches", 201.0))
"""Name and what comes each second."""
RUNS = (
    Run(T0 + 4 * S, PID, 1, True, True, 3 * S, S // 4, S // 8, S // 8, T0 + S, 2 * S),
    Run(T0 + 9 * S, PID, 2, False, True, S, None, None, None, T0 + 8 * S, S - 1000),
)
PLAN = Plan(T0 + S, PID, "query", "╭─ Parquet Scan ─╮", "in the scan", 2, 2)
TASK = TaskSeen(
    T0 + S,
    PID,
    1,
    1,
    "writer",
    "sleep",
    json.dumps(
        [
            ("writer", "/app/service.py", 16),
            ("read_socket", "/app/service.py", 6),
            ("sleep", "/usr/lib/python3.12/asyncio/tasks.py", 655),
        ]
    ),
)


def at(seconds: float) -> int:
    """Return the moment so many seconds after the start, ns."""
    return T0 + round(seconds * S)


class SyntheticSession:
    """A `LiveSession` over the records of a plot; notes what was asked of it.

    Args:
        plot: What happens.
        now_s: How far it has come.
        tick_s: How often it is measured; a session of hours is made with seconds.
        launched: Whether perftui began the target.
    """

    def __init__(
        self,
        plot: Plot = COLLECT,
        now_s: float = NOW_S,
        *,
        tick_s: float = TICK_S,
        launched: bool = True,
    ) -> None:
        self.plot = plot
        self.launched, self.alive = launched, True
        self.now_s = 0.0
        self.asked: list[str] = []
        self.log = SessionLog()
        self.reader = Store(self.log.tree, self._target(), lambda: at(self.now_s))
        self.log.connect(self.reader)
        self._events = deque(sorted(_events(plot), key=_when))
        self._tick_s = tick_s
        self._cpu_s = 0.0
        self._fed = 0
        self.log.extend(list(self._first()))
        self.to(now_s)

    def to(self, seconds: float) -> SyntheticSession:
        """Let it go on until so many seconds after its start."""
        while (self._fed + 1) * self._tick_s <= seconds + 1e-9:
            self._fed += 1
            end_s = self._fed * self._tick_s
            self.log.extend(self._span(end_s - self._tick_s, end_s))
        if not self._fed and seconds:  # something was measured at once
            self.log.extend(list(self._metrics(seconds)))
        self.now_s = seconds
        return self

    def end(self, exit_code: int | None = 0, signal: int | None = None) -> SyntheticSession:
        """Let the target end."""
        memory = round(rss(self.now_s))
        self.log.append(Exit(at(self.now_s), PID, exit_code, signal, None, None, memory))
        self.alive = False
        return self

    # -- its records -----------------------------------------------------------------------

    def _target(self) -> Target:
        python = "3.12.1" if self.plot.measured else None
        argv = ("python", "stream_vs_collect.py")
        return Target(self.plot.title, argv, PID, python, self.launched, agent=True)

    def _first(self) -> Iterator[Record]:
        target = self.reader.target()
        yield ProcessStart(T0, PID, 1, target.argv, target.python)
        if self.plot.thread_names:
            yield ThreadName(T0, PID, PID, self.plot.thread_names[0])
        yield from self.plot.notices

    def _span(self, begin_s: float, end_s: float) -> list[Record]:
        """What happens after one moment and until another."""
        rows = list(self._due(at(end_s)))
        if not self.plot.measured:
            return rows
        self._cpu_s += cpu(end_s) / 100 * (end_s - begin_s)
        rows += self._metrics(end_s, slow=_passes(begin_s, end_s, 1.0))
        grain_s = max(STACKS_S, self._tick_s)
        if _passes(begin_s, end_s, grain_s):
            rows += self._stacks(end_s - grain_s, end_s)
        if _passes(begin_s, end_s, 1.0):
            rows += self._second(end_s)
        return rows

    def _metrics(self, at_s: float, *, slow: bool = True) -> Iterator[Record]:
        """Readings of the target; `slow`: those that cost more too, which come once a second."""
        now, memory = at(at_s), rss(at_s)
        yield Metric(
            now,
            PID,
            self._cpu_s,
            round(memory),
            high_water_rss_bytes=round(memory + 11 * MB),
            cpu_user_s=self._cpu_s * 0.9,
            cpu_system_s=self._cpu_s * 0.1,
            anon_rss_bytes=round(memory * 0.86) if slow else None,
            pss_bytes=round(memory * 0.96) if slow else None,
            threads=3 if slow else None,
        )
        for index, name in enumerate(self.plot.thread_names):
            state = "R" if index < 2 else "S"
            yield ThreadCpu(now, PID, PID + index, name, THREAD_SHARES[index] * at_s, state)
        if at_s > FIRST_ROW_S:
            for counter, per_s in COUNTERS:
                yield Count(now, PID, counter, round(per_s * (at_s - FIRST_ROW_S)))

    def _stacks(self, begin_s: float, end_s: float) -> Iterator[Record]:
        """The main thread's, one after another."""
        if not self.plot.thread_names:
            return
        tree, begun = self.log.tree, begin_s
        for frames, share in self.plot.leaves(begin_s):
            over = begun + share * (end_s - begin_s)
            leaf = tree.intern([tree.frame_id(*frame) for frame in frames])
            yield Stack(at(begun), at(over), PID, PID, leaf)
            begun = over

    def _second(self, at_s: float) -> Iterator[Record]:
        """What comes once a second."""
        now, memory = at(at_s), rss(at_s)
        took_ns = round(max(1.0, self._tick_s) * S)
        yield StackWindow(now - took_ns, now, PID, 99.8, 99, 1, 0, 0.02, "py-spy", sweeps=100)
        if self.plot.pools:
            yield Pool(now, PID, "Python heap", round(0.24 * min(memory, 240 * MB)))
            if at_s > 5.7:
                yield Pool(now, PID, "DuckDB", round(min(112.0, 60 * (at_s - 5.7)) * MB))
            if at_s > 9.6:
                yield Pool(now, PID, "Arrow pool", round((60 + 96 * min(at_s - 9.6, 40)) * MB))
        if self.plot.has_child and at_s > 2:
            yield Metric(now, CHILD, 0.004 * at_s, round(9 * MB), threads=1)
            yield ThreadCpu(now, CHILD, CHILD, "checkpointer", 0.004 * at_s, "S")
        yield Overhead(now, 0.038 * at_s, 53_600_000, 2, 12_000_000, 0)

    def _due(self, until: int) -> Iterator[Record]:
        """What happens at a moment of its own, as far as it has not come yet."""
        while self._events and _when(self._events[0]) <= until:
            row = self._events.popleft()
            if isinstance(row, PhaseBegin | PhaseEnd):
                row = row._replace(cpu_s=self._cpu_s)
            yield row

    # -- what a live session answers -------------------------------------------------------

    def target_alive(self) -> bool:
        return self.alive

    def stop_target(self) -> None:
        self.asked.append("stop")

    def leave_running(self) -> None:
        self.asked.append("leave")

    def interrupt(self) -> None:
        self.asked.append("interrupt")

    def mark(self, name: str) -> None:
        self.asked.append(f"mark {name}")

    def trace_allocations(self, seconds: float) -> None:
        self.asked.append(f"trace {seconds:g} s")

    def release(self) -> None:
        self.asked.append("release")

    def list_tasks(self) -> None:
        self.asked.append("tasks")


class KeptSession(SyntheticSession):
    """One whose target keeps its process; it waits for orders once it was told to `wait`."""

    waiting = False

    def wait(self) -> KeptSession:
        """The work is done."""
        self.waiting = True
        self.reader.rest(at(self.now_s))
        return self

    def keeps_process(self) -> bool:
        return self.alive

    def waits(self) -> bool:
        return self.waiting

    def again(self) -> None:
        self._order("again")

    def restart(self) -> None:
        self._order("restart")

    def _order(self, order: str) -> None:
        if not self.waiting:
            raise OSError("it is still at work: wait for it")
        self.asked.append(order)
        self.waiting = False
        self.reader.rest(None)

    def end_kept(self) -> None:
        self.asked.append("end")


def _events(plot: Plot) -> Iterator[Record]:
    """Return all that happens at a moment of its own; the CPU of phases is not known yet."""
    for number, text in enumerate(plot.log_texts, 1):
        yield LogLine(at(number), "stdout", text)
    if plot.has_child:
        yield ProcessStart(at(2), CHILD, PID, ("postgres: checkpointer",))
    if plot.planned:
        yield from (PLAN, TASK)
    if plot.keeps_process:
        yield from RUNS
    if plot.alert:
        yield ALERT
    for number in range(1, 10):
        took = FIRST_CALL_NS if number == 1 else 31_000_000
        yield Call(at(FIRST_ROW_S + (number - 1) * 1.2), PID, PID, "query", number, took, ok=True)
    for number, (name, (_, begin_s, end_s)) in enumerate(
        zip(plot.phase_names, PHASES, strict=False)
    ):
        yield PhaseBegin(at(begin_s), PID, PID, number, name, None, None, round(rss(begin_s)))
        if end_s is not None:
            yield PhaseEnd(at(end_s), PID, number, None, round(rss(end_s)))
    if plot.measured:
        for index in range(IMPORTS):
            yield from _import(index, 0.6 + index * 0.04)


def _import(index: int, begin_s: float) -> Iterator[Record]:
    """A package, or a module of one."""
    begin, memory = at(begin_s), round(rss(begin_s))
    parent = None if index % 12 == 0 else index - index % 12
    package = f"package_{index // 12}"
    module = package if parent is None else f"{package}.module_{index}"
    own, total = 5 + index * 7 % 40, 9 + index * 11 % 90
    end = begin + max(own, total) * S // 1000
    yield ImportBegin(begin, PID, PID, index, module, parent, memory)
    yield ImportEnd(end, PID, index, own * S // 1000, total * S // 1000, memory, ok=True)


def _passes(begin_s: float, end_s: float, every_s: float) -> bool:
    """Whether a multiple of so many seconds lies in (begin, end]."""
    return int(end_s / every_s + 1e-6) > int(begin_s / every_s + 1e-6)


def _when(record: Record) -> int:
    return getattr(record, "t_ns", 0) or getattr(record, "t_detect_ns", 0)


def main() -> None:
    """Show it on the terminal; it goes on as time does."""
    from perftui.tui.app import run_live

    session = SyntheticSession(now_s=float(sys.argv[1]) if len(sys.argv) > 1 else NOW_S)
    begun = time.monotonic() - session.now_s

    def go_on() -> None:
        while True:
            session.to(time.monotonic() - begun)
            time.sleep(TICK_S)

    threading.Thread(target=go_on, name="target", daemon=True).start()
    sys.exit(run_live(session))


if __name__ == "__main__":
    main()
