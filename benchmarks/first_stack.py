"""How long after `perftui attach` a stack of the target is on the screen, in a real pty.

A target with one busy function is attached to again and again. Told are, from the start of the
command: seconds until anything of ours is drawn, until the function's name is, and the difference
of both; beside it the CPU of `import textual.app` and the CPU that the command had used by then,
since on a full machine seconds are mostly waiting.

    python benchmarks/first_stack.py [--rounds 9] [--beside /old/venv/bin/perftui]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

TARGET = """
def seek_the_needle():
    while True: sum(range(500))
seek_the_needle()
"""
NAME = b"seek_the_needle"
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]")
PATIENCE_S = 30.0


class Seen(NamedTuple):
    """One attach."""

    drawn_s: float
    """Something with our colours is on the terminal."""
    stack_s: float
    cpu_s: float
    """Of the screen's process when the stack was there."""


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process so far (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def attach(tool: str, target: int) -> Seen:
    """Attach once, in a terminal of 160 x 45."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execv(tool, [tool, "attach", "--no-record", str(target)])
    began = time.monotonic()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 160, 0, 0))
    data, drawn_s = b"", 0.0
    try:
        while time.monotonic() < began + PATIENCE_S:
            if not select.select([terminal], [], [], 0.5)[0]:
                continue
            data += os.read(terminal, 1 << 16)
            now_s = time.monotonic() - began
            if not drawn_s and b"LIVE" in data:
                drawn_s = now_s
            if NAME in ESCAPES.sub(b"", data):
                return Seen(drawn_s or now_s, now_s, cpu_s(pid))
        raise SystemExit(f"no stack within {PATIENCE_S:.0f} s: {data[-300:]!r}")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def import_cpu_s() -> float:
    """Return the CPU seconds of a process that imports `textual.app`."""
    process = subprocess.Popen([sys.executable, "-c", "import textual.app"])
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--beside", action="append", default=[], metavar="PERFTUI")
    args = parser.parse_args()
    tools = [*args.beside, str(Path(sys.executable).with_name("perftui"))]
    target = subprocess.Popen([sys.executable, "-c", TARGET])
    seen: dict[str, list[Seen]] = {tool: [] for tool in tools}
    imports = []
    try:
        for turn in range(args.rounds + 1):
            for tool in tools:
                found = attach(tool, target.pid)
                if turn:  # the first one compiles
                    seen[tool].append(found)
            imports.append(import_cpu_s())
    finally:
        target.kill()
        target.wait()
    print(
        f"import textual.app: {statistics.median(imports):.2f} s CPU; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'median (quartile) of s':32}{'drawn':>14}{'first stack':>16}{'between':>16}{'CPU':>8}")
    for tool, each in seen.items():
        columns = []
        for values in (
            [s.drawn_s for s in each],
            [s.stack_s for s in each],
            [s.stack_s - s.drawn_s for s in each],
        ):
            values.sort()
            columns.append(f"{statistics.median(values):.2f} ({values[len(values) // 4]:.2f})")
        cpu = statistics.median(s.cpu_s for s in each)
        print(f"{tool[-30:]:32}" + "".join(f"{c:>16}" for c in columns) + f"{cpu:>8.2f}")


if __name__ == "__main__":
    main()
