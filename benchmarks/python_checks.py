"""The checks of `pythons.py`: programs whose answers are known, and what perftui says of them."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUSY = """
import time, perftui, colorsys
try: import no_such_module
except ImportError: pass
def busy():
    end = time.monotonic() + 1.0
    while time.monotonic() < end: sum(range(1000))
with perftui.phase("work"):
    for _ in range(2):
        with perftui.call("job"): busy()
"""
PLAIN = (
    "import time\ndef busy():\n    end = time.monotonic() + 1.0\n"
    "    while time.monotonic() < end: sum(range(1000))\n" + 8 * "busy()\n"
)

LAZY_LOADER = """
import importlib.util, sys, perftui
spec = importlib.util.find_spec("colorsys")
spec.loader = importlib.util.LazyLoader(spec.loader)
sys.modules["colorsys"] = colorsys = importlib.util.module_from_spec(spec)
spec.loader.exec_module(colorsys)
def convert():
    with perftui.call("convert"): colorsys.rgb_to_hsv(1, 1, 1)
with perftui.phase("use"): convert()
"""
LAZY_IMPORT = "lazy import colorsys\n" + "\n".join(
    line for line in LAZY_LOADER.splitlines() if "spec" not in line
)
GETATTR = """
import importlib, sys, types, perftui
package = types.ModuleType("package")
def __getattr__(name): return importlib.import_module(name)
package.__getattr__ = __getattr__
def convert():
    with perftui.call("convert"): package.colorsys.rgb_to_hsv(1, 1, 1)
with perftui.phase("use"): convert()
"""

WORKERS = """
import multiprocessing, sys, perftui
def work(n):
    with perftui.phase("work %d" % n): import colorsys
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with perftui.phase("main"), multiprocessing.Pool(2) as pool: pool.map(work, range(4))
"""
EXECUTOR = """
from concurrent.futures import ProcessPoolExecutor
import perftui
def work(n):
    with perftui.phase("work %d" % n): import colorsys
if __name__ == "__main__":
    with perftui.phase("main"), ProcessPoolExecutor(2) as pool: list(pool.map(work, range(4)))
"""

SUBINTERPRETER = """
import sys, perftui
code = '''
import perftui, colorsys, time
def inside_busy():
    end = time.monotonic() + 1.5
    while time.monotonic() < end: sum(range(1000))
with perftui.phase('inside'): inside_busy()
print('inside', flush=True)
'''
if sys.version_info >= (3, 14):
    import concurrent.interpreters as interpreters
    interpreters.create().exec(code)
elif sys.version_info >= (3, 13):
    import _interpreters
    assert _interpreters.exec(_interpreters.create(), code) is None
else:
    import _xxsubinterpreters
    _xxsubinterpreters.run_string(_xxsubinterpreters.create(), code)
with perftui.phase("outside"): import wave
"""

TASKS = """
import asyncio
async def fetch(lock):
    async with lock: pass
async def main():
    lock = asyncio.Lock()
    await lock.acquire()
    tasks = [asyncio.create_task(fetch(lock), name="fetch-%d" % n) for n in range(3)]
    await asyncio.sleep(2.5)  # between two of the lists that are made once a second
    lock.release()
    await asyncio.gather(*tasks)
asyncio.run(main())
"""

GIL = """
import threading, time
end = time.monotonic() + 2
def python():
    while time.monotonic() < end: sum(range(1000))
threads = [threading.Thread(target=python, name=name) for name in ("one", "two")]
for each in threads: each.start()
for each in threads: each.join()
"""

GC = """
import gc, time
keep = [[n] for n in range(200_000)]
took, began = [0], [0]
def clock(phase, info):
    if phase == "start": began[0] = time.monotonic()
    else: took[0] += time.monotonic() - began[0]
gc.callbacks.append(clock)
while took[0] < 1.2: gc.collect()
print(took[0])
"""

COLLECTS = "import gc, time\nwhile True: gc.collect(); time.sleep(0.05)"

MEMORY = """
import time
kept = []
def keeps():
    for _ in range(60):
        kept.append(bytearray(b"x") * 1_000_000)
        time.sleep(0.02)
