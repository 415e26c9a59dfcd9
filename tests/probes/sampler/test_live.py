"""Programs that know the answer: what they say of themselves is what the sampler must say."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.sampler import faults_of

from perftui.probes.stacks.own.records import ProcessRecord, Sample, Tally
from perftui.probes.stacks.own.weigh_cpu import cpu_by_stack
from perftui.probes.stacks.own.weigh_waiting import waiting_by_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sampler import Watched

    from perftui.probes.stacks.own.records import StackNode

POLL = """
import json, os, select, sys, time
def spin(ns):
    end = time.thread_time_ns() + ns
    while time.thread_time_ns() < end: sum(range(20))
def work(): spin(10_000_000)
def poll():
    read, _ = os.pipe()
    spent = 0
    slept = polled = 0
    for _ in range(64):
        begin = time.thread_time_ns()
        work()
        spent += time.thread_time_ns() - begin
        begin = time.monotonic_ns()
        time.sleep(.02)
        slept += time.monotonic_ns() - begin
        begin = time.monotonic_ns()
        select.select([read], [], [], .02)
        polled += time.monotonic_ns() - begin
    return spent, slept, polled
print("go")
sys.stdin.readline()
begin = time.thread_time_ns()
told = poll()
print(json.dumps([*told, time.thread_time_ns() - begin]))
print("done")
sys.stdin.read()
"""


def test_the_work_of_a_poll_loop_gets_its_cpu(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, POLL)
    spent, slept, polled, whole = json.loads(watched.output[0])
    [(thread, samples)] = watched.by_thread().items()
    assert thread.tid == watched.pid
    by: Counter[str] = Counter()
    for stack, ns in cpu_by_stack(samples).items():
        functions = {place.function for place in stack or ()}
        by["work" if "work" in functions else "rest"] += ns
    # The kernel books a running thread at ticks: the last of it may come after the end.
    assert abs(by.total() - whole) < 0.03 * whole + 15_000_000
    assert abs(by["work"] / by.total() - spent / whole) < 0.05
    waits: Counter[str] = Counter()
    for (_, group), ns in waiting_by_stack(samples).items():
        waits[group] += ns
    # On a full machine part of what the program calls sleep is spent in the queue for a CPU.
    assert slept - waits["queue"] - 0.3 * slept < waits["sleep"] < 1.4 * slept
    assert polled - waits["queue"] - 0.3 * polled < waits["io"] < 1.4 * polled
    assert waits["lock"] == waits["child"] == 0
    [process] = {record.label for record in watched.of(ProcessRecord) if record.status == "sampled"}
    assert process.startswith("own sampler, CPython 3.")
    # A sampler that is pushed off its CPU while it reads may find two halves: it says so.
    odd = sum(tally.failed + tally.unsteady for tally in watched.of(Tally))
    assert odd <= max(1, 0.05 * len(samples))
    assert any(sample.gil_held for sample in samples)
    # It spends its time in long calls of C: hardly a look has to be repeated.
    tallies = watched.of(Tally)
    assert sum(tally.again for tally in tallies) < 0.2 * sum(tally.awake for tally in tallies)


SHAPES = """
import dataclasses, sys, threading, time
def spin(s):
    end = time.thread_time() + s
    while time.thread_time() < end: sum(range(20))
def deep(n):
    if n: deep(n - 1)
    else: spin(.1)
print("go")
sys.stdin.readline()
sys.setrecursionlimit(20000)
deep(3000)
for i in range(40):
    made = {"spin": spin}
    exec(f"def inner_{i}():\\n" + "\\n" * i + f"  spin(.006)\\n"
         f"def outer_{i}():\\n inner_{i}()\\n spin(.004)\\n", made)
    made[f"outer_{i}"]()
    del made
class Outer:
    by_lambda = lambda self: [spin(.04) for _ in range(2)]
    def method(self):
        def local(): (yield spin(.06))
        return list(local())
