"""What the live screen costs, in a real pty, beside its peers in the same run.

The target has two busy threads: one recursive, one that allocates every 10 ms. Measured for
perftui, `py-spy top` and `memray run --live`: seconds and CPU until the first frame is on the
terminal, until the target's figures are, and then, of all its processes, CPU, PSS, bytes to the
terminal and wake-ups (voluntary context switches). The screen's process is told apart as well:
with neither stacks nor a recording nothing else runs.

    python benchmarks/cockpit_cost.py [--seconds 20] [--columns 160] [--rows 45]
                                      [--beside /old/venv/bin/perftui] [--attach-only]
                                      [--target busy|family|threads] [--by-process]
    python benchmarks/cockpit_cost.py --pairs 8 [--seconds 12]

`--pairs` attaches perftui and `py-spy top` to one target in turn, and prints the ratio of each
pair: the host of a virtual machine is busy for a minute and idle in the next.
`family` is 30 processes of which two are busy, `threads` a process with 100 of which one is.
PSS depends on who else runs the same files; "alone" counts each page of the tree once, as on a
machine where nobody else does (Linux, as root only).

`memray` is measured if it is installed (pip install memray); its tracking slows the target
itself, which is told as the target's work per CPU second.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

TARGET = """
import sys, threading, time
def leaf(n): return sum(i * i for i in range(n))
def down(depth, n): return leaf(n) if depth == 0 else down(depth - 1, n)
work = 0
def recursive():
    global work
    while True:
        down(20, 2_000); work += 1
def allocating():
    kept = []
    while True:
        kept.append(bytearray(100_000)); del kept[:-50]
        until = time.perf_counter() + 0.01
        while time.perf_counter() < until: sum(range(100))
threading.Thread(target=recursive, daemon=True).start()
threading.Thread(target=allocating, daemon=True).start()
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end: time.sleep(0.05)
with open(sys.argv[2], "w") as file: file.write(repr((work, time.process_time())))
"""
FAMILY = """
import multiprocessing, sys, threading, time
def leaf(n): return sum(i * i for i in range(n))
def down(depth, n): return leaf(n) if depth == 0 else down(depth - 1, n)
def worker(hot):
    while hot: down(20, 2_000)
    threading.Event().wait()
if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    for number in range(29):
        fork.Process(target=worker, args=(number < 2,), daemon=True).start()
    time.sleep(float(sys.argv[1]))
"""
THREADS = """
import sys, threading, time
def leaf(n): return sum(i * i for i in range(n))
def down(depth, n): return leaf(n) if depth == 0 else down(depth - 1, n)
def busy():
    while True: down(20, 2_000)
def waiting(depth): waiting(depth - 1) if depth else threading.Event().wait()
for _ in range(98): threading.Thread(target=waiting, args=(10,), daemon=True).start()
threading.Thread(target=busy, daemon=True).start()
time.sleep(float(sys.argv[1]))
"""
TARGETS = {"busy": TARGET, "family": FAMILY, "threads": THREADS}
FIGURES = re.compile(rb"[1-9][\d.]* ?(?:MB|MiB|kB|GB|%)")


@dataclass
class Cost:
    """What one tool cost."""

    first_frame_s: float | None = None
    first_frame_cpu_s: float | None = None
    first_data_s: float | None = None
    bytes_out: int = 0
    cpu_s: float = 0.0
    warm_cpu_s: float = 0.0
    pss_bytes: int = 0
    alone_bytes: int | None = None
    parts: dict[str, float] = field(default_factory=dict)
    """CPU seconds by process while warm."""
    wakeups: int = 0
    watched_s: float = 0.0


def tool_processes(root: int, target_marker: str) -> list[psutil.Process]:
    """Return the tool's processes without the target's."""
    try:
        whole = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    except psutil.Error:
        return []
    found = []
    for process in whole:
        try:
            if target_marker not in " ".join(process.cmdline()) or process.pid == root:
                found.append(process)
        except psutil.Error:
            continue
    return found


def cpu_of(processes: list[psutil.Process]) -> float:
    """Add up the living and what they have reaped: an ended sampler counts once, in its parent."""
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def wakeups_of(processes: list[psutil.Process]) -> int:
    """Add up the voluntary context switches of all threads."""
    total = 0
    for process in processes:
        for status in Path(f"/proc/{process.pid}/task").glob("*/status"):
            with suppress(OSError):
                found = re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", status.read_text())
                total += int(found[1]) if found else 0
    return total


def cpu_by_process(processes: list[psutil.Process]) -> dict[str, float]:
    """Return CPU seconds by the last words of each command line, from the scheduler's clock."""
    found = {}
    for process in processes:
        with suppress(psutil.Error, OSError):
            words = " ".join(Path(word).name for word in process.cmdline()[-3:])[-60:]
            tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
            found[f"{process.pid} {words}"] = (
                sum(int(t.read_text().split()[0]) for t in tasks) / 1e9
            )
    return found


