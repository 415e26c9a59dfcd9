"""Mutated recordings, traces, SQL and options, for some minutes: does perftui stay in bounds?

    python benchmarks/fuzz.py [--minutes 5] [--seed N] [--keep FOLDER]

Every trial is a process of its own that may take 20 s, 3 GB of address space, and write into its
own folder. It must end with an exit code of 0, 1 or 2, print no traceback, and leave the recording
that it reads as it was. What does not is kept with its command, to become a test; the exit code
is 1 then. The same seed gives the same trials.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import conftest  # noqa: E402, F401  (makes `perftui` importable from a checkout)

from perftui.probes.own.python import own_module  # noqa: E402

LIMIT_S = 20
ADDRESSES_BYTES = 3 << 30
CODES = (0, 1, 2)
PROGRAM = """
import time, perftui
kept = []
with perftui.phase("load"):
    for n in range(30):
        with perftui.call("batch"): kept.append(b"x" * 400_000); time.sleep(.02)
        perftui.count("rows", 1000)
perftui.mark("done")
import decimal, csv, json
end = time.time() + .5
while time.time() < end: sum(range(1000))
"""
SQL = (
    "SELECT function, file, wall_s, cpu_s FROM top_self LIMIT 10",
    "SELECT t_s, high / 1e6 AS rss_mb FROM metrics_1s WHERE pid = 0 AND name = 'rss_bytes'",
    "SELECT * FROM stack_at(0.5)",
    "FROM top_total(0, 0.4) ORDER BY 4 DESC",
    "SELECT name, sum(duration_s) FROM phases GROUP BY ALL",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    "SELECT * FROM metrics a, metrics b, metrics c, metrics d",
    "COPY (SELECT 1) TO 'out.csv'",
    "ATTACH 'x.db'",
    "SELECT * FROM read_text('/etc/passwd')",
    "INSTALL httpfs; LOAD httpfs",
    "CREATE TABLE t AS SELECT 1",
    "SET memory_limit='100GB'",
    "PRAGMA database_list",
    "SELECT repeat('x', 1000000000)",
    "EXPORT DATABASE 'dump'",
    "SELECT list(range(100000000))",
)
PIECES = (
    *("SELECT", "FROM", "WHERE", "(", ")", "'", '"', ";", "--", "/*", ",", "*", "1e308", "NULL"),
    *("top_self", "stacks", "metrics", "range(1e9)", "read_csv('x')", "\x00", "é", "\udcff"),
    *("UNION ALL", "PIVOT", "::BLOB", "getenv('HOME')", "'../../x'", "glob('/*')", "$1", "?"),
)
COMMANDS = ("summary", "query", "export", "detect", "compare", "pack", "open", "doctor", "list")
VALUES = (
    *("", "-1", "0", "1e999", "nan", "9" * 400, "../..", "/dev/null", "/dev/full", "a\nb", "é"),
    *("\x1b[31m", "--", "-", "=", "x=y", "last", "%s%n", "html", "json", "csv", "10s", "1TB"),
    *("NUL", "con", "{}", "[]", "'", '"', "*", "?", "~", "$HOME", "\udcff", "peak_rss>+10%"),
)
FORMATS = ("html", "speedscope", "firefox", "pprof", "chrome", "collapsed", "svg", "csv", "xlsx")


class Trial(NamedTuple):
    """What is run: the words of the command line, and a folder that is its world."""

    kind: str
    words: list[str]


def make_recording(folder: Path) -> Path:
    recording = folder / "good.perftui"
    options = ("--headless", "--record", str(recording), "--", sys.executable, "-c", PROGRAM)
    subprocess.run(own_module("perftui", "run", *options), check=True, capture_output=True)
    return recording


def make_trace(rng: random.Random) -> str:
    rows = ["t_s,rss_bytes,cpu_percent,rows"]
    rss = 5e7
    for n in range(rng.choice((3, 60, 600))):
        rss += rng.choice((0, 1e5, 1e6))
        rows.append(f"{n * 0.1:.2f},{rss:.0f},{rng.random() * 200:.1f},{n * 100}")
    return "\n".join(rows) + "\n"


def spoiled(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with some of them changed, cut, doubled or moved."""
    raw = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 40))):
        at = rng.randrange(len(raw) + 1)
        how = rng.randrange(6)
        if how == 0 and raw:
            raw[at % len(raw)] ^= 1 << rng.randrange(8)
        elif how == 1:
            del raw[at : at + rng.choice((1, 8, 400))]
        elif how == 2:
            raw[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 64))))
        elif how == 3:
            raw[at:at] = raw[at : at + rng.choice((8, 100))] * rng.choice((1, 3))
        elif how == 4:
            raw[at : at + 4] = rng.choice((b"\xff\xff\xff\x7f", b"\x00" * 4, b"9999", b"-1e9"))
        elif rng.random() < 0.3:
            del raw[at:]
    return bytes(raw)


