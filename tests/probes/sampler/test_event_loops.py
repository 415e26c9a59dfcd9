"""Event loops written in C: the work of a callback gets the CPU, the loop that waits gets none.

A burst of 10 ms is met once, and one look more or less at the loop that has just woken is 10 ms:
it takes a hundred of them to tell 5 points from chance.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from perftui.probes.stacks.own.weigh_cpu import cpu_by_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sampler import Watched

BEGIN = """
import json, sys, time
sys.path[:0] = [path for path in sys.argv[1].split(":") if path]
spent = 0
def spin(ns):
    end = time.thread_time_ns() + ns
    while time.thread_time_ns() < end: sum(range(20))
def work():
    global spent
    begin = time.thread_time_ns()
    spin(10_000_000)
    spent += time.thread_time_ns() - begin
"""
LOOPS = {
    "gevent": """
import gevent
def serve():
    for _ in range(100):
        work()
        gevent.sleep(.02)
def loop(): gevent.joinall([gevent.spawn(serve), gevent.spawn(gevent.sleep, 1.5)])
""",
    "uvloop": """
import asyncio, uvloop
async def serve():
    for _ in range(100):
        work()
        await asyncio.sleep(.02)
def loop(): uvloop.run(serve())
""",
}
END = """
print("go")
sys.stdin.readline()
begin = time.thread_time_ns()
loop()
print(json.dumps([spent, time.thread_time_ns() - begin]))
print("done")
sys.stdin.read()
"""


@pytest.mark.parametrize("loop", LOOPS)
def test_the_work_in_a_loop_gets_its_cpu(loop: str, watch: Callable[..., Watched]) -> None:
    if importlib.util.find_spec(loop) is None:
        pytest.skip(f"no {loop} here")
    watched = watch(sys.executable, BEGIN + LOOPS[loop] + END, ":".join(sys.path))
    spent, whole = json.loads(watched.output[0])
    by: Counter[str] = Counter()
    for thread, samples in watched.by_thread().items():
        if thread.tid == watched.pid:
            for stack, ns in cpu_by_stack(samples).items():
                functions = {place.function for place in stack or ()}
                by["work" if "work" in functions else "rest"] += ns
    assert abs(by.total() - whole) < 0.03 * whole + 15_000_000
    assert abs(by["work"] / by.total() - spent / whole) < 0.05