def alone_bytes(processes: list[psutil.Process]) -> int | None:
    """Return the bytes of all pages of these processes, each counted once; None: may not look."""
    frames: set[int] = set()
    for process in processes:
        try:
            maps = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
            with Path(f"/proc/{process.pid}/pagemap").open("rb", 0) as pagemap:
                for line in maps:
                    if line.endswith(("[vsyscall]", "[vvar]", "[vdso]")):
                        continue
                    low, high = (int(n, 16) // 4096 for n in line.split()[0].split("-"))
                    pagemap.seek(8 * low)
                    raw = pagemap.read(8 * (high - low))
                    pages = struct.unpack(f"{len(raw) // 8}Q", raw)
                    frames |= {page & (1 << 55) - 1 for page in pages if page >> 63}
        except OSError:
            return None
    return None if 0 in frames else 4096 * len(frames)


def watch(command: list[str], seconds: float, size: tuple[int, int], marker: str) -> Cost:
    """Run a tool in a pty for so long and measure it."""
    cost = Cost()
    began = time.monotonic()
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execvp(command[0], command)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    warm_at, warm = began + min(5.0, seconds / 4), None
    seen = b""
    next_look = began
    while time.monotonic() < began + seconds:
        ready, _, _ = select.select([master], [], [], 0.02)
        now = time.monotonic()
        if ready:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            cost.bytes_out += len(data)
            seen = (seen + data)[-400_000:]
            # A screen, not the terminal's set-up: something drawn on several lines.
            if cost.first_frame_s is None and len(re.findall(rb"\x1b\[\d+;\d+H|\n", seen)) > 5:
                cost.first_frame_s = now - began
                cost.first_frame_cpu_s = cpu_of(tool_processes(pid, marker))
            if cost.first_data_s is None and FIGURES.search(seen):
                cost.first_data_s = now - began
        if now >= next_look:
            next_look = now + 0.5
            cost.cpu_s = cpu_of(tool_processes(pid, marker))
            if warm is None and now >= warm_at:
                tools = tool_processes(pid, marker)
                warm = (now, cost.cpu_s, cost.bytes_out, wakeups_of(tools), cpu_by_process(tools))
    processes = tool_processes(pid, marker)
    if warm is not None:
        cost.watched_s = time.monotonic() - warm[0]
        cost.warm_cpu_s = cpu_of(processes) - warm[1]
        cost.bytes_out -= warm[2]
        cost.wakeups = wakeups_of(processes) - warm[3]
        for name, cpu_s in cpu_by_process(processes).items():
            cost.parts[name] = cpu_s - warm[4].get(name, 0.0)
    cost.alone_bytes = alone_bytes(processes)
    for process in processes:
        with suppress(psutil.Error):
            cost.pss_bytes += process.memory_full_info().pss
    for sig in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            break
        time.sleep(0.5)
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
    os.close(master)
    return cost


BY_PROCESS = False


def start_target(script: Path, seconds: float, result: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(script), str(seconds), str(result)]
    return subprocess.Popen(command, start_new_session=True)


def report(name: str, cost: Cost, note: str = "") -> None:
    def seconds(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    share = cost.warm_cpu_s * 100 / cost.watched_s if cost.watched_s else 0.0
    rate = cost.bytes_out / 1000 / cost.watched_s if cost.watched_s else 0.0
    alone = "-" if cost.alone_bytes is None else f"{cost.alone_bytes / 2**20:.1f}"
    print(
        f"{name:22} {seconds(cost.first_frame_s):>11} {seconds(cost.first_frame_cpu_s):>9} "
        f"{seconds(cost.first_data_s):>11} {share:>6.1f} % {cost.pss_bytes / 2**20:>6.1f} MiB "
        f"{alone:>6} MiB "
        f"{rate:>7.1f} kB/s {cost.wakeups / (cost.watched_s or 1):>8.0f}/s  {note}"
    )
    if BY_PROCESS:
        for words, cpu_s in cost.parts.items():
            print(f"{'':22} {cpu_s * 100 / (cost.watched_s or 1):>44.1f} %  {words}")


def show_pairs(
    pairs: int, pid: int, seconds: float, size: tuple[int, int], marker: str, spy: str
) -> None:
    """Attach perftui and `py-spy top` in turn; print the ratio of their CPU in each pair."""
    attach = [str(Path(sys.executable).with_name("perftui")), "attach", str(pid)]
    commands = [[*attach, "--sampler", "own"], [spy, "top", "--pid", str(pid), "--delay", "0.25"]]
    shares: list[list[float]] = []
    for number in range(pairs):
        both = [0.0, 0.0]
        for which in (0, 1) if number % 2 else (1, 0):
            cost = watch(commands[which], seconds, size, marker)
            both[which] = 100 * cost.warm_cpu_s / cost.watched_s
        shares.append(both)
        print(f"attach {both[0]:.1f} %, py-spy top {both[1]:.1f} %: {both[0] / both[1]:.2f}")
    ratios = [ours / theirs for ours, theirs in shares]
    ours, theirs = (statistics.median(each) for each in zip(*shares, strict=True))
    print(
        f"median of {pairs}: attach {ours:.1f} %, py-spy top {theirs:.1f} %: "
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def print_head() -> None:
    print(
        f"{'':22} {'first frame':>11} {'CPU s':>9} {'first data':>11} {'CPU':>8} {'PSS':>10} "
        f"{'alone':>10} {'terminal':>12} {'wake-ups':>10}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--columns", type=int, default=160)
    parser.add_argument("--rows", type=int, default=45)
    parser.add_argument("--beside", action="append", default=[], metavar="PERFTUI")
    parser.add_argument("--attach-only", action="store_true")
    parser.add_argument("--target", choices=TARGETS, default="busy")
    parser.add_argument("--by-process", action="store_true")
    parser.add_argument("--pairs", type=int, default=0)
    args = parser.parse_args()
    global BY_PROCESS
    BY_PROCESS = args.by_process
    size = (args.columns, args.rows)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "busy-target.py"
        script.write_text(TARGETS[args.target])
        result = Path(folder) / "work.txt"
        python = sys.executable
        beside = str(Path(python).parent)
        path = f"{beside}{os.pathsep}{os.environ['PATH']}"
        spy, memray = shutil.which("py-spy", path=path), shutil.which("memray", path=path)
        length = str(args.seconds + 30)

        runs = 2 * args.pairs or 1 + 5 * (1 + len(args.beside))
        target = start_target(script, (args.seconds + 5) * runs + 30, result)
        time.sleep(0.5)
        if args.pairs:
            if not spy:
                sys.exit("no py-spy here: pip install py-spy")
            show_pairs(args.pairs, target.pid, args.seconds, size, script.name, spy)
            os.killpg(target.pid, signal.SIGKILL)
            target.wait()
            return
        print_head()
        for perftui in (*args.beside, str(Path(python).with_name("perftui"))):
            attach = [perftui, "attach", str(target.pid)]
            beside = f" · {perftui}" if args.beside else ""
            for sampler in ("own", "py-spy"):
                note = f"stacks by {sampler}{beside}"
                for how in ((), ("--headless", "--no-record", "--duration", length)):
                    name = "perftui attach" + (" headless" if how else "")
                    argv = [*attach, "--sampler", sampler, *how]
                    report(name, watch(argv, args.seconds, size, script.name), note)
            attach += ["--no-stacks", "--no-record"]
            report("its screen alone", watch(attach, args.seconds, size, script.name), beside)
        if spy:
            top = [spy, "top", "--pid", str(target.pid), "--delay", "0.25"]
            report("py-spy top (0.25 s)", watch(top, args.seconds, size, script.name), "no stacks")
        os.killpg(target.pid, signal.SIGKILL)
        target.wait()
        if args.attach_only or args.target != "busy":
            return

        run = [python, "-m", "perftui", "run", str(script), length, str(result)]
        report("perftui run", watch(run, args.seconds, size, script.name))
        if memray:
            live = [memray, "run", "--live", str(script), length, str(result)]
            note = "the target runs inside it: its CPU is in the figure"
            report("memray run --live", watch(live, args.seconds, size, script.name), note)
    print("goals: CPU 6 % and 0.8 of py-spy top (10 % of a family, of 100 threads), PSS 60 MiB")


if __name__ == "__main__":
    main()
