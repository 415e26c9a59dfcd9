"""Is the CPU given to the code that used it? Programs with their own clocks, by several rules.

    python benchmarks/sampler_truth.py [--seconds 8] [--python EXE] [--rate 100]

Each program times its functions itself (`thread_time`). Shown is the share of the process's CPU
that went to the function named, by our rules, by giving all to the stack at the end of each
interval, by spreading CPU evenly over samples (what a sampler does that knows only stacks), and
what the program says. Last: a program that rewrites its frames as fast as it can; shown is how
many of the stacks that it can never have had were seen.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)

from perftui.probes.stacks.own.records import ProcessRecord, Sample, Tally  # noqa: E402
from perftui.probes.stacks.own.source import OwnSampler  # noqa: E402
from perftui.probes.stacks.own.weigh_cpu import cpu_by_stack  # noqa: E402

if TYPE_CHECKING:
    from perftui.probes.stacks.own.records import OwnRecord, StackNode

COMMON = """
import json, sys, threading, time
seconds = float(sys.argv[1])
cpu = time.thread_time_ns
def spin(ns):
    end = cpu() + ns
    while cpu() < end: sum(range(20))
def work(ns): spin(ns)
def other(ns): spin(ns)
spent = {"work": 0, "other": 0}
def timed(function, ns):
    begin = cpu()
    function(ns)
    spent[function.__name__] += cpu() - begin
def finish():
    spent["all"] = time.process_time_ns() - start
    print(json.dumps(spent), flush=True)
    sys.stdin.read()
