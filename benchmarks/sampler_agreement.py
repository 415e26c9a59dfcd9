"""Do the own sampler and py-spy see the same program alike? A 70 : 30 split, watched by both.

    python benchmarks/sampler_agreement.py [--seconds 60] [--runs 1] [--within 2]

Both watch the same process in the same seconds: on a busy machine a function's share of wall time
differs from minute to minute by more than the samplers do. Shown is the share of the longer one as
each sees it, from as many samples as it could take. Exit code 1 if they differ by more points than
`--within`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)

from perftui.probes.spine.log import SessionLog  # noqa: E402
from perftui.probes.spine.records import Stack, StackWindow  # noqa: E402
from perftui.probes.stacks.sources import TreeStackProbe  # noqa: E402

if TYPE_CHECKING:
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.stacks.sources import Sampler

SPLIT = """
import time
def spin(s):
    end = time.thread_time() + s
    while time.thread_time() < end: sum(range(50))
def seventy(): spin(.07)
def thirty(): spin(.03)
while True: seventy(); thirty()
"""
NAMES = ("seventy", "thirty")
SAMPLERS: tuple[Sampler, ...] = ("own", "py-spy")


class Seen:
    """What one sampler says."""

    def __init__(self) -> None:
        self.log = SessionLog()
        self.log.connect(self)
        self.stacks: list[Stack] = []
        self.samples = 0

    def ingest(self, batch: Batch) -> None:
        """Keep stacks."""
        for record in batch.raw:
            if isinstance(record, Stack):
                self.stacks.append(record)
            elif isinstance(record, StackWindow):
                self.samples += record.samples

    def share(self, t0_ns: int, t1_ns: int) -> float:
        """Return the share of the first function in the time of both, between two moments."""
        tree = self.log.tree
        by = dict.fromkeys(NAMES, 0)
        for stack in self.stacks:
            names = {tree.frame(node).function for node in tree.path(stack.node)}
            for name in by.keys() & names:
                by[name] += max(min(stack.t1_ns, t1_ns) - max(stack.t0_ns, t0_ns), 0)
        return by[NAMES[0]] / max(sum(by.values()), 1)


class Agreement(NamedTuple):
    """One run."""

    own: float
    spied: float
    samples: tuple[int, ...]


def watch(pid: int, seconds: float) -> Agreement:
    """Have both watch a process until there are stacks of both over so many seconds."""
    both = [Seen() for _ in SAMPLERS]
    probes = [
        TreeStackProbe(seen.log, pid, lambda: [pid], born=False, sampler=name)
        for name, seen in zip(SAMPLERS, both, strict=True)
    ]
    for probe in probes:
        probe.start()

    def span() -> tuple[int, int]:
        kept = [tuple(seen.stacks) for seen in both]
        if not all(kept):
            return 0, 0
        return max(s[0].t0_ns for s in kept), min(s[-1].t1_ns for s in kept)

    limit = time.monotonic() + 40 + 2 * seconds
    while span()[1] - span()[0] < seconds * 1e9:
        if time.monotonic() > limit:
            raise TimeoutError("there are no stacks of both samplers")
        time.sleep(0.05)
    for probe in probes:
        probe.stop()
    own, spied = (seen.share(*span()) for seen in both)
    return Agreement(own, spied, tuple(seen.samples for seen in both))


def main() -> int:
    """Run, print, judge."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--within", type=float, default=2.0, help="points")
    chosen = options.parse_args()
    process = subprocess.Popen([sys.executable, "-c", SPLIT])
    worst = 0.0
    try:
        for _ in range(chosen.runs):
            found = watch(process.pid, chosen.seconds)
            apart = 100 * (found.own - found.spied)
            worst = max(worst, abs(apart))
            print(
                f"own sampler {found.own:.1%}, py-spy {found.spied:.1%}: {apart:+.1f} points "
                f"apart ({' and '.join(map(str, found.samples))} samples)",
                flush=True,
            )
    finally:
        process.kill()
        process.wait()
    return int(worst > chosen.within)


if __name__ == "__main__":
    sys.exit(main())
