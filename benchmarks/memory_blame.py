"""Who makes memory grow: perftui's three answers against what is known, and against memray's.

    python benchmarks/memory_blame.py [--seconds S] [--python EXE]... [--memray EXE] [NAME ...]
    python benchmarks/memory_blame.py --cost ROUNDS [--memray EXE]      what each mode costs
    python benchmarks/memory_blame.py --attach SECONDS                  to a leak of 1 MB/s

Each program of `memory_programs` runs under `perftui run` with every interpreter that is given,
and once more under memray. Told is, for each: the function of the first row of "where memory
rose" (by samples) and its thread, or that it cannot be told; the first three functions of "in
which function" (by entry and exit) and what keeps it (by census); and memray's
first function: the program's own frame with most memory at the peak.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from memory_programs import KNOWN, Known

from perftui.probes.profile.memory.blame_words import UNNAMED
from perftui.probes.profile.memory.growth import IMPORTS

PROGRAMS = Path(__file__).resolve().parent / "memory_programs"
FIRST = 3
MEMRAY_READS = """
import sys
from memray import FileReader
own = {}
for name in sys.argv[2:]:
    reader = FileReader(name)
    for record in reader.get_high_watermark_allocation_records(merge_threads=True):
        stack = record.stack_trace()
        if any(file.startswith("<frozen importlib") for function, file, line in stack):
            continue  # modules, which stay
        for function, file, line in stack:
            if file.startswith(sys.argv[1]) and not function.endswith("comp>"):
                break  # a comprehension is its function's code, as from 3.12 on
        else:
            function = ""
        own[function] = own.get(function, 0) + record.size
print(max(own, key=own.get) if own else "")
"""


@cache
def has(python: str, package: str) -> bool:
    """Tell whether an interpreter has a package."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


class Answer(NamedTuple):
    """One answer, and whether it is right; None where there is none to be had."""

    said: str
    right: bool | None


def answers(memory: dict[str, Any], known: Known) -> dict[str, Answer]:
    """Judge a summary's three answers, and the thread."""
    growth = [
        row
        for row in memory["growth"]
        if row["grown_bytes"] > 500_000 and row["confidence"] != IMPORTS
    ]
    first = growth[0] if growth else None
    told: dict[str, Answer] = {"samples": Answer("nothing", None), "thread": Answer("", None)}
    if first is not None:
        # A comprehension is code of its function, and a function of its own before 3.12.
        outer = re.sub(r"(\.<locals>\.<\w+comp>)+$", "", first["function"])
        said, names = first["function"], [outer.rpartition(".")[2]]
        right = names[0] in known.functions
        if first["confidence"] == "cannot tell":
            said, right = "cannot tell: " + ", ".join(first["within"]), True
        elif not first["file"].startswith(str(PROGRAMS)):
            # A library's function is right only if a sample met it touching memory.
            said = f"{said} (library)"
            right = first["confidence"] in ("met touching it", "while these wait")
        told["samples"] = Answer(said, right)
        told["thread"] = Answer(first["thread"], first["thread"] == known.thread)
        waits = bool(set(known.functions) & set(first["within"]))
        if first["why"]:  # huge pages, or most was freed: of the threads nothing is claimed
            told["thread"] = Answer("cannot tell: " + first["why"], None)
        elif first["by"].startswith("page faults of native") and waits:
            told["thread"] = Answer(f"{first['thread']} (native, while it waits)", True)
    rises = [row["function"] for row in memory["rises"] if row["function"]]
    rose = [name.rpartition(".")[2] for name in rises[:FIRST]]
    told["entry and exit"] = Answer(
        ", ".join(rose) or "-", bool(set(rose) & set(known.functions)) if rose else None
    )
    keepers = memory["keepers"][:FIRST]
    if not memory["looks"]:  # it had no time to answer, which is no wrong answer
        told["census"] = Answer("not asked", None)
        return told
    said = ", ".join(f"{row['what']} ◀ {row['code']}" for row in keepers)
    unnamed = any(UNNAMED in look["note"] for look in memory["looks"])
    told["census"] = Answer(
        said or (UNNAMED if unnamed else "-"),
        any(known.keeper in row["what"] for row in keepers)
        if known.keeper
        else unnamed and not keepers,
    )
    return told


