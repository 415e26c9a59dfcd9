"""Memory of the live store over a simulated day, and what a picture costs at a million phases.

    python benchmarks/session_memory.py [--hours 24] [--step 1] [--threads 4] [--leaves 400]
    python benchmarks/session_memory.py --phases 200000

A clock of its own. Threads end and begin, phases, calls and marks come all
the time. Printed is the growth of this process's own memory (PSS) since the first record. With
the defaults, whose day takes half an hour: 19.0 MiB after 1 h, 27.1 after 4 h, 29.5 after 8 h,
31.3 after 24 h. With `--step 120`: 17.2 after 24 h, and 2.3
with `--brief` too, the memory of a watcher.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

from perftui.probes.detect.spikes.finder import SpikeFinder
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Call,
    Count,
    Mark,
    Metric,
    PhaseBegin,
    PhaseEnd,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.store.store import Store
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
PID = 4_000
TARGET = Target("day", ("python", "day.py"), PID, "3.12.0", launched=True, agent=True)


def pss_bytes() -> int:
    """Return what this process costs in memory without its files: their share of it is larger when
    another Python ends that has them too."""
    rows = (row.split() for row in Path("/proc/self/smaps_rollup").read_text().splitlines())
    told = {row[0]: int(row[1]) * 1024 for row in rows if row[0].startswith("Pss")}
    try:
        return told.get("Pss_Anon:") or told["Pss:"]  # older kernels do not tell them apart
    except KeyError:
        raise OSError("the kernel does not tell") from None


class Day:
    """A session on a clock of its own."""

    def __init__(self, threads: int, leaves: int, step_s: int, *, brief: bool = False) -> None:
        self.now_ns = 0
        self._threads = threads
        self._step_s = step_s
        self._rng = random.Random(7)
        self._log = SessionLog()
        self.store = Store(self._log.tree, TARGET, lambda: self.now_ns, brief=brief)
        self._log.connect(self.store)
        self._spikes = SpikeFinder(self.store)
        tree = self._log.tree
        main = tree.frame_id("main", "/app/main.py", 1)
        self._leaves = [
            tree.intern([main, tree.frame_id(f"f{n}", "/app/work.py", n)]) for n in range(leaves)
        ]
        self._number = 0

    def step(self) -> None:
        """Let some seconds go by: one window of stacks, as many readings as that has."""
        begin_ns, span_ns = self.now_ns, self._step_s * NS_PER_S
        self._number += 1
        log, rng = self._log, self._rng
        for tick in range(4):
            t_ns = begin_ns + tick * span_ns // 4
            seconds = t_ns / NS_PER_S
            rss = 300 * MIB + rng.randrange(20 * MIB)
            log.append(Metric(t_ns, PID, seconds * 0.9, rss), Metric(t_ns, PID + 1, seconds, rss))
            cpu = [
                ThreadCpu(t_ns, PID, thread, "python", seconds / 3, "R", seconds / 99)
                for thread in self._tids()
            ]
            log.extend(cpu)
        self.now_ns = begin_ns + span_ns
        stacks = []
        for thread in self._tids():
            log.append(ThreadName(begin_ns, PID, thread, f"worker-{thread}"))
            for n in range(20):
                t0_ns = begin_ns + n * span_ns // 20
                leaf = rng.choice(self._leaves)
                stacks.append(Stack(t0_ns, t0_ns + span_ns // 20, PID, thread, leaf))
        window = StackWindow(begin_ns, self.now_ns, PID, 100, 100, 0, 0, 0.0, "py-spy")
        log.append(*sorted(stacks), window)
        log.append(PhaseBegin(begin_ns, PID, PID, self._number, "step", None, 0.0, 1))
        log.append(PhaseEnd(self.now_ns, PID, self._number, 0.5, 1))
        log.append(Call(self.now_ns, PID, PID, "query", self._number, 5_000_000, ok=True))
        log.append(Count(self.now_ns, PID, "rows", float(self._number)))
        log.append(Mark(self.now_ns, PID, f"mark {self._number}"))
        if self._number % 20 == 0:
            self._spikes.advance()

    def _tids(self) -> Iterator[int]:
        """All but one live on; the last is another one every step."""
        yield from range(PID, PID + self._threads - 1)
        yield 100_000 + self._number

    def picture(self) -> None:
        """Ask what a screen asks for."""
        store = self.store
        t0_ns, t1_ns = 0, self.now_ns
        store.call_tree(t0_ns, t1_ns)
        store.threads(t0_ns, t1_ns)
        store.phases(t0_ns, t1_ns)
        store.events(t0_ns, t1_ns)
        store.calls(t0_ns, t1_ns)
        store.metric("rss_bytes", t0_ns, t1_ns, 200)


def run_day(hours: float, step_s: int, threads: int, leaves: int, *, brief: bool) -> None:
    """Print the growth hour by hour."""
    gc.collect()
    before = pss_bytes()
    day = Day(threads, leaves, step_s, brief=brief)
    due = [h for h in (1, 2, 4, 8, 12, 16, 20, 24, 48, 72) if h < hours] + [hours]
    for hour in due:
        while day.now_ns < hour * 3600 * NS_PER_S:
            day.step()
        day.picture()
        gc.collect()
        print(f"{hour:>5g} h  {(pss_bytes() - before) / MIB:6.1f} MiB", flush=True)


def run_phases(count: int) -> None:
    """Print what pictures cost after so many phases."""
    gc.collect()
    before = pss_bytes()
    day = Day(1, 10, 1)
    log = day._log
    for number in range(count):
        day.now_ns = number * 10_000_000
        log.append(PhaseBegin(day.now_ns, PID, PID, number, "phase", None, 0.0, 1))
        log.append(PhaseEnd(day.now_ns + 5_000_000, PID, number, 0.5, 1))
        if number % 10 == 0:
            log.append(Metric(day.now_ns, PID, 0.0, number))
    store = day.store
    for name, t0_ns in (("whole", 0), ("last minute", day.now_ns - 60 * NS_PER_S)):
        took = []
        for _ in range(7):
            begin = time.process_time()
            rows = store.phases(t0_ns, day.now_ns)
            store.events(t0_ns, day.now_ns)
            took.append(time.process_time() - begin)
        print(f"{count:>9,} phases, {name:<11} {sorted(took)[3] * 1e3:6.1f} ms, {len(rows):,} rows")
    print(f"{count:>9,} phases, {(pss_bytes() - before) / MIB:.1f} MiB")


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--step", type=int, default=1, help="seconds of a window of stacks")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--leaves", type=int, default=400)
    parser.add_argument("--phases", type=int, default=0, help="so many phases, and no day")
    parser.add_argument("--brief", action="store_true", help="a memory of minutes, as `watch` has")
    args = parser.parse_args()
    if args.phases:
        run_phases(args.phases)
    else:
        run_day(args.hours, args.step, args.threads, args.leaves, brief=args.brief)


if __name__ == "__main__":
    main()
