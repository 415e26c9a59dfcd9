"""Groups of threads, and what they did over time: from records, in memory and on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perftui.probes.profile.thread_groups import group_threads, name_pattern
from perftui.probes.profile.tracks import States, tracks_of, waits_for_work
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target
from perftui.probes.spine.records import Metric, Stack, ThreadCpu, ThreadName
from perftui.probes.store.store import Store

if TYPE_CHECKING:
    from perftui.probes.profile.tracks import ThreadTrack, Tracks

S = 1_000_000_000
T0 = 1_000 * S
PID = 700
LIB = "/usr/lib/python3.12"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("Thread-12 (process_request_thread)", "process_request_thread"),
        ("Thread-7 (<lambda>)", "<lambda>"),
        ("Thread-7", "Thread"),
        ("ThreadPoolExecutor-0_13", "ThreadPoolExecutor-0"),
        ("asyncio_3", "asyncio"),
        ("worker 4", "worker"),
        ("duckdb-scan", "duckdb-scan"),
        ("MainThread", "MainThread"),
        ("py3.12-pool#9", "py3.12-pool"),
        ("4711", "4711"),
        ("", ""),
    ],
)
def test_numbers_at_the_end_are_no_name(name: str, pattern: str) -> None:
    assert name_pattern(name) == pattern


def test_threads_of_a_pattern_are_one_group_and_one_alone_keeps_its_name() -> None:
    rows = [((1, n), f"Thread-{n} (serve)", True) for n in range(3)]
    rows += [((1, 9), "Thread-9", True), ((1, 10), "serve", False), ((2, 5), "MainThread", True)]
    groups = group_threads(rows)
    assert [(g.title, g.python) for g in groups] == [
        ("serve ×3", True),
        ("Thread-9", True),
        ("serve", False),
        ("MainThread", True),
    ]
    assert groups[0].threads == ((1, 0), (1, 1), (1, 2))


def test_a_cell_shows_what_was_done_most_and_idle_only_without_anything() -> None:
    assert States().main(S) == ""
    assert States(idle_ns=S).main(S) == "idle"
    assert States(cpu_ns=S // 100, idle_ns=S).main(S) == "idle"
    assert States(cpu_ns=S // 2, lock_ns=S // 4, idle_ns=90 * S).main(S) == "cpu"
    assert States(cpu_ns=S // 2, lock_ns=8 * S).main(S) == "lock"
    assert States(io_ns=S // 2, queue_ns=S // 8).main(S) == "io"
    assert States(queue_ns=S // 2).main(S) == "queue"
    assert States(other_ns=S).main(S) == "other"


@pytest.mark.parametrize(
    ("frames", "rests"),
    [
        ([("job", "/app/job.py")], False),
        ([("get", f"{LIB}/queue.py"), ("Condition.wait", f"{LIB}/threading.py")], True),
        ([("_worker", f"{LIB}/concurrent/futures/thread.py")], True),
        ([("job", "/app/job.py"), ("join", f"{LIB}/threading.py")], True),
        ([("Semaphore.acquire", f"{LIB}/threading.py"), ("wait", f"{LIB}/threading.py")], False),
        ([("emit", f"{LIB}/logging/__init__.py")], False),
    ],
)  # fmt: skip
def test_who_waits_for_work_does_not_wait_for_a_lock(
    frames: list[tuple[str, str]], rests: bool
) -> None:
    tree = CallTree()
    node = tree.intern([tree.frame_id(function, file, 1) for function, file in frames])
    assert waits_for_work(tree, node) is rests


def served(seconds: int, threads: int = 3) -> tuple[SessionLog, Store, list[int]]:
    """A server: its main thread sleeps, `threads` answer, a native one scans, and the process
    uses half a core more than all of them in the last two seconds."""
    now = [T0]
    log = SessionLog()
    store = Store(
        log.tree,
        Target("serve", ("serve",), PID, "3.12.1", launched=True, agent=True),
        lambda: now[0],
    )
    log.connect(store)
    log.extend([ThreadName(T0, PID, PID, "MainThread")])
    for second in range(seconds):
        go_on(log, now, second, seconds, threads)
    return log, store, now


def go_on(log: SessionLog, now: list[int], second: int, seconds: int, threads: int) -> None:
    tree = log.tree
    wait = tree.intern([tree.frame_id("serve", "/app/serve.py", 3)])
    work = tree.intern([tree.frame_id("answer", "/app/serve.py", 9)])
    for tick in range(10):
        t0 = T0 + second * S + tick * S // 10
        t1 = t0 + S // 10
        at_s = second + (tick + 1) / 10
        unseen = 0.5 * max(at_s - (seconds - 2), 0.0)
        cpu_s = 0.25 * at_s + 0.2 * threads * at_s + unseen
        rows: list[object] = [
            Metric(t1, PID, cpu_s, 10_000_000, cpu_user_s=cpu_s, cpu_system_s=0.0)
        ]
        rows.append(ThreadCpu(t1, PID, PID, "python", 0.0, "S"))
        rows.append(ThreadCpu(t1, PID, PID + 9_000, "duckdb-scan", 0.25 * at_s, "R"))
        for n in range(1, threads + 1):
            rows.append(ThreadName(t0, PID, PID + n, f"Thread-{n} (answer)"))
            rows.append(ThreadCpu(t1, PID, PID + n, "python", 0.2 * at_s, "S"))
            rows.append(Stack(t0, t1, PID, PID + n, work, cpu_ns=S // 50))
        rows.append(Stack(t0, t1, PID, PID, wait, cpu_ns=0))
        log.extend(rows)  # type: ignore[arg-type]
    now[0] = T0 + (second + 1) * S


def by_title(tracks: Tracks) -> dict[str, ThreadTrack]:
    return {track.group.title: track for track in tracks.tracks}


def test_a_track_a_group_on_the_axis_of_the_charts() -> None:
    _, store, _ = served(10)
    axis = (T0, T0 + 20 * S)  # a live axis reaches beyond now
    tracks = tracks_of(store, store.status(), axis, 20)
    rows = by_title(tracks)
    assert list(rows) == ["answer ×3", "duckdb-scan", "MainThread"]
    assert tracks.step_ns == S
    answer = rows["answer ×3"]
    assert [cell is None for cell in answer.cells] == [False] * 10 + [True] * 10
    cpu_ns = [cell.cpu_ns for cell in answer.cells if cell is not None]
    assert sum(cpu_ns) == pytest.approx(0.6 * 10 * S, rel=0.02)
    scan = [cell.cpu_ns for cell in rows["duckdb-scan"].cells if cell is not None]
    assert sum(scan) == pytest.approx(0.25 * 10 * S, rel=0.1)
    assert not rows["duckdb-scan"].group.python
    assert sum(c.cpu_ns for c in rows["MainThread"].cells if c is not None) == 0


def test_cpu_that_nobody_accounts_for_is_told_where_it_was_used() -> None:
    _, store, _ = served(10)
    tracks = tracks_of(store, store.status(), (T0, T0 + 10 * S), 10)
    assert all(gap is not None for gap in tracks.unexplained)
    told = [gap or 0 for gap in tracks.unexplained]
    assert sum(told[:7]) == 0
    assert sum(told) == pytest.approx(1.0 * S, rel=0.15)


def test_another_process_chosen_leaves_nothing() -> None:
    _, store, _ = served(3)
    assert tracks_of(store, store.status(), (T0, T0 + 4 * S), 20, process=1).tracks == ()


class Asked:
    """A reader that notes how often it is asked for stacks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.spans: list[tuple[int, int]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def call_tree(self, t0_ns: int, t1_ns: int) -> object:
        self.spans.append((t0_ns, t1_ns))
        return self._store.call_tree(t0_ns, t1_ns)


def test_only_the_newest_cells_are_asked_again() -> None:
    log, store, now = served(10)
    axis = (T0, T0 + 30 * S)
    reader = Asked(store)
    first = tracks_of(reader, store.status(), axis, 30)  # type: ignore[arg-type]
    assert len(reader.spans) == 10
    reader.spans.clear()
    same = tracks_of(reader, store.status(), axis, 30, before=first)  # type: ignore[arg-type]
    assert same is first
    assert not reader.spans
    go_on(log, now, 10, 12, 3)
    second = tracks_of(reader, store.status(), axis, 30, before=first)  # type: ignore[arg-type]
    assert min(t0 for t0, _ in reader.spans) == T0 + 8 * S
    fresh = tracks_of(store, store.status(), axis, 30)
    assert second.tracks == fresh.tracks
    assert second.unexplained == fresh.unexplained


def test_a_thread_that_gets_its_name_later_is_of_its_group_from_the_start() -> None:
    log, store, _ = served(4)
    axis = (T0, T0 + 8 * S)
    first = tracks_of(store, store.status(), axis, 8)
    log.extend([ThreadName(T0 + 4 * S, PID, PID + 1, "renamed")])
    log.extend([Stack(T0 + 4 * S - 9, T0 + 4 * S, PID, PID + 1, 1, cpu_ns=0)])
    second = tracks_of(
        store, store.status()._replace(stacks_until_ns=T0 + 4 * S + 1), axis, 8, before=first
    )
    rows = by_title(second)
    assert {"answer ×2", "renamed"} <= set(rows)
    assert rows["renamed"].cells[0] is not None


def test_three_hundred_threads_are_a_few_tracks() -> None:
    _, store, _ = served(2, threads=300)
    tracks = tracks_of(store, store.status(), (T0, T0 + 4 * S), 120)
    assert len(tracks.tracks) == 3
    assert len(by_title(tracks)["answer ×300"].group.threads) == 300
