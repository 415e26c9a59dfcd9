"""What `perftui watch` costs, and what is left after a kill.

    python benchmarks/flight_recorder.py --minutes 5      its CPU and memory beside a busy target
    python benchmarks/flight_recorder.py --day            a day of the ring, on a clock of its own
    python benchmarks/flight_recorder.py --kills          seconds that can be read after a kill

The target has two busy threads and three that wait. A death for want of memory is a limit on its
address space (RLIMIT_AS), and SIGKILL as the kernel's own killer would send it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from perftui.probes.recording.read.reader import open_recording
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import Metric, ProcessStart, Stack, StackWindow, ThreadCpu
from perftui.probes.watch.ring import Options, Ring

BUSY = """
import threading, time
def work(n):
    while True:
        sum(i * i for i in range(n)); time.sleep(0.0005)
def rest():
    while True: time.sleep(0.5)
for _ in range(3): threading.Thread(target=rest, daemon=True).start()
threading.Thread(target=work, args=(20000,), daemon=True).start()
work(5000)
"""
GROWS = """
import resource, time
def fill():
    kept = []
    while True:
        kept.append(bytearray(1_000_000)); time.sleep(0.02)
resource.setrlimit(resource.RLIMIT_AS, (700_000_000, 700_000_000))
fill()
"""
WATCH = [sys.executable, "-m", "perftui", "watch"]
MIB = 1 << 20


def family(pid: int) -> list[int]:
    pids = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                pids += family(int(child))
    return pids


def cpu_s(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def pss_bytes(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def cost(minutes: float) -> None:
    folder = Path(tempfile.mkdtemp())
    target = subprocess.Popen([sys.executable, "-c", BUSY])
    watcher = subprocess.Popen(
        [*WATCH, str(target.pid), "--into", str(folder), "--when", "rss>100GB"],
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(10)
        shares, sizes, disk = [], [], []
        pids = family(watcher.pid)
        begun_s, before_s, first_s = time.monotonic(), cpu_s(pids), cpu_s(pids)
        while time.monotonic() - begun_s < minutes * 60:
            time.sleep(20)
            now_s = cpu_s(pids)
            shares.append((now_s - before_s) / 20)
            before_s = now_s
            sizes.append(pss_bytes(pids))
            disk.append(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()))
        whole = (before_s - first_s) / (time.monotonic() - begun_s)
        target_s = cpu_s([target.pid]) / (time.monotonic() - begun_s + 10)
        print(f"load average {os.getloadavg()[0]:.1f}, target {target_s:.0%} of a core")
        print(
            f"CPU {whole:.2%} of a core over {minutes:g} min "
            f"(20 s: median {statistics.median(shares):.2%}, highest {max(shares):.2%})"
        )
        print(f"PSS of {len(pids)} processes: {max(sizes) / MIB:.1f} MiB at most; as time went:")
        for after_min in (1, 2, 5, 10, 15, 20, 30, 40, 50, 60, 90, 120):
            if (reading := after_min * 3 - 1) < len(sizes):
                print(f"  {after_min:4} min {sizes[reading] / MIB:6.1f} MiB")
        print(f"ring on disk: {max(disk) / 1e6:.2f} MB at most")
    finally:
        watcher.send_signal(signal.SIGTERM)
        watcher.wait()
        target.kill()
        target.wait()
        shutil.rmtree(folder)


def day() -> None:
    """A day in which a second is told each second: 10 stacks of two threads, two readings."""
    folder = Path(tempfile.mkdtemp()) / "1-1"
    now = [10**12]
    tree = CallTree()
    nodes = [
        tree.intern(
            [tree.frame_id(f"f{a}", "/srv/a.py", a), tree.frame_id(f"g{b}", "/srv/b.py", b)]
        )
        for a in range(10)
        for b in range(30)
    ]
    enricher = Enricher()
    ring = Ring(
        folder,
        tree,
        Target("a.py", ("python", "a.py"), 7, None, launched=False, agent=False),
        now[0],
        Options(),
        say=lambda severity, text: print(f"  {severity}: {text}"),
        clock=lambda: now[0],
    )
    ring.write([enricher.enrich([ProcessStart(now[0], 7, 1, ("python", "a.py"))])])
    cpu_before_s, most_bytes, most_files, least_s = time.process_time(), 0, 0, 1e9
    rss = []
    for second in range(86_400):
        base = now[0]
        now[0] += 10**9
        records: list[object] = []
        for n in range(10):
            t0, t1 = base + n * 10**8, base + (n + 1) * 10**8
            records += [
                Stack(t0, t1, 7, tid, nodes[(second * 7 + n * tid) % 300]) for tid in (7, 8)
            ]
        for half in (5, 10):
            t_ns = base + half * 10**8
            records += [
                Metric(t_ns, 7, second + half / 10, 10**8),
                *(ThreadCpu(t_ns, 7, tid, "python", second / 2, "R") for tid in (7, 8)),
            ]
        records.append(StackWindow(base, now[0], 7, 10.0, 20, 0, 0, 0.003, "own sampler"))
        ring.write([enricher.enrich(records)])  # type: ignore[arg-type]
        if second % 600 == 599:
            files = [path for path in folder.rglob("*") if path.is_file()]
            most_files = max(most_files, len(files))
            most_bytes = max(most_bytes, sum(path.stat().st_size for path in files))
            least_s = min(least_s, ring.reach_s())
            rss.append(pss_bytes([os.getpid()]))
    used_s = time.process_time() - cpu_before_s
    print(f"a day of the ring: {used_s:.0f} s of CPU, {used_s / 86_400:.3%} of a core")
    print(f"on disk at most {most_bytes / 1e6:.2f} MB in {most_files} files")
    print(f"it always reached back {least_s:.0f} s or more")
    print(
        f"PSS of this process: {rss[5] / MIB:.1f} MiB after an hour, {rss[-1] / MIB:.1f} at the end"
    )
    ring.close()


def readable_s(path: Path, died_s: float) -> tuple[float, float]:
    """Return how many seconds can be read, and how many are missing before the death."""
    reader = open_recording(path)
    status = reader.status()
    anchor_ns = next(iter(reader.meta["clock"]))
    died_ns = died_s * 1e9 - anchor_ns[1] + anchor_ns[0]
    return (status.t_end_ns - status.t_start_ns) / 1e9, (died_ns - status.t_end_ns) / 1e9


def kills() -> None:
    for what in ("SIGKILL of us", "SIGKILL of the target", "RLIMIT_AS in the target"):
        folder = Path(tempfile.mkdtemp())
        program = GROWS if what.startswith("RLIMIT") else BUSY
        target = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
        words = [str(target.pid), "--into", str(folder), "--when", "exit!=0", "--after", "2s"]
        watcher = subprocess.Popen([*WATCH, *words], stderr=subprocess.DEVNULL)
        if what.startswith("RLIMIT"):
            target.wait()
        else:
            time.sleep(20)
            (watcher if what.endswith("us") else target).send_signal(signal.SIGKILL)
        died_s = time.time()
        watcher.wait()
        target.kill()
        target.wait()
        pattern = ".rings/*/ring-*.perftui" if what.endswith("us") else "watch-*.perftui"
        for path in folder.glob(pattern):
            seconds, missing = readable_s(path, died_s)
            status = open_recording(path).status()
            peak = open_recording(path).highest("rss_bytes", 0, 1 << 62) or 0
            how = f"exit code {status.exit_code}, signal {status.signal}"
            print(
                f"{what}: {seconds:.1f} s can be read, the last {max(missing, 0):.1f} s are not; "
                f"{how}, peak RSS {peak / 1e6:.0f} MB"
            )
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--day", action="store_true")
    parser.add_argument("--kills", action="store_true")
    args = parser.parse_args()
    if args.minutes:
        cost(args.minutes)
    if args.day:
        day()
    if args.kills:
        kills()


if __name__ == "__main__":
    main()
