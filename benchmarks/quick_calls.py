"""Whose time is it where quick calls of Python follow each other? Both samplers at one program.

    python benchmarks/quick_calls.py [--seconds 8] [--python EXE]

A loop over a generator makes an object in each turn and asks it twice. Shown is each function's own
share of the time by our sampler, which reads while the program runs, and by py-spy with `--native`,
which stops it for each look; and what our sampler says of itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = """
import sys, time
class Base:
    def __init__(self, value):
        object.__setattr__(self, "_value", value)
    def __setattr__(self, name, value):
        self.check(name)
        object.__setattr__(self, name, value)
    def check(self, name):
        return name in ("a", "b", "name")
class Row(Base):
    def __init__(self, value, name):
        super().__init__(clean(value))
        self.name = name
    def __getitem__(self, name):
        return self.get(name)
    def get(self, name):
        return self._value[place(name)]
def clean(value):
    return order(tuple(value))
def order(value):
    return tuple(sorted(value))
def place(name):
    return {"a": 0, "b": 1}[name]
def rows():
    for number in range(20_000):
        yield number, Row([number, number + 1], number)
def loop():
    for _, row in rows():
        row["a"] * row["b"]
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    loop()
"""


def watched(folder: Path, seconds: float, *options: str) -> tuple[dict[str, float], list[str]]:
    """Return the own share of each function, per cent, and what perftui said of its stacks."""
    program, summary = folder / "quick.py", folder / "summary.json"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "perftui", "run", "--headless", "--no-record", *options]
    command += ["--json", str(summary), str(program), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = json.loads(summary.read_text())["stacks"]["top"]
    said = [line for line in done.stderr.splitlines() if "self times unsure" in line]
    return {row["function"]: row["self_pct"] for row in rows}, said


def main() -> int:
    """Print both."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument("--python", help="that runs the program")
    chosen = options.parse_args()
    python = ["--python", chosen.python] if chosen.python else []
    with tempfile.TemporaryDirectory() as name:
        ours, said = watched(Path(name), chosen.seconds, *python)
        stopped, _ = watched(Path(name), chosen.seconds, "--native", *python)
    print(f"{'own share of the time':<24} {'ours':>7} {'stopped':>8}")
    for function in sorted(stopped.keys() | ours.keys(), key=lambda each: -stopped.get(each, 0)):
        print(f"{function:<24} {ours.get(function, 0):6.1f}% {stopped.get(function, 0):7.1f}%")
    print("\n".join(said) or "our sampler says nothing of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