def spoil_recording(place: Path, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 4))):
        files = sorted(path for path in place.rglob("*") if path.is_file())
        if not files:
            return
        file = rng.choice(files)
        how = rng.randrange(8)
        if how == 0:
            file.unlink()
        elif how == 1:
            shutil.copy(rng.choice(files), file)
        elif how == 2:
            file.unlink()
            file.mkdir()
        elif how == 3:
            file.unlink()
            file.symlink_to(rng.choice(("/etc/passwd", "/dev/zero", "..", "missing")))
        else:
            file.write_bytes(spoiled(file.read_bytes(), rng))


def some_sql(rng: random.Random) -> str:
    words = rng.choice(SQL).split(" ")
    for _ in range(rng.choice((0, 0, 1, 3, 8))):
        words.insert(rng.randrange(len(words) + 1), rng.choice(PIECES))
    if rng.random() < 0.2:
        rng.shuffle(words)
    return " ".join(words).replace("\x00", " ")


def trial(world: Path, good: Path, rng: random.Random) -> Trial:
    """Lay out a trial in an empty folder."""
    kind = rng.choice(("recording", "recording", "trace", "sql", "options"))
    if kind == "recording":
        place = world / "bad.perftui"
        shutil.copytree(good, place)
        spoil_recording(place, rng)
        command = rng.choice(("summary", "query", "export", "detect", "compare", "pack"))
        more = {
            "summary": rng.choice(([], ["--json"])),
            "query": [some_sql(rng), "--timeout", "5"],
            "export": ["--format", rng.choice(FORMATS), "-o", str(world / "out")],
            "detect": [],
            "compare": [str(good)],
            "pack": ["-o", str(world / "out.zip")],
        }[command]
        return Trial(kind, [command, str(place), *more])
    if kind == "trace":
        file = world / rng.choice(("trace.csv", "trace.csv.gz", "trace.json"))
        file.write_bytes(spoiled(make_trace(rng).encode(), rng))
        return Trial(kind, ["detect", str(file)])
    if kind == "sql":
        return Trial(kind, ["query", str(good), some_sql(rng), "--timeout", "5"])
    words = [rng.choice(COMMANDS)]
    for _ in range(rng.randrange(5)):
        option = rng.choice(("--json", "--format", "-o", "--limit", "--timeout", "--fail-on", ""))
        words += [word for word in (option, rng.choice((*VALUES, str(good)))) if word]
    return Trial(kind, [word for word in words if "\x00" not in word])


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES_BYTES, ADDRESSES_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(words: list[str], world: Path) -> str:
    """Run a trial; return what is wrong with it, "" if nothing."""
    home = world / "home"
    home.mkdir()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PERFTUI_RECORDINGS": str(home / "shelf"),
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        [os.fsencode(word) for word in own_module("perftui", *words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=world,
        env=environment,
        preexec_fn=limit,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"no end after {LIMIT_S} s"
    if b"Traceback (most recent call last)" in err + out[:100_000]:
        return "traceback: " + err.decode(errors="replace").strip().splitlines()[-1]
    if process.returncode not in CODES:
        last = err.decode(errors="replace").strip().splitlines()[-1:]
        return f"exit code {process.returncode} {last}"
    return ""


def content(folder: Path) -> str:
    """Return a digest of all that is in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path.relative_to(folder)).encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-finds"))
    args = parser.parse_args()
    rng = random.Random(args.seed)
    found = 0
    tried: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="perftui-fuzz-") as name:
        folder = Path(name)
        good = make_recording(folder)
        was = content(good)
        end = time.monotonic() + 60 * args.minutes
        while time.monotonic() < end:
            world = folder / "world"
            world.mkdir()
            one = trial(world, good, rng)
            tried[one.kind] += 1
            outside = set(folder.iterdir())
            wrong = run(one.words, world)
            if not wrong and content(good) != was:
                wrong = "the good recording was changed"
            if not wrong and set(folder.iterdir()) != outside:
                wrong = "it wrote outside of its folder"
            if wrong:
                found += 1
                place = args.keep / f"{args.seed}-{sum(tried.values())}"
                shutil.copytree(world, place, symlinks=True, ignore=shutil.ignore_patterns("home"))
                (place / "command").write_text(repr(one.words) + "\n" + wrong + "\n")
                print(f"{place}: {wrong}\n    {one.words!r}", flush=True)
            shutil.rmtree(world)
    print(f"{args.minutes:g} min, {sum(tried.values())} trials {dict(tried)}, {found} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
