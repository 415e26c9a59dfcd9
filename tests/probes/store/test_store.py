from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.probes.agent import api
from perftui.probes.agent_link.launch import HOOK_FOLDER
from perftui.probes.own.python import own_module
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Call,
    Count,
    Exit,
    ImportBegin,
    ImportEnd,
    LogLine,
    Mark,
    Metric,
    PhaseBegin,
    PhaseEnd,
    ProcessStart,
    Stack,
    StackWindow,
    ThreadCpu,
    ThreadName,
)
from perftui.probes.store.store import Store
from perftui.probes.text.units import NS_PER_S
from perftui.scenarios.run import child

if TYPE_CHECKING:
    from perftui.probes.spine.calltree import CallTree

S = NS_PER_S
PID = 10
END = 1 << 60


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> SessionLog:
    return SessionLog()


@pytest.fixture
def store(log: SessionLog, clock: Clock) -> Store:
    target = Target("t", ("python", "t.py"), PID, None, launched=True, agent=True)
    store = Store(log.tree, target, clock)
    log.connect(store)
    return store


def leaf(tree: CallTree, *names: str) -> int:
    return tree.intern(tree.frame_id(name, f"/app/{name}.py", 1) for name in names)


def test_cpu_percent_and_rss_are_summed_over_the_tree(log: SessionLog, store: Store) -> None:
    for tick in range(21):
        t = tick * S // 20
        log.append(
            Metric(t, PID, cpu_s=tick * 0.05, rss_bytes=100),
            Metric(t, 11, cpu_s=tick * 0.025, rss_bytes=50),
        )
    assert store.last("rss_bytes") == 150
    assert store.last("rss_bytes", 11) == 50
    assert store.last("cpu_percent") == pytest.approx(150)
    assert store.last("cpu_percent", 11) == pytest.approx(50)


def test_the_kernels_peak_counts_although_no_sample_saw_it(log: SessionLog, store: Store) -> None:
    log.append(Metric(0, PID, 0.0, 100, high_water_rss_bytes=100))
    log.append(Metric(S, PID, 0.0, 100, high_water_rss_bytes=700))
    assert store.last("high_water_rss_bytes") == 700


