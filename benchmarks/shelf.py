"""Recordings in a bucket and many at once: how late they are there, what a kill costs, how long a
list of a thousand takes.

    python benchmarks/shelf.py                      all of it, about three minutes
    python benchmarks/shelf.py list --count 1000    a list of a thousand recordings, here and there
    python benchmarks/shelf.py lag --seconds 60     from sealed to there, and own CPU
    python benchmarks/shelf.py kills --times 5      rows lost when the uploader is killed

The bucket is moto's server on loopback: a real S3 interface, and neither the distance nor the
speed of a real one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.bucket import Bucket
from support.recordings.made import make

PERFTUI = [str(Path(sys.executable).with_name("perftui"))]
BUSY = """
import threading, time
def work(until):
    while time.monotonic() < until:
        sum(i * i for i in range(2000))
        time.sleep(0.002)
until = time.monotonic() + float({seconds})
threads = [threading.Thread(target=work, args=(until,)) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", choices=("all", "list", "lag", "kills"), default="all")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perftui-shelf-") as folder:
        base = Path(folder)
        os.environ["PERFTUI_RECORDINGS"] = str(base / "shelf")
        bucket = Bucket()
        os.environ.update(bucket.environment())
        if args.what in ("all", "list"):
            list_of_many(bucket, base, args.count)
        if args.what in ("all", "lag"):
            lag(bucket, base, args.seconds)
        if args.what in ("all", "kills"):
            kills(bucket, base, args.times)
        bucket.stop()


def list_of_many(bucket: Bucket, base: Path, count: int) -> None:
    folder = base / "many"
    folder.mkdir()
    made = [make(folder / f"run-{n:08x}.perftui", 10, seed=n) for n in range(min(count, 8))]
    for number in range(len(made), count):
        shutil.copytree(made[number % len(made)], folder / f"run-{number:08x}.perftui")
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    print(f"{count} recordings, {files} files", flush=True)
    listing = "SELECT recording, duration_s, peak_rss_bytes FROM recordings ORDER BY 3 DESC"
    peaks = "SELECT recording, max(rss_bytes) AS peak FROM metrics GROUP BY ALL ORDER BY 2 DESC"
    top = "SELECT function, sum(wall_s) AS wall_s FROM top_self GROUP BY ALL ORDER BY 2 DESC"
    for what, sql in (("name, duration, peak", listing), ("max of metrics", peaks), ("top", top)):
        timed(f"here, {what}", ["query", f"{folder}/*.perftui", sql, "--format", "csv"])
    put(bucket, folder, "meta.json")
    put(bucket, folder, "run-000000[0-5]?.perftui/metrics-*")
    there = f"{bucket.url}/many/*.perftui"
    for _ in range(2):
        timed("bucket, name, duration, peak", ["query", there, listing, "--format", "csv"])
    few = f"{bucket.url}/many/run-000000[0-5]?.perftui"
    for again in ("first", "again"):
        timed(f"bucket, 96 of them, max of metrics, {again}", ["query", few, peaks])


def put(bucket: Bucket, folder: Path, names: str) -> None:
    client = bucket.client()
    pattern = f"*/{names}" if "/" not in names else names
    for path in folder.glob(pattern):
        bucket_name = bucket.url.removeprefix("s3://")
        key = f"many/{path.relative_to(folder)}"
        client.put_object(Bucket=bucket_name, Key=key, Body=path.read_bytes())


def timed(what: str, words: list[str]) -> None:
    began_s, before = time.monotonic(), os.times()
    done = subprocess.run(PERFTUI + words, capture_output=True, text=True, check=False)
    after = os.times()
    cpu_s = sum(after[2:4]) - sum(before[2:4])
    rows = len(done.stdout.splitlines()) - 1
    took_s = time.monotonic() - began_s
    print(f"  {what}: {took_s:.2f} s, CPU {cpu_s:.2f} s, {rows} rows", flush=True)
    if done.returncode:
        print(done.stderr)


def lag(bucket: Bucket, base: Path, seconds: float) -> None:
    """Time from a file's sealing to its being in the bucket, as another client sees it."""
    program = base / "busy.py"
    program.write_text(BUSY.format(seconds=seconds))
    alone = [*PERFTUI, "run", "--headless", "--", sys.executable, str(program)]
    plain = subprocess.run(alone, capture_output=True, text=True, check=False).stderr
    words = ["run", "--headless", "--record", f"{bucket.url}/lag", "--", sys.executable]
    run = subprocess.Popen([*PERFTUI, *words, str(program)], stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    text: list[str] = []
    reader = threading.Thread(target=lambda: text.append(run.stderr.read()))  # type: ignore[union-attr]
    reader.start()
    there: dict[str, float] = {}
    sealed: dict[str, float] = {}
    while run.poll() is None:
        for path in (base / "shelf").rglob("*.parquet"):
            if path.name not in sealed:
                try:
                    sealed[path.name] = path.stat().st_mtime
                except FileNotFoundError:
                    continue
        for name in bucket.names("lag"):
            there.setdefault(name.rpartition("/")[2], time.time())
        time.sleep(0.1)
    reader.join()
    lags = sorted(there[name] - at for name, at in sealed.items() if name in there)
    print(
        f"{len(lags)} sealed files in {seconds:g} s: there after {statistics.median(lags):.1f} s"
        f" (median), {lags[-1]:.1f} s (last)"
    )
    for what, told in (("recorded here", plain), ("and uploaded", text[0])):
        own = re.search(r"itself ([\d.]+ \w+ CPU \([^)]*\))", told)
        print(f"  own CPU, {what}: {own[1] if own else told}", flush=True)


def kills(bucket: Bucket, base: Path, times: int) -> None:
    """Kill what uploads again and again while a session records; then count rows."""
    lost = killed = 0
    for number in range(times):
        program = base / "busy.py"
        program.write_text(BUSY.format(seconds=20))
        address = f"{bucket.url}/kills/{number}.perftui"
        words = ["run", "--headless", "--record", address, "--", sys.executable, str(program)]
        run = subprocess.Popen([*PERFTUI, *words], stderr=subprocess.DEVNULL)
        while run.poll() is None:
            begun = any((base / "shelf").glob(f"remote/*/{number}.perftui/meta.json"))
            for pid in uploaders(run.pid) if begun else ():
                time.sleep(0.05 * (number + 1))
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    continue
                if killed % 3 == 0:
                    time.sleep(3)
            time.sleep(0.01)
        subprocess.run([*PERFTUI, "upload"], capture_output=True, check=False)
        shelf = base / "shelf"
        here = next(shelf.glob(f"remote/*/{number}.perftui"))
        rows_here = rows(str(here))
        shutil.move(here.parent, base / f"moved-{number}")
        rows_there = rows(address)
        lost += sum(max(count - rows_there.get(name, 0), 0) for name, count in rows_here.items())
        total = sum(rows_here.values())
        print(f"  {number}: {total} rows here, {sum(rows_there.values())} there")
    print(f"uploaders killed: {killed}; rows lost: {lost}")


def uploaders(parent: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes()
            except OSError:
                continue
            if b"upload_main" in words:
                found.append(int(child))
    return found


def rows(recording: str) -> dict[str, int]:
    tables = ("stacks", "metrics", "thread_cpu", "frames", "nodes", "overhead", "log", "exits")
    sql = " UNION ALL ".join(f"SELECT '{t}' AS name, count(*) AS rows FROM {t}" for t in tables)
    words = [*PERFTUI, "query", recording, sql, "--format", "json"]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    found: Any = json.loads(told.stdout)
    return {row["name"]: row["rows"] for row in found}


if __name__ == "__main__":
    main()