def run(python: str, name: str, seconds: float) -> dict[str, Any]:
    """Run a program under perftui; return its summary's memory, and how long a look held it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "summary.json"
        argv = [sys.executable, "-m", "perftui", "run", "--headless", "--no-record"]
        argv += ["--json", str(file), "--", python, str(PROGRAMS / f"{name}.py"), str(seconds)]
        subprocess.run(argv, capture_output=True, check=True, timeout=seconds * 6 + 60)
        found: dict[str, Any] = json.loads(file.read_text())["memory"]
        return found


def memray_first(python: str, name: str, seconds: float) -> str:
    """Return memray's first function, "" if most memory has none (threads without Python), or if
    memray takes too long. What is allocated by imports is left out.

    Arrow's own allocator takes memory by the gigabyte from the system, and memray gives all of it
    to who came first: for memray, Arrow uses the system's.
    """
    program = str(PROGRAMS / f"{name}.py")
    env = dict(os.environ)
    if not has(python, "memray"):  # then it is to take ours
        env["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if "site-packages" in p)
    env["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/out.bin"
        argv = [python, "-m", "memray", "run", "--follow-fork", "-q", "-o", file, program]
        argv.append(str(seconds))
        patience_s = seconds * 10 + 60
        try:
            subprocess.run(argv, env=env, capture_output=True, check=True, timeout=patience_s)
        except subprocess.TimeoutExpired:
            return ""  # Lance under memray, on a full machine
        argv = [python, "-c", MEMRAY_READS, str(PROGRAMS), *map(str, Path(folder).glob("out.bin*"))]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def work_of(argv: list[str], **options: Any) -> float:
    """Run a program that says its work per CPU second at its end; return that."""
    done = subprocess.run(argv, capture_output=True, text=True, check=True, **options)
    return float(done.stdout.split()[-1])


def print_cost(python: str, memray: str | None, seconds: float, rounds: int) -> None:
    """Print the work per CPU second of a program in each mode, beside one that is left alone.

    Memray records each allocation, with the interpreter that has it: beside itself without it.
    """
    modes = {"hands off": ["--hands-off"], "as it is": [], "deep": ["--deep"]}
    for name in ("allocation_heavy", "call_heavy"):
        program = [str(PROGRAMS / f"{name}.py"), str(seconds)]
        found: dict[str, list[float]] = {}
        looks: dict[str, int] = {}
        for _ in range(rounds):
            found.setdefault("alone", []).append(work_of([python, *program]))
            for mode, options in modes.items():
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder) / "summary.json"
                    argv = [sys.executable, "-m", "perftui", "run", "--headless", "--no-record"]
                    argv += [*options, "--json", str(file), "--", python, *program]
                    found.setdefault(mode, []).append(work_of(argv))
                    told = json.loads(file.read_text())["memory"]["looks"]
                    looks[mode] = looks.get(mode, 0) + len(told)
            if memray:
                found.setdefault("memray's alone", []).append(work_of([memray, *program]))
                for mode, extra in (
                    ("memray", []),
                    ("memray, Python's own", ["--trace-python-allocators"]),
                ):
                    with tempfile.TemporaryDirectory() as folder:
                        argv = [memray, "-m", "memray", "run", "-q", *extra]
                        argv += ["-o", f"{folder}/out.bin", *program]
                        found.setdefault(mode, []).append(work_of(argv))
        for mode, works in found.items():
            base = "memray's alone" if mode.startswith("memray") else "alone"
            share = 100 * median(works) / median(found[base])
            said = f"{share:6.1f} % of the work per CPU second"
            said += f", {looks[mode]} answers" if mode in looks else ""
            print(f"{name:18}{mode:22}{said}", flush=True)


def print_attached(python: str, seconds: float) -> None:
    """Print what is told of a leak of 1 MB/s in a program that nobody prepared."""
    name, (known, thread) = "slow_leak", (("remember",), "serve")
    argv = [python, str(PROGRAMS / f"{name}.py"), str(seconds + 30)]
    program = subprocess.Popen(argv)
    try:
        time.sleep(3)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "summary.json"
            argv = [sys.executable, "-m", "perftui", "attach", str(program.pid), "--headless"]
            argv += ["--no-record", "--duration", f"{seconds:g}", "--json", str(file)]
            subprocess.run(argv, capture_output=True, check=True, timeout=seconds * 3 + 60)
            summary = json.loads(file.read_text())
    finally:
        program.kill()
        program.wait()
    for row in summary["memory"]["growth"][:FIRST]:
        among = f" within {', '.join(row['within'])}" if row["within"] else ""
        right = row["function"] in known or (row["within"] and set(known) & set(row["within"]))
        mark = "ok" if right and row["thread"] == thread else "  "
        grown = f"+{row['grown_bytes'] / 1e6:.1f} MB"
        print(f"{mark:4}{grown:10}{row['function']} in {row['thread']}: {row['confidence']}{among}")
    for alert in summary["alerts"]:
        print(f"    {alert['t_detect_s']:.0f} s: {alert['kind']}: {alert['message']}")
    print(f"    from inside: {summary['memory']['unasked']}")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--python", action="append", help="interpreters to run them with")
    parser.add_argument("--memray", help="a Python of this version that has memray")
    parser.add_argument("--cost", type=int, metavar="ROUNDS", help="what a look costs instead")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--attach", type=float, metavar="SECONDS", help="to a slow leak instead")
    args = parser.parse_args()
    python = (args.python or [sys.executable])[0]
    if args.cost:
        print_cost(python, args.memray, args.seconds, args.cost)
        return
    if args.attach:
        print_attached(python, args.attach)
        return
    counts: dict[str, list[int]] = {}
    for name in args.names or KNOWN:
        known = KNOWN[name]
        memray = ""
        missing = [each for each in known.needs if not has(sys.executable, each)]
        if args.memray and not missing:
            memray = memray_first(args.memray, name, args.seconds)
        for python in args.python or [sys.executable]:
            if any(not has(python, each) for each in known.needs):
                continue
            memory = run(python, name, args.seconds)
            told = answers(memory, known)
            if memray and memory["looks"]:
                met = [row["function"] for row in memory["rises"][:FIRST] if row["function"]]
                met += [row["function"] for row in memory["keepers"][:FIRST] if row["function"]]
                short = memray.rpartition(".")[2]
                told["memray's first"] = Answer(
                    memray, short in {each.rpartition(".")[2] for each in met}
                )
            print(f"{name} ({Path(python).name})", flush=True)
            for what, answer in told.items():
                mark = {True: "ok", False: "WRONG", None: "none"}[answer.right]
                print(f"  {mark:6}{what:16}{answer.said}", flush=True)
                if answer.right is not None:
                    cell = counts.setdefault(what, [0, 0])
                    cell[0] += answer.right
                    cell[1] += 1
            longest = max((look["longest_pause_s"] for look in memory["looks"]), default=0.0)
            cost = sum(look["cpu_s"] for look in memory["looks"])
            print(f"        looks: {cost * 1e3:.0f} ms CPU in all, longest {longest * 1e3:.1f} ms")
    for what, (right, all_) in counts.items():
        print(f"{what}: {right} of {all_} right")


if __name__ == "__main__":
    main()
