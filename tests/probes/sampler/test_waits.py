"""What a thread waits for: one program that waits in every way it can, and knows which."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.measuring import measured

from perftui.probes.sampler.cpython.interpreters import Interpreters
from perftui.probes.sampler.memory import Memory
from perftui.probes.stacks.own.records import ThreadEnded
from perftui.probes.stacks.own.weigh_waiting import waiting_by_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sampler import Watched

WAITS = """
import asyncio, json, os, queue, select, selectors, socket, subprocess, sys, threading, time
told = {}
near, far = socket.socketpair()
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
served, _ = server.accept()
read_end, write_end = os.pipe()
event_fd = os.eventfd(0)
taken = threading.Lock()
taken.acquire()
box, condition, event = queue.Queue(), threading.Condition(), threading.Event()
def unix_recv(): near.recv(1)
def tcp_recv(): client.recv(1)
def pipe_read(): os.read(read_end, 1)
def eventfd(): os.eventfd_read(event_fd)
def a_lock(): taken.acquire()
def select_select(): select.select([], [], [], .05)
def epoll():
    with selectors.EpollSelector() as selector: selector.select(.05)
def loop(): asyncio.run(asyncio.sleep(.2))
def lock_timeout(): taken.acquire(timeout=.05)
def queue_get():
    try: box.get(timeout=.05)
    except queue.Empty: pass
def condition_wait():
    with condition: condition.wait(.05)
def event_wait(): event.wait(.05)
def sleep(): time.sleep(.05)
def child_output(): subprocess.run(["sleep", ".2"], capture_output=True)
def fsync():
    with open("synced", "wb") as file:
        file.write(bytes(10_000))
        file.flush()
        os.fsync(file.fileno())
def short_sleep(): time.sleep(.01)
def busy(): sum(range(200))
blocked = [unix_recv, tcp_recv, pipe_read, eventfd, a_lock]
turns = [select_select, epoll, loop, lock_timeout, queue_get, condition_wait, event_wait, sleep,
         child_output, fsync]
def run(function, name, end):
    times, begin, used = 0, time.monotonic_ns(), time.thread_time_ns()
    while time.monotonic() < end:
        function()
        times += 1
    wall = time.monotonic_ns() - begin
    told[name] = threading.get_native_id(), wall, time.thread_time_ns() - used, times
def together(functions, seconds):
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=run, args=(f, f.__name__, end)) for f in functions]
    for thread in threads: thread.start()
    return threads
print("go")
sys.stdin.readline()
threads = together([*blocked, *turns], 1)
time.sleep(1)
far.send(b"x"), served.send(b"x"), os.write(write_end, b"x"), os.eventfd_write(event_fd, 1)
taken.release()
for thread in threads: thread.join()
for thread in together([short_sleep, busy, busy], 1): thread.join()
print(json.dumps(told))
print("done")
sys.stdin.read()
"""
EXPECTED = {
    "unix_recv": "io",
    "tcp_recv": "io",
    "pipe_read": "io",
    "eventfd": "io",
    "a_lock": "lock",
    "select_select": "io",
    "epoll": "io",
    "loop": "io",
    "lock_timeout": "lock",
    "queue_get": "lock",
    "condition_wait": "lock",
    "event_wait": "lock",
    "sleep": "sleep",
    "child_output": "io",
    "fsync": "io",
}
"""Of what waits for nothing else, the GIL and CPUs left out."""
ALSO = {"child_output": "child", "loop": "lock"}
"""Until the child has become its program; the loop's own start."""
S = 1_000_000_000


def complaints(watched: Watched) -> list[str]:
    """Return what is not as the program knows it."""
    told = json.loads(watched.output[0])
    ended = {record.thread.tid: record.t_ns for record in watched.of(ThreadEnded)}
    by_tid = {thread.tid: samples for thread, samples in watched.by_thread().items()}
    found: dict[str, Counter[str]] = {}
    for name, (tid, *_) in told.items():
        by = found[name] = Counter()
        for (_, group), ns in waiting_by_stack(by_tid.get(tid, []), ended.get(tid)).items():
            by[group] += ns
    # On a full machine a thread may be met first when its second is nearly over, or never.
    seen = {name: kind for name, kind in EXPECTED.items() if found[name].total() > 0.3 * S}
    said = [] if len(seen) > len(EXPECTED) / 2 else [f"few were met: {found}"]
    for name, kind in seen.items():
        by = found[name]
        right = by[kind] + by[ALSO.get(name, kind)] * (name in ALSO)
        apart = by["queue"] + by["gil"] + by["unknown"]
        if by.total() - right - apart > 0.05 * by.total():
            said.append(f"{name} is told as another kind: {by}")
        # A file system that has nothing to do is not waited for.
        if right <= 0.6 * (by.total() - by["queue"] - by["gil"]) and name != "fsync":
            said.append(f"{name} is not told as what it is: {by}")
    # Beside two threads that compute, who has slept waits for the GIL at the same line.
    by, (_, wall, _, times) = found["short_sleep"], told["short_sleep"]
    slept = 10_000_000 * times
    if by["lock"] + by["io"] + by["child"] > 0.03 * wall:
        said.append(f"a sleep is told as another kind: {by}")
    if by["queue"] > 0.25 * wall:
        return said  # where it waits for a CPU, whole sleeps lie between two looks at it
    if by["gil"] <= 0.5 * (wall - slept - by["queue"] - by["unknown"]) - 0.1 * S:
        said.append(f"the wait for the GIL after a sleep is not told: {by}")
    if not 0.6 * slept - 0.05 * S < by["sleep"] + by["unknown"] < 1.3 * slept + 0.1 * S:
        said.append(f"a sleep is as long as it is not: {by}, {slept}")
    return said


def test_every_kind_of_waiting_is_told(python: str, watch: Callable[..., Watched]) -> None:
    assert measured(lambda: complaints(watch(python, WAITS)), lambda said: not said, tries=3) == []


@pytest.mark.parametrize("glibc", [True, False])
def test_who_sleeps_within_a_gil_waits_for_it(glibc: bool) -> None:
    interpreters = Interpreters(Memory(1), {}, 0, glibc)  # type: ignore[arg-type]
    interpreters.gils = [0x7000, 0x9000]
    assert interpreters.is_gil(0, 0x8000, taken=False) is False
    assert interpreters.is_gil(0, 0, taken=True) is None
    # With musl nobody ever sleeps within one, so elsewhere may be a GIL, too.
    assert interpreters.is_gil(0, 0x8000, taken=True) is (False if glibc else None)
    assert interpreters.is_gil(7, 0x9020, taken=True) is (False if glibc else None)
    assert interpreters.is_gil(1, 0x9020, taken=True) is True
    assert interpreters.is_gil(0, 0x9020, taken=True) is False  # another interpreter's
