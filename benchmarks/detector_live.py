"""What is said of real programs, when, and was it right? Each runs under `perftui run --headless`.

    python benchmarks/detector_live.py [--only NAME,...]       about 13 minutes

The programs (tests/support/detect/programs) mark when their truth begins and ends; what was said
is read from the recordings with `perftui query`, as anybody could. A table in Markdown is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.detect.real import ENVIRONMENT, PROGRAMS, SECONDS, TOO_LATE_S  # noqa: E402

WHAT = {
    "leak": "leak: 3.3 MB/s are remembered",
    "leak_dict": "a dict remembers every event, from its start",
    "leak_slow": "0.3 MB/s stay, from its start",
    "lru_unbounded": "an lru_cache without a bound",
    "gc_disabled": "cycles, and the collector is off",
    "leak_warm": "loads for 5 s, then leaks at once",
    "leak_mappings": "files in shared memory are mapped and never closed",
    "gc_rising": "GC sawtooth, rising floor",
    "gc_flat": "GC sawtooth, flat floor",
    "cache_levels": "cache that fills and levels off",
    "ttl_cache": "cache that throws away what is 6 s old",
    "warm_tables": "loads tables for 10 s, then joins",
    "batch_waves": "batch job: gathers for 7 s, writes, again",
    "generator_pipeline": "generator pipeline",
    "collect": "every row is kept (Python)",
    "duckdb_collect": "every Arrow batch is kept (DuckDB)",
    "stream": "streamed query (DuckDB)",
    "batch_spikes": "large batches that come and go",
    "cold_duckdb": "cold first query (DuckDB)",
    "slow_import": "slow import",
    "io_wait": "source becomes slow, then fast again",
    "lock_wait": "one thread sleeps with the lock",
    "decay": "every row costs more (list scan)",
    "idle": "idle after its start",
    "steady_calls": "steady calls",
}


NEWEST = """
    select kind, severity, t_onset_s, t_detect_s, t_clear_s, message from alerts
    qualify row_number() over (partition by kind, t_onset_ns order by seq desc) = 1
    order by t_detect_s
"""
"""An alert is told anew whenever it changes: the last word counts."""


class Said(NamedTuple):
    """One alert of a recording; seconds of the session."""

    kind: str
    severity: str
    t_onset_s: float
    t_detect_s: float
    t_clear_s: float | None
    message: str


def run(name: str, folder: Path) -> tuple[dict[str, tuple[float, float | None]], list[Said], int]:
    """Run a program; return (its truths: begin and end, what was said, its exit code)."""
    recording = folder / f"{name}.perftui"
    script = str(PROGRAMS / f"{name}.py")
    words = ["run", "--headless", "--record", str(recording), script, str(SECONDS[name])]
    env = {**os.environ, "PERFTUI_RECORDINGS": str(folder)}
    done = subprocess.run([sys.executable, "-m", "perftui", *words], capture_output=True, env=env)
    truths: dict[str, tuple[float, float | None]] = {}
    for row in query(recording, "select name, t_s from marks order by t_s"):
        word, _, kind = row["name"].partition(": ")
        if word == "truth":
            truths[kind] = (row["t_s"], None)
        elif word == "end" and kind in truths:
            truths[kind] = (truths[kind][0], row["t_s"])
    said = [Said(**row) for row in query(recording, NEWEST)]
    return truths, [each for each in said if each.severity != "info"], done.returncode


def query(recording: Path, sql: str) -> list[dict[str, Any]]:
    words = [sys.executable, "-m", "perftui", "query", str(recording), sql, "--format", "json"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def verdict(truths: dict[str, tuple[float, float | None]], said: list[Said]) -> str:
    """Say whether it was right: everything true was said in time, once, and nothing else."""
    wrong = []
    for kind, (begin, end) in truths.items():
        hits = [each for each in said if each.kind == kind]
        if not hits:
            wrong.append(f"{kind} missed")
        elif len(hits) > 1:
            wrong.append(f"{kind} said {len(hits)} times")
        elif end is not None and hits[0].t_detect_s > end + TOO_LATE_S:
            wrong.append(f"{kind} late")
        elif hits[0].t_detect_s < begin - 1:
            wrong.append(f"{kind} before it was true")
    others = {each.kind for each in said} - truths.keys()
    wrong += [f"{kind} false" for kind in sorted(others - ENVIRONMENT)]
    return ", ".join(wrong) or "right"


def cells(each: Said, truths: dict[str, tuple[float, float | None]]) -> str:
    text = f"`{each.kind}` at {each.t_detect_s:.1f} s"
    if each.kind in truths:
        text += f" ({each.t_detect_s - truths[each.kind][0]:+.1f} s)"
    cleared = "" if each.t_clear_s is None else f", over at {each.t_clear_s:.1f} s"
    return f"{text}: {each.message}{cleared}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="names of programs, with commas")
    args = parser.parse_args()
    names = [name for name in SECONDS if not args.only or name in args.only.split(",")]
    load = os.getloadavg()[0]
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores (load {load:.1f} at the "
        f"start), Python {platform.python_version()}, DuckDB {version('duckdb')}, "
        f"pyarrow {version('pyarrow')}\n"
    )
    print("| Program | True | Said (delay from its truth) | |\n|---|---|---|---|", flush=True)
    n_right = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            truths, said, code = run(name, Path(folder))
            told = verdict(truths, said) if code == 0 else f"exit code {code}"
            n_right += told == "right"
            true = "<br>".join(
                f"`{kind}` from {begin:.1f} s" + ("" if end is None else f" to {end:.1f} s")
                for kind, (begin, end) in truths.items()
            )
            lines = "<br>".join(cells(each, truths) for each in said)
            print(f"| {WHAT[name]} | {true or 'healthy'} | {lines or '-'} | {told} |", flush=True)
    print(f"\n{n_right} of {len(names)} right")


if __name__ == "__main__":
    main()
