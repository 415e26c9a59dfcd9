"""What does sampling cost? CPU of the own sampler beside py-spy on the same target, interleaved.

    python benchmarks/sampler_cost.py [--seconds 5] [--rounds 3] [--python EXE]

Each round runs the own sampler, `py-spy record` and `py-spy top` one after the other for the same
time on the same target; shown are medians of the share of one core that each took (user and
system time, its start included), and what one sweep of ours cost.
"""

from __future__ import annotations

import argparse
import os
import pty
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)

from perftui.probes.stacks.own.records import Quality, Sample, Tally  # noqa: E402
from perftui.probes.stacks.own.source import OwnSampler  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = """
import os, sys, threading, time
busy, idle, depth, processes = map(int, sys.argv[1:])
sys.setrecursionlimit(20000)
def spin():
    while True: sum(range(50))
def deep(n, then):
    return deep(n - 1, then) if n else then()
def rest(): time.sleep(1000)
for _ in range(processes - 1):
    if not os.fork():
        busy = 0
        break
threading.stack_size(16 << 20 if depth > 500 else 0)
for i in range(busy + idle - 1):
    then = spin if i < busy - 1 else rest
    threading.Thread(target=deep, args=(depth, then), daemon=True).start()
print("go", flush=True)
deep(depth, spin if busy else rest)
"""
CASES = {
    "1 thread, busy, 20 deep": (1, 0, 20, 1),
    "2 threads, both busy, 20 deep": (2, 0, 20, 1),
    "3 threads, idle": (0, 3, 20, 1),
    "20 threads, 1 busy, 32 deep": (1, 19, 32, 1),
    "100 threads, 1 busy, 32 deep": (1, 99, 32, 1),
    "1 thread, busy, 3000 deep": (1, 0, 3000, 1),
    "12 processes, 1 busy, 3 threads each": (1, 2, 20, 12),
}


def children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def own(pid: int, seconds: float, notes: list[str]) -> float:
    before, begin = children_cpu_s(), time.monotonic()
    sampler = OwnSampler([pid])
    threading.Timer(seconds, sampler.ask_to_end).start()
    records = list(sampler.records())
    sampler.close()
    share = (children_cpu_s() - before) / (time.monotonic() - begin)
    quality = [record for record in records if isinstance(record, Quality)]
    tallies = [record for record in records if isinstance(record, Tally)]
    sweeps = sum(record.sweeps for record in quality)
    bad = sum(tally.failed + tally.unsteady for tally in tallies)
    samples = sum(isinstance(record, Sample) for record in records)
    notes.append(
        f"{sum(q.cpu_ns for q in quality) / max(sweeps, 1) / 1000:.0f} µs a sweep, "
        f"{sweeps / seconds:.0f} Hz, torn {bad}/{samples}"
    )
    return share


def py_spy(pid: int, seconds: float, command: str) -> float:
    tool = shutil.which("py-spy") or str(Path(sys.executable).with_name("py-spy"))
    argv = [tool, command, "--pid", str(pid), "--rate", "100", "--nonblocking"]
    if command == "record":
        argv += ["-d", str(round(seconds)), "-f", "raw", "-o", "/dev/null", "-t", "-i"]
    before, begin = children_cpu_s(), time.monotonic()
    outer, inner = pty.openpty()
    process = subprocess.Popen(argv, stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)

    def drain() -> None:
        try:
            while os.read(outer, 1 << 16):
                pass
        except OSError:
            pass

    reader = threading.Thread(target=drain)
    reader.start()
    if command == "record":
        process.wait()
    else:
        time.sleep(seconds)
        process.terminate()
        process.wait()
    share = (children_cpu_s() - before) / (time.monotonic() - begin)
    reader.join(5)
    os.close(outer)
    return share


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--python", default=sys.executable)
    options.add_argument("--case", default="", help="only cases with this in their name")
    chosen = options.parse_args()
    print(f"share of one core, 100 Hz, median of {chosen.rounds} x {chosen.seconds:g} s")
    print(f"{'target':<38} {'own':>6} {'record':>7} {'top':>6} {'own/record':>11}")
    for name, shape in CASES.items():
        if chosen.case not in name:
            continue
        target = subprocess.Popen(
            [chosen.python, "-c", TARGET, *map(str, shape)],
            stdout=subprocess.PIPE,
            process_group=0,
        )
        assert target.stdout is not None
        target.stdout.readline()
        time.sleep(0.5)
        notes: list[str] = []
        shares: dict[str, list[float]] = {"own": [], "record": [], "top": []}
        ways: dict[str, Callable[[], float]] = {
            "own": lambda pid=target.pid, notes=notes: own(pid, chosen.seconds, notes),
            "record": lambda pid=target.pid: py_spy(pid, chosen.seconds, "record"),
            "top": lambda pid=target.pid: py_spy(pid, chosen.seconds, "top"),
        }
        for _ in range(chosen.rounds):
            for way, run in ways.items():
                shares[way].append(run())
        os.killpg(target.pid, 9)
        target.wait()
        mine, record, top = (statistics.median(shares[way]) for way in ways)
        print(
            f"{name:<38} {mine:>6.1%} {record:>7.1%} {top:>6.1%} "
            f"{mine / record if record else 0:>11.2f}   {notes[-1]}",
            flush=True,
        )


if __name__ == "__main__":
    main()