MS = 1_000_000
"""
BEGIN = """
print("go", flush=True)
sys.stdin.readline()
start = time.process_time_ns()
end = time.monotonic() + seconds
"""
BURSTS = """
while time.monotonic() < end:
    timed(other, MS // 2); time.sleep(.009); timed(other, MS // 2); time.sleep(.009)
    timed(work, 2 * MS); time.sleep(.009)
finish()
"""
MANY_BURSTS = """
while time.monotonic() < end:
    for _ in range({times}):
        timed(other, {short_us} * MS // 1000); time.sleep(.007)
    timed(work, {long_us} * MS // 1000); time.sleep(.007)
finish()
"""
SERVER = """
import socketserver, socket
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(1):
            timed(work, 5 * MS)
            self.request.sendall(b"x")
server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
clients = [socket.create_connection(server.server_address) for _ in range(4)]
"""
PROGRAMS = {
    "poll: 10 ms work, 30 ms sleep": BEGIN
    + "while time.monotonic() < end:\n timed(work, 10 * MS)\n time.sleep(.03)\nfinish()",
    "poll: select": BEGIN.replace("start =", "import os, select; read, _ = os.pipe(); start =")
    + "while time.monotonic() < end:\n timed(work, 10 * MS)\n select.select([read], [], [], .03)\n"
    "finish()",
    "asyncio": "import asyncio\n"
    + BEGIN
    + "async def main():\n while time.monotonic() < end:\n  timed(work, 10 * MS)\n"
    "  await asyncio.sleep(.03)\nasyncio.run(main())\nfinish()",
    "gevent": "import gevent\n"
    + BEGIN
    + "def loop():\n while time.monotonic() < end:\n  timed(work, 10 * MS)\n  gevent.sleep(.03)\n"
    "gevent.joinall([gevent.spawn(loop)])\nfinish()",
    "uvloop": "import asyncio, uvloop\n"
    + BEGIN
    + "async def main():\n while time.monotonic() < end:\n  timed(work, 10 * MS)\n"
    "  await asyncio.sleep(.03)\nuvloop.run(main())\nfinish()",
    "threaded server, 4 clients": SERVER
    + BEGIN
    + "while time.monotonic() < end:\n for c in clients: c.sendall(b'x'); time.sleep(.01)\n"
    " for c in clients: c.recv(1)\nfinish()",
    "split 70 : 30, cycle 10 ms": BEGIN
    + "while time.monotonic() < end: timed(work, 7 * MS); timed(other, 3 * MS)\nfinish()",
    "split 70 : 30, cycle 100 ms": BEGIN
    + "while time.monotonic() < end: timed(work, 70 * MS); timed(other, 30 * MS)\nfinish()",
    "split 70 : 30, cycle 1000 ms": BEGIN
    + "while time.monotonic() < end: timed(work, 700 * MS); timed(other, 300 * MS)\nfinish()",
    "split 1 ms : 0.1 ms": BEGIN
    + "while time.monotonic() < end: timed(work, MS); timed(other, MS // 10)\nfinish()",
    "naps: 1 ms work, 0.1 ms sleep": BEGIN
    + "while time.monotonic() < end:\n timed(work, MS)\n time.sleep(.0001)\nfinish()",
    "bursts: 1 ms, 0.1 ms, naps of 0.1 ms": BEGIN
    + "while time.monotonic() < end:\n timed(work, MS)\n time.sleep(.0001)\n"
    " timed(other, MS // 10)\n time.sleep(.0001)\nfinish()",
    "bursts: 2 ms work, 2 x 0.5 ms other": BEGIN + BURSTS,
    "bursts: 5 ms work, 5 x 1 ms other": BEGIN
    + MANY_BURSTS.format(times=5, short_us=1000, long_us=5000),
    "bursts: 12 ms work, 4 x 0.3 ms other": BEGIN
    + MANY_BURSTS.format(times=4, short_us=300, long_us=12_000),
    "bursts: 1 ms work, 10 x 0.1 ms other": BEGIN
    + MANY_BURSTS.format(times=10, short_us=100, long_us=1000),
}
ADVERSARY = """
import sys, time
text = ""
for tree in "ab":
    for i in range(8):
        callee = f"{tree}{i + 1}(n)" if i < 7 else "n"
        text += f"def {tree}{i}(n):\\n return {callee}\\n"
exec(text)
def run(end):
    while time.monotonic() < end:
        for _ in range(200): a0(1), b0(1)
print("go", flush=True)
sys.stdin.readline()
run(time.monotonic() + float(sys.argv[1]))
print("{}", flush=True)
sys.stdin.read()
"""


def measure(
    python: str, text: str, seconds: float, rate_hz: float
) -> tuple[dict[str, int], list[OwnRecord]] | None:
    """Return what the program said and the records; None if it does not run here."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [python, "-c", text, str(seconds)],
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    if process.stdout.readline() != "go\n":
        process.wait()
        return None
    sampler = OwnSampler([process.pid], rate_hz=rate_hz, budget=0.9)
    records: list[OwnRecord] = []
    sampled = threading.Event()

    def read() -> None:
        for record in sampler.records():
            records.append(record)
            if isinstance(record, ProcessRecord) and record.status == "sampled":
                sampled.set()

    reader = threading.Thread(target=read)
    reader.start()
    sampled.wait(20)  # what is used before is in no record
    process.stdin.write("\n")
    process.stdin.flush()
    told = json.loads(process.stdout.readline())
    sampler.ask_to_end()
    reader.join()
    sampler.close()
    process.kill()
    process.communicate()
    return told, records


def function_of(stack: StackNode | None) -> str:
    for place in stack or ():
        if place.function in ("work", "other"):
            return place.function
    return "rest"


def shares(records: list[OwnRecord]) -> dict[str, Counter[str]]:
    """Return CPU by function, by rule."""
    threads: dict[int, list[Sample]] = defaultdict(list)
    for record in records:
        if isinstance(record, Sample):
            threads[record.thread.index].append(record)
    by: dict[str, Counter[str]] = {"ours": Counter(), "at end": Counter(), "evenly": Counter()}
    for samples in threads.values():
        for stack, ns in cpu_by_stack(samples).items():
            by["ours"][function_of(stack)] += ns
        held: Counter[str] = Counter()
        for before, sample in pairwise(samples):
            by["at end"][function_of(sample.stack)] += sample.cpu_ns
            held[function_of(before.stack)] += sample.t_ns - before.t_ns
        used = sum(sample.cpu_ns for sample in samples)
        for function, ns in held.items():
            by["evenly"][function] += used * ns // max(held.total(), 1)
    return by


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument("--rate", type=float, default=100)
    options.add_argument("--python", default=sys.executable)
    options.add_argument("--case", default="", help="only programs with this in their name")
    chosen = options.parse_args()
    print(f"share of work() in the CPU of the process, {chosen.seconds:g} s, {chosen.rate:g} Hz")
    print(f"{'':<36} {'truth':>7} {'ours':>7} {'at end':>7} {'evenly':>7}   CPU, torn")
    for name, program in PROGRAMS.items():
        if chosen.case not in name:
            continue
        got = measure(chosen.python, COMMON + program, chosen.seconds, chosen.rate)
        if got is None:
            print(f"{name:<36} not installed")
            continue
        told, records = got
        by = shares(records)
        row = [by[rule]["work"] / max(by[rule].total(), 1) for rule in ("ours", "at end", "evenly")]
        tallies = [record for record in records if isinstance(record, Tally)]
        bad = sum(tally.failed + tally.unsteady for tally in tallies)
        ours = by["ours"]
        note = f"{ours.total() / max(told['all'], 1):.1%}, {bad}/{sum(t.samples for t in tallies)}"
        if told["other"]:
            ratio = told["work"] / told["other"], ours["work"] / max(ours["other"], 1)
            note += f", work : other {ratio[0]:.2f} → {ratio[1]:.2f}"
        print(
            f"{name:<36} {told['work'] / told['all']:>7.1%} "
            + " ".join(f"{share:>7.1%}" for share in row)
            + f"   {note}",
            flush=True,
        )
    if chosen.case in "adversary":
        adversary(chosen.python, chosen.seconds)


def adversary(python: str, seconds: float) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    got = measure(python, ADVERSARY, seconds, 1000)
    assert got is not None
    seen = illegal = unsteady = 0
    for record in got[1]:
        if not isinstance(record, Sample):
            continue
        stack = [place.function for place in record.stack or ()][::-1]
        if "run" not in stack:
            continue
        seen += 1
        unsteady += record.unsteady
        below = stack[stack.index("run") + 1 :]
        illegal += below != [f"{below[0][0]}{i}" for i in range(len(below))] if below else False
    print(
        f"adversary at 1000 Hz, {len(cpus)} CPUs: {seen} stacks, {illegal / max(seen, 1):.2%} "
        f"impossible, {unsteady / max(seen, 1):.1%} marked unsteady"
    )


if __name__ == "__main__":
    main()
