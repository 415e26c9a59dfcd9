"""What works on which Python: every cell is a real program, run under perftui.

    python benchmarks/pythons.py [--cost] [PYTHON...]

Without interpreters those of PERFTUI_PYTHONS and pyenv are taken, one of each version. `--cost`
adds what the agent's start and `import perftui` take, in CPU time and interleaved with the bare
interpreter.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from perftui.probes.agent_link.launch import agent_environment

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST = (3, 9)

BUSY = """
import time, perftui, colorsys
def busy():
    end = time.monotonic() + 1.0
    while time.monotonic() < end: sum(range(1000))
with perftui.phase("work"):
    for _ in range(2):
        with perftui.call("job"): busy()
"""
PLAIN = BUSY.partition("with perftui")[0].replace("perftui, ", "") + 6 * "busy()\n"

LAZY_LOADER = """
import importlib.util, sys, perftui
spec = importlib.util.find_spec("colorsys")
spec.loader = importlib.util.LazyLoader(spec.loader)
sys.modules["colorsys"] = colorsys = importlib.util.module_from_spec(spec)
spec.loader.exec_module(colorsys)
with perftui.phase("use"): colorsys.rgb_to_hsv(1, 1, 1)
"""
LAZY_IMPORT = """
lazy import colorsys
import perftui
with perftui.phase("use"): colorsys.rgb_to_hsv(1, 1, 1)
"""

WORKERS = """
import multiprocessing, perftui
def work(n):
    with perftui.phase("work %d" % n): import colorsys
if __name__ == "__main__":
    multiprocessing.set_start_method("forkserver")
    with perftui.phase("main"), multiprocessing.Pool(2) as pool: pool.map(work, range(4))
"""

SUBINTERPRETER = """
import sys, perftui
code = "import perftui, colorsys\\nwith perftui.phase('inside'): print('inside', flush=True)"
if sys.version_info >= (3, 14):
    import concurrent.interpreters as interpreters
    interpreters.create().exec(code)
elif sys.version_info >= (3, 13):
    import _interpreters
    assert _interpreters.exec(_interpreters.create(), code) is None
else:
    import _xxsubinterpreters
    _xxsubinterpreters.run_string(_xxsubinterpreters.create(), code)
with perftui.phase("outside"): import colorsys
"""


def perftui(folder: Path, *words: str, code: str = "", python: str = "") -> dict[str, Any]:
    """Run a perftui command on a program; return its summary."""
    summary = folder / "summary.json"
    command = [sys.executable, "-m", "perftui", words[0], "--no-record", "--headless"]
    command += ["--json", str(summary), *words[1:]]
    if code:
        (folder / "program.py").write_text(code)
        command += ["--", python, str(folder / "program.py")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    found: dict[str, Any] = json.loads(summary.read_text())
    return {**found, "stdout": done.stdout, "code": done.returncode}


def functions(summary: dict[str, Any]) -> set[str]:
    return {row["function"] for row in (summary["stacks"] or {}).get("top", [])}


def modules(summary: dict[str, Any]) -> set[str]:
    return {row["module"] for row in summary["imports"]["modules"]}


def phases(summary: dict[str, Any]) -> list[str]:
    return sorted(phase["name"] for phase in summary["phases"])


def attach(python: str, folder: Path) -> bool:
    with subprocess.Popen([python, "-c", PLAIN]) as process:
        seen = perftui(folder, "attach", "--duration", "1", str(process.pid))
        process.kill()
    return "busy" in functions(seen)


def lazy(python: str, folder: Path, version: tuple[int, ...]) -> str:
    kinds = {"LazyLoader": LAZY_LOADER}
    if version >= (3, 15):
        kinds["lazy import"] = LAZY_IMPORT
    seen = [
        kind
        for kind, code in kinds.items()
        if "colorsys" in modules(perftui(folder, "run", code=code, python=python))
    ]
    return " + ".join(seen) if len(seen) == len(kinds) else "NO"


def cells(python: str, version: tuple[int, ...]) -> dict[str, object]:
    """Return what works, by capability."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def run(code: str) -> dict[str, Any]:
            return perftui(folder, "run", code=code, python=python)

        busy = run(BUSY)
        workers, inner = run(WORKERS), run(SUBINTERPRETER)
        wanted = ["main", *(f"work {n}" for n in range(4))]
        return {
            "launch": busy["code"] == 0 and "busy" in functions(busy),
            "attach": attach(python, folder),
            "imports": "colorsys" in modules(busy),
            "lazy": lazy(python, folder, version),
            "phases": phases(busy) == ["work"],
            "calls": busy["calls"].get("job", {}).get("n") == 2,
            "forkserver": phases(workers) == wanted and "colorsys" in modules(workers),
            "subinterpreters": "inside" in inner["stdout"]
            and inner["code"] == 0
            and phases(inner) == ["outside"],
        }


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
            env, fds, channel = agent_environment(clean)
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


def version_of(python: str) -> tuple[int, ...]:
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True)
    except OSError:
        return ()
    return tuple(map(int, done.stdout.strip().split("."))) if done.stdout else ()


def found_pythons() -> list[str]:
    named = [path for path in os.environ.get("PERFTUI_PYTHONS", "").split(os.pathsep) if path]
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return [*named, *map(str, sorted(home.glob("*/bin/python")))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("pythons", nargs="*")
    args = parser.parse_args()
    by_version: dict[tuple[int, ...], str] = {}
    for python in args.pythons or found_pythons():
        version = version_of(python)
        if version >= OLDEST:
            by_version.setdefault(version, python)
    by_minor = {version[:2]: version for version in sorted(by_version, reverse=True)}
    if args.pythons:
        by_minor = {version: version for version in by_version}
    titles: list[str] | None = None
    for version in sorted(by_minor.values()):
        python = by_version[version]
        row = cells(python, version)
        if args.cost:
            plain, agent, imported = cost(python)
            row["bare ms"] = f"{plain:.1f}"
            row["agent ms"] = f"+{agent:.1f}"
            row["import perftui ms"] = f"+{imported:.2f}"
        if titles is None:
            titles = list(row)
            print("Python   " + "  ".join(titles))
        texts = [{True: "yes", False: "NO"}.get(row[t], row[t]) for t in titles]  # type: ignore[call-overload]
        line = "  ".join(str(text).ljust(len(t)) for text, t in zip(texts, titles, strict=True))
        print(".".join(map(str, version)).ljust(9) + line, flush=True)


if __name__ == "__main__":
    main()