keeps()
"""


class Trial:
    """One interpreter; what several checks look at is run once."""

    def __init__(self, python: str, version: tuple[int, ...], folder: Path) -> None:
        self.python = python
        self.version = version
        self.folder = folder

    def run(self, code: str, *words: str, record: str = "") -> dict[str, Any]:
        """Run a program under perftui; return its summary, with stdout and exit code."""
        program = self.folder / "program.py"
        program.write_text(code)
        options = ["--record", record] if record else ["--no-record"]
        return self.perftui("run", *options, "--", self.python, str(program), *words)

    def perftui(self, command: str, *words: str) -> dict[str, Any]:
        """Run a perftui command that says a summary."""
        summary = self.folder / "summary.json"
        line = [sys.executable, "-m", "perftui", command, "--headless", "--json", str(summary)]
        done = subprocess.run(
            [*line, *words], cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        found: dict[str, Any] = json.loads(summary.read_text())
        return {**found, "stdout": done.stdout, "code": done.returncode}

    @cached_property
    def busy(self) -> dict[str, Any]:
        return self.run(BUSY)

    @cached_property
    def inner(self) -> dict[str, Any]:
        return self.run(SUBINTERPRETER)


def functions(summary: dict[str, Any]) -> set[str]:
    return {row["function"] for row in (summary["stacks"] or {}).get("top", [])}


def modules(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["module"]: row for row in summary["imports"]["modules"]}


def phases(summary: dict[str, Any]) -> list[str]:
    return sorted(phase["name"] for phase in summary["phases"])


def launch(trial: Trial) -> bool:
    return trial.busy["code"] == 0 and "busy" in functions(trial.busy)


def attach(trial: Trial) -> bool:
    with subprocess.Popen([trial.python, "-c", PLAIN]) as process:
        seen = trial.perftui("attach", "--no-record", "--duration", "1.5", str(process.pid))
        process.kill()
    return "busy" in functions(seen)


def imports(trial: Trial) -> bool:
    return modules(trial.busy).get("colorsys", {}).get("ok") is True


def failed(trial: Trial) -> bool:
    return modules(trial.busy).get("no_such_module", {}).get("ok") is False


def put_off(code: str, *, lazy: bool) -> Callable[[Trial], bool]:
    """A lazy import, with who caused it, in which phase, and in the first call that waited."""

    def check(trial: Trial) -> bool:
        summary = trial.run(code)
        row = modules(summary).get("colorsys", {})
        told = (row.get("function"), row.get("phase"), row.get("lazy"))
        first = summary["calls"].get("convert", {}).get("first_imports", [])
        return told == ("convert", "use", lazy) and [r["module"] for r in first] == ["colorsys"]

    return check


def lazy_statement(trial: Trial) -> object:
    if trial.version < (3, 15):
        return "–"
    return put_off(LAZY_IMPORT, lazy=True)(trial)


def said_phases(trial: Trial) -> bool:
    calls = trial.busy["calls"].get("job", {})
    return phases(trial.busy) == ["work"] and calls.get("n") == 2


def workers(method: str) -> Callable[[Trial], bool]:
    def check(trial: Trial) -> bool:
        summary = trial.run(EXECUTOR) if not method else trial.run(WORKERS, method)
        wanted = ["main", *(f"work {n}" for n in range(4))]
        return phases(summary) == wanted and "colorsys" in modules(summary)

    return check


def unharmed(trial: Trial) -> bool:
    inner = trial.inner
    return "inside" in inner["stdout"] and inner["code"] == 0 and "outside" in phases(inner)


def inside_stacks(trial: Trial) -> bool:
    return any("inside_busy" in name for name in functions(trial.inner))


def tasks(trial: Trial) -> bool:
    names = {task["name"] for task in trial.run(TASKS)["tasks"]}
    return {"fetch-0", "fetch-1", "fetch-2"} <= names


def gil(trial: Trial) -> object:
    """Which share of two busy threads' time is known to be with the GIL or waiting for it."""
    recording = trial.folder / "gil.perftui"
    trial.run(GIL, record=str(recording))
    sql = (
        "SELECT sum(coalesce(with_gil_ns, 0)) / 1e9 AS held, sum(coalesce(gil_ns, 0)) / 1e9 AS "
        "waited FROM stacks"
    )
    line = [sys.executable, "-m", "perftui", "query", str(recording), sql, "--format", "json"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    [row] = json.loads(done.stdout)
    return (row["held"] or 0) > 0.5 and (row["waited"] or 0) > 0.2


def collections(trial: Trial) -> bool:
    summary = trial.run(GC)
    paused_s = float(summary["stdout"])
    alerts = [alert["kind"] for alert in summary["alerts"]]
    return abs(summary["gc"]["pause_s"] / paused_s - 1) < 0.25 and "gc_pressure" in alerts


def collections_outside(trial: Trial) -> object:
    """Of an attached program, which tells nothing of itself."""
    with subprocess.Popen([trial.python, "-c", COLLECTS]) as process:
        seen = trial.perftui("attach", "--no-record", "--duration", "3", str(process.pid))
        process.kill()
    told = seen["gc"]["generations"]
    if not told or told[-1]["generation"] != 2 or told[-1]["collections"] < 5:
        return False
    return "yes" if seen["gc"]["pause_s"] else "their number"


def memory(trial: Trial) -> bool:
    told = trial.run(MEMORY)
    grown = told["memory"]["growth"]
    return bool(grown) and grown[0]["function"] == "keeps" and told["peak_rss_bytes"] > 60e6


CHECKS: dict[str, Callable[[Trial], object]] = {
    "launch: stacks": launch,
    "attach: stacks": attach,
    "imports": imports,
    "failed imports are marked": failed,
    "`LazyLoader`, with its cause": put_off(LAZY_LOADER, lazy=True),
    "`lazy import`, with its cause": lazy_statement,
    "module `__getattr__`, with its cause": put_off(GETATTR, lazy=False),
    "phases and calls": said_phases,
    "workers by fork": workers("fork"),
    "workers by spawn": workers("spawn"),
    "workers by forkserver": workers("forkserver"),
    "ProcessPoolExecutor": workers(""),
    "subinterpreters are unharmed": unharmed,
    "stacks of a subinterpreter": inside_stacks,
    "tasks of asyncio": tasks,
    "GIL: held, waited for": gil,
    "collections of cycles": collections,
    "collections, attached": collections_outside,
    "memory: who grows": memory,
}
