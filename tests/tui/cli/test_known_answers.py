"""Programs whose right answers are known, through the whole command: run, summary, recording."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.sampler import clean_environment

from perftui.probes.profile.sums import FunctionSum, function_sums
from perftui.probes.recording.read.reader import open_recording
from perftui.tui.text.summary import summary_text

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the own sampler is Linux's"),
]


class Ran(NamedTuple):
    """What a run of a program left."""

    output: str
    summary: dict[str, Any]
    functions: dict[str, FunctionSum]

    def top(self) -> list[str]:
        return [row["function"].rpartition(".")[2] for row in self.summary["stacks"]["top"]]


def ran(folder: Path, program: str, *options: str) -> Ran:
    script = folder / "program.py"
    script.write_text(program)
    recording = folder / "a.perftui"
    argv = ["-m", "perftui", "run", "--headless", "--json", str(folder / "s.json")]
    argv += ["--record", str(recording), *options, "--", sys.executable, str(script)]
    done = subprocess.run(
        [sys.executable, *argv],
        capture_output=True,
        text=True,
        env=clean_environment(),
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    reader = open_recording(recording)
    trees = reader.call_tree(0, 1 << 62)
    found: dict[str, FunctionSum] = {}
    for row in function_sums(reader.tree, trees):
        found.setdefault(row.function, row)
    return Ran(done.stdout, json.loads((folder / "s.json").read_text()), found)


POLL = """
import time
def work(s):
    begin = time.thread_time()
    while time.thread_time() - begin < s: sum(range(200))
    return time.thread_time() - begin
def wait(): time.sleep(0.03)
end = time.time() + 4
used = 0.0
while time.time() < end:
    used += work(0.01)
    wait()
print(used)
"""


def test_the_work_of_a_poll_loop_has_its_cpu(tmp_path: Path) -> None:
    found = ran(tmp_path, POLL)
    truth = float(found.output)
    assert found.summary["stacks"]["backend"] == "own sampler"
    # The kernel books a running thread at ticks; a busy machine gives it little in these seconds.
    measured = found.functions["work"].self_.cpu_ns / 1e9
    assert 0.95 * truth - 0.02 <= measured <= 1.07 * truth + 0.02
    assert found.functions["wait"].self_.waiting_ns > 5 * found.functions["wait"].self_.cpu_ns
    assert found.summary["stacks"]["coverage"] > 0.9


WORKERS = """
import os, time
END = time.time() + 3
def slow_query():
    while time.time() < END: sum(range(300))
def idle():
    while time.time() < END: time.sleep(0.2)
for k in range(12):
    if os.fork() == 0:
        time.sleep(0.3)
        (slow_query if k == 11 else idle)()
        os._exit(0)
for _ in range(12): os.wait()
"""


def test_the_hot_one_of_twelve_processes_is_found(tmp_path: Path) -> None:
    found = ran(tmp_path, WORKERS)
    assert max(found.functions.values(), key=lambda row: row.self_.cpu_ns).function == "slow_query"
    assert found.summary["stacks"]["coverage"] > 0.8


RECURSION = """
import sys, time
sys.setrecursionlimit(5000)
def burn(s):
    end = time.perf_counter() + s
    while time.perf_counter() < end: sum(range(200))
def down(n): return burn(2) if n == 0 else down(n - 1)
exec(compile("def gen():\\n    (lambda: [down(3000) for _ in range(1)])()\\n", "<plan>", "exec"))
gen()
"""


def test_a_deep_recursion_is_sampled(tmp_path: Path) -> None:
    found = ran(tmp_path, RECURSION)
    assert 1.3 < found.functions["burn"].self_.wall_ns / 1e9 < 3
    assert found.summary["stacks"]["coverage"] > 0.9


DEADLOCK = """
import os, threading, time
a, b = threading.Lock(), threading.Lock()
def transfer_in():
    with a:
        time.sleep(0.1)
        with b: pass
def transfer_out():
    with b:
        time.sleep(0.1)
        with a: pass
threads = [threading.Thread(target=f, daemon=True) for f in (transfer_in, transfer_out)]
for thread in threads: thread.start()
for thread in threads: thread.join(1.5)
os._exit(0)
"""


def test_where_each_thread_of_a_deadlock_waits(tmp_path: Path) -> None:
    found = ran(tmp_path, DEADLOCK)
    assert set(found.top()[:2]) == {"transfer_in", "transfer_out"}
    assert found.functions["transfer_in"].self_.waiting_ns > 2e9


ALLOCATES = """
import threading, time
END = time.time() + 3.5
kept = []
def fill_cache():
    while time.time() < END:
        kept.append(bytearray(b"x") * 2_000_000)
        time.sleep(0.05)
def maths():
    n = 0
    while time.time() < END: n = (n * 31 + 7) % 1_000_003
threads = [threading.Thread(target=f) for f in (fill_cache, maths)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_the_thread_that_allocates_has_the_growth(tmp_path: Path) -> None:
    found = ran(tmp_path, ALLOCATES)
    first = found.summary["memory"]["growth"][0]
    assert first["function"] == "fill_cache"
    # From 3.12 on a look from inside may have come in time, and settled it.
    assert first["by"].startswith("page faults of the thread")
    assert "where memory rose, by samples" in summary_text(found.summary)
    grown = {name: row.self_.grown_bytes for name, row in found.functions.items()}
    assert grown["fill_cache"] > 20 * grown.get("maths", 0)


def test_a_program_that_nobody_prepared_has_its_growth_and_why_no_more(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(ALLOCATES.replace("+ 3.5", "+ 300\nprint('up', flush=True)"))
    argv = [sys.executable, str(script)]
    target = subprocess.Popen(argv, stdout=subprocess.PIPE, env=clean_environment())
    try:
        assert target.stdout is not None
        assert target.stdout.readline() == b"up\n"
        words = ["attach", str(target.pid), "--headless", "--no-record", "--duration", "3"]
        done = subprocess.run(
            [sys.executable, "-m", "perftui", *words, "--json", str(tmp_path / "s.json")],
            capture_output=True,
            text=True,
            env=clean_environment(),
            timeout=120,
        )
    finally:
        target.kill()
        target.communicate()
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "s.json").read_text())
    memory = summary["memory"]
    assert memory["growth"][0]["function"] == "fill_cache"
    assert memory["growth"][0]["by"] == "page faults of the thread"
    assert (memory["keepers"], memory["rises"]) == ([], [])
    assert summary_text(summary).count(memory["unasked"]) == 2, "who keeps it, which function"


def test_py_spy_may_be_chosen(tmp_path: Path) -> None:
    found = ran(tmp_path, ALLOCATES, "--sampler", "py-spy", "--duration", "3")
    assert found.summary["stacks"]["backend"] == "py-spy"
    assert {"fill_cache", "maths"} <= set(found.functions)
    first = found.summary["memory"]["growth"][0]
    assert (first["function"], first["by"]) == ("fill_cache", "page faults of the thread")
    assert "by samples: page faults of the thread" in summary_text(found.summary)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--sampler", "own", "--native"), "py-spy"),
        (("--sampler", "py-spy", "--no-stacks"), "contradict"),
        (("--sampler", "gdb"), "invalid choice"),
    ],
)
def test_choices_that_cannot_be_had(options: tuple[str, ...], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "perftui", "run", *options, "--", sys.executable, "-c", "pass"],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
