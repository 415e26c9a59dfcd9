"""What RSS is made of on real programs, held against RSS; and what telling it costs.

    python benchmarks/memory_parts.py [--only NAME ...] [--attached] [--cost-seconds 20]

Each program runs under `perftui run --headless`, or `--attached` is watched from its second second
on. Told for it: how many readings there were of the target, their sum over the RSS that was read
closest to them (lowest, median, highest), how many are within 2 % of what RSS was between the
reading of RSS before and the one after them (a program that grows by 100 MB/s does so meanwhile),
the parts at the peak, and how much of it nobody told. For a family the same of the tree, with
shared pages once.

Then the cost: CPU of the agent's threads in a program whose allocators are asked (Arrow, malloc,
DuckDB), and of the thread that reads mappings, both as a share of one core.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from perftui.probes.agent_link.launch import agent_environment
from perftui.probes.resident.probe import ResidentProbe
from perftui.probes.spine.log import SessionLog

PLAIN = """
import ctypes
kept = []
for n in range(12):
    kept.append([str(i) * 2 for i in range(60_000)] + [bytes(200_000)]); time.sleep(.3)
del kept[:9]; time.sleep(2)
"""
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
ENVIRONMENT = {
    "jemalloc preloaded": {"LD_PRELOAD": f"{LIBRARIES}/libjemalloc.so.2"},
    "mimalloc preloaded": {"LD_PRELOAD": f"{LIBRARIES}/libmimalloc.so.2"},
    "PYTHONMALLOC=malloc": {"PYTHONMALLOC": "malloc"},
    "PYTHONMALLOC=malloc_debug": {"PYTHONMALLOC": "malloc_debug"},
    "PYTHONMALLOC=pymalloc_debug": {"PYTHONMALLOC": "pymalloc_debug"},
}
"""What is set for a program; only for itself: perftui starts it by `env`."""
PROGRAMS = {
    "list building": """
kept = []
for n in range(12): kept.append([str(i) * 2 for i in range(100_000)]); time.sleep(.4)
del kept[:9]; time.sleep(3)
""",
    "numpy": """
import numpy as np
kept = [np.ones(4_000_000)]
for n in range(8): kept.append(kept[0] * n); time.sleep(.4)
zeros = np.zeros(20_000_000); time.sleep(2)
""",
    "pandas": """
import numpy as np, pandas as pd
kept = []
for n in range(8):
    frame = pd.DataFrame({"a": np.arange(300_000), "b": np.random.rand(300_000)})
    frame["c"] = frame["a"].astype(str); kept.append(frame.groupby(frame["a"] % 100).sum())
    kept.append(frame); time.sleep(.3)
time.sleep(2)
""",
    "plain": """
kept = []
for n in range(40): kept.append(bytearray(b"x") * 500_000); time.sleep(.1)
time.sleep(2)
""",
    "polars": """
import polars as pl
kept = []
for n in range(8):
    frame = pl.DataFrame({"a": range(300_000), "b": [n * 0.5] * 300_000})
    kept.append(frame.with_columns((pl.col("a") % 100).alias("c")))
    frame.group_by(pl.col("a") % 100).agg(pl.col("b").sum()); time.sleep(.4)
time.sleep(2)
""",
    "arrow, system's malloc": """
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
import pyarrow as pa
kept = []
for n in range(10): kept.append(pa.array(range(1_000_000))); time.sleep(.3)
del kept[3:]; time.sleep(2)
""",
    "arrow, mimalloc": """
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "mimalloc"
import pyarrow as pa
kept = []
for n in range(10): kept.append(pa.array(range(1_000_000))); time.sleep(.3)
del kept[3:]; time.sleep(2)
""",
    "arrow, jemalloc": """
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "jemalloc"
import pyarrow as pa
kept = []
for n in range(10): kept.append(pa.array(range(1_000_000))); time.sleep(.3)
del kept[3:]; time.sleep(2)
""",
    "arrow read": """
import pyarrow as pa, pyarrow.parquet as pq
pq.write_table(pa.table({"a": list(range(2_000_000))}), "x.parquet")
kept = []
for n in range(8): kept.append(pq.read_table("x.parquet")); time.sleep(.4)
del kept[2:]; time.sleep(3)
""",
    "arrow from a mapped file": """
