"""A live session stays small, however long it goes on and whatever its target makes up."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from support.enriched import feed

from perftui.probes.spine.calltree import MANY, CallTree
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import (
    Alert,
    Call,
    Exit,
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
from perftui.probes.store import calls as calls_kept
from perftui.probes.store import journal
from perftui.probes.store import threads as thread_table
from perftui.probes.store.store import Store
from perftui.probes.text.units import NS_PER_S

S = NS_PER_S
PID = 10
END = 1 << 60
BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "session_memory.py"


@pytest.fixture
def log() -> SessionLog:
    return SessionLog()


@pytest.fixture
def store(log: SessionLog) -> Store:
    target = Target("t", ("python", "t.py"), PID, None, launched=True, agent=True)
    store = Store(log.tree, target, lambda: END)
    log.connect(store)
    return store


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the kernel tells no PSS")
def test_a_simulated_day_grows_by_little() -> None:
    command = [sys.executable, str(BENCHMARK), "--step", "120", "--hours", "24"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    grown = {}
    for line in done.stdout.splitlines():
        hour, _, mib, _ = line.split()
        grown[hour] = float(mib)
    assert grown["24"] - grown["2"] < 16, grown


def test_all_answers_reflect_what_was_sent(store: Store) -> None:
    with store.memory.held():  # somebody reads: batches wait
        feed(store, [Metric(S, PID, 0.1, 500), ProcessStart(S, PID, 1, ("x",))])
        feed(store, [Alert("stall", "warn", S, S, None, "m", "e")])
        assert not store.memory.parts.processes.all()
    assert store.alerts(0, END)
    for question in (
        lambda: store.last("rss_bytes") == 600,
        lambda: "rss_bytes" in store.metric_names(11),
        lambda: len(store.processes()) == 3,
        lambda: len(store.alerts(0, END)) == 2,
    ):
        with store.memory.held():
            feed(store, [Metric(2 * S, 11, 0.1, 600)])
            feed(store, [ProcessStart(S, 11, 1, ("y",)), ProcessStart(S, 12, 1, ("z",))])
            feed(store, [Alert("stall", "warn", 2 * S, S, None, "m", "e")])
        assert question()


def test_phases_beyond_the_bound_keep_the_long_the_open_and_the_new(
    log: SessionLog, store: Store
) -> None:
    log.append(PhaseBegin(0, PID, PID, 1, "whole", None, 0.0, 1))
    count = 4 * journal.PHASES_KEPT
    for n in range(count):
        t = n * 1_000
        log.append(PhaseBegin(t, PID, PID, n + 2, f"p{n}", 1, 0.0, 1))
        log.append(PhaseEnd(t + (900 if n % 100 == 0 else 10), PID, n + 2, 0.1, 1))
    rows = store.phases(0, END)
    assert len(rows) <= journal.PHASES_KEPT
    names = {row.name for row in rows}
    assert "whole" in names
    assert {f"p{n}" for n in range(count - 1_000, count)} <= names
    assert {f"p{n}" for n in range(0, count, 100)} <= names
    assert [n for n in store.status().notices if "more phases than are kept" in n.text]


def test_a_phase_keeps_its_figures_when_its_readings_are_thinned(
    log: SessionLog, store: Store
) -> None:
    log.append(PhaseBegin(S, PID, PID, 1, "load", None, 1.0, 100))
    log.append(Metric(2 * S, PID, 0.5, 900))
    (before,) = store.phases(0, END)
    assert (before.t1_ns, before.peak_rss_bytes) == (None, 900)
    log.append(PhaseEnd(3 * S, PID, 1, 2.5, 300))
    log.append(Metric(2 * S + 5, PID, 0.6, 950))
    log.append(Metric(5 * S, PID, 0.6, 7_000))
    for _ in range(2):
        (row,) = store.phases(0, END)
        assert (row.cpu_s, row.rss_end_bytes, row.peak_rss_bytes) == (1.5, 300, 950)


def test_ended_threads_become_one_row_and_their_time_is_not_lost(
    log: SessionLog, store: Store
) -> None:
    node = log.tree.intern([log.tree.frame_id("work", "/a.py", 1)])
    count = 4 * thread_table.THREADS_KEPT
    for n in range(count):
        t = n * S
        log.append(ThreadCpu(t, PID, PID, "main", n * 0.5, "R"))
        log.append(ThreadCpu(t, PID, 100 + n, "short", 0.25, "R"), ThreadName(t, PID, 100 + n, "w"))
        log.append(
            Stack(t, t + S, PID, 100 + n, node), StackWindow(t, t + S, PID, 1, 1, 0, 0, 0, "x")
        )
    rows = store.threads(0, END)
    assert len(rows) <= thread_table.THREADS_KEPT + 1
    assert [row.name for row in rows if "ended threads" in row.name]
    assert sum(row.cpu_s for row in rows if row.tid != PID) == pytest.approx(0.25 * count)
    trees = store.call_tree(0, END)
    assert len(trees) <= thread_table.THREADS_KEPT + 1
    assert sum(tree.wall_ns for tree in trees) == count * S
    some = store.call_tree(100 * S, (count - 100) * S)
    assert sum(tree.wall_ns for tree in some) == pytest.approx((count - 200) * S, rel=0.02)


def test_ended_processes_are_forgotten_in_the_end(log: SessionLog, store: Store) -> None:
    log.append(ProcessStart(0, PID, 1, ("python",)))
    for n in range(3_000):
        t, pid = n * S, 1_000 + n
        log.append(ProcessStart(t, pid, PID, ("child", str(n))))
        log.append(Metric(t, PID, n * 0.1, 100), Metric(t, pid, 0.1, 50))
        log.append(Exit(t + 1, pid, 0, None))
    known = store.processes()
    assert len(known) <= 513
    assert {PID, 3_999, 3_900} <= {process.pid for process in known}
    assert len(store.memory.parts.series) < 10_000
    assert store.highest("rss_bytes", 0, END) == 150


def test_names_marks_and_calls_that_are_made_up_are_bounded(log: SessionLog, store: Store) -> None:
    for n in range(30_000):
        log.append(Mark(n, PID, f"mark {n}"), Call(n, PID, PID, f"q{n}", 1, 5, ok=True))
        log.append(Call(n, PID, PID, "same", n + 1, 5, ok=True))
    assert len(store.events(0, END)) <= journal.EVENTS_KEPT + calls_kept.NAMES_KEPT + 1
    calls = {call.name: call for call in store.calls(0, END)}
    assert len(calls) <= calls_kept.NAMES_KEPT
    assert calls["same"].n == 30_000
    assert store.memory.parts.calls.held <= calls_kept.ALL_CALLS_KEPT


def test_functions_without_end_fold_and_the_recorders_mirror_agrees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from perftui.probes.recording.write.recorder_main import Mirror
    from perftui.probes.spine import calltree

    monkeypatch.setattr(calltree, "FRAMES_KEPT", 200)
    monkeypatch.setattr(calltree, "NODES_KEPT", 400)
    tree, mirror = CallTree(), Mirror()
    sent = [1, 1]
    for n in range(5_000):
        names = ["main", f"f{n}", f"g{n % 50}", f"h{n}"]
        leaf = tree.intern([tree.frame_id(name, f"/{name}.py", 1) for name in names])
        assert tree.frame(leaf).function in (f"h{n}", MANY)
        if n % 7 == 0:
            frames = [(f.function, f.file, f.line, f.kind) for _, f in tree.frames_since(sent[0])]
            nodes = [(parent, frame) for _, parent, frame in tree.nodes_since(sent[1])]
            mirror.grow(frames, nodes)
            sent = [sent[0] + len(frames), sent[1] + len(nodes)]
    assert len(tree) < 450
    known = sent[1]
    assert [tree.path(node) for node in range(known)] == [
        mirror.tree.path(node) for node in range(known)
    ]
    assert [tree.frame(n)[:4] for n in range(known)] == [
        mirror.tree.frame(n)[:4] for n in range(known)
    ]


def test_a_brief_memory_answers_of_the_last_minutes_and_holds_no_more(log: SessionLog) -> None:
    """As a watcher for days has it, beside one that keeps all: of the last minutes both say the
    same."""
    target = Target("t", ("python", "t.py"), PID, None, launched=False, agent=False)
    brief, whole = (Store(log.tree, target, lambda: END, brief=kept) for kept in (True, False))
    log.connect(brief)
    log.connect(whole)
    node = log.tree.intern([log.tree.frame_id("work", "/a.py", 1)])
    sizes = []
    for second in range(1_800):
        t = second * S
        log.append(
            Metric(t, PID, second * 0.5, 1_000 + second),
            ThreadCpu(t, PID, PID, "main", second * 0.5, "R"),
            Stack(t, t + S, PID, PID, node),
            StackWindow(t, t + S, PID, 1, 1, 0, 0, 0, "x"),
        )
        if second in (899, 1_799):
            asked = (t - 100 * S, t)
            assert brief.call_tree(*asked) == whole.call_tree(*asked)
            assert brief.metric("rss_bytes", *asked, 10) == whole.metric("rss_bytes", *asked, 10)
            assert brief.last("rss_bytes") == 1_000 + second
            sizes.append(len(pickle.dumps(brief.memory.parts.series)))
    assert sizes[1] <= 1.3 * sizes[0]
    (tree,) = brief.call_tree(0, END)
    assert 290 * S <= tree.wall_ns <= 340 * S
    assert whole.call_tree(0, END)[0].wall_ns == 1_800 * S
