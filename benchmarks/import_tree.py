"""perftui's import tree against `python -X importtime`, in the same run, alternating.

Compared is the cumulative time of the package itself (median of the runs of each side) and,
for its largest modules, the self time. The goal is 5 % or 1 ms.

    python benchmarks/import_tree.py [PACKAGE...] [--runs N]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)([\w.]+)")


def by_interpreter(package: str, env: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Return {module: (self s, cumulative s)} as `-X importtime` tells it."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {package}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    found = {}
    for own, total, _, module in LINE.findall(done.stderr):
        found[module] = (int(own) / 1e6, int(total) / 1e6)
    return found


def by_perftui(package: str, env: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Return the same from a headless run."""
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "summary.json"
        command = [
            sys.executable,
            "-m",
            "perftui",
            "run",
            "--no-record",
            "--no-stacks",
            "--json",
            str(said),
        ]
        program = ["--", sys.executable, "-c", f"import {package}"]
        subprocess.run([*command, *program], check=True, env=env)
        modules = json.loads(said.read_text())["imports"]["modules"]
    return {row["module"]: (row["self_s"], row["cumulative_s"]) for row in modules}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("packages", nargs="*", default=["pyarrow", "duckdb", "lancedb"])
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    # Without bytecode every import would be a compilation, and that varies.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    print(f"{'package':10}  {'importtime':>10}  {'perftui':>9}  {'difference':>18}  modules")
    for package in args.packages:
        by_interpreter(package, env)
        theirs, ours = [], []
        for _ in range(args.runs):
            theirs.append(by_interpreter(package, env))
            ours.append(by_perftui(package, env))
        true = median(run[package][1] for run in theirs)
        said = median(run[package][1] for run in ours)
        share = (said / true - 1) * 100
        common = set.intersection(*(set(run) for run in theirs + ours))
        off = 0
        for module in common:
            one = median(run[module][0] for run in theirs)
            two = median(run[module][0] for run in ours)
            off += abs(two - one) > max(0.05 * one, 0.001)
        difference = f"{(said - true) * 1e3:+.1f} ms {share:+.1f} %"
        print(
            f"{package:10}  {true * 1e3:>7.1f} ms  {said * 1e3:>6.1f} ms  {difference:>18}  "
            f"{len(common)} in both, self time of {off} off by more than 5 % and 1 ms"
        )


if __name__ == "__main__":
    main()