Outer().by_lambda()
Outer().method()
@dataclasses.dataclass
class Made:
    value: object = dataclasses.field(default_factory=lambda: spin(.06))
Made()
print("done")
sys.stdin.read()
"""


def test_names_of_every_shape_of_code(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, SHAPES, rate_hz=250)
    stacks = [watched.functions(s) for s in watched.of(Sample) if s.stack and not s.unsteady]
    deep = [stack for stack in stacks if stack.count("deep") == 3001]
    assert len(deep) >= 2
    made = [stack for stack in stacks if any(name.startswith("outer_") for name in stack)]
    assert len(made) >= 10
    for stack in made:
        numbers = {name.rpartition("_")[2] for name in stack if "er_" in name}
        assert len(numbers) == 1, stack
    names = {name for stack in stacks for name in stack}
    assert {"Outer.<lambda>", "Outer.method", "Outer.method.<locals>.local"} <= names
    assert {"Made.__init__", "Made.<lambda>"} & names
    generator = [s for s in stacks if "Outer.method.<locals>.local" in s]
    assert all(s[s.index("Outer.method.<locals>.local") + 1] == "Outer.method" for s in generator)
    assert all(stack[-1] == "<module>" for stack in stacks)
    lines = {
        (place.function, place.line, place.file)
        for s in watched.of(Sample)
        for place in s.stack or ()
    }
    for function, line, file in lines:
        if function.startswith("inner_"):
            assert (line, file) in [(2 + int(function[6:]), "<string>"), (1, "<string>")]


THREADS = """
import sys, threading, time
def spin(s):
    end = time.thread_time() + s
    while time.thread_time() < end: sum(range(20))
def make(i):
    def waits(): gate.wait()
    waits.__qualname__ = f"waits_{i}"
    waits.__code__ = waits.__code__.replace(co_name=f"waits_{i}", co_qualname=f"waits_{i}")
    return waits
gate = threading.Event()
for i in range(12):
    threading.Thread(target=make(i), daemon=True).start()
print("go")
sys.stdin.readline()
late = threading.Thread(target=spin, args=(.3,))
late.start()
late.join()
print(late.native_id)
print("done")
sys.stdin.read()
"""


def test_threads_idle_busy_and_new(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, THREADS)
    by = {thread.tid: samples for thread, samples in watched.by_thread().items()}
    idle = {name for s in watched.of(Sample) for name in watched.functions(s) if "waits_" in name}
    assert idle == {f"waits_{i}" for i in range(12)}
    late = by[int(watched.output[0])]
    used = sum(sample.cpu_ns for sample in late)
    assert used > 250_000_000
    at_work = sum(s.cpu_ns for s in late if "spin" in watched.functions(s))
    assert at_work > 0.9 * used
    assert sum(s.gil_held for s in late) > 0.5 * len(late)
    waiting = [s for tid, of in by.items() if tid != late[0].thread.tid for s in of]
    assert not any(s.gil_held for s in waiting if "Event.wait" in watched.functions(s))
    locks = [s.wait for s in waiting if "Condition.wait" in watched.functions(s)]
    assert set(locks) <= {"lock", "gil", ""}


MEMORY = """
import mmap, sys, time
kept = []
small, large = bytes(1 << 20), bytes(3 << 20)
def fill(content):
    room = mmap.mmap(-1, len(content))
    room[:] = content
    return room
def hoard(): kept.append(fill(small))
def churn(): fill(large).close()
def compute():
    end = time.thread_time_ns() + 5_000_000
    while time.thread_time_ns() < end: sum(range(20))
print("go")
sys.stdin.readline()
for i in range(300):
    hoard()
    compute()
    if i % 3 == 0: churn()
