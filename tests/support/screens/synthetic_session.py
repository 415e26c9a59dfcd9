"""A session without a target: made-up records through the real log into the real store.

The clock is the test's own: `to(18.4)` feeds all that happens until then.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Alert,
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
    Pool,
    ProcessStart,
    Record,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.store.store import Store
from support.screens.fake_reader import MB, PHASES, PID, STACKS, T0, S, cpu, rss

TICK_S = 0.05
TARGET = Target(
    "stream-vs-collect mode=collect engine=duckdb size=700MB",
    ("python", "stream_vs_collect.py"),
    PID,
    "3.12.1",
    launched=True,
    agent=True,
)
ALERT = Alert(
    "streaming_violation",
    "critical",
    T0 + round(10.1 * S),
    T0 + 12 * S,
    None,
    "RSS +112 MB/s for 8 s, r=0.99 with rows read: looks like collect()",
    "no plateau, no release",
)
THREADS = (("MainThread", 0.9), ("duckdb-scan", 0.58), ("ArrowIO", 0.14))
"""Name and share of a core; only the first is Python's."""
IMPORTS = 60
LEAF_SHARES = (0.01, 0.02, 0.04, 0.42, 0.2, 0.31)
"""How the main thread's time is shared out over `STACKS`, from the outermost frame."""


@dataclass
class SyntheticSession:
    """A `LiveSession` over the records above."""

    launched: bool = True
    alive: bool = True
    now_s: float = 0.0
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = SessionLog()
        self.reader = Store(self.log.tree, TARGET, lambda: T0 + round(self.now_s * S))
        self.log.connect(self.reader)
        self._cpu_s = 0.0
        self._fed = 0
        tree = self.log.tree
        frames = [tree.frame_id(*frame) for frame in STACKS]
        self._leaves = [tree.intern(frames[: depth + 1]) for depth in range(len(frames))]
        self.log.extend(self._first())

    def to(self, seconds: float) -> SyntheticSession:
        """Let it go on until so many seconds after its start."""
        while (self._fed + 1) * TICK_S <= seconds:
            self._fed += 1
            self.now_s = self._fed * TICK_S
            self.log.extend(self._tick(self._fed))
        self.now_s = seconds
        return self

    def end(self) -> SyntheticSession:
        """Let the target end, well."""
        now = T0 + round(self.now_s * S)
        self.log.append(Exit(now, PID, 0, None, self._cpu_s, 1.2, round(rss(self.now_s))))
        self.alive = False
        return self

    def _first(self) -> list[Record]:
        return [
            ProcessStart(T0, PID, 1, TARGET.argv, "3.12.1"),
            ThreadName(T0, PID, PID, "MainThread"),
        ]

    def _tick(self, number: int) -> list[Record]:
        """What one twentieth of a second brings."""
        at_s = number * TICK_S
        now, before = T0 + round(at_s * S), T0 + round((at_s - TICK_S) * S)
        self._cpu_s += cpu(at_s) / 100 * TICK_S
        rows: list[Record] = [*self._events(at_s, before, now)]
        rows.append(
            Metric(
                now,
                PID,
                self._cpu_s,
                round(rss(at_s)),
                high_water_rss_bytes=round(rss(at_s) + 11 * MB),
                anon_rss_bytes=round(rss(at_s) * 0.86),
                threads=3,
            )
        )
        for index, (name, share) in enumerate(THREADS):
            state = "R" if index < 2 else "S"
            rows.append(ThreadCpu(now, PID, PID + index, name, share * at_s, state))
        if at_s > 6.42:
            rows.append(Count(now, PID, "rows", round(412e3 * (at_s - 6.42))))
        if number % 20 == 0:
            rows += self._second(at_s, now)
        return rows

    def _events(self, at_s: float, before: int, now: int) -> list[Record]:
        rows: list[Record] = []
        for number, (name, begin_s, end_s) in enumerate(PHASES):
            begin = T0 + round(begin_s * S)
            memory = round(rss(at_s))
            if end_s is not None and before < T0 + round(end_s * S) <= now:
                end = T0 + round(end_s * S)
                rows.append(PhaseEnd(end, PID, number, self._cpu_s, memory))
            if before < begin <= now:
                rows.append(PhaseBegin(begin, PID, PID, number, name, None, self._cpu_s, memory))
        for index in range(IMPORTS):
            begin = T0 + round((0.6 + index * 0.04) * S)
            if before < begin <= now:
                rows += self._import(index, begin, round(rss(at_s)))
        for number in range(1, 10):
            done = T0 + round((5.7 + number * 0.42) * S)
            if before < done <= now:
                took = 412_000_000 if number == 1 else 31_000_000
                rows.append(Call(done, PID, PID, "query", number, took, ok=True))
        if before < ALERT.t_detect_ns <= now:
            rows.append(ALERT)
        return sorted(rows, key=_when)

    def _import(self, index: int, begin: int, memory: int) -> list[Record]:
        parent = None if index % 12 == 0 else index - index % 12
        package = f"package_{index // 12}"
        module = package if parent is None else f"{package}.module_{index}"
        own, total = 5 + index * 7 % 40, 9 + index * 11 % 90
        end = begin + max(own, total) * S // 1000
        return [
            ImportBegin(begin, PID, PID, index, module, parent, memory),
            ImportEnd(end, PID, index, own * S // 1000, total * S // 1000, memory, ok=True),
        ]

    def _second(self, at_s: float, now: int) -> list[Record]:
        """What comes once a second."""
        rows: list[Record] = []
        start = now - S
        for leaf, share in zip(self._leaves, LEAF_SHARES, strict=True):
            end = min(start + round(share * S), now)
            rows.append(Stack(start, end, PID, PID, leaf))
            start = end
        rows.append(StackWindow(now - S, now, PID, 99.8, 100, 0, 0, 0.02, "py-spy"))
        rows.append(Pool(now, PID, "Python heap", round(0.24 * min(rss(at_s), 240 * MB))))
        if at_s > 5.7:
            rows.append(Pool(now, PID, "DuckDB", round(min(112.0, 60 * (at_s - 5.7)) * MB)))
        if at_s > 9.6:
            rows.append(Pool(now, PID, "Arrow pool", round((60 + 96 * (at_s - 9.6)) * MB)))
        rows.append(Overhead(now, 0.038 * at_s, 53_600_000, 0, 0, 0))
        rows.append(LogLine(now, "stdout", f"batch {round(at_s)}: 412,000 rows"))
        return rows

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


def _when(record: Record) -> int:
    return getattr(record, "t_ns", 0) or getattr(record, "t_detect_ns", 0)
