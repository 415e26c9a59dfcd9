"""What memray and tracemalloc cost a program, and whether memray's rows are right.

    python benchmarks/allocations.py [--rounds N]

Two programs, one that makes many objects and calls, one that makes large blocks, each plain, under
`run --memray` and in a window of `run --tracemalloc`: work done per CPU second of the program.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

OBJECTS = """\
def work():
    rows = [{"n": n, "text": str(n)} for n in range(200)]
    return sum(len(row["text"]) for row in rows)
"""
BLOCKS = """\
def work():
    return sum(len(bytearray(300_000)) for _ in range(20))
"""
LOOP = """
import json, sys, time
began, cpu, n = time.monotonic(), time.process_time(), 0
while time.monotonic() < began + float(sys.argv[1]):
    work()
    n += 1
json.dump(n / (time.process_time() - cpu), open(sys.argv[2], "w"))
"""
MODES = {"plain": [], "memray": ["--memray"], "tracemalloc": ["--tracemalloc", "60"]}


def per_cpu_second(script: Path, options: list[str], seconds: float, folder: Path) -> float:
    """Return how much work a program did for each second of its CPU."""
    out = folder / "out.json"
    words = ["run", "--headless", *options, "--record", str(folder / "recordings")]
    argv = [sys.executable, "-m", "perftui", *words, str(script), str(seconds), str(out)]
    subprocess.run(argv, check=True, capture_output=True)
    return float(json.loads(out.read_text()))


def main() -> None:
    """Measure, the modes interleaved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, code in (("many objects and calls", OBJECTS), ("large blocks", BLOCKS)):
            script = folder / "program.py"
            script.write_text(code + LOOP)
            found: dict[str, list[float]] = {mode: [] for mode in MODES}
            for _ in range(args.rounds):
                for mode, options in MODES.items():
                    found[mode].append(per_cpu_second(script, options, args.seconds, folder))
            plain = statistics.median(found["plain"])
            shares = {mode: statistics.median(each) / plain for mode, each in found.items()}
            print(title, *(f"{mode} {100 * share:.0f} %" for mode, share in shares.items()))


if __name__ == "__main__":
    main()
