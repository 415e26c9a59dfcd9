"""From the sampler's records to intervals: nothing overlaps, nothing is lost, windows add up."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from perftui.probes.agent import beside
from perftui.probes.profile.memory.growth import NATIVE
from perftui.probes.spine.calltree import MAX_DEPTH, CallTree
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.records import AMOUNTS_ALONE, Record, Stack, StackWindow, ThreadName
from perftui.probes.stacks.own.holding import TASK_ROWS, Holding
from perftui.probes.stacks.own.records import (
    Place,
    ProcessRecord,
    Quality,
    Sample,
    StackNode,
    Tally,
    ThreadEnded,
    ThreadRecord,
)
from perftui.probes.stacks.thread_names import ThreadNames

MS = 1_000_000
INSTALLED = "/venv/lib/python3.13/site-packages/perftui/probes/agent/beside.py"
PID, TID = 50, 51
PROCESS = ProcessRecord(0, 0, PID, "sampled", "", 0x030B07F0)
THREAD = ThreadRecord(0, 7, PROCESS, TID, "python", 0)


class Named(ThreadNames):
    """Remembers which process was to be asked about."""

    def __init__(self) -> None:
        super().__init__(SessionLog())
        self.wanted: list[int] = []

    def want(self, pid: int) -> None:
        self.wanted.append(pid)


def stack(*functions: str) -> StackNode:
    node = None
    for function in functions:
        node = StackNode(node, Place(function, "/p/a.py", 3, 1))
    assert node is not None
    return node


def sample(
    t_ms: int, where: StackNode | None, cpu_ms: int = 5, *, state: str = "R", failed: bool = False
) -> Sample:
    rest = (state, None, state == "R", False, failed, "", None)
    return Sample(t_ms * MS, THREAD, where, cpu_ms * MS, 0, 3, 1, *rest)  # type: ignore[arg-type]


def begun(tree: CallTree) -> Holding:
    holding = Holding(tree, PID, Named())
    holding.take([PROCESS, THREAD], 0)
    return holding


def stacks(records: list[Record]) -> list[Stack]:
    return [record for record in records if isinstance(record, Stack)]


def test_a_stack_holds_on_until_the_next_record_however_often_it_is_told() -> None:
    tree = CallTree()
    holding = begun(tree)
    work, wait = stack("main", "work"), stack("main", "wait")
    holding.take([sample(1000, work)], 0)
    told = stacks(holding.tell(1100 * MS))
    holding.take([sample(1010, wait, state="S"), sample(1500, work)], 0)
    told += stacks(holding.tell(1600 * MS))
    told += stacks(holding.tell(4000 * MS))
    holding.take([ThreadEnded(4100 * MS, THREAD)], 0)
    told += stacks(holding.finish(4200 * MS))
    assert all(before.t1_ns == after.t0_ns for before, after in pairwise(told))
    assert sum(row.cpu_ns or 0 for row in told) == 15 * MS
    assert sum(row.faults or 0 for row in told) == 9
    assert told[-1].state == "X"
    waited = [row for row in told if tree.frame(row.node).function == "wait"]
    assert sum(row.t1_ns - row.t0_ns for row in waited) == 490 * MS - 1 * (
        told[0].t1_ns > 1010 * MS
    )


def test_a_reading_that_failed_keeps_its_counters_and_the_stack_before() -> None:
    tree = CallTree()
    holding = begun(tree)
    holding.take([sample(0, stack("main")), sample(10, None, failed=True)], 0)
    told = stacks(holding.finish(20 * MS))
    readings = [row for row in told if row.cpu_ns is not None]
    assert [row.cpu_ns for row in readings] == [5 * MS, 5 * MS]
    assert {tree.frame(row.node).function for row in told} == {"main"}
    assert readings[1].unsteady and readings[1].state == "?"


@pytest.mark.parametrize(
    ("comm", "file"),
    [("perftui-agent", "/p/a.py"), ("python", str(beside.__file__)), ("python", INSTALLED)],
)
def test_a_thread_of_our_agent_is_none_of_the_program_s(comm: str, file: str) -> None:
    thread = ThreadRecord(0, 8, PROCESS, TID + 1, comm, 0)
    where = StackNode(StackNode(None, Place("Beside._run", file, 9, 1)), Place("f", file, 9, 1))
    holding = begun(CallTree())
    seen = [sample(0, where), sample(10, None, failed=True), sample(20, where)]
    holding.take([thread, *(s._replace(thread=thread) for s in seen)], 0)
    holding.take([sample(20, stack("main"))], 0)
    told = holding.finish(30 * MS)
    assert {r.tid for r in told if isinstance(r, Stack | ThreadName)} == {TID}


def test_the_task_that_runs_is_a_row_above_its_stack() -> None:
    tree = CallTree()
    holding = begun(tree)
    step, wait = stack("main", "run_once", "step"), stack("main", "run_once", "select")

    def path(node: int) -> list[str]:
        return [tree.frame(each).function for each in tree.path(node)]

    names = ["writer", "Task-7", "Task-12", *(f"get-{n}" for n in range(TASK_ROWS + 5))]
    readings = [sample(10 * n, step)._replace(task=name) for n, name in enumerate(names)]
    holding.take([*readings, sample(9000, wait, state="S"), sample(9010, step)], 0)
    paths = [path(row.node) for row in stacks(holding.finish(9020 * MS)) if row.state == "R"]
    assert paths[0] == ["task writer", "main", "run_once", "step"]
    assert paths[1] == paths[2] == ["tasks without a name", "main", "run_once", "step"]
    assert ["task get-3", "main", "run_once", "step"] in paths
    assert len({each[0] for each in paths if each[0].startswith("task")}) <= TASK_ROWS + 2
    assert paths[-1] == ["main", "run_once", "step"]
    waits = [row for row in stacks(holding.finish(9020 * MS)) if row.state == "S"]
    assert all(path(row.node)[0] == "main" for row in waits)


def test_native_threads_have_no_stacks_but_the_memory_that_they_touched() -> None:
    tree = CallTree()
    holding = begun(tree)
    holding.take([sample(0, None), sample(10, None)], 0)
    told = stacks(holding.finish(20 * MS))
    assert {row.state for row in told} == {AMOUNTS_ALONE}
    assert [row.faults for row in told] == [3, 3]
    assert [row.cpu_ns for row in told] == [None, None]
    assert tree.frame(told[0].node).function.startswith(NATIVE)


def test_what_a_thread_touches_outside_of_python_is_not_its_last_stacks() -> None:
    tree = CallTree()
    holding = begun(tree)
    holding.take([sample(0, stack("main", "callback")), sample(10, None)], 0)
    told = stacks(holding.finish(20 * MS))
    faults = {tree.frame(row.node).function: row.faults for row in told if row.faults}
    assert faults.pop("callback") == 3
    assert list(faults.values()) == [3]
    assert [row.cpu_ns for row in told if row.cpu_ns] == [5 * MS, 5 * MS], "CPU stays its own"


def test_deep_stacks_keep_both_ends() -> None:
    tree = CallTree()
    holding = begun(tree)
    holding.take([sample(0, stack("main", *["down"] * 3000, "burn"))], 0)
    [first, *_] = stacks(holding.finish(20 * MS))
    path = [tree.frame(node).function for node in tree.path(first.node)]
    assert len(path) == MAX_DEPTH
    assert (path[0], path[-1]) == ("main", "burn")
    assert "…" in path


def test_numbers_that_the_sampler_forgot_do_not_mix() -> None:
    tree = CallTree()
    holding = begun(tree)
    holding.take([sample(0, stack("main", "one"))], 0)
    holding.take([sample(10, stack("main", "two"))], 1)
    names = [tree.frame(row.node).function for row in stacks(holding.finish(20 * MS))]
    assert names[0] == "one" and names[-1] == "two"


def test_threads_get_a_name_and_better_ones_are_asked_for() -> None:
    tree = CallTree()
    names = Named()
    holding = Holding(tree, PID, names)
    main = ThreadRecord(0, 1, PROCESS, PID, "python", 0)
    holding.take([PROCESS, main, THREAD], 0)
    worker = StackNode(None, Place("Thread._bootstrap", "/lib/threading.py", 9, 1))
    worker = StackNode(worker, Place("Loader.load", "/p/a.py", 3, 1))
    first = sample(0, stack("main"))
    holding.take([first._replace(thread=main)], 0)
    holding.take([sample(0, worker)], 0)
    told = [r for r in holding.finish(10 * MS) if isinstance(r, ThreadName)]
    assert {(r.tid, r.name) for r in told} == {(PID, "MainThread"), (TID, "Thread (load)")}
    assert names.wanted == [PID]


@pytest.mark.parametrize(
    ("version", "comm", "name"),
    [
        (0x030F02F0, "converter", "converter"),
        (0x030E0AF0, "Thread-1 (work)", "Thread-1 (work)"),
        (0x030E0AF0, "converter-of-th", "converter-of-th…"),
        (0x030E0AF0, "python", "Thread (main)"),  # seen before it had its name
        (0x030D00F0, "converter", "Thread (main)"),  # not Python's name
    ],
)
def test_from_3_14_on_the_kernel_knows_the_names_of_short_threads(
    version: int, comm: str, name: str
) -> None:
    process = replace(PROCESS, version=version)
    holding = Holding(CallTree(), PID, Named())
    worker = replace(THREAD, process=process, comm=comm)
    holding.take([process, ThreadRecord(0, 1, process, PID, "python", 0), worker], 0)
    holding.take([sample(0, stack("main"))._replace(thread=worker)], 0)
    [told] = [r.name for r in holding.finish(10 * MS) if isinstance(r, ThreadName)]
    assert told == name


def test_windows_tell_what_is_covered_to_the_end_of_a_process() -> None:
    holding = begun(CallTree())

    def second(n: int, used_ms: int, sampled_ms: int) -> list[Tally | Quality]:
        t0, t1 = n * 1000 * MS, (n + 1) * 1000 * MS
        tally = Tally(PROCESS, t0, t1, 100, 60, 1, 2, 0, 0, used_ms * MS, sampled_ms * MS)
        return [tally, Quality(t0, t1, 100, 0, 0, 30 * MS, 9 << 20, 100.0, 1, 0)]

    gone = ProcessRecord(2000 * MS, 0, PID, "gone", "", 0)
    tally, quality = second(1, 900, 300)
    holding.take([*second(0, 500, 500), tally, gone, quality], 0)
    windows = [r for r in holding.finish(3000 * MS) if isinstance(r, StackWindow)]
    assert [(w.cpu_ns, w.covered_cpu_ns) for w in windows] == [
        (500 * MS, 500 * MS),
        (400 * MS, 300 * MS),
    ]
    assert [w.sampler_cpu_s for w in windows] == [0.03, 0.03]
    assert {(w.rate_hz, w.sweeps, w.errors, w.torn) for w in windows} == {(100.0, 100, 1, 2)}


IMPORTING = "<frozen importlib._bootstrap>"
HOOK = INSTALLED.replace("beside.py", "hook/sitecustomize.py")


def places(*files: str) -> StackNode:
    node = None
    for file in files:
        node = StackNode(node, Place("main", file, 3, 1))
    assert node is not None
    return node


@pytest.mark.parametrize("site", ["<frozen site>", "/usr/lib/python3.9/site.py"])
def test_what_loads_our_agent_is_no_place_of_the_programs(site: str) -> None:
    tree = CallTree()
    holding = Holding(tree, PID, Named())
    gate = places(site, site, IMPORTING, HOOK, IMPORTING, INSTALLED)
    bare = places(site, site, IMPORTING)
    holding.take([THREAD, sample(0, gate, 30), sample(10, bare), sample(20, stack("main"), 8)], 0)
    holding.take([ThreadEnded(30 * MS, THREAD)], 0)
    found = [record for record in holding.tell(30 * MS) if isinstance(record, Stack)]
    assert {tree.frame(record.node).function for record in found} == {"main"}
    assert found[0].t0_ns == 20 * MS
    assert sum(record.cpu_ns or 0 for record in found) == 4 * MS, "half was the agent's"


def test_a_process_that_never_came_to_its_program_is_not_covered() -> None:
    holding = Holding(CallTree(), PID, Named())
    gate = places("<frozen site>", IMPORTING, HOOK, INSTALLED)
    tally = Tally(PROCESS, 0, 10 * MS, 5, 5, 0, 0, 0, 0, 12 * MS, 12 * MS)
    holding.take([THREAD, sample(0, gate), tally], 0)
    (window,) = (r for r in holding.finish(20 * MS) if isinstance(r, StackWindow))
    assert (window.cpu_ns, window.covered_cpu_ns) == (12 * MS, 0)


def test_a_sitecustomize_of_the_programs_own_is_shown() -> None:
    tree = CallTree()
    holding = Holding(tree, PID, Named())
    theirs = places("<frozen site>", IMPORTING, HOOK, IMPORTING, "/p/sitecustomize.py")
    holding.take([THREAD, sample(0, theirs), sample(10, theirs)], 0)
    found = [record for record in holding.tell(20 * MS) if isinstance(record, Stack)]
    assert found
    assert tree.frame(found[0].node).file == "/p/sitecustomize.py"


def test_processes_that_are_gone_are_forgotten() -> None:
    holding = Holding(CallTree(), PID, Named())
    holding.take([THREAD, sample(0, places("<frozen site>", IMPORTING, HOOK))], 0)
    gone = replace(PROCESS, status="gone")
    holding.take(
        [ThreadEnded(10 * MS, THREAD), gone, Quality(0, MS, 1, 0, 0, 0, 0, 100.0, 1, 0)], 0
    )
    assert not holding._beginning


def test_a_threads_name_tells_which_interpreters_it_was_met_in() -> None:
    names = Named()
    holding = Holding(CallTree(), PID, names)
    holding.take([PROCESS, THREAD], 0)

    def inside(number: int) -> StackNode:
        root = StackNode(None, Place(f"<interpreter {number}>", "", 0, 0))
        return StackNode(root, Place("work", "/p/a.py", 3, 1))

    def named(*records: Sample) -> list[str]:
        holding.take(records, 0)
        return [each.name for each in holding.tell(9 * MS) if isinstance(each, ThreadName)]

    assert named(sample(1, stack("main", "run"))) == ["Thread (main)"]
    assert named(sample(2, inside(2)), sample(3, inside(2))) == ["Thread · interpreter 2"]
    assert named(sample(4, stack("main")), sample(5, inside(2))) == []
    assert named(sample(6, inside(1))) == ["Thread · interpreters 1, 2"]
    named(sample(7, inside(3)))
    assert named(sample(8, inside(4))) == ["Thread · 4 interpreters"]
    assert names.told(PID, TID, "worker") == "worker · 4 interpreters"
    assert names.told(PID, TID + 1, "other") == "other"
