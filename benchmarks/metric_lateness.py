"""How late the 20 Hz readings come while the target keeps every core busy.

python benchmarks/metric_lateness.py [SECONDS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from perftui.probes.process.metrics import MetricProbe
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import Metric

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch

PERIOD_NS = 50_000_000
BUSY = "import threading\ndef burn():\n while True: sum(range(1000))\nburn()"


class Times:
    def __init__(self) -> None:
        self.t_ns: list[int] = []

    def ingest(self, batch: Batch) -> None:
        self.t_ns += [record.t_ns for record in batch.raw[:1] if isinstance(record, Metric)]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        log, times = SessionLog(), Times()
        log.connect(times)
        probe = MetricProbe(log, busy[0].pid)
        probe.start()
        time.sleep(seconds)
        probe.stop()
    finally:
        for process in busy:
            process.kill()
            process.wait()
    first = times.t_ns[0]
    late_ms = sorted((t - first) % PERIOD_NS / 1e6 for t in times.t_ns[1:])
    # A reading just before its grid point is early by rounding, not late by a period.
    late_ms = sorted(0.0 if late > PERIOD_NS / 1e6 - 1 else late for late in late_ms)
    expected = seconds * 1e9 / PERIOD_NS
    print(f"readings {len(times.t_ns)} of {expected:.0f} expected, {os.cpu_count()} busy processes")
    for name, share in (("median", 0.5), ("p90", 0.9), ("p99", 0.99)):
        print(f"{name:>7}  {late_ms[int(share * (len(late_ms) - 1))]:6.2f} ms late")
    print(f"{'worst':>7}  {late_ms[-1]:6.2f} ms late   (goal: 10 ms at the 99th percentile)")


if __name__ == "__main__":
    main()
