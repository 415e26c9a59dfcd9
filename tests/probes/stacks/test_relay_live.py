from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from support.measuring import measured

from perftui.probes.spine.records import Notice, Stack, StackWindow, ThreadName
from perftui.probes.stacks import procfs
from perftui.probes.stacks.relay import StackProbe

from .conftest import Collected, Launch, wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc"),
]
S = 1_000_000_000
BUSY = """
def spin():
    while True:
        sum(range(2000))
spin()
"""


def recorders_of(pid: int) -> list[int]:
    """The py-spy processes that sample `pid`, whoever started them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"record" in argv and str(pid).encode() in argv:
                found.append(int(entry.name))
    return found


def coverage(windows: list[StackWindow]) -> float:
    held = sum(window.t1_ns - window.t0_ns for window in windows)
    return held / (windows[-1].t1_ns - windows[0].t0_ns)


def test_a_70_to_30_split_is_found(
    collected: Collected, sampler: str, launch: Launch, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    # The program says itself how long it was in each function, on the same clock.
    process = launch(
        """
import json, os, sys, time
spent = {"hot": 0, "cold": 0}
def hot(end):
    while time.monotonic_ns() < end: sum(range(500))
def cold(end):
    while time.monotonic_ns() < end: sum(range(500))
def step(function, seconds):
    begin = time.monotonic_ns()
    function(begin + int(seconds * 1e9))
    spent[function.__name__] += time.monotonic_ns() - begin
while not os.path.exists(sys.argv[1]): time.sleep(0.01)
for _ in range(8):
    step(hot, 0.525)
    step(cold, 0.225)
print(json.dumps(spent), flush=True)
""",
        str(go),
    )
    probe = StackProbe(collected.log, process.pid, on_ready=go.touch, sampler=sampler)
    probe.start()
    try:
        assert process.stdout is not None
        spent = json.loads(process.stdout.readline())
        process.wait()
        wait_until(lambda: probe.finished)
    finally:
        probe.stop()
    held: Counter[str] = Counter()
    for stack in collected.of(Stack):
        held[collected.functions(stack.node)[-1]] += stack.t1_ns - stack.t0_ns
    expected = 100 * spent["hot"] / (spent["hot"] + spent["cold"])
    measured = 100 * held["hot"] / (held["hot"] + held["cold"])
    assert abs(measured - expected) < 3, (expected, measured)
    total = spent["hot"] + spent["cold"]
    assert held["hot"] + held["cold"] == pytest.approx(total, rel=0.05)


def test_threads_are_named_and_idle_ones_are_kept(
    collected: Collected, sampler: str, launch: Launch
) -> None:
    process = launch(
        """
import threading, time
def nap(): time.sleep(60)
def work():
    while True: sum(range(2000))
