"""What a command costs that does next to nothing: CPU of perftui and of all that it starts.

Every command line is run in turn, so often as asked, and the medians are told; the CPU is what
`wait4` says of the command and of whatever it has waited for, so the machine may be busy. Of
`run` the target's own CPU, measured alone, is taken off. Another installation can be measured in
the same rounds, one after the other:

    python benchmarks/start_cost.py [--rounds 9] [--beside /old/venv/bin/perftui]

Bytecode is there from the first round on, which is not counted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PASS = (sys.executable, "-c", "pass")
PROGRAM = """
import threading, time
def leaf(n): return sum(i * i for i in range(n))
end = time.monotonic() + 3
while time.monotonic() < end: leaf(2000)
"""
"""What is recorded for the commands that read a recording."""


def cpu_ms(command: tuple[str, ...], environment: dict[str, str]) -> float:
    """Run it, and return the CPU of it and of everything that it has waited for."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def command_lines(recording: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    """Return what is measured: name to the words behind `perftui`."""
    one = str(recording)
    return {
        "--help": ("--help",),
        "list": ("list",),
        "doctor": ("doctor",),
        "summary": ("summary", one),
        "query": ("query", one, "select count(*) from metrics"),
        "export collapsed": ("export", one, "-o", str(folder / "out.collapsed.txt"), "--force"),
        "export csv": ("export", one, "-o", str(folder / "out.csv"), "--force"),
        "run --no-record": ("run", "--headless", "--no-record", "--", *PASS),
        "run, recorded": ("run", "--headless", "--record", str(folder / "runs"), "--", *PASS),
    }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--beside", action="append", default=[], metavar="PERFTUI")
    parser.add_argument("--only", help="a part of the names of what is measured")
    args = parser.parse_args()
    tools = [*args.beside, str(Path(sys.executable).with_name("perftui"))]
    environment = dict(os.environ)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        environment.pop(name, None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "program.py"
        program.write_text(PROGRAM)
        recording = folder / "one.perftui"
        record = ("run", "--headless", "--record", str(recording), "--", sys.executable)
        cpu_ms((tools[-1], *record, str(program)), environment)
        lines = command_lines(recording, folder)
        if args.only:
            lines = {name: words for name, words in lines.items() if args.only in name}
        spent: dict[tuple[str, str], list[float]] = {}
        alone: list[float] = []
        for turn in range(args.rounds + 1):
            for name, words in lines.items():
                for tool in tools:
                    cost = cpu_ms((tool, *words), environment)
                    if turn:
                        spent.setdefault((name, tool), []).append(cost)
            alone.append(cpu_ms(PASS, environment))
    target_ms = statistics.median(alone)
    print(f"{'CPU, ms (median)':18}" + "".join(f"{tool[-30:]:>32}" for tool in tools))
    for name in lines:
        less = target_ms if name.startswith("run") else 0.0
        row = "".join(f"{statistics.median(spent[name, t]) - less:>32.0f}" for t in tools)
        print(f"{name:18}{row}")
    print(f"(the target of `run`, {target_ms:.0f} ms, is taken off)")


if __name__ == "__main__":
    main()
