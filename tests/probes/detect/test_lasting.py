"""Alerts are brought up to date while they last, and end with their process."""

from __future__ import annotations

import pytest
from support.enriched import enriched
from support.kept import Kept

from perftui.probes.detect.code import dominant_code
from perftui.probes.detect.evidence.observations import Edge, ImportBegan, ImportEnded
from perftui.probes.detect.kinds.slow_import import SlowImport
from perftui.probes.detect.lasting import Lasting
from perftui.probes.detect.live import DetectorProbe, Judge
from perftui.probes.detect.observe import Observer
from perftui.probes.spine.log import SessionLog
from perftui.probes.spine.reader import ThreadTree, Weights
from perftui.probes.spine.records import Alert, Exit, ImportBegin, ImportEnd, Metric
from perftui.probes.text.units import NS_PER_S

S = NS_PER_S
PID = 7
GROWS = Edge("mem_growth", "warn", 10.0, 20.0, "RSS +3.00 MB/s for 10.0 s", "floors")


def test_the_newest_growth_stands_in_the_words_and_it_is_told_ever_more_seldom() -> None:
    lasting = Lasting()
    lasting.raised(GROWS, 100e6, 20.0)
    told = [(t, edge.message) for t in range(20, 100) for edge in lasting.due(t, 100e6 + 3e6 * t)]
    assert [t for t, _ in told] == [25, 33, 45, 63, 90]
    assert told[0][1] == "RSS +3.00 MB/s for 10.0 s; +75.0 MB more since, 15.0 s so far"
    last = lasting.ended(("mem_growth", 10.0), 100.0)
    assert last == "RSS +3.00 MB/s for 10.0 s; +297 MB more since, 90.0 s in all"
    assert lasting.due(1e6, 0.0) == []


def test_more_evidence_does_not_take_the_newest_words_back() -> None:
    lasting = Lasting()
    lasting.raised(GROWS, 100e6, 20.0)
    found = GROWS._replace(evidence="floors; held by CACHE")
    assert lasting.raised(found, 110e6, 21.0) == found
    (edge,) = lasting.due(25.0, 115e6)
    again = lasting.raised(found, 130e6, 30.0)
    assert edge.message == "RSS +3.00 MB/s for 10.0 s; +15.0 MB more since, 15.0 s so far"
    assert again.message == "RSS +3.00 MB/s for 10.0 s; +30.0 MB more since, 20.0 s so far"
    assert again.evidence == found.evidence
    worse = GROWS._replace(severity="critical", message="RSS +9.00 MB/s for 22.0 s")
    assert lasting.raised(worse, 140e6, 32.0) == worse


def test_an_import_that_still_runs_says_how_long_by_now() -> None:
    lasting = Lasting()
    running = "import lance 2.03 s (still running), 88% of start-up"
    lasting.raised(Edge("slow_import", "critical", 1.0, 3.0, running, ""), None, 3.0)
    (edge,) = lasting.due(11.0, None)
    assert edge.message == "import lance 10.0 s (still running)"
    assert lasting.ended(("slow_import", 1.0), 13.5) == "import lance 12.5 s"


def test_marks_are_left_as_they_are() -> None:
    lasting = Lasting()
    lasting.raised(GROWS._replace(severity="info"), 1.0, 20.0)
    assert lasting.due(1_000.0, 1e9) == []
    assert lasting.ended(("mem_growth", 10.0), 1_000.0) is None


def imported(module: str, n: int, parent: int | None, t_s: float) -> ImportBegin:
    return ImportBegin(round(t_s * S), PID, PID, n, module, parent, None)


def test_imports_of_perftui_are_none_of_the_programs_and_what_they_cause_is() -> None:
    observer = Observer(PID, 0)
    records = [
        imported("perftui.scenarios.table", 1, None, 0.0),
        imported("perftui.probes", 2, 1, 0.1),
        imported("lance", 3, 2, 0.2),
        imported("lance.table", 4, 3, 0.3),
        ImportEnd(5 * S, PID, 3, S, 4 * S, None, ok=True),
        ImportEnd(6 * S, PID, 1, S, 6 * S, None, ok=True),
        imported("app", 5, None, 7.0),
    ]
    seen = list(observer.take(enriched(records, of=observer)))
    assert seen == [
        ImportBegan(0.2, "lance"),
        ImportEnded(5.0, "lance", 4.0),
        ImportBegan(7.0, "app"),
    ]


@pytest.mark.parametrize("told_s", [5.0, 4.2])
def test_an_import_that_was_seen_to_begin_ends_with_its_own_figure(told_s: float) -> None:
    from perftui.probes.detect.engine import Engine
    from perftui.probes.detect.evidence.observations import TreeReading

    engine = Engine(None, kinds=[SlowImport.kind])
    edges = engine.feed(ImportBegan(1.0, "lance"))
    for n in range(20, 120):
        edges += engine.feed(TreeReading(n / 20, 1e8, 100.0, None, None))
    edges += engine.feed(ImportEnded(6.0, "lance", told_s))
    assert edges[-1].severity == "clear"
    assert edges[-2].message.startswith(f"import lance {told_s:.2f} s, ")


def test_an_open_alert_ends_with_its_process() -> None:
    log, kept = SessionLog(), Kept()
    probe = DetectorProbe(log, Judge(log.tree, PID, 0))
    log.connect(probe)
    log.connect(kept)
    probe.start()
    for n in range(500):
        log.append(Metric(n * S // 20, PID, n / 20, round(100e6 + 0.2e6 * n)))
    log.append(Exit(25 * S, PID, 0, None))
    probe.stop()
    alerts = kept.of(Alert)
    assert alerts[0].t_clear_ns is None
    assert alerts[-1].t_clear_ns == 25 * S
    assert alerts[-1].evidence.endswith("; cleared: the process has ended")


def test_code_is_the_programs_own_line_also_where_libraries_have_most() -> None:
    tree = SessionLog().tree
    typed = tree.frame_id("<module>", "<string>", 3)
    library = tree.frame_id("query", "/v/lib/python3.12/site-packages/duckdb/__init__.py", 9)
    native = tree.frame_id("native threads (tokio)", "", 0, "native")
    below, alone = tree.intern([typed, library]), tree.intern([native])
    cells = {below: Weights(10, 10, 1_000, 0), alone: Weights(90, 90, 9_000, 0)}
    thread = ThreadTree(PID, PID, "t", 100, 100, 10_000, cells, "")
    assert str(dominant_code(tree, [thread], "grown")) == "top level <string>:3 (10%)"
    only = thread._replace(self_by_node={alone: cells[alone]})
    assert "native threads" in str(dominant_code(tree, [only], "cpu"))


def test_the_command_by_which_a_worker_is_started_is_no_code_of_the_programs() -> None:
    tree = SessionLog().tree
    root = "/usr/lib/python3.12/multiprocessing"
    start = [
        tree.frame_id("<module>", "<string>", 1),
        tree.frame_id("spawn_main", f"{root}/spawn.py", 9),
    ]
    takes = tree.intern([*start, tree.frame_id("get", f"{root}/queues.py", 367)])
    works = tree.intern([*start, tree.frame_id("part", "/app/load.py", 7)])
    cells = {takes: Weights(90, 90, 9_000, 0), works: Weights(10, 10, 1_000, 0)}
    thread = ThreadTree(PID, PID, "t", 100, 100, 10_000, cells, "")
    assert str(dominant_code(tree, [thread], "cpu")) == "part load.py:7 (10%)"
    only = thread._replace(self_by_node={takes: cells[takes]})
    assert str(dominant_code(tree, [only], "cpu")) == "get queues.py:367 (100%)"
