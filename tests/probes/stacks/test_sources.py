"""Who takes the stacks of which process, and what is said about it."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.sampler import ALL, KNOWN

from perftui.probes.spine.records import Notice, Stack, StackWindow
from perftui.probes.stacks.sources import TreeStackProbe, why_not_own

from .conftest import Collected, Launch, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.stacks.sources import Sampler

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
BUSY = "import time\ndef burn():\n    while True: sum(range(500))\nburn()\n"


def test_reasons_that_are_known_beforehand() -> None:
    assert why_not_own("auto", native=False) is None
    assert why_not_own("own", native=False) is None
    assert why_not_own("py-spy", native=False) == "as asked for"
    assert why_not_own("auto", native=True) == "--native"


def watched(collected: Collected, pid: int, **options: object) -> TreeStackProbe:
    return TreeStackProbe(
        collected.log,
        pid,
        lambda: [pid],
        born=False,
        **options,  # type: ignore[arg-type]
    )


def backends(collected: Collected) -> set[str]:
    return {window.backend for window in collected.of(StackWindow) if window.samples}


@pytest.mark.live
@pytest.mark.parametrize(("sampler", "backend"), [("auto", "own sampler"), ("py-spy", "py-spy")])
def test_the_sampler_that_was_asked_for(
    collected: Collected, launch: Launch, sampler: Sampler, backend: str
) -> None:
    ready: list[float] = []
    process = launch(BUSY)
    probe = watched(
        collected, process.pid, sampler=sampler, on_ready=lambda: ready.append(time.monotonic())
    )
    probe.start()
    wait_until(lambda: any(w.covered_cpu_ns for w in collected.of(StackWindow) if w.samples))
    probe.stop()
    assert backends(collected) == {backend}
    assert len(ready) == 1
    leaves = {collected.functions(stack.node)[-1] for stack in collected.of(Stack)}
    assert "burn" in leaves
    assert leaves <= {"burn", "<module>"}, "it may be met before its loop"
    assert collected.troubles() == []
    covered = [window for window in collected.of(StackWindow) if window.samples]
    # A program that got no CPU in a short window has used none in it.
    shares = [(window.covered_cpu_ns or 0, window.cpu_ns or 0) for window in covered]
    # What is covered is read per thread, the whole per process, some milliseconds apart.
    assert [pair for pair in shares if not 0 <= pair[0] <= pair[1] + 10_000_000] == []


@pytest.fixture
def old() -> Iterator[subprocess.Popen[bytes]]:
    """A busy program of a Python that the own sampler does not read."""
    python = ALL.get(10) or ALL.get(9)
    if python is None:
        pytest.skip("needs Python 3.9 or 3.10")
    process = subprocess.Popen([python, "-c", BUSY])
    yield process
    process.kill()
    process.wait()


@pytest.mark.live
def test_py_spy_takes_over_what_the_own_sampler_refuses(
    collected: Collected, old: subprocess.Popen[bytes]
) -> None:
    probe = watched(collected, old.pid)
    probe.start()
    wait_until(lambda: backends(collected) == {"py-spy"})
    probe.stop()
    assert collected.of(Stack)
    assert any("by py-spy: the own sampler" in notice.text for notice in collected.of(Notice))


@pytest.mark.live
def test_nobody_takes_over_where_only_the_own_sampler_was_wanted(
    collected: Collected, old: subprocess.Popen[bytes]
) -> None:
    ready: list[bool] = []
    probe = watched(collected, old.pid, sampler="own", on_ready=lambda: ready.append(True))
    probe.start()
    wait_until(lambda: ready)
    probe.stop()
    assert not collected.of(Stack)
    assert any("--sampler auto" in notice.text for notice in collected.of(Notice))


@pytest.mark.live
def test_py_spy_takes_over_when_the_sampler_dies(collected: Collected, launch: Launch) -> None:
    process = launch(BUSY)
    probe = watched(collected, process.pid)
    probe.start()
    wait_until(lambda: collected.of(Stack))
    assert probe._own is not None and probe._own._sampler is not None
    probe._own._sampler._process.kill()
    wait_until(lambda: "py-spy" in backends(collected))
    probe.stop()
    [notice] = [n for n in collected.of(Notice) if "from here on" in n.text]
    assert notice.severity == "warn"


TASKS = """
import asyncio
async def work():
    while True:
        sum(range(50_000))
        await asyncio.sleep(0)
