"""What works on which Python: every cell is a real program, run under perftui.

    python benchmarks/pythons.py [--cost] [--install] [--write docs/pythons.md] [PYTHON...]

Without interpreters those of PERFTUI_PYTHONS and pyenv are taken, one of each version. `--cost`
adds what the agent's start and `import perftui` take, in CPU time and interleaved with the bare
interpreter. `--install` makes a virtual environment with each Python that perftui itself runs on
and installs this checkout into it, which takes minutes. `--write` puts the table into the page.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import python_checks as checks

from perftui.probes.agent_link.launch import agent_environment

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST = (3, 9)
OWN_OLDEST = (3, 11)
"""On which perftui itself runs; older ones are what it watches."""
ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- table: benchmarks/pythons.py --write -->", "<!-- end -->"


def cells(python: str, version: tuple[int, ...], *, install: bool) -> dict[str, str]:
    """Return what works, by capability."""
    row = {}
    if install:
        row["install"] = said(installs(python)) if version >= OWN_OLDEST else "target"
    with tempfile.TemporaryDirectory() as name:
        trial = checks.Trial(python, version, Path(name))
        for title, check in checks.CHECKS.items():
            try:
                row[title] = said(check(trial))
            except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
                row[title] = f"NO ({type(error).__name__})"
    return row


def said(found: object) -> str:
    return {True: "yes", False: "NO"}.get(found, str(found))  # type: ignore[call-overload]


def installs(python: str) -> bool:
    """Install this checkout with what it needs into an environment of its own, and start it."""
    with tempfile.TemporaryDirectory() as name:
        environment = Path(name) / "venv"
        make = [python, "-I", str(ROOT / ".ci" / "environment.py"), str(environment)]
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        constraints = ["--constraint", str(ROOT / "constraints.txt")]
        start = [str(environment / "bin" / "perftui"), "doctor"]
        steps = (make, [*pip, *constraints, str(ROOT)], start)
        return all(subprocess.run(step, capture_output=True).returncode == 0 for step in steps)


def cpu_ms(start: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def cost(python: str, runs: int = 25) -> tuple[float, float, float]:
    """Return CPU ms: the bare interpreter, the agent over it, `import perftui` over that."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    def bare() -> None:
        subprocess.run([python, "-c", "pass"], env=clean, check=True)

    def watched(code: str) -> Callable[[], object]:
        def start() -> None:
            env, fds, channel = agent_environment(clean, hears_orders=True)
            process = subprocess.Popen([python, "-c", code], env=env, pass_fds=fds)
            channel.close_child_ends()
            channel.open_gate()
            process.wait()
            channel.close()

        return start

    kinds = (bare, watched("pass"), watched("import perftui"))
    for kind in kinds:
        kind()  # .pyc files
    taken: list[list[float]] = [[], [], []]
    for _ in range(runs):
        for kind, times in zip(kinds, taken, strict=True):
            times.append(cpu_ms(kind))
    plain, agent, imported = map(median, taken)
    return plain, agent - plain, imported - agent


def version_of(python: str) -> tuple[tuple[int, ...], str]:
    """Return the version, and as people call it ("3.14.2t")."""
    code = (
        "import sys; print('%d.%d.%d' % sys.version_info[:3], "
        "'t' if 't' in getattr(sys, 'abiflags', '') else '')"
    )
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True)
    except OSError:
        return (), ""
    words = done.stdout.split()
    return (tuple(map(int, words[0].split("."))), "".join(words)) if words else ((), "")


def found_pythons() -> list[str]:
    named = [path for path in os.environ.get("PERFTUI_PYTHONS", "").split(os.pathsep) if path]
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return [*named, *map(str, sorted(home.glob("*/bin/python")))]


def chosen(pythons: list[str]) -> list[tuple[tuple[int, ...], str, str]]:
    """Return (version, name, path): those that were asked for, or the newest of each minor."""
    known: dict[str, tuple[tuple[int, ...], str, str]] = {}
    for python in pythons or found_pythons():
        version, name = version_of(python)
        if version < OLDEST:
            continue
        key = name if pythons else f"{version[:2]}{name[-1:] if name.endswith('t') else ''}"
        if key not in known or version > known[key][0]:
            known[key] = version, name, python
    return sorted(known.values())


def markdown(rows: dict[str, dict[str, str]]) -> str:
    """Return the table with a line for each capability: they are many more than Pythons."""
    titles = list(next(iter(rows.values())))
    lines = ["| | " + " | ".join(rows) + " |", "|---" * (len(rows) + 1) + "|"]
    lines += [
        f"| {title} | " + " | ".join(row.get(title, "") for row in rows.values()) + " |"
        for title in titles
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    parser.add_argument("pythons", nargs="*")
    args = parser.parse_args()
    rows: dict[str, dict[str, str]] = {}
    for version, name, python in chosen(args.pythons):
        row = rows[name] = cells(python, version, install=args.install)
        if args.cost:
            plain, agent, imported = cost(python)
            row["bare interpreter, CPU ms"] = f"{plain:.1f}"
            row["the agent's start, CPU ms"] = f"{agent:+.1f}"
            row["`import perftui`, CPU ms"] = f"{imported:+.2f}"
        print(name, *(f"{title}: {text}" for title, text in row.items()), sep="  ", flush=True)
    table = markdown(rows)
    print(table)
    if args.write:
        page = args.write.read_text()
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        args.write.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


if __name__ == "__main__":
    main()
