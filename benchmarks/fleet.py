"""Who is named, and when: a Dask cluster with a straggler and a leak; 30 processes and our cost.

    python benchmarks/fleet.py [--workers 8] [--plant-at 15] [--seconds 45] [--processes 30]

The cluster's workers take tasks of 5 ms CPU and 45 ms of waiting; from --plant-at on tasks of
worker 5 take five times as long and worker 2 keeps 250 kB of each (`fleet_programs/dask_cluster.py`
tells the moment). The 30 processes wake ten times a second each. Says the load, too: on a machine
that is full the tasks are few.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
FAMILY = """
import subprocess, sys, time
if len(sys.argv) > 2:
    until = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < until:
        sum(range(20_000)); time.sleep(0.1)
else:
    children = [subprocess.Popen([sys.executable, __file__, "x", sys.argv[1]]) for _ in range(%d)]
    for child in children: child.wait()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def perftui(*words: str) -> list[str]:
    return [sys.executable, "-m", "perftui", *words]


def cluster(workers: int, plant_at_s: float, seconds: float, folder: Path) -> None:
    port, told = free_port(), folder / "cluster.txt"
    plants = ["straggler", str(plant_at_s), "leak", str(plant_at_s)]
    with told.open("w") as out:
        program = subprocess.Popen(
            [
                sys.executable,
                str(HERE / "fleet_programs" / "dask_cluster.py"),
                *(str(workers), str(seconds + 10), str(port), *plants),
            ],
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
    while "ready" not in told.read_text():
        if program.poll() is not None:
            raise SystemExit("the cluster has ended before it was ready")
        time.sleep(0.1)
    recording, summary = folder / "cluster.perftui", folder / "cluster.json"
    began = time.monotonic()
    subprocess.run(
        perftui(
            *("attach", f"dask://127.0.0.1:{port}", "--headless", "--duration", str(seconds)),
            *("--record", str(recording), "--json", str(summary)),
        ),
        stderr=subprocess.DEVNULL,
        check=False,
    )
    took_s = time.monotonic() - began
    program.wait()
    meta, said = json.loads((recording / "meta.json").read_text()), json.loads(summary.read_text())
    start_s = meta["t_start_ns"] / 1e9
    tasks = said["counters"].get("tasks: work", {}).get("total", 0)
    print(f"Dask, {workers} workers, {tasks:.0f} tasks in {said['duration_s']:.0f} s")
    for line in told.read_text().splitlines():
        words = line.split()
        if words[:1] not in (["straggler"], ["leak"]):
            continue
        kind = "lone_growth" if words[0] == "leak" else "straggler"
        planted_s = int(words[3]) / 1e9 - start_s
        mine = [
            alert
            for alert in said["alerts"]
            if alert["kind"] == kind and f"(pid {words[2]})" in alert["message"]
        ]
        others = [
            alert
            for alert in said["alerts"]
            if alert["kind"] == kind and f"(pid {words[2]})" not in alert["message"]
        ]
        if mine:
            after_s = mine[0]["t_detect_s"] - planted_s
            print(f"  {words[0]:<10} named after {after_s:4.1f} s: {mine[0]['message']}")
        else:
            print(f"  {words[0]:<10} not named within {said['duration_s'] - planted_s:.0f} s")
        for alert in others:
            print(f"  {'':<10} another one at {alert['t_detect_s']:.1f} s: {alert['message']}")
    own = said["profiler"]
    print(
        f"  perftui: {100 * own['cpu_s'] / said['duration_s']:.1f} % of a core, client of the "
        f"cluster included; {took_s - seconds:.1f} s to come and go"
    )


def family(processes: int, seconds: float, folder: Path) -> None:
    script, summary = folder / "family.py", folder / "family.json"
    script.write_text(FAMILY % processes)
    subprocess.run(
        perftui(
            *("run", "--headless", "--record", str(folder / "family.perftui")),
            *("--json", str(summary), "--", sys.executable, str(script), str(seconds)),
        ),
        stderr=subprocess.DEVNULL,
        check=False,
    )
    said = json.loads(summary.read_text())
    own = said["profiler"]
    print(
        f"{processes} processes: perftui took {100 * own['cpu_s'] / said['duration_s']:.1f} % of a "
        f"core, {own['peak_rss_bytes'] / 1e6:.0f} MB; they used "
        f"{100 * sum(said['cpu_s'].values()) / said['duration_s']:.0f} %"
    )
    odd = [alert for alert in said["alerts"] if alert["kind"] in ("straggler", "lone_growth")]
    print(f"  told apart though alike: {len(odd)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--plant-at", type=float, default=15.0)
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--processes", type=int, default=30)
    args = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory() as folder:
        if args.workers:
            cluster(args.workers, args.plant_at, args.seconds, Path(folder))
        if args.processes:
            family(args.processes, 20.0, Path(folder))


if __name__ == "__main__":
    main()