async def main():
    await asyncio.gather(asyncio.create_task(work(), name="writer"), asyncio.create_task(work()))
asyncio.run(main())
"""


@pytest.mark.live
def test_the_task_that_runs_is_above_its_stack(collected: Collected) -> None:
    python = KNOWN.get(15) or KNOWN.get(14)
    if python is None:
        pytest.skip("needs Python 3.14 or later")
    process = subprocess.Popen([python, "-c", TASKS])
    probe = watched(collected, process.pid, sampler="own")
    probe.start()

    def paths() -> set[tuple[str, str]]:
        found = [collected.functions(stack.node) for stack in collected.of(Stack)]
        return {(path[0], path[-1]) for path in found if path}

    wanted = {("task writer", "work"), ("tasks without a name", "work")}
    try:
        wait_until(lambda: wanted <= paths())
    finally:
        probe.stop()
        process.kill()
        process.wait()


SPLIT = """
import time
def spin(s):
    end = time.thread_time() + s
    while time.thread_time() < end: sum(range(50))
def seventy(): spin(.07)
def thirty(): spin(.03)
while True: seventy(); thirty()
"""


def share_of_seventy(seen: Collected, t0_ns: int, t1_ns: int) -> float:
    """Return the share of seventy() in the time of both functions between two moments."""
    by = {"seventy": 0, "thirty": 0}
    for stack in seen.of(Stack):
        for name in by.keys() & set(seen.functions(stack.node)):
            by[name] += max(min(stack.t1_ns, t1_ns) - max(stack.t0_ns, t0_ns), 0)
    return by["seventy"] / sum(by.values())


@pytest.mark.live
def test_both_samplers_see_the_same_program(launch: Launch) -> None:
    """At the same time: on a full machine the share itself is another one every few seconds.

    From 6 s each share has a standard error of .5 to 1 points by where the samples happen to
    fall (a transition is known to half a period); `benchmarks/sampler_agreement.py` watches for
    60 s, and there they agree within 2 points.
    """
    process = launch(SPLIT)
    both = [Collected(), Collected()]
    probes = [
        watched(both[0], process.pid, sampler="own"),
        watched(both[1], process.pid, sampler="py-spy"),
    ]
    for probe in probes:
        probe.start()

    def span() -> tuple[int, int]:
        """Return from when to when there are stacks of both."""
        stacks = [seen.of(Stack) for seen in both]
        if not all(stacks):
            return 0, 0
        return max(s[0].t0_ns for s in stacks), min(s[-1].t1_ns for s in stacks)

    wait_until(lambda: span()[1] - span()[0] > 6e9)
    for probe in probes:
        probe.stop()
    own, spied = (share_of_seventy(seen, *span()) for seen in both)
    assert 0.4 < own < 0.95
    assert abs(own - spied) < 0.04


@pytest.mark.live
def test_a_shell_script_that_becomes_python_has_stacks_and_it_is_said(collected: Collected) -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'read line; exec "$0" -c "$1"', sys.executable, BUSY],
        stdin=subprocess.PIPE,
    )
    try:
        probe = watched(collected, process.pid)
        probe.start()
        wait_until(lambda: any("is not a Python" in n.text for n in collected.of(Notice)))
        assert process.stdin is not None
        process.stdin.write(b"on\n")
        process.stdin.flush()
        wait_until(lambda: any(w.samples for w in collected.of(StackWindow)))
        probe.stop()
    finally:
        process.kill()
        process.communicate()
    first, second = (notice.text for notice in collected.of(Notice))
    assert first.endswith("is not a Python process: no stacks, CPU and memory only")
    assert second == f"process {process.pid} has become a Python process: stacks from now on"
