"""The metric probe on real processes, against the kernel's own accounts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.kept import Kept
from support.waiting import wait_for

from perftui.probes.process.face import ProcessGone
from perftui.probes.process.metrics import MetricProbe, within_rss
from perftui.probes.process.opening import open_process
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import (
    Exit,
    Metric,
    Notice,
    Overhead,
    ProcessStart,
    Record,
    ThreadCpu,
)
from perftui.probes.target.target import LaunchedTarget

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def watched(code: str, seen: Callable[[Kept], object] = lambda kept: True) -> tuple[Kept, Exit]:
    """Run a program under the probe; its `input()` returns when `seen` holds."""
    kept, log = Kept(), SessionLog()
    log.connect(kept)
    read, write = os.pipe()
    target = LaunchedTarget(python(code), os.environ, stdin=read)
    probe = MetricProbe(log, target.pid)
    probe.start()
    target.watch(log.append)
    wait_for(lambda: seen(kept))
    os.write(write, b"\n")
    os.close(write)
    os.close(read)
    assert target.wait(60)
    probe.stop()
    assert target.exit is not None
    return kept, target.exit


def test_cpu_agrees_with_the_kernels_account() -> None:
    def half_is_told(kept: Kept) -> bool:
        return any(metric.cpu_s > 0.5 for metric in kept.of(Metric))

    code = "import time\nwhile time.process_time() < 1.0: pass\ninput()"
    kept, exit_ = watched(code, seen=half_is_told)
    assert exit_.cpu_user_s is not None
    assert exit_.cpu_system_s is not None
    whole = exit_.cpu_user_s + exit_.cpu_system_s
    last = kept.of(Metric)[-1]
    # What it can have used after the last reading: a busy machine lets us read late.
    after_s = (exit_.t_ns - last.t_ns) / 1e9
    assert whole - after_s - 0.03 <= last.cpu_s <= whole + 0.03
    assert last.cpu_s > 0.5 * whole


def blinked(kept: Kept) -> bool:
    last = kept.of(Metric)[-1:]
    return bool(last) and last[0].rss_bytes < 100_000_000 < (last[0].high_water_rss_bytes or 0)


def test_a_spike_between_two_readings_is_in_the_high_water_mark() -> None:
    kept, _ = watched("data = bytearray(b'x') * 300_000_000\ndel data\ninput()\n", seen=blinked)
    last = kept.of(Metric)[-1]
    assert last.high_water_rss_bytes is not None
    assert last.rss_bytes < 100_000_000
    assert last.high_water_rss_bytes > 300_000_000


def test_children_are_found_and_their_end_is_told() -> None:
    kept, _ = watched(
        "import subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', 'input()'])\n",
        seen=lambda kept: len({metric.pid for metric in kept.of(Metric)}) == 2,
    )
    # One that is seen between fork and exec is told twice.
    root, child = {start.pid: start for start in kept.of(ProcessStart)}.values()
    assert child.ppid == root.pid
    assert child.pid in {metric.pid for metric in kept.of(Metric)}
    assert child.pid in {exit_.pid for exit_ in kept.of(Exit)}


def test_threads_have_names_and_cpu() -> None:
    def by_tid(kept: Kept) -> dict[int, float]:
        return {row.tid: row.cpu_s for row in kept.of(ThreadCpu)}

    kept, _ = watched(
        "import threading, time\n"
        "def burn():\n"
        "    end = time.thread_time() + 0.6\n"
        "    while time.thread_time() < end: pass\n"
        "    input()\n"
        "thread = threading.Thread(target=burn); thread.start(); thread.join()\n",
        seen=lambda kept: max(by_tid(kept).values(), default=0.0) >= 0.6,
    )
    assert len(by_tid(kept)) == 2
    assert 0.6 <= max(by_tid(kept).values()) < 0.8


def slow_of(kept: Kept) -> list[Metric]:
    return [metric for metric in kept.of(Metric) if metric.pss_bytes is not None]


def test_slow_figures_come_once_a_second_and_the_tool_counts_itself() -> None:
    def longest_ns(kept: Kept) -> int:
        return max((b.t_ns - a.t_ns for a, b in pairwise(slow_of(kept))), default=0)

    # The first may come late, and the next one then soon after it.
    kept, _ = watched("input()", seen=lambda kept: longest_ns(kept) > 500_000_000)
    slow = slow_of(kept)
    assert len(slow) <= 3 + (slow[-1].t_ns - slow[0].t_ns) / 1e9
    assert slow[0].fds is not None
    assert slow[0].cpu_user_s is not None
    last = kept.of(Overhead)[-1]
    own = resource.getrusage(resource.RUSAGE_SELF)
    assert 0 < last.cpu_s <= own.ru_utime + own.ru_stime


def test_a_dead_process_and_a_zombie_are_gone() -> None:
    process = subprocess.Popen(python("import sys; sys.stdin.read()"), stdin=subprocess.PIPE)
    reader = open_process(process.pid)
    assert process.stdin is not None
    process.stdin.close()
    wait_for(lambda: b"State:\tZ" in status_of(process.pid))
    with pytest.raises(ProcessGone):
        reader.fast(0)
    with pytest.raises(ProcessGone):
        open_process(process.pid)
    process.wait()
    with pytest.raises(ProcessGone):
        reader.fast(0)
    reader.close()


def status_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/status").read_bytes()


def test_shares_are_read_again_when_somebody_has_come_or_gone() -> None:
    """Not only once a second: what a fork shares would be told wrong until then."""
    code = (
        "import os, sys\n"
        "kept = bytearray(b'x' * 60_000_000)\n"
        "print(flush=True); sys.stdin.readline()\n"
        "pid = os.fork()\n"
        "if pid == 0: sys.stdin.readline(); os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(python(code), stdin=pipe, stdout=pipe, text=True) as target:
        assert target.stdin is not None and target.stdout is not None
        probe = MetricProbe(SessionLog(), target.pid)
        try:
            target.stdout.readline()
            now = time.monotonic_ns()
            probe._find_processes(now)
            first = [row for row in probe._read_metrics(now, "fast") if isinstance(row, Metric)]
            assert [row.pss_bytes is not None for row in first] == [True]
            later = probe._read_metrics(now + 2, "fast")
            assert [row.pss_bytes for row in later if isinstance(row, Metric)] == [None]
            target.stdin.write("\n")
            target.stdin.flush()

            def two() -> bool:
                probe._find_processes(time.monotonic_ns() + 10_000_000_000)
                return len(probe.pids()) == 2

            wait_for(two)
            both = [
                row
                for row in probe._read_metrics(now + 10_000_000_000, "fast")
                if isinstance(row, Metric)
            ]
        finally:
            target.stdin.close()
            probe.stop()
    assert len(both) == 2
    shares = [row.pss_bytes or 0 for row in both]
    assert sum(row.rss_bytes for row in both) > 120_000_000
    assert 60_000_000 < sum(shares) < 80_000_000


def test_a_family_whose_shares_may_not_be_read_is_said_to_be_a_sum_once() -> None:
    probe = MetricProbe(SessionLog(), os.getpid())
    rows: list[Record] = [Metric(1, 1, 0.0, 5, pss_bytes=4), Metric(1, 2, 0.0, 5)]
    probe._say_if_not_shared(1, rows)
    probe._say_if_not_shared(2, rows)
    (said,) = (row.text for row in rows if isinstance(row, Notice))
    assert said.startswith("what process 2 has in common with others may not be read")
    alone: list[Record] = [Metric(1, 1, 0.0, 5)]
    MetricProbe(SessionLog(), os.getpid())._say_if_not_shared(1, alone)
    assert len(alone) == 1, "one process is its RSS"


def test_a_share_read_while_memory_grows_is_not_above_rss() -> None:
    metric = Metric(1, 1, 0.0, 100, pss_bytes=120, uss_bytes=110)
    assert within_rss(metric) == metric._replace(pss_bytes=100, uss_bytes=100)
    assert within_rss(metric._replace(pss_bytes=90)).uss_bytes == 90
    assert within_rss(metric._replace(pss_bytes=None)).uss_bytes == 100
    assert within_rss(Metric(1, 1, 0.0, 100)) == Metric(1, 1, 0.0, 100)
