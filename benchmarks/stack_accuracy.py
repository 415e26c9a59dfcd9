"""Does the time shown for a function match the time it took? A known 70 : 30 split, measured.

    python benchmarks/stack_accuracy.py [--seconds 20] [--rate 100] [--sampler py-spy]

A program alternates between two functions and times both itself, on the profiler's clock. The
table compares what it says with the self time that the sampler found, for phases from much
shorter than the sampling interval to much longer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)

from perftui.probes.spine.log import SessionLog  # noqa: E402
from perftui.probes.spine.records import Record, Stack, StackWindow  # noqa: E402
from perftui.probes.stacks.sources import TreeStackProbe  # noqa: E402

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.stacks.sources import Sampler
PROGRAM = """
import json, sys, time
cycle_s, seconds = float(sys.argv[1]), float(sys.argv[2])
spent = {"hot": 0, "cold": 0}
def hot(end):
    while time.monotonic_ns() < end: sum(range(50))
def cold(end):
    while time.monotonic_ns() < end: sum(range(50))
def step(function, share):
    begin = time.monotonic_ns()
    function(begin + int(share * cycle_s * 1e9))
    spent[function.__name__] += time.monotonic_ns() - begin
sys.stdin.readline()
for _ in range(max(1, round(seconds / cycle_s))):
    step(hot, 0.7)
    step(cold, 0.3)
print(json.dumps(spent))
"""


class Keep:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def ingest(self, batch: Batch) -> None:
        self.records.extend(batch.raw)


def measure(
    cycle_s: float, seconds: float, rate_hz: float, sampler: Sampler
) -> tuple[float, float, float, int]:
    """Return expected %, measured %, coverage and samples."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(cycle_s), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    keep = Keep()
    log = SessionLog()
    log.connect(keep)
    stdin = process.stdin

    def go() -> None:
        stdin.write("\n")
        stdin.flush()

    probe = TreeStackProbe(
        log,
        process.pid,
        lambda: [process.pid],
        born=False,
        sampler=sampler,
        rate_hz=rate_hz,
        on_ready=go,
    )
    probe.start()
    assert process.stdout is not None
    spent = json.loads(process.stdout.readline())
    process.communicate()
    probe.stop()
    held: Counter[str] = Counter()
    for record in keep.records:
        if isinstance(record, Stack):
            held[log.tree.frame(record.node).function] += record.t1_ns - record.t0_ns
    windows = [record for record in keep.records if isinstance(record, StackWindow)]
    covered = sum(window.t1_ns - window.t0_ns for window in windows)
    return (
        100 * spent["hot"] / sum(spent.values()),
        100 * held["hot"] / (held["hot"] + held["cold"]),
        100 * covered / (windows[-1].t1_ns - windows[0].t0_ns),
        sum(window.samples for window in windows),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--rate", type=float, default=100)
    options.add_argument("--sampler", choices=("own", "py-spy"), default="own")
    chosen = options.parse_args()
    print(
        f"{chosen.sampler}, two functions, 70 : 30, {chosen.seconds:g} s each row, "
        f"{chosen.rate:g} Hz"
    )
    print(
        f"{'cycle':>8} {'expected':>9} {'measured':>9} {'error':>7} {'coverage':>9} {'samples':>8}"
    )
    for cycle_s in (0.01, 0.1, 1.0):
        expected, measured, coverage, samples = measure(
            cycle_s, chosen.seconds, chosen.rate, chosen.sampler
        )
        print(
            f"{cycle_s * 1000:>5.0f} ms {expected:>8.2f}% {measured:>8.2f}% "
            f"{measured - expected:>+6.2f} {coverage:>8.1f}% {samples:>8}"
        )


if __name__ == "__main__":
    main()
