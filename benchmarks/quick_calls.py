"""Whose time is it where quick calls of Python follow each other?

    python benchmarks/quick_calls.py [--seconds 8] [PYTHON...]

A loop over a generator makes an object in each turn and asks it twice: 2 µs, 15 calls. The program
and the sampler have a CPU each: on the same one the program stands still while it is read, and
everything is right; on two, what is read is taken from the caches of who writes to it. Shown is,
for each Python, the share of the looks that met each function as the innermost one, by our sampler
(which reads while the program runs), by the same one that stops the program for each look, and the
difference. Below it, how many looks were read again, marked unsteady, or failed, and the standard
error of a share of 14 %.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import conftest  # noqa: F401  (makes `perftui` importable from a checkout)
from support.sampler_programs import QUICK_CALLS

from perftui.probes.stacks.own.records import Sample, Tally
from perftui.probes.stacks.own.source import START, OwnSampler

if TYPE_CHECKING:
    from perftui.probes.stacks.own.records import OwnRecord

STOPPING = Path(__file__).with_name("stopping_sampler.py")
RATE_HZ = 200

PROGRAM = (
    QUICK_CALLS
    + """
print("go", flush=True)
while True:
    loop()
"""
)


def records(python: str, program: Path, script: Path, seconds: float) -> list[OwnRecord]:
    """Return what a sampler says of the program."""
    target = subprocess.Popen([python, str(program)], stdout=subprocess.PIPE)
    assert target.stdout is not None
    target.stdout.readline()
    sampler = OwnSampler([target.pid], rate_hz=RATE_HZ, budget=0.9, script=script)
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(target.pid, cpus[:1])
    os.sched_setaffinity(sampler.pid, cpus[1:] or cpus)
    end = threading.Timer(seconds, sampler.ask_to_end)
    end.start()
    try:
        return list(sampler.records())
    finally:
        end.cancel()
        sampler.close()
        target.kill()
        target.communicate()


def innermost(told: list[OwnRecord]) -> Counter[str]:
    """Return how many looks met each function as the innermost one."""
    return Counter(
        record.stack.place.function
        for record in told
        if isinstance(record, Sample) and record.stack and not record.unsteady
    )


def main() -> int:
    """Print it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument("python", nargs="*", default=[sys.executable])
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "quick.py"
        program.write_text(PROGRAM)
        for python in chosen.python:
            told = records(python, program, START, chosen.seconds)
            ours = innermost(told)
            truth = innermost(records(python, program, STOPPING, chosen.seconds))
            print(f"{python:<32} {'ours':>6} {'stopped':>8} {'off':>6}")
            for function, looks in truth.most_common():
                share, right = ours[function] / ours.total(), looks / truth.total()
                print(f"  {function:<30} {share:6.1%} {right:8.1%} {100 * (share - right):+6.1f}")
            tallies = [record for record in told if isinstance(record, Tally)]
            awake, again = sum(t.awake for t in tallies), sum(t.again for t in tallies)
            torn = sum(t.unsteady for t in tallies), sum(t.failed for t in tallies)
            error = 100 * (0.14 * 0.86 * (1 / ours.total() + 1 / truth.total())) ** 0.5
            print(
                f"  of {awake} looks {again} again, {torn[0]} unsteady, {torn[1]} failed;"
                f" ± {error:.1f} points\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
