"""The probe between the log and the engine: records in, alert records out, nothing in the way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from support.enriched import enriched, feed
from support.waiting import PATIENCE_S

from perftui.probes.detect.code import LEAST_OF, code_words, dominant_code, waiting_of
from perftui.probes.detect.live import DetectorProbe, Judge
from perftui.probes.detect.observe import Observer
from perftui.probes.detect.replay import alerts_of
from perftui.probes.spine.calltree import CallTree
from perftui.probes.spine.enricher import Enricher
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import Target, ThreadTree, Weights
from perftui.probes.spine.records import (
    Alert,
    Call,
    Count,
    Exit,
    Metric,
    PhaseBegin,
    PhaseEnd,
    ThreadCpu,
)
from perftui.probes.store.store import Store
from perftui.probes.text.units import NS_PER_S
from perftui.tui.widgets.bars.banner import code_of

if TYPE_CHECKING:
    from pathlib import Path

    from perftui.probes.detect.evidence.observations import TreeReading
    from perftui.probes.spine.enriched import Batch
    from perftui.probes.spine.records import Record

PID = 77


class Alerts:
    def __init__(self) -> None:
        self.seen: list[Alert] = []
        self.standing: dict[tuple[str, int], Alert] = {}

    def ingest(self, batch: Batch) -> None:
        self.seen += [record for record in batch.raw if isinstance(record, Alert)]
        for alert, _ in batch.alerts:
            self.standing[alert.kind, alert.t_onset_ns] = alert


def metric(t_s: float, rss_mb: float, cpu_s: float, pid: int = PID, **more: float) -> Metric:
    return Metric(round(t_s * NS_PER_S), pid, cpu_s, int(rss_mb * 1e6), **more)  # type: ignore[arg-type]


def test_alerts_go_back_into_the_log_that_they_come_from() -> None:
    log, alerts = SessionLog(), Alerts()
    probe = DetectorProbe(log, Judge(log.tree, PID, 0))
    log.connect(probe)
    log.connect(alerts)
    probe.start()
    for n in range(1200):
        t = n / 20
        log.append(metric(t, 100 + 3 * min(t, 30), t))
    probe.stop()
    raised, *again, cleared = alerts.seen
    assert all(each.message.endswith(" so far") for each in again)
    assert raised.kind == cleared.kind == "mem_growth"
    assert raised.t_clear_ns is None
    assert cleared.t_clear_ns is not None
    assert (cleared.t_onset_ns, cleared.t_detect_ns) == (raised.t_onset_ns, raised.t_detect_ns)
    assert cleared.message.startswith(f"{raised.message}; +")
    assert cleared.message.endswith(" in all")
    assert "cleared: " in cleared.evidence
    assert list(alerts.standing.values()) == [cleared]


def test_ingest_never_waits_for_a_judgement() -> None:
    gate = threading.Event()
    opened: list[bool] = []

    def slow_stacks(t0_ns: int, t1_ns: int) -> list[ThreadTree]:
        opened.append(gate.wait(PATIENCE_S))
        return []

    log = SessionLog()
    probe = DetectorProbe(log, Judge(log.tree, PID, 0, call_tree=slow_stacks))
    log.connect(probe)
    probe.start()
    for n in range(800):
        log.append(metric(n / 20, 100 + 3 * n / 20, n / 20))
    gate.set()
    probe.stop()
    assert opened
    assert all(opened), "all was taken in before the gate was opened"


def test_what_stacks_alone_tell_is_said() -> None:
    """Contention at a lock is raised by a look at the stacks, not by a reading."""
    log, alerts = SessionLog(), Alerts()
    frame = log.tree.frame_id("work", "/usr/lib/python3.11/threading.py", 9)
    acquire = log.tree.frame_id("Lock.acquire", "/usr/lib/python3.11/threading.py", 20)
    node = log.tree.intern([frame, acquire])
    busy = log.tree.intern([log.tree.frame_id("work", "/app.py", 3)])

    def stacks(t0_ns: int, t1_ns: int) -> list[ThreadTree]:
        waits = {node: Weights(90, 0, 0, 0), busy: Weights(10, 10, 0, 0)}
        return [ThreadTree(PID, tid, "t", 100, 10, 0, waits, "") for tid in (1, 2, 3)]

    probe = DetectorProbe(log, Judge(log.tree, PID, 0, call_tree=stacks))
    log.connect(probe)
    log.connect(alerts)
    probe.start()
    threads = [ThreadCpu(0, PID, tid, "t", 1.0, "S") for tid in (1, 2, 3)]
    for n in range(400):
        t = n / 20
        log.append(*(row._replace(t_ns=round(t * NS_PER_S)) for row in threads), metric(t, 100, t))
    probe.stop()
    [alert] = list(alerts.standing.values())
    assert alert.kind == "lock_wait"
    assert alert.message.startswith("90% of the time of 3 threads waiting for a lock")


def samples(observer: Observer, batches: list[list[Record]]) -> list[TreeReading]:
    return [seen for batch in batches for seen in observer.take(enriched(batch, observer))]  # type: ignore[misc]


def test_a_sample_is_the_whole_tree() -> None:
    batches: list[list[Record]] = [
        [metric(n / 10, 100, n / 20), metric(n / 10, 50, n / 10, pid=78)] for n in range(5)
    ]
    last = samples(Observer(PID, 0), batches)[-1]
    assert last.rss_bytes == 150e6
    assert last.cpu_percent is not None
    assert abs(last.cpu_percent - 150) < 1
    assert last.rows is None
    assert last.phase is None


def test_the_innermost_phase_and_the_best_counter() -> None:
    observer = Observer(PID, 0)

    def begin(number: int, name: str) -> PhaseBegin:
        return PhaseBegin(0, PID, 1, number, name, None, None, None)

    phases = samples(observer, [[begin(1, "load"), begin(2, "parse"), metric(1, 1, 1)]])
    assert phases[0].phase == "parse"
    end = PhaseEnd(0, PID, 2, None, None)
    counts = [Count(0, PID, name, 7.0) for name in ("requests", "batches: wait producer s")]
    second = samples(observer, [[end, *counts, metric(2, 1, 1)]])[0]
    assert (second.phase, second.rows, second.rows_are_data) == ("load", 7.0, False)
    rows = [Count(0, PID, "batches: rows", 40.0), Count(0, 78, "batches: rows", 2.0)]
    third = samples(observer, [[*rows, metric(3, 1, 1)]])[0]
    assert (third.rows, third.rows_are_data) == (42.0, True)


def test_phases_of_single_batches_are_their_parents() -> None:
    observer = Observer(PID, 0)
    outer = PhaseBegin(0, PID, 1, 1, "load", None, None, None)
    batches: list[list[Record]] = [[outer]]
    for n in range(20, 60):
        t_ns = n * NS_PER_S // 20
        batches.append(
            [
                PhaseBegin(t_ns, PID, 1, n, f"batch{n % 2}", 1, None, None),
                metric(n / 20, 1, 1),
                PhaseEnd(t_ns + 1, PID, n, None, None),
            ]
        )
    assert {sample.phase for sample in samples(observer, batches)} == {"load"}


def test_alerts_of_a_session_that_is_read_back() -> None:
    tree = CallTree()
    store = Store(tree, Target("x", (), PID, None, True, False), clock=lambda: 90 * NS_PER_S)
    alert = Alert("io_wait", "warn", 92 * NS_PER_S, 94 * NS_PER_S, None, "CPU 6 %", "phase load")
    store.life.t_start_ns = 90 * NS_PER_S
    feed(store, [Exit(200 * NS_PER_S, PID, 0, None), alert])
    feed(store, [alert._replace(severity="critical", t_clear_ns=110 * NS_PER_S)])
    assert [edge[:4] for edge in alerts_of(store)] == [
        ("io_wait", "critical", 2.0, 4.0),
        ("io_wait", "clear", 2.0, 20.0),
    ]


def test_a_suspended_program_is_not_judged() -> None:
    observer = Observer(PID, 0)
    stopped = ThreadCpu(0, PID, PID, "main", 1.0, "T")
    running = stopped._replace(state="S")
    assert samples(observer, [[stopped, metric(1, 1, 1)], [metric(2, 1, 1)]]) == []
    assert len(samples(observer, [[running, metric(3, 1, 1)]])) == 1


def test_the_share_of_time_in_the_run_queue() -> None:
    observer = Observer(PID, 0)
    batches: list[list[Record]] = [
        [metric(t, 1, t / 2, run_queue_wait_s=t / 2)] for t in (0.0, 1.0, 2.0)
    ]
    assert samples(observer, batches)[-1].run_queue_share == 0.5


def test_calls_keep_their_time_and_length() -> None:
    call = Call(5 * NS_PER_S, PID, 1, "query", 1, NS_PER_S // 4, True)
    seen = list(Observer(PID, NS_PER_S).take(Enricher().enrich([call])))
    assert [tuple(each) for each in seen] == [(4.0, "query", 0.25)]


def tree_of(tree: CallTree, stacks: dict[tuple[tuple[str, str, int], ...], Weights]) -> ThreadTree:
    nodes = {
        tree.intern([tree.frame_id(*frame) for frame in path]): weights
        for path, weights in stacks.items()
    }
    return ThreadTree(
        PID, 1, "main", sum(weights.wall_ns for weights in nodes.values()), 0, 0, nodes, ""
    )


def test_the_programs_own_code_is_named_and_not_its_library() -> None:
    tree = CallTree()
    main, load = ("<module>", "/home/me/app.py", 3), ("load", "/home/me/app.py", 12)
    parse = ("parse", "/x/lib/python3.11/site-packages/pandas/io.py", 99)
    thread = tree_of(
        tree,
        {(main, load, parse): Weights(10, 10, 900, 0), (main,): Weights(90, 90, 100, 0)},
    )
    assert str(dominant_code(tree, [thread], "grown")) == "load app.py:12 (90%)"
    assert str(dominant_code(tree, [thread], "cpu")) == "top level app.py:3 (90%)"
    assert dominant_code(tree, [], "cpu") is None


def test_code_that_ran_beside_others_is_not_named_for_what_one_thread_does() -> None:
    tree = CallTree()
    busy, native = ("busy", "/home/me/app.py", 3), ("digest", "/home/me/app.py", 9)
    both = [tree_of(tree, {(place,): Weights(90, 90, 0, 0)}) for place in (busy, native)]
    least = LEAST_OF["gc_pressure"]
    assert code_words(tree, [*both, both[0]], "cpu", least) == "code: busy app.py:3 (67%)"
    third = tree_of(tree, {(("sha", "/home/me/app.py", 12),): Weights(90, 90, 0, 0)})
    assert code_words(tree, [*both, third], "cpu", least) == ""


def test_the_programs_own_place_that_waits_for_native_threads_comes_first() -> None:
    tree = CallTree()
    main, add = ("<module>", "/home/me/app.py", 3), ("add_rows", "/home/me/app.py", 14)
    result = ("result", "/usr/lib/python3.11/concurrent/futures/_base.py", 451)
    loop = ("select", "/usr/lib/python3.11/selectors.py", 468)
    mine = tree_of(tree, {(main, add, result): Weights(90, 1, 0, 0), (main,): Weights(10, 9, 0, 0)})
    library = tree_of(tree, {(loop,): Weights(100, 0, 0, 0)})
    native = tree_of(tree, {(("native threads (tokio)", "", 0),): Weights(0, 90, 900, 0)})
    said = code_words(tree, [library, mine, native], "grown")
    assert said == "code: add_rows app.py:14 waits for native threads (tokio) (100%)"
    assert code_words(tree, [native], "grown") == "code: native threads (tokio) (100%)"
    assert code_words(tree, [], "grown") == ""


def test_waits_are_told_apart_by_library_and_by_line(tmp_path: Path) -> None:
    source = tmp_path / "app.py"
    source.write_text("with table_lock:\n    pass\ndata = file.read(10)\nstop.wait()\n")
    tree = CallTree()
    idle = Weights(1000, 0, 0, 0)
    at_lock = tree_of(tree, {(("work", str(source), 1),): idle})
    at_file = tree_of(tree, {(("work", str(source), 3),): idle})
    library = "/usr/lib/python3.11/threading.py"
    join = tree_of(tree, {(("main", str(source), 4), ("Thread.join", library, 9)): idle})
    event = tree_of(tree, {(("main", str(source), 4), ("Event.wait", library, 9)): idle})
    lock = waiting_of(tree, [at_lock, at_lock, at_file, join], 1.0)
    assert lock is not None
    assert (lock.cause, lock.threads, lock.where) == (
        "lock",
        3,
        "waiting for a lock in work app.py:1",
    )
    assert abs(lock.lock_share - 2 / 3) < 1e-9
    disk = waiting_of(tree, [at_file, event], 1.0)
    assert disk is not None
    assert (disk.cause, disk.share, disk.lock_share) == ("io", 1.0, 0.0)
    assert waiting_of(tree, [], 1.0) is None


def test_code_that_may_not_have_touched_what_it_is_given_is_said_to_be_so() -> None:
    tree = CallTree()
    main, keep = ("<module>", "/home/me/app.py", 3), ("keep", "/home/me/app.py", 8)
    said = []
    for unsure in (0, 900):
        cell = Weights(10, 10, 900, 0, touched_bytes=900, unsure_bytes=unsure)
        said.append(code_words(tree, [tree_of(tree, {(main, keep): cell})], "grown"))
    sure, unsure_words = said
    assert sure == "code: keep app.py:8 (100%)"
    assert unsure_words == f"{sure}, or what runs beside it: no sample tells"
    assert code_of(f"slope 3 MB/s; {unsure_words}") == "keep app.py:8"