print("done")
sys.stdin.read()
"""


@pytest.mark.live
def test_who_touches_memory(python: str, watch: Callable[..., Watched]) -> None:
    """hoard() and churn() touch 300 MB each in bursts of 0.3 ms; compute() has all of the time."""
    watched = watch(python, MEMORY, rate_hz=500, budget=0.9)
    [samples] = watched.by_thread().values()
    given_out = faults_of(samples)
    touched = sum(one.faults for one in given_out)
    assert touched * 4096 > 450 << 20
    sure: Counter[str] = Counter()
    for one in given_out:
        names = {place.function for place in one.stack or ()}  # type: ignore[union-attr]
        name = next((name for name in ("hoard", "churn") if name in names), "rest")
        sure[name] += one.faults - one.unsure
    assert sure["rest"] < 0.05 * touched  # on a busy machine little may be sure at all


GIL = """
import hashlib, json, sys, threading, time
data = bytes(3_000_000)
told = {}
def counted(function):
    begin, end = time.thread_time_ns(), time.monotonic() + 3
    while time.monotonic() < end: function()
    told[function.__name__] = time.thread_time_ns() - begin
def digest(): hashlib.sha256(data).digest()
def pure(): sum(range(2000))
print("go")
sys.stdin.readline()
threads = [threading.Thread(target=counted, args=(one,)) for one in (digest, pure)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(told))
print("done")
sys.stdin.read()
"""


@pytest.mark.live
def test_who_holds_the_gil(python: str, watch: Callable[..., Watched]) -> None:
    """One thread computes in Python, the other in C without the GIL."""
    watched = watch(python, GIL)
    told = json.loads(watched.output[0])
    held: Counter[str] = Counter()
    at: Counter[int] = Counter()
    for samples in watched.by_thread().values():
        names = {name for sample in samples for name in watched.functions(sample)}
        name = next((name for name in told if name in names), "")
        if not name:
            continue
        cpu = cpu_by_stack(samples)
        used = sum(cpu.values())
        # What it used after its last record is in the process's total only.
        assert abs(used - told[name]) < 0.15 * told[name] + 40_000_000
        there = sum(ns for stack, ns in cpu.items() if stack and name in _names(stack))
        # Of what a full machine gives it, some 50 ms, too little is met to be shared out.
        assert there > 0.65 * used or used < 200_000_000
        held[name] = sum(sample.gil_held for sample in samples)
        at.update(sample.t_ns for sample in samples if sample.gil_held)
    assert held["pure"] > 2 * held["digest"]
    assert held["pure"] > 30
    # Both were asked in the same call, but for those whose stack was read anew.
    assert sum(times > 1 for times in at.values()) <= 0.05 * len(at)


GIL_SPLIT = """
import functools, json, operator, sys, threading, time
now, stop, told = time.monotonic_ns, threading.Event(), {}
def in_c():
    # One call of C that keeps the GIL, and looks at the clock at its begin and end.
    whole = now, functools.partial(sum, range(900_000)), now
    begin = now()
    while not stop.is_set():
        first, _, last = list(map(operator.call, whole))
        told["in_c"] = told.get("in_c", 0) + last - first
    told["wall"] = now() - begin
def python():
    while not stop.is_set():
        for _ in range(1000): pass
def asks():
    while not stop.is_set(): time.sleep(.003)