threading.Thread(target=nap, name="sleeper", daemon=True).start()
threading.Thread(target=work, name="worker: 1 (x)", daemon=True).start()
time.sleep(60)
"""
    )
    probe = StackProbe(collected.log, process.pid, sampler=sampler)
    probe.start()
    wait_until(lambda: len(collected.of(StackWindow)) >= 3)
    probe.stop()
    names = {record.name: record.tid for record in collected.of(ThreadName)}
    assert set(names) == {"MainThread", "sleeper", "worker: 1 (x)"}
    assert names["MainThread"] == process.pid
    assert set(names.values()) <= procfs.thread_ids(process.pid)
    span = collected.of(StackWindow)[-1].t1_ns - collected.of(StackWindow)[0].t0_ns
    for name, leaf in (("sleeper", "nap"), ("worker: 1 (x)", "work")):
        stacks = [stack for stack in collected.of(Stack) if stack.tid == names[name]]
        assert {collected.functions(stack.node)[-1] for stack in stacks} == {leaf}
        assert sum(stack.t1_ns - stack.t0_ns for stack in stacks) > 0.9 * span


def test_windows_follow_each_other_and_cover_the_time(sampler: str, launch: Launch) -> None:
    process = launch(BUSY)

    def sampled() -> tuple[float, float]:
        """Return the share of the time that is covered, and the samples a second."""
        collected = Collected()
        probe = StackProbe(collected.log, process.pid, window_s=0.3, sampler=sampler)
        probe.start()
        wait_until(lambda: len(collected.of(StackWindow)) >= 10)
        probe.stop()
        windows = collected.of(StackWindow)
        assert all(a.t1_ns <= b.t0_ns for a, b in pairwise(windows))
        assert all(0 <= window.t0_ns < window.t1_ns <= time.monotonic_ns() for window in windows)
        assert all(window.sampler_cpu_s > 0 for window in windows)
        stacks = collected.of(Stack)
        assert all(a.t1_ns <= b.t0_ns for a, b in pairwise(stacks)), "one thread is in one place"
        assert not recorders_of(process.pid)
        seconds = sum(window.t1_ns - window.t0_ns for window in windows) / S
        return coverage(windows), sum(window.samples for window in windows) / seconds

    def holds(told: tuple[float, float]) -> bool:
        # One thread: samples are sweeps. Poisson, so 100 Hz is known to a few percent only.
        return told[0] >= 0.9 and 70 < told[1] < 130

    found = measured(sampled, holds)
    assert holds(found), found


def test_the_first_stacks_come_early_and_the_launcher_is_told(
    collected: Collected, sampler: str, launch: Launch
) -> None:
    process = launch(BUSY)
    ready: list[int] = []
    begin = time.monotonic_ns()
    probe = StackProbe(
        collected.log,
        process.pid,
        on_ready=lambda: ready.append(time.monotonic_ns()),
        sampler=sampler,
    )
    probe.start()
    wait_until(lambda: collected.of(Stack))
    arrived = time.monotonic_ns()
    probe.stop()
    assert len(ready) == 1
    assert begin < ready[0] < arrived
    first = collected.of(StackWindow)[0]
    assert first.t1_ns - first.t0_ns < 0.8 * S, "shorter than those that follow"


def test_the_last_window_of_a_program_that_ends_is_kept(
    collected: Collected, sampler: str, launch: Launch
) -> None:
    process = launch(
        """
import time
def first():
    end = time.monotonic() + 1.3
    while time.monotonic() < end: sum(range(500))
def last():
    end = time.monotonic() + 0.4
    while time.monotonic() < end: sum(range(500))
first()
last()
"""
    )
    probe = StackProbe(collected.log, process.pid, sampler=sampler)
    probe.start()
    process.wait()
    ended = time.monotonic_ns()
    wait_until(lambda: probe.finished)
    probe.stop()
    leaves = {collected.functions(stack.node)[-1] for stack in collected.of(Stack)}
    assert {"first", "last"} <= leaves
    last = [s for s in collected.of(Stack) if "last" in collected.functions(s.node)]
    assert sum(stack.t1_ns - stack.t0_ns for stack in last) > 0.2 * S
    assert collected.of(StackWindow)[-1].t1_ns < ended + 0.2 * S
    assert collected.troubles() == []


def test_a_thread_that_has_ended_is_not_held_for_the_rest_of_the_window(
    collected: Collected, sampler: str, launch: Launch
) -> None:
    process = launch(
        """
import threading, time
def brief():
    end = time.monotonic() + 0.3
    while time.monotonic() < end: sum(range(500))
while True:
    thread = threading.Thread(target=brief, name="brief")
    thread.start()
    thread.join()
    time.sleep(1.2)
"""
    )
    probe = StackProbe(collected.log, process.pid, window_s=1.0, sampler=sampler)
    probe.start()
    wait_until(lambda: len(collected.of(StackWindow)) >= 6)
    probe.stop()
    held: Counter[int] = Counter()
    for stack in collected.of(Stack):
        if stack.tid != process.pid:
            held[stack.tid] += stack.t1_ns - stack.t0_ns
    assert held
    assert max(held.values()) < 0.6 * S, held


def test_exec_in_the_target_is_healed(collected: Collected, sampler: str, launch: Launch) -> None:
    after = "def after():\n    while True: sum(range(2000))\nafter()"
    process = launch(
        f"""
import os, sys, time
def before():
    end = time.monotonic() + 1
    while time.monotonic() < end: sum(range(2000))
