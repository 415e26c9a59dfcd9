"""A believable session without a target: the same figures every time, on a clock that tests set.

`python tests/support/screens/fake_reader.py [SECONDS [SPEED]]` shows it on a real terminal.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import (
    NO_BLAME,
    TREE,
    Blame,
    Buckets,
    CallStats,
    Counter,
    Event,
    Import,
    Phase,
    Process,
    ProcessUse,
    RunCost,
    Status,
    Target,
    Task,
    Thread,
    ThreadTree,
    Weights,
)
from perftui.probes.spine.records import Alert, LogLine, Notice, Plan, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

S = 1_000_000_000
T0 = 1_000 * S
MB = 1e6
PID = 48213
PHASES = (("import", 0.6, 3.1), ("setup", 3.1, 5.7), ("first", 5.7, 9.9), ("read", 9.9, None))


def wobble(t_s: float, *seeds: float) -> float:
    """A smooth figure in -1..1 that looks measured."""
    return sum(math.sin(t_s * seed + seed) for seed in seeds) / max(len(seeds), 1)


def rss(t_s: float) -> float:
    """Import ramp, plateau, then the growth of collect()."""
    if t_s < 3.1:
        return (28 + 60 * t_s / 3.1 + 6 * wobble(t_s, 3.1, 7.7)) * MB
    if t_s < 5.7:
        return (88 + 70 * (t_s - 3.1) / 2.6 + 4 * wobble(t_s, 9.1)) * MB
    if t_s < 9.9:
        return (158 + 92 * min((t_s - 5.7) / 1.6, 1) + 3 * wobble(t_s, 2.2)) * MB
    return (250 + 112 * min(t_s - 9.9, 40) + 14 * wobble(t_s, 5.0, 1.3)) * MB


def cpu(t_s: float) -> float:
    """One core while importing, then nearly two."""
    if t_s < 3.1:
        return 97 + 3 * wobble(t_s, 11.0, 23.0)
    if t_s < 5.7:
        return 140 + 25 * wobble(t_s, 6.0, 17.0)
    if t_s < 6.6:
        return 84 + 12 * wobble(t_s, 19.0)
    return 164 + 18 * wobble(t_s, 0.9, 13.0, 29.0)


def rows_per_s(t_s: float) -> float | None:
    """Rows since the first batch."""
    return None if t_s < 6.42 else (412 + 50 * wobble(t_s, 1.1, 8.3)) * 1e3


METRICS: dict[str, Callable[[float], float | None]] = {
    "rss_bytes": rss,
    "cpu_percent": cpu,
    "cpu_user_s": lambda t: 1.2 * t,
    "cpu_system_s": lambda t: 0.14 * t,
    "threads": lambda t: 3.0 + 8 * (t > 5.7),
    "pss_bytes": lambda t: rss(t) * 0.96,
    "anon_rss_bytes": lambda t: rss(t) * 0.86,
    "high_water_rss_bytes": lambda t: rss(t) + 11 * MB,
    "count:rows": lambda t: None if t < 6.42 else 412e3 * (t - 6.42),
    "rate:rows": rows_per_s,
    "count:batches": lambda t: None if t < 6.42 else 201 * (t - 6.42) // 1,
    "rate:batches": lambda t: None if t < 6.42 else 201.0,
}

STACKS = (
    ("<module>", "/app/stream_vs_collect.py", 88),
    ("run_collect", "/app/scenarios/streaming.py", 41),
    ("fetch_all", "/app/examples/query.py", 41),
    ("to_arrow_table", "/usr/lib/python3.12/site-packages/duckdb/__init__.py", 12),
    ("Table.from_batches", "/usr/lib/python3.12/site-packages/pyarrow/table.py", 4112),
    ("concat_tables", "/usr/lib/python3.12/site-packages/pyarrow/table.py", 5210),
)


@dataclass
class FakeReader:
    """A `Reader` over the functions above. Set `now_s`, `state` and the other fields freely."""

    now_s: float = 18.4
    state: str = "live"
    exit_code: int | None = None
    signal: int | None = None
    title: str = "stream-vs-collect mode=collect engine=duckdb size=700MB"
    names: tuple[str, ...] = tuple(METRICS)
    pools: bool = False
    alert: bool = False
    planned: bool = True
    launched: bool = True
    thread_names: tuple[str, ...] = ("MainThread", "duckdb-scan", "ArrowIO")
    phase_names: tuple[str, ...] = tuple(name for name, _, _ in PHASES)
    log_texts: tuple[str, ...] = ("loading 700 MB", "first batch after 6.42 s")
    notices: tuple[Notice, ...] = ()
    clock: Callable[[], float] | None = None
    """Seconds since the start; None stands still at `now_s`."""
    calls_made: int = 0
    tree: CallTree = field(default_factory=CallTree)

    def __post_init__(self) -> None:
        frames = [self.tree.frame_id(*frame) for frame in STACKS]
        self._nodes = [self.tree.intern(frames[: n + 1]) for n in range(len(frames))]

    @property
    def seconds(self) -> float:
        return self.now_s if self.clock is None or self.state == "exited" else self.clock()

    @property
    def now_ns(self) -> int:
        return T0 + round(self.seconds * S)

    def target(self) -> Target:
        return Target(
            self.title,
            ("python", "stream_vs_collect.py"),
            PID,
            "3.12.1" if self.names else None,
            self.launched,
            True,
        )

    def status(self) -> Status:
        self.calls_made += 1
        measured = bool(self.names)
        return Status(
            state=self.state,  # type: ignore[arg-type]
            t_start_ns=T0,
            t_end_ns=self.now_ns,
            exit_code=self.exit_code,
            signal=self.signal,
            stack_backend="py-spy" if measured else None,
            stack_rate_hz=99.8 if measured else None,
            stack_coverage=0.991 if measured else None,
            torn_share=0.002 if measured else None,
            own_cpu_percent=3.82 if measured else None,
            own_rss_bytes=53_600_000 if measured else None,
            late_samples=2,
            dropped_records=0,
            notices=self.notices,
        )

    def metric_names(self, pid: int = TREE) -> tuple[str, ...]:
        pools = ("pool:Python heap", "pool:DuckDB", "pool:Arrow pool") if self.pools else ()
        return (*self.names, *pools)

    def value(self, name: str, t_s: float) -> float | None:
        if name == "pool:Python heap":
            return 0.24 * min(rss(t_s), 240 * MB)
        if name == "pool:DuckDB":
            return None if t_s < 5.7 else min(112 * MB, 60 * MB * (t_s - 5.7))
        if name == "pool:Arrow pool":
            return None if t_s < 9.6 else 60 * MB + 96 * MB * min(t_s - 9.6, 40)
        return METRICS[name](t_s) if name in self.names else None

    def metric(self, name: str, t0_ns: int, t1_ns: int, n: int, pid: int = TREE) -> Buckets:
        step = (t1_ns - t0_ns) / n
        now = self.now_ns
        low: list[float | None] = []
        high: list[float | None] = []
        last: list[float | None] = []
        for index in range(n):
            begin, end = t0_ns + index * step, t0_ns + (index + 1) * step
            if end <= T0 or begin >= now:
                values = []
            else:
                times = (begin, (begin + end) / 2, min(end, now))
                values = [self.value(name, (max(t, T0) - T0) / S) for t in times]
            kept = [value for value in values if value is not None]
            low.append(min(kept, default=None))
            high.append(max(kept, default=None))
            last.append(kept[-1] if kept else None)
        return Buckets(t0_ns, t1_ns, tuple(low), tuple(high), tuple(last))

    def last(self, name: str, pid: int = TREE) -> float | None:
        return self.value(name, self.seconds)

    def processes(self) -> tuple[Process, ...]:
        return (
            Process(PID, 1, ("python", "stream_vs_collect.py"), "3.12.1", T0, None),
            Process(PID + 90, PID, ("postgres: checkpointer",), None, T0 + 2 * S, None),
        )

    def process_use(self, t0_ns: int, t1_ns: int) -> tuple[ProcessUse, ...]:
        return (
            ProcessUse(PID, rss(self.seconds), rss(self.seconds), 93.0, 11.2, 3),
            ProcessUse(PID + 90, 9 * MB, 12 * MB, 0.4, 0.03, 1),
        )

    def threads(self, t0_ns: int, t1_ns: int) -> tuple[Thread, ...]:
        spent = (t1_ns - t0_ns) / S
        shares = (92.0, 58.0, 14.0)
        return tuple(
            Thread(
                PID,
                PID + index,
                name,
                index == 0,
                "R" if index < 2 else "S",
                shares[index % 3],
                shares[index % 3] * spent / 100,
                "fetch_all query.py:41" if index == 0 else "",
                "waiting in duckdb" if index == 0 else "",
            )
            for index, name in enumerate(self.thread_names)
        )

    def call_tree(
        self, t0_ns: int, t1_ns: int, threads: Collection[tuple[int, int]] | None = None
    ) -> tuple[ThreadTree, ...]:
        if not self.names or not self.thread_names:
            return ()
        span = max(min(t1_ns, self.now_ns) - t0_ns, 1)
        shares = (0.01, 0.02, 0.04, 0.42, 0.2, 0.31)
        weights = {
            node: Weights(round(span * share), round(span * share * 0.9), round(90e6 * share), 0)
            for node, share in zip(self._nodes, shares, strict=True)
        }
        chosen = ThreadTree(
            PID,
            PID,
            self.thread_names[0],
            sum(w.wall_ns for w in weights.values()),
            sum(w.cpu_ns for w in weights.values()),
            sum(w.grown_bytes for w in weights.values()),
            weights,
            "waiting in duckdb",
        )
        return (chosen,) if threads is None or (PID, PID) in threads else ()

    def phases(self, t0_ns: int, t1_ns: int) -> tuple[Phase, ...]:
        found = []
        for index, (name, (_, begin, end)) in enumerate(
            zip(self.phase_names, PHASES, strict=False)
        ):
            t0 = T0 + round(begin * S)
            t1 = None if end is None or T0 + end * S > self.now_ns else T0 + round(end * S)
            if t0 < min(t1_ns, self.now_ns) and (t1 is None or t1 > t0_ns):
                rss_0 = round(rss(begin))
                found.append(
                    Phase(
                        PID,
                        index,
                        None,
                        name,
                        0,
                        t0,
                        t1,
                        1.3,
                        rss_0,
                        None if t1 is None else round(rss(end or begin)),
                        rss_0 + 10_000_000,
                    )
                )
        return tuple(found)

    def imports(self, t0_ns: int, t1_ns: int) -> tuple[Import, ...]:
        if not self.names:
            return ()
        made = []
        for index in range(60):
            begin = T0 + round((0.6 + index * 0.04) * S)
            if begin < min(t1_ns, self.now_ns) and begin + S // 20 > t0_ns:
                parent = None if index % 12 == 0 else index - index % 12
                module = f"package_{index // 12}"
                if parent is not None:
                    module += f".module_{index}"
                made.append(
                    Import(
                        PID,
                        index,
                        parent,
                        module,
                        begin,
                        (5 + index * 7 % 40) * 1_000_000,
                        (9 + index * 11 % 90) * 1_000_000,
                        (index * 37 % 300) * 10_000,
                        False,
                        True,
                    )
                )
        return tuple(made)

    def calls(self, t0_ns: int, t1_ns: int) -> tuple[CallStats, ...]:
        return (CallStats("query", 9, 412_000_000, 31_000_000, 30_000_000, 13.3, 0),)

    def counters(self, t0_ns: int, t1_ns: int) -> tuple[Counter, ...]:
        end_s = (min(t1_ns, self.now_ns) - T0) / S
        if end_s < 6.42 or not self.names:
            return ()
        first = T0 + round(6.42 * S)
        return (
            Counter("rows", 412e3 * (end_s - 6.42), 412e3, first),
            Counter("batches", 201 * (end_s - 6.42) // 1, 201.0, first),
        )

    def events(self, t0_ns: int, t1_ns: int) -> tuple[Event, ...]:
        return tuple(
            Event(phase.t0_ns, "phase", f"{phase.name} begins")
            for phase in self.phases(t0_ns, t1_ns)
            if phase.t0_ns >= t0_ns
        )

    def runs(self, t0_ns: int, t1_ns: int) -> tuple[RunCost, ...]:
        cold = Run(T0 + 4 * S, PID, 1, True, True, 3 * S, S // 4, S // 8, S // 8, T0 + S, 2 * S)
        warm = Run(T0 + 9 * S, PID, 2, False, True, S, None, None, None, T0 + 8 * S, S - 1000)
        costs = (RunCost(cold, S // 2, 300), RunCost(warm, 0, 0))
        return costs if self.state == "waiting" else ()

    def plans(self, t1_ns: int) -> tuple[Plan, ...]:
        plan = Plan(T0 + S, PID, "query", "╭─ Parquet Scan ─╮", "in the scan", 2, 2)
        return (plan,) if self.planned and t1_ns > plan.t_ns else ()

    def blame(self, t0_ns: int, t1_ns: int) -> Blame:
        return NO_BLAME

    def tasks(self, t1_ns: int) -> tuple[Task, ...]:
        frames = (
            ("writer", "/app/service.py", 16),
            ("read_socket", "/app/service.py", 6),
            ("sleep", "/usr/lib/python3.12/asyncio/tasks.py", 655),
        )
        task = Task(PID, "writer", frames, "sleep", T0 + S)
        return (task,) if self.planned and t1_ns > task.t_ns else ()

    def log_lines(self, t0_ns: int, t1_ns: int, limit: int = 1000) -> Sequence[LogLine]:
        return [
            LogLine(T0 + (n + 1) * S, "stdout", text)
            for n, text in enumerate(self.log_texts)
            if t0_ns <= T0 + (n + 1) * S < min(t1_ns, self.now_ns)
        ]

    def alerts(self, t0_ns: int, t1_ns: int) -> tuple[Alert, ...]:
        if not self.alert or self.seconds < 12:
            return ()
        return (
            Alert(
                "streaming_violation",
                "critical",
                T0 + round(10.1 * S),
                T0 + 12 * S,
                None,
                "RSS +112 MB/s for 8 s, r=0.99 with rows read: looks like collect()",
                "no plateau, no release",
            ),
        )


@dataclass
class FakeSession:
    """A `LiveSession`; notes what was asked of it."""

    reader: FakeReader = field(default_factory=FakeReader)
    launched: bool = True
    alive: bool = True
    asked: list[str] = field(default_factory=list)

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


@dataclass
class KeptSession(FakeSession):
    """One whose target keeps its process."""

    waiting: bool = True

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
        self.waiting, self.reader.state = False, "live"

    def end_kept(self) -> None:
        self.asked.append("end")


def main() -> None:
    import sys

    from perftui.tui.app import run_live

    start_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    begun = time.monotonic()
    reader = FakeReader(clock=lambda: start_s + speed * (time.monotonic() - begun))
    reader.alert = "--alert" in sys.argv
    reader.pools = "--pools" in sys.argv
    sys.exit(run_live(FakeSession(reader)))


if __name__ == "__main__":
    main()