def test_stack_time_cpu_and_growth_go_to_the_right_leaf(log: SessionLog, store: Store) -> None:
    read, wait = leaf(log.tree, "main", "read"), leaf(log.tree, "loop", "wait")
    for tick in range(21):
        t = tick * S // 20
        log.append(Metric(t, PID, 0.0, 1_000 + 100 * max(0, tick - 10)))
        log.append(
            ThreadCpu(t, PID, 1, "python", tick * 0.05, "R"), ThreadCpu(t, PID, 2, "w", 0.0, "S")
        )
    log.append(
        ThreadName(0, PID, 1, "MainThread"),
        ThreadName(0, PID, 2, "waiter"),
        Stack(0, S // 2, PID, 1, wait),
        Stack(S // 2, S, PID, 1, read),
        Stack(0, S, PID, 2, wait),
        StackWindow(0, S, PID, 100, 200, 0, 0, 0.01, "py-spy"),
    )
    main, waiter = store.call_tree(0, END)
    assert (main.name, waiter.name) == ("MainThread", "waiter")
    assert main.self_by_node[read].wall_ns == S // 2
    assert main.self_by_node[read].cpu_ns == pytest.approx(S / 2, rel=0.02)
    assert waiter.cpu_ns == 0
    assert main.self_by_node[read].grown_bytes == pytest.approx(1_000, rel=0.05)
    assert main.self_by_node[wait].grown_bytes == 0
    status = store.status()
    assert status.stack_coverage == 1.0
    assert status.stack_rate_hz == pytest.approx(100)


def test_lost_samples_lower_the_coverage(log: SessionLog, store: Store) -> None:
    log.append(StackWindow(0, S, PID, 100, 75, 25, 0, 0.0, "py-spy"))
    log.append(StackWindow(S, 2 * S, PID, 100, 100, 0, 10, 0.0, "py-spy"))
    status = store.status()
    assert status.stack_coverage == pytest.approx(0.875)
    assert status.torn_share == pytest.approx(10 / 175)


def test_phases_nest_and_know_their_peak(log: SessionLog, store: Store, clock: Clock) -> None:
    log.append(PhaseBegin(S, PID, 1, 1, "load", None, 0.5, 100))
    log.append(PhaseBegin(2 * S, PID, 1, 2, "parse", 1, 1.0, 200))
    log.append(Metric(2 * S + 1, PID, 0.0, 900))
    log.append(PhaseEnd(3 * S, PID, 2, 1.75, 300))
    clock.now = 4 * S
    load, parse = store.phases(0, END)
    assert (load.depth, load.t1_ns, load.cpu_s) == (0, None, None)
    assert (parse.depth, parse.t1_ns, parse.cpu_s) == (1, 3 * S, 0.75)
    assert parse.peak_rss_bytes == 900
    log.append(Exit(5 * S, PID, 0, None))
    assert store.phases(0, END)[0].t1_ns == 5 * S, "a process that ends ends its phases"


def test_a_running_import_is_seen_as_far_as_it_is(
    log: SessionLog, store: Store, clock: Clock
) -> None:
    log.append(ImportBegin(S, PID, 1, 1, "lancedb", None, 100))
    log.append(ImportBegin(2 * S, PID, 1, 2, "lancedb.db", 1, 150))
    log.append(ImportEnd(3 * S, PID, 2, S, S, 400, ok=True))
    clock.now = 5 * S
    parent, child = store.imports(0, END)
    assert parent.running
    assert parent.total_ns == 4 * S
    assert (child.total_ns, child.rss_bytes, child.running) == (S, 250, False)


def test_first_call_and_warm_calls_are_told_apart(log: SessionLog, store: Store) -> None:
    for n, ms in enumerate((260, 4, 3, 5), start=1):
        log.append(Call(n * S, PID, 1, "query", n, ms * 1_000_000, ok=True))
    (stats,) = store.calls(0, END)
    assert (stats.n, stats.first_ns, stats.warm_median_ns) == (4, 260_000_000, 4_000_000)
    assert stats.ratio == 65


def test_counters_have_totals_rates_and_a_past(log: SessionLog, store: Store) -> None:
    for second in range(11):
        log.append(Count(second * S, PID, "rows", second * 1_000.0))
    (rows,) = store.counters(0, END)
    assert (rows.total, rows.per_s) == (10_000, 1_000)
    (early,) = store.counters(0, 5 * S + 1)
    assert early.total == 5_000
    assert store.metric("rate:rows", 0, 10 * S, 10).last == (1_000,) * 10


def test_counters_of_several_processes_are_added(log: SessionLog, store: Store) -> None:
    log.append(Count(1, PID, "rows", 10), Count(2, 11, "rows", 5), Count(3, PID, "rows", 20))
    assert store.counters(0, END)[0].total == 25


def test_a_reader_in_the_middle_does_not_hold_up_a_probe(log: SessionLog, store: Store) -> None:
    with store.memory.held():  # somebody reads
        log.append(Mark(1, PID, "while reading"))
    assert [event.text for event in store.events(0, END)] == ["while reading"]


def test_events_come_in_order_and_log_lines_of_a_range(log: SessionLog, store: Store) -> None:
    log.append(ProcessStart(0, PID, 1, ("python",)))
    log.append(LogLine(5, "stdout", "a"), LogLine(6, "stderr", "b"), LogLine(7, "stdout", "c"))
    log.append(Mark(9, PID, "late"))
    log.append(Mark(3, PID, "early"))
    assert [event.text for event in store.events(0, END)] == ["early", "late"]
    assert [line.text for line in store.log_lines(6, 8)] == ["b", "c"]
    assert [line.text for line in store.log_lines(0, 8, limit=1)] == ["c"]


KEY = (
    "-----BEGIN RSA PRIVATE KEY-----",
    "MIIEfakeFAKE",
    "q83fakefake",
    "-----END RSA PRIVATE KEY-----",
)


def test_lines_that_are_asked_for_from_within_a_key_are_masked(
    log: SessionLog, store: Store
) -> None:
    log.append(*(LogLine(n, "stdout", text) for n, text in enumerate((*KEY, "done"))))
    log.append(LogLine(4, "stderr", "meanwhile"))
    assert [line.text for line in store.log_lines(2, 5)] == ["***", KEY[-1], "done", "meanwhile"]
    assert [line.text for line in store.log_lines(0, END, 4)][:2] == ["***", KEY[-1]]
    assert store.log_lines(0, END)[-1].text == "meanwhile"


def test_the_end_freezes_the_clock(log: SessionLog, store: Store, clock: Clock) -> None:
    log.append(Metric(1, PID, 0.0, 1))
    clock.now = 10 * S
    assert store.status().state == "live"
    log.append(Exit(11 * S, PID, None, 9))
    clock.now = 99 * S
    status = store.status()
    assert (status.state, status.t_end_ns, status.signal) == ("exited", 11 * S, 9)


def test_frames_of_the_agent_are_left_out_and_their_caller_pays(log: SessionLog) -> None:
    tree = log.tree
    app = tree.frame_id("load", "/app/load.py", 3)
    installed = "/venv/lib/python3.13/site-packages/perftui/probes/agent/api.py"
    count = tree.frame_id("count", installed, 50)
    send = tree.frame_id("Wire.send", str(HOOK_FOLDER.parent / "wire.py"), 90)
    hook = tree.frame_id("<module>", str(HOOK_FOLDER / "sitecustomize.py"), 1)
    phase = tree.frame_id("_Span.__enter__", str(api.__file__), 9)
    assert tree.intern([app, count, send, phase]) == tree.intern([app])
    assert tree.intern_leaf([app, count, send]) == tree.intern([app])
    assert tree.intern([hook]) == 0


START_FILE = own_module("x")[2]
RUNPY = "<frozen runpy>"
STARTS = (
    ("<module>", START_FILE),
    ("_start", START_FILE),
    ("_run_module_as_main", RUNPY),
    ("_run_code", RUNPY),
    ("<module>", str(child.__file__)),
    ("_main", str(child.__file__)),
)


def test_what_starts_a_scenario_heads_no_stack(log: SessionLog) -> None:
    tree = log.tree
    starts = [tree.frame_id(function, file, 3) for function, file in STARTS]
    work = tree.frame_id("work", "/app/load.py", 3)
    assert tree.intern([*starts, work]) == tree.intern([work])
    assert tree.intern(starts) == 0
    node = 0
    for depth, frame in enumerate([*starts, work]):
        node = tree.intern_below(node, frame, outermost=not depth)
    assert node == tree.intern([work])


def test_a_thread_is_our_agent_s_by_where_it_began(log: SessionLog) -> None:
    tree = log.tree
    app = tree.frame_id("load", "/app/load.py", 3)
    ours = tree.frame_id("Span.__enter__", str(api.__file__), 3)
    assert tree.is_own_thread([ours, app])
    assert not tree.is_own_thread([app, ours])
    assert not tree.is_own_thread([])


def test_runpy_stays_where_the_program_or_its_interpreter_called_it(log: SessionLog) -> None:
    tree = log.tree
    runpy = tree.frame_id("_run_module_as_main", RUNPY, 198)
    work = tree.frame_id("work", "/app/load.py", 3)
    assert [tree.frame(n).function for n in tree.path(tree.intern([runpy, work]))] == [
        "_run_module_as_main",
        "work",
    ]
    assert len(tree.path(tree.intern([work, runpy]))) == 2


@pytest.mark.parametrize(
    "file",
    [
        *("/app/probes/agent/wire.py", "/x/perftui/probes/agent/api.py", "probes/agent/a.py"),
        *("/app/own/start.py", "/x/perftui/probes/own/start.py", "/x/scenarios/run/child.py"),
    ],
)
def test_frames_of_a_program_with_such_names_stay(log: SessionLog, file: str) -> None:
    tree = log.tree
    app = tree.frame_id("load", "/app/load.py", 3)
    theirs = tree.frame_id("send", file, 1)
    assert tree.intern([app, theirs]) != tree.intern([app])


def test_the_call_tree_is_the_same_object_until_new_stacks_come(
    log: SessionLog, store: Store
) -> None:
    node = leaf(log.tree, "main")
    log.append(Stack(0, S, PID, 1, node), StackWindow(0, S, PID, 100, 100, 0, 0, 0.0, "py-spy"))
    first = store.call_tree(0, 5 * S)
    assert store.call_tree(0, 6 * S) is first
    assert store.call_tree(0, S // 2) is not first
    log.append(Stack(S, 2 * S, PID, 1, node))
    assert store.call_tree(0, 6 * S)[0].wall_ns == 2 * S
