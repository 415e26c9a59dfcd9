"""CPU seconds and peak RSS as perftui reports them, against the kernel's own rusage.

The program itself reads getrusage at its very end, so the truth comes from the same run. It
burns CPU and holds a spike of 200 MB for 0.2 s in the middle.

    python benchmarks/usage_accuracy.py [RUNS]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

PROGRAM = """
import atexit, json, resource, sys, time
def truth():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    with open(sys.argv[1], "w") as file:
        json.dump([usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024], file)
atexit.register(truth)
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: sum(range(1000))
burn(1.5)
spike = bytearray(b"x") * 200_000_000
time.sleep(0.2)
del spike
burn(1.5)
"""


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    cpu_errors, rss_errors = [], []
    print(f"{'run':>3}  {'CPU kernel':>10}  {'perftui':>8}  {'error':>7}", end="  ")
    print(f"{'RSS kernel':>11}  {'perftui':>11}  {'error':>7}")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.py"
        program.write_text(PROGRAM)
        for run in range(runs):
            true, said = Path(folder) / "true.json", Path(folder) / "said.json"
            command = [sys.executable, "-m", "perftui", "run", "--no-record", "--json", str(said)]
            subprocess.run([*command, str(program), str(true)], check=True)
            cpu_s, rss_bytes = json.loads(true.read_text())
            summary = json.loads(said.read_text())
            said_cpu_s = summary["cpu_s"]["user"] + summary["cpu_s"]["system"]
            said_rss_bytes = summary["peak_rss_bytes"]
            cpu_errors.append(abs(said_cpu_s / cpu_s - 1) * 100)
            rss_errors.append(abs(said_rss_bytes / rss_bytes - 1) * 100)
            print(
                f"{run + 1:>3}  {cpu_s:>8.3f} s  {said_cpu_s:>6.3f} s  {cpu_errors[-1]:>5.2f} %"
                f"  {rss_bytes:>11,}  {said_rss_bytes:>11,}  {rss_errors[-1]:>5.2f} %"
            )
    print(f"median error: CPU {median(cpu_errors):.2f} % (goal 2 %), peak RSS", end=" ")
    print(f"{median(rss_errors):.2f} % (goal 1 %)")


if __name__ == "__main__":
    main()