print("go")
sys.stdin.readline()
threads = [threading.Thread(target=one) for one in (in_c, python, asks)]
for thread in threads: thread.start()
time.sleep(4)
stop.set()
for thread in threads: thread.join()
print(json.dumps(told))
print("done")
sys.stdin.read()
"""


@pytest.mark.live
def test_how_long_each_thread_holds_the_gil(python: str, watch: Callable[..., Watched]) -> None:
    """By the program's own clock: a long call of C that keeps it, Python code, a thread that naps.

    Two of them want it all the time: what the call of C has not is left to the Python code.
    """
    watched = watch(python, GIL_SPLIT)
    told = json.loads(watched.output[0])
    held: dict[str, float] = {}
    waits: dict[str, float] = {}
    for samples in watched.by_thread().values():
        names = {name for sample in samples for name in watched.functions(sample)}
        name = next((name for name in ("in_c", "python", "asks") if name in names), "")
        with_it = of_wait = 0
        for one, after in itertools.pairwise(samples):
            lasted = after.t_ns - one.t_ns
            with_it += lasted if one.gil_held else 0
            of_wait += lasted if one.wait == "gil" else 0
        wall = samples[-1].t_ns - samples[0].t_ns or 1
        held[name], waits[name] = with_it / wall, of_wait / wall
    truth = told["in_c"] / told["wall"]
    assert held["in_c"] == pytest.approx(truth, abs=0.15)
    # On a full machine nobody has it until who is next has a CPU.
    assert 0.03 < held["python"] < 1 - truth + 0.15
    assert held["asks"] < 0.1
    assert min(waits["in_c"], waits["python"]) > 0.02
    assert waits["asks"] > held["asks"]


def _names(stack: StackNode) -> set[str]:
    return {place.function for place in stack}


TASKS = """
import asyncio, sys, time
def spin(s):
    end = time.thread_time() + s
    while time.thread_time() < end: sum(range(20))
async def job(s):
    for _ in range(10):
        spin(s)
        await asyncio.sleep(0)
async def main():
    await asyncio.gather(asyncio.create_task(job(.02), name="fetch"), job(.005))
print("go")
sys.stdin.readline()
asyncio.run(main())
print("done")
sys.stdin.read()
"""


def test_asyncio_tasks_by_name(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, TASKS, rate_hz=200, after_s=0.1)
    [process] = {r.version for r in watched.of(ProcessRecord) if r.status == "sampled"}
    in_job = [s for s in watched.of(Sample) if "job" in watched.functions(s)]
    assert len(in_job) > 10
    tasks = Counter(sample.task for sample in in_job)
    if process >> 16 & 255 < 14:
        assert set(tasks) == {None}
    else:
        named = {task for task in tasks if task is not None}
        assert "fetch" in named
        assert all(task == "fetch" or task.startswith("Task-") for task in named)
        assert tasks["fetch"] > 0.5 * sum(tasks[task] for task in named)


ADVERSARY = """
import sys, time
text = ""
for tree in "ab":
    for i in range(8):
        callee = f"{tree}{i + 1}(n)" if i < 7 else "n"
        if i % 3 == 2:
            text += f"def {tree}{i}g(n):\\n yield {callee}\\n"
            text += f"def {tree}{i}(n):\\n return next({tree}{i}g(n))\\n"
        else:
            text += f"def {tree}{i}(n):\\n return {callee}\\n"
exec(text)
def run(end):
    while time.thread_time() < end:
        for _ in range(200):
            a0(1)
            b0(1)
print("go")
sys.stdin.readline()
run(time.thread_time() + 4)
print("done")
sys.stdin.read()
"""


def test_an_adversary_that_rewrites_its_frames(python: str, watch: Callable[..., Watched]) -> None:
    watched = watch(python, ADVERSARY, rate_hz=500)
    seen = illegal = 0
    for sample in watched.of(Sample):
        stack = watched.functions(sample)[::-1]
        if "run" not in stack:
            continue
        seen += 1
        below = stack[stack.index("run") + 1 :]
        wanted = [f"{below[0][0]}{i}{g}" for i in range(8) for g in ("", "g")] if below else []
        wanted = [name for name in wanted if name[-1] != "g" or int(name[1]) % 3 == 2]
        illegal += below != wanted[: len(below)]
    assert seen > 50
    assert illegal <= max(1, 0.005 * seen), (illegal, seen)
    # Its generators come and go between two reads: many looks have to be made again.
    tallies = watched.of(Tally)
    awake, again = (sum(getattr(tally, name) for tally in tallies) for name in ("awake", "again"))
    assert awake > 20
    assert 0 < again <= awake