import pyarrow as pa
table = pa.table({"a": list(range(3_000_000))})
with pa.OSFile("x.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
    writer.write_table(table)
del table
mapped = pa.ipc.open_file(pa.memory_map("x.arrow")).read_all()
for n in range(5): print(mapped["a"].chunk(0).to_numpy().sum()); time.sleep(.6)
time.sleep(2)
""",
    "duckdb collect": """
import duckdb
con = duckdb.connect()
con.execute("CREATE TABLE t AS SELECT range a, random() b, 'row ' || range c FROM range(3000000)")
time.sleep(2)
kept = con.execute("SELECT a, b FROM t").to_arrow_table(); time.sleep(2)
rows = con.execute("SELECT c FROM t LIMIT 400000").fetchall(); time.sleep(3)
""",
    "duckdb, three names of a file": """
import duckdb
con = [duckdb.connect(name) for name in ("x.duckdb", "./x.duckdb", os.path.abspath("x.duckdb"))]
con[0].execute("CREATE TABLE t AS SELECT range a, random() b FROM range(6000000)"); time.sleep(4)
""",
    "duckdb that spills, in a thread": """
import duckdb, threading
con = duckdb.connect("x.duckdb", config={"memory_limit": "150MB", "temp_directory": "t"})
con.execute("CREATE TABLE t AS SELECT range a, random() b, 'row ' || range c FROM range(6000000)")
def work():
    for n in range(2): con.execute("CREATE OR REPLACE TABLE u AS SELECT * FROM t ORDER BY b")
worker = threading.Thread(target=work); worker.start(); worker.join(); time.sleep(2)
""",
    "lancedb write, index, query": """
import lancedb, numpy as np, pyarrow as pa
data = np.random.rand(40_000 * 64).astype("f4")
rows = pa.table({"id": range(40_000), "v": pa.FixedSizeListArray.from_arrays(pa.array(data), 64)})
t = lancedb.connect("db").create_table("t", rows); time.sleep(2)
t.create_index(metric="l2", num_partitions=16, num_sub_vectors=8, vector_column_name="v")
end = time.time() + 6
while time.time() < end: t.search(np.random.rand(64).astype("f4")).limit(10).to_arrow()
""",
    "jemalloc preloaded": PLAIN,
    "mimalloc preloaded": PLAIN,
    "PYTHONMALLOC=malloc": PLAIN,
    "PYTHONMALLOC=malloc_debug": PLAIN,
    "PYTHONMALLOC=pymalloc_debug": PLAIN,
    "lancedb add loop": """
import lancedb, pyarrow as pa
db = lancedb.connect("db")
t = db.create_table("t", pa.table({"id": [0], "text": ["x"]}))
end = time.time() + 12; i = 0
while time.time() < end:
    t.add(pa.table({"id": [i], "text": ["row-%d" % i]})); i += 1
""",
    "fork with shared pages": """
import numpy as np
cache = np.ones(25_000_000)
kids = []
for n in range(5):
    pid = os.fork()
    if pid == 0:
        own = bytearray(b"x" * 5_000_000); cache.sum(); time.sleep(9 - n); os._exit(0)
    kids.append(pid); time.sleep(1)
for pid in kids: os.waitpid(pid, 0)
""",
    "freed but kept": """
import ctypes
kept = [bytes(3000) for _ in range(100_000)]; time.sleep(2)
del kept[:-1]; time.sleep(3)
""",
    "300 threads": """
import threading
threads = [threading.Thread(target=time.sleep, args=(6,)) for _ in range(300)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
}
BUSY = """
import ctypes, duckdb, pyarrow, time, sys
con = duckdb.connect(); con.execute("CREATE TABLE t AS SELECT range a FROM range(1000000)")
kept = [str(i) for i in range(300_000)]
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end: sum(range(1000))
"""


def main() -> int:
    """Run the programs and print what was told of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--attached", action="store_true", help="watch programs that run already")
    parser.add_argument("--cost-seconds", type=float, default=20.0)
    args = parser.parse_args()
    perftui = shutil.which("perftui", path=str(Path(sys.executable).parent)) or "perftui"
    for name in args.only:
        _program(perftui, name, PROGRAMS[name], attached=args.attached)
    if args.cost_seconds:
        _cost(args.cost_seconds)
    return 0


def _program(perftui: str, name: str, code: str, *, attached: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="memory-parts-") as text:
        home = Path(text)
        (home / "program.py").write_text(f"import os, time\n{code}")
        recording = home / "r.perftui"
        options = ["--headless", "--no-stacks"]
        argv = [*_env(ENVIRONMENT.get(name, {})), sys.executable, "program.py"]
        options += ["--json", "s.json", "--record", str(recording)]
        if attached:
            with subprocess.Popen(argv, cwd=home) as target:
                time.sleep(1)
                command = [perftui, "attach", str(target.pid), *options]
                done = subprocess.run(command, cwd=home, capture_output=True, text=True)
                target.kill()
        else:
            command = [perftui, "run", *options, "--", *argv]
            done = subprocess.run(command, cwd=home, capture_output=True, text=True)
        if done.returncode:
            print(f"{name}: exit {done.returncode}: {done.stderr[-300:]}")
            return
        summary = json.loads((home / "s.json").read_text())
        pid = 0 if len(summary["processes"]) > 1 else summary["target"]["pid"]

        def ask(sql: str) -> list[dict[str, str]]:
            told = subprocess.run(
                [perftui, "query", str(recording), sql, "--format", "csv"],
                capture_output=True,
                text=True,
                check=True,
            )
            return list(csv.DictReader(io.StringIO(told.stdout)))

        rows = ask(
            "WITH p AS (SELECT t_ns, sum(bytes) AS whole, sum(bytes) FILTER (name LIKE "
            f"'%not told%') AS untold FROM memory_parts WHERE pid = {pid} GROUP BY t_ns) "
            "SELECT p.t_ns, whole, coalesce(untold, 0) AS untold, min_by(rss_bytes, "
            "abs(m.t_ns - p.t_ns)) AS rss, "
            "max_by(rss_bytes, m.t_ns) FILTER (m.t_ns <= p.t_ns) AS earlier, "
            "min_by(rss_bytes, m.t_ns) FILTER (m.t_ns >= p.t_ns) AS later FROM p, metrics m "
            f"WHERE m.pid = {pid} AND abs(m.t_ns - p.t_ns) < 2e9 GROUP BY ALL ORDER BY 1"
        )
        # The first is of an interpreter that starts: it has grown twofold when it has been read.
        shares = sorted(float(row["whole"]) / float(row["rss"]) for row in rows[1:])
        peak = max(rows, key=lambda row: float(row["whole"]))
        parts = ask(
            f"SELECT name, bytes FROM memory_parts WHERE pid = {pid} AND t_ns = {peak['t_ns']} "
            "AND bytes > 0 ORDER BY bytes DESC LIMIT 6"
        )
        close = sum(_is_close(row) for row in rows[1:])
        if not shares:
            print(f"{name}: read once, and that one does not count", flush=True)
            return
        print(
            f"{name}: {len(shares)} readings, parts / RSS {shares[0]:.3f} "
            f"{shares[len(shares) // 2]:.3f} {shares[-1]:.3f}, within 2 %: {close}; "
            f"peak {float(peak['whole']) / 1e6:.0f} MB, not told "
            f"{100 * float(peak['untold']) / float(peak['whole']):.0f} %"
        )
        print("   " + " · ".join(f"{p['name']} {int(p['bytes']) / 1e6:.0f}" for p in parts))


def _env(variables: dict[str, str]) -> list[str]:
    return ["env", *(f"{key}={value}" for key, value in variables.items())] if variables else []


def _is_close(row: dict[str, str]) -> bool:
    between = [float(row[name]) for name in ("earlier", "later") if row[name]]
    between = between or [float(row["rss"])]
    return 0.98 * min(between) <= float(row["whole"]) <= 1.02 * max(between)


def _cost(seconds: float) -> None:
    env, fds, channel = agent_environment(dict(os.environ))
    command = [sys.executable, "-c", BUSY, str(seconds + 8)]
    with subprocess.Popen(command, env=env, pass_fds=fds) as target:
        channel.close_child_ends()
        channel.open_gate()
        time.sleep(4)
        probe = ResidentProbe(SessionLog(), lambda: [target.pid])
        probe.start()
        time.sleep(1)
        before = _agent_s(target.pid), _own_s()
        began = time.monotonic()
        until = began + seconds
        while time.monotonic() < until:
            time.sleep(0.1)
            with suppress(BlockingIOError):
                os.read(channel.read_fd, 1 << 16)
        took = time.monotonic() - began
        agent = 100 * (_agent_s(target.pid) - before[0]) / took
        own = 100 * (_own_s() - before[1]) / took
        probe.stop()
        target.kill()
    channel.close()
    print(f"cost: agent's threads {agent:.2f} % of a core, reading mappings {own:.2f} %")


def _agent_s(pid: int) -> float:
    return sum(
        int((task / "schedstat").read_text().split()[0]) / 1e9
        for task in Path(f"/proc/{pid}/task").iterdir()
        if (task / "comm").read_text().startswith("perftui-agent")
    )


def _own_s() -> float:
    """CPU of the thread that reads mappings: the others here sleep."""
    return time.process_time()


if __name__ == "__main__":
    sys.exit(main())
