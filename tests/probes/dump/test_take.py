"""Where threads of a running process stand, and what they wait for, in one look."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.measuring import measured
from support.pythons import interpreters
from support.waiting import wait_for

from perftui.probes.dump.moment import as_json
from perftui.probes.dump.take import take
from perftui.probes.dump.tasks import NoTasks, tasks_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perftui.probes.dump.moment import Moment, TaskNow, ThreadNow

STUCK = """
import sys, threading, time
a, b, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
def one():
    with a:
        both.wait()
        b.acquire()
def two():
    with b:
        both.wait()
        a.acquire()
def spin():
    while True:
        sum(range(1000))
for work in (one, two, spin):
    threading.Thread(target=work, name=work.__name__, daemon=True).start()
print("begun", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A program of which two threads wait for each other, and one works."""
    script: Path = tmp_path_factory.mktemp("stuck") / "stuck.py"
    script.write_text(STUCK)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def innermost(told: Moment) -> dict[str, ThreadNow]:
    return {thread.stack[0].function: thread for thread in told.threads if thread.stack}


def at_rest(told: Moment, tid: int) -> str:
    return next((thread.doing for thread in told.threads if thread.tid == tid), "not met")


def test_every_thread_is_met_with_its_stack_and_its_wait(stuck: int) -> None:
    # They may still be on their way to where they stand.
    told = measured(
        lambda: take(stuck, limit_s=20),
        lambda told: {"one", "two"} <= set(innermost(told)) and at_rest(told, stuck) == "sleep",
    )
    stacks = innermost(told)
    assert {"one", "two"} <= set(stacks)
    assert stacks["one"].doing == stacks["two"].doing == "lock"
    lines = STUCK.splitlines()
    assert lines[stacks["one"].stack[0].line - 1].strip() == "b.acquire()"
    assert at_rest(told, stuck) == "sleep"
    assert any(place.function == "spin" for thread in told.threads for place in thread.stack)
    assert told.stacks_by == "own sampler"
    assert told.processes[0].pid == stuck
    assert told.processes[0].rss_bytes is not None
    assert told.tasks == (), "no event loop runs: there are none, which is known"
    assert told.python == ".".join(map(str, sys.version_info[:3]))
    plain = as_json(told)
    assert plain["schema"] == 1
    assert plain["threads"][0]["stack"][0].keys() == {"function", "file", "line"}


def test_tasks_that_cannot_be_had_say_why(stuck: int) -> None:
    with pytest.raises(NoTasks, match=r"from Python 3\.14 on, process \d+ is 3\.13\.1"):
        tasks_of(stuck, "3.13.1")


LOOP = """
import asyncio
async def read_socket():
    print("begun", flush=True)
    await asyncio.sleep(600)
async def writer(lock):
    async with lock:
        await read_socket()
async def fetch(lock):
    async with lock:
        pass
async def main():
    lock = asyncio.Lock()
    first = asyncio.create_task(writer(lock), name="writer")
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(fetch(lock), name=f"fetch-{n}") for n in (0, 1)]
    await asyncio.gather(first, *waiting)
asyncio.run(main())
"""


@pytest.mark.parametrize("minor", [14, 15])
def test_tasks_of_a_running_program_are_read_from_outside(minor: int) -> None:
    python = next((each for each in interpreters() if each.minor == minor), None)
    if python is None or python.free_threaded:
        pytest.skip(f"no Python 3.{minor} here")
    with subprocess.Popen([python.executable, "-c", LOOP], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()

            def told() -> dict[str, TaskNow]:
                try:
                    return {task.name: task for task in tasks_of(process.pid, python.version)}
                except NoTasks as error:
                    if "PyRuntime" in str(error):
                        text = f"Python {python.version} cannot find itself: its file was changed"
                        pytest.skip(text)
                    return {}  # what is read while it changes may be nonsense

            tasks: dict[str, TaskNow] = {}

            def all_wait() -> bool:
                """They do when the first has said its word and the loop has come round."""
                tasks.update(told())
                waiting = [tasks.get(name) for name in ("fetch-0", "fetch-1")]
                return "writer" in tasks and all(each and each.awaited_by for each in waiting)

            wait_for(all_wait, "not all of its tasks are read")
        finally:
            process.kill()
    assert [place.function for place in tasks["writer"].stack][-2:] == ["read_socket", "writer"]
    for name in ("fetch-0", "fetch-1"):
        assert tasks[name].stack[-1].function == "fetch"
        assert tasks[name].awaited_by == ("Task-1",)
