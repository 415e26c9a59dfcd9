"""A recording of a minute, made by the program's own writer: each part of it can be told by name.

0-20 s phase "load", thread runs `parse`, an import at 1 s; 20-40 s phase "build", runs `merge`,
RSS grows, an alert from 22 s (told at 25 s, cleared at 38 s); 40-60 s phase "serve", runs
`answer` in every first half of a second. A log line each second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.recording.write.writer import Recording, WriterOptions
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Alert,
    Count,
    Exit,
    ImportBegin,
    ImportEnd,
    LogLine,
    Mark,
    Metric,
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
    from pathlib import Path

S = 1_000_000_000
T0 = 5_000 * S
PID = 4_000
LENGTH_S = 60
TARGET = Target("job.py", ("python", "job.py"), PID, "3.12.1", launched=True, agent=True)
STEPS = (("load", "parse"), ("build", "merge"), ("serve", "answer"))
ALERT = Alert("mem_growth", "warn", T0 + 22 * S, T0 + 25 * S, None, "RSS grows", "slope 9 MB/s")


def record(directory: Path, *, seconds: int = LENGTH_S, close: bool = True) -> Path:
    """Write the recording, or its first `seconds`; without `close` it stays interrupted."""
    writer = Writer(directory)
    for second in range(seconds):
        writer.second(second)
    writer.end(seconds, close=close)
    return directory


class Writer:
    """Writes the recording second by second."""

    def __init__(self, directory: Path) -> None:
        self._tree = CallTree()
        self._clock = T0
        self._cpu_s = 0.0
        leaves = [
            self._tree.intern(
                [
                    self._tree.frame_id("main", "/srv/job.py", 1),
                    self._tree.frame_id(function, "/srv/job.py", 10 * n),
                ]
            )
            for n, (_, function) in enumerate(STEPS, 1)
        ]
        self._leaves = leaves
        self.recording = Recording(
            directory, self._tree, TARGET, T0, WriterOptions(seal_s=25), clock=lambda: self._clock
        )
        feed(
            self.recording,
            [
                ProcessStart(T0, PID, 1, TARGET.argv, "3.12.1"),
                ThreadName(T0, PID, PID, "MainThread"),
                ImportBegin(T0 + S, PID, PID, 1, "decimal", None, 9_000_000),
                ImportEnd(T0 + 2 * S, PID, 1, S, S, 11_000_000, ok=True),
            ],
        )

    def second(self, second: int) -> None:
        """Write one second of it."""
        base = T0 + second * S
        step = min(second // 20, 2)
        rows: list[Record] = []
        if second % 20 == 0:
            if step:
                rows.append(PhaseEnd(base, PID, step, self._cpu_s, 50_000_000))
            rows.append(
                PhaseBegin(base, PID, PID, step + 1, STEPS[step][0], None, self._cpu_s, 50_000_000)
            )
        if second == 25:
            rows.append(ALERT)
        if second == 38:
            rows.append(ALERT._replace(t_clear_ns=base))
        if second == 30:
            rows.append(Mark(base, PID, "half way"))
        rows.append(LogLine(base + S // 2, "stdout", f"line of second {second}"))
        rows.append(Count(base, PID, "rows", second * 1000.0))
        feed(self.recording, rows)
        for tick in range(20):
            busy = step < 2 or tick < 10
            self._cpu_s += 0.05 if busy else 0.0
            grown_s = min(max(second + tick / 20 - 20, 0.0), 19.0)
            rss = 50_000_000 + round(grown_s * 9_000_000)
            t = base + tick * S // 20
            feed(self.recording, [Metric(t, PID, self._cpu_s, rss)])
            feed(self.recording, [ThreadCpu(t, PID, PID, "python", self._cpu_s, "R", None)])
        feed(
            self.recording,
            [
                Stack(base, base + S, PID, PID, self._leaves[step], torn=False),
                StackWindow(base, base + S, PID, 100, 100, 0, 0, 0.02, "py-spy"),
            ],
        )
        self._clock = base + S
        self.recording.flush()

    def end(self, seconds: int, *, close: bool = True) -> None:
        """Write how it ended, or stop in the middle."""
        if close:
            last = T0 + seconds * S
            feed(self.recording, [Exit(last, PID, 0, None, self._cpu_s, 0.5, 240_000_000)])
            self.recording.flush()
            self.recording.close()
        else:
            self.recording.flush()
            self.recording.heartbeat()
            # As the kernel does when the process is gone; the object itself waits for a collection.
            self.recording._claim.let_go()