before()
os.execv(sys.executable, [sys.executable, "-c", {after!r}])
"""
    )
    probe = StackProbe(collected.log, process.pid, window_s=0.5, sampler=sampler)
    probe.start()

    def seen() -> set[str]:
        whole = [stack for stack in collected.of(Stack) if not stack.torn]
        return {name for stack in whole for name in collected.functions(stack.node)}

    wait_until(lambda: {"before", "after"} <= seen())
    probe.stop()
    assert collected.troubles() == []


def test_a_program_that_is_not_python(collected: Collected, sampler: str) -> None:
    process = subprocess.Popen(["sleep", "60"])
    told: list[bool] = []
    probe = StackProbe(
        collected.log, process.pid, on_ready=lambda: told.append(True), sampler=sampler
    )
    try:
        probe.start()
        wait_until(lambda: collected.of(Notice))
        assert not probe.finished
        assert told == [True]
        [notice] = collected.of(Notice)
        assert notice.severity == "info"
        assert "not a Python process: no stacks, CPU and memory only" in notice.text
        probe.stop()
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    assert collected.of(Stack) == []


def test_a_shell_that_becomes_python_is_found(collected: Collected, sampler: str) -> None:
    code = "def spin():\n    while True: sum(range(2000))\nspin()"
    process = subprocess.Popen(
        ["sh", "-c", 'read line; exec "$0" -c "$1"', sys.executable, code], stdin=subprocess.PIPE
    )
    probe = StackProbe(collected.log, process.pid, sampler=sampler)
    try:
        probe.start()
        wait_until(lambda: collected.of(Notice))
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        wait_until(lambda: collected.of(Stack))
        probe.stop()
    finally:
        process.kill()
        process.wait()
    assert [notice.severity for notice in collected.of(Notice)] == ["info", "info"]


def test_a_recorder_that_is_killed_is_replaced(
    collected: Collected, sampler: str, launch: Launch
) -> None:
    process = launch(BUSY)
    probe = StackProbe(collected.log, process.pid, window_s=0.5, sampler=sampler)
    probe.start()
    wait_until(lambda: len(collected.of(StackWindow)) >= 2)
    killed = recorders_of(process.pid)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    at = time.monotonic_ns()
    assert killed
    wait_until(lambda: collected.of(StackWindow)[-1].t0_ns > at)
    probe.stop()
    assert next(w for w in collected.of(StackWindow) if w.t0_ns > at).t0_ns - at < 30 * S
    assert collected.troubles() == []


def test_no_right_is_explained_with_a_remedy(collected: Collected, sampler: str) -> None:
    """A real refusal: the sampler runs as nobody, the target as us."""
    if os.geteuid() != 0:
        pytest.skip("needs root to run the sampler as another user")
    # It is imported when a recorder is started, and nobody may not read where our Python lies.
    import_module("resource")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            probe = StackProbe(collected.log, process.pid, sampler=sampler)
            probe.start()
            wait_until(lambda: collected.of(Notice))
            probe.stop()
            os.write(writer, "\n".join(each.text for each in collected.of(Notice)).encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    said = os.read(reader, 4096).decode()
    os.close(reader)
    process.communicate(b"\n")
    if "cannot be started" in said:
        pytest.skip(f"nobody may not run {sampler}")
    assert f"process {process.pid} belongs to user 0" in said
    assert "run perftui as that user or with sudo" in said


def test_without_a_sampler_one_sentence_says_what_to_do(
    collected: Collected, monkeypatch: pytest.MonkeyPatch, launch: Launch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/bin/python")
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nonexistent/bin")
    monkeypatch.setenv("PATH", "/nonexistent")
    probe = StackProbe(collected.log, os.getpid())
    probe.start()
    wait_until(lambda: probe.finished)
    probe.stop()
    [notice] = collected.of(Notice)
    assert "-m pip install py-spy" in notice.text


def test_killing_the_profiler_leaves_the_target_running_and_no_recorder(
    sampler: str, launch: Launch, tmp_path: Path
) -> None:
    process = launch(BUSY)
    package_root = Path(sys.modules["perftui"].__file__ or "").parent.parent
    profiler = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"""
import sys, time
sys.path.insert(0, {str(package_root)!r})
from perftui.probes.spine.log import SessionLog
from perftui.probes.stacks.relay import StackProbe
ready = lambda: print("sampling", flush=True)
StackProbe(SessionLog(), {process.pid}, sampler={sampler!r}, on_ready=ready).start()
time.sleep(60)
""",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with profiler:
        assert profiler.stdout is not None
        assert profiler.stdout.readline() == "sampling\n"
        profiler.kill()
    assert recorders_of(process.pid), "it was killed in the middle of a recording"
    killed = time.monotonic()
    states = set()

    def ended() -> bool:
        states.add(procfs.state_of(process.pid))
        return not recorders_of(process.pid)

    wait_until(ended)
    assert time.monotonic() - killed < 60
    assert states <= {"R", "S"}

    def cpu() -> str:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11]

    used = cpu()
    wait_until(lambda: cpu() != used)
