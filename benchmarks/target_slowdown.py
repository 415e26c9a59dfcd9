"""How much slower does a program get while its stacks are sampled?

    python benchmarks/target_slowdown.py [--pairs 8] [--seconds 3] [--rate 100] [--sampler py-spy]

Work done per second of the target's own CPU, without and with a sampler, in interleaved pairs;
wall-clock throughput would measure the neighbours on the machine. Medians are printed. A second
column tells what the sampler and what reads its stream took.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)

from perftui.probes.spine.log import SessionLog  # noqa: E402
from perftui.probes.spine.records import StackWindow  # noqa: E402
from perftui.probes.stacks.sources import TreeStackProbe  # noqa: E402

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.stacks.sources import Sampler
PROGRAM = """
import sys, threading, time
depth = int(sys.argv[1])
done = [0, 0]
def unit(): return sum(i * i for i in range(200))
def work(me):
    while True:
        unit()
        done[me] += 1
def deep(n, me): deep(n - 1, me) if n else work(me)
for me in (0, 1): threading.Thread(target=deep, args=(depth, me), daemon=True).start()
for line in sys.stdin: print(sum(done), time.process_time(), flush=True)
"""


class Keep:
    def __init__(self) -> None:
        self.windows: list[StackWindow] = []

    def ingest(self, batch: Batch) -> None:
        self.windows.extend(record for record in batch.raw if isinstance(record, StackWindow))


def ask(process: subprocess.Popen[str]) -> tuple[int, float]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    done, cpu_s = process.stdout.readline().split()
    return int(done), float(cpu_s)


def work_per_cpu_s(process: subprocess.Popen[str], seconds: float) -> float:
    done0, cpu0 = ask(process)
    time.sleep(seconds)
    done1, cpu1 = ask(process)
    return (done1 - done0) / (cpu1 - cpu0)


def compare(
    depth: int, pairs: int, seconds: float, rate_hz: float, sampler: Sampler
) -> tuple[list[float], float]:
    """Return the ratio of each pair, and the cost in % of a core of sampler and reader."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(depth)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    ratios: list[float] = []
    cost_s = wall_s = 0.0
    try:
        time.sleep(0.5)
        before = work_per_cpu_s(process, seconds)
        for _ in range(pairs):
            keep = Keep()
            log = SessionLog()
            log.connect(keep)
            own, wall = time.process_time(), time.monotonic()
            probe = TreeStackProbe(
                log,
                process.pid,
                lambda: [process.pid],
                born=False,
                sampler=sampler,
                rate_hz=rate_hz,
            )
            probe.start()
            time.sleep(1.2)  # past the first, short windows
            sampled = work_per_cpu_s(process, seconds)
            probe.stop()
            wall_s += time.monotonic() - wall
            cost_s += time.process_time() - own + sum(w.sampler_cpu_s for w in keep.windows)
            after = work_per_cpu_s(process, seconds)
            ratios.append(sampled / ((before + after) / 2))
            before = after
    finally:
        process.kill()
        process.communicate()
    return ratios, 100 * cost_s / wall_s


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--pairs", type=int, default=8)
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--rate", type=float, default=100)
    options.add_argument("--sampler", choices=("own", "py-spy"), default="own")
    chosen = options.parse_args()
    print(
        f"{chosen.sampler}, two busy threads, {chosen.rate:g} Hz, "
        f"{chosen.pairs} pairs of {chosen.seconds:g} s"
    )
    print(f"{'frames':>7} {'work per CPU-second':>20} {'range':>15} {'sampling, of a core':>20}")
    for frames in (10, 32):
        ratios, cost = compare(
            frames - 6, chosen.pairs, chosen.seconds, chosen.rate, chosen.sampler
        )
        middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
        print(f"{frames:>7} {middle:>20.3f} {low:>7.3f}-{high:<7.3f} {cost:>18.1f}%")


if __name__ == "__main__":
    main()
