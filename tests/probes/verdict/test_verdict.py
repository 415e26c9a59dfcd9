"""What is found in sessions of which the truth is known, and in which order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.recordings.made import make_own
from support.told import LIBRARY, PID, RUN_QUEUE, RUN_S, Told

from perftui.probes.profile.memory.blame_words import UNNAMED
from perftui.probes.recording.read.reader import RecordingReader, open_recording
from perftui.probes.recording.sql.query import Query
from perftui.probes.recording.write.writer import Recording
from perftui.probes.spine.records import (
    Alert,
    Exit,
    GrowthLook,
    ImportBegin,
    ImportEnd,
    Keeper,
    LogLine,
    Metric,
    ProcessStart,
    Record,
    Stack,
    StackWindow,
    TaskSeen,
    ThreadCpu,
)
from perftui.probes.summary import summarize
from perftui.probes.text.units import NS_PER_S
from perftui.probes.verdict.finding import MOST
from perftui.probes.verdict.ranked import verdict
from perftui.tui.cli import main
from perftui.tui.text.verdict import verdict_lines

if TYPE_CHECKING:
    from pathlib import Path

S = NS_PER_S


def imported(module: str, from_s: float, took_s: float, n: int = 1) -> tuple[Record, Record]:
    t0, took = round(from_s * S), round(took_s * S)
    return (
        ImportBegin(t0, PID, PID, n, module, None, 1_000_000),
        ImportEnd(t0 + took, PID, n, took, took, 9_000_000, ok=True),
    )


def alert(kind: str, severity: Any, from_s: float, to_s: float | None = None) -> Alert:
    clear = None if to_s is None else round(to_s * S)
    return Alert(kind, severity, round(from_s * S), round(from_s * S) + S, clear, "said so", "seen")


def test_a_healthy_program_is_one_line() -> None:
    told = Told()
    work, wait = told.leaf("main", "work"), told.leaf("main", "wait")
    found = told.ran(*[(work, ""), (wait, "sleep"), (wait, "sleep"), (wait, "sleep")]).verdict
    assert found.findings == ()
    assert "work.py:7" in found.plain
    assert "sleeps" in found.plain
    assert verdict_lines(summarize(told.store)) == [f"nothing stands out: {found.plain}"]


def test_the_own_function_is_named_and_not_the_library_that_burns() -> None:
    told = Told()
    deep = told.leaf("main", "enrich", "~query", "~run")
    (first, *_) = told.ran((deep, "")).verdict.findings
    assert first.kind == "cpu"
    assert first.code == "enrich enrich.py:7"
    assert "duckdb" in first.text


@pytest.mark.parametrize("severity", ["warn", "critical"])
def test_a_critical_import_never_outranks_a_streaming_violation(severity: Any) -> None:
    told = Told()
    told.ran((told.leaf("main", "read"), "sleep"), rss=10e6)
    told.and_(*imported("lance", 0.1, 15.0), alert("slow_import", "critical", 0.1, 15.1))
    kinds = [
        found.kind
        for found in told.and_(alert("streaming_violation", severity, 6.0)).verdict.findings
    ]
    assert kinds.index("streaming_violation") < kinds.index("imports")
    assert kinds.count("imports") == 1


def test_growth_names_what_keeps_it_and_its_size() -> None:
    told = Told()
    told.ran((told.leaf("main", "enrich"), ""), rss=10e6)
    told.and_(
        alert("mem_growth", "warn", 5.0),
        Keeper(
            *(12 * S, PID, 9 * S, "__main__.CACHE", "dict", "DataFrame", 90, 90, 59_000_000, False),
            "enrich\t/app/enrich.py\t7",
        ),
    )
    (first, *_) = told.verdict.findings
    assert first.kind == "mem_growth"
    assert first.text == "keeps 150 MB: CACHE (dict, +90 DataFrame)"
    assert first.code == "enrich enrich.py:7"
    assert first.bytes == pytest.approx(150e6, rel=0.03)
    assert not first.may_be_wrong


def test_growth_that_no_name_leads_to_is_not_to_be_looked_for_by_name_again() -> None:
    def hint(note: str) -> str:
        told = Told()
        told.ran((told.leaf("main", "store"), ""), rss=10e6)
        told.and_(
            alert("mem_growth", "warn", 5.0),
            GrowthLook(12 * S, PID, 9 * S, "census", 30_000_000, 9_000, S // 50, S // 500, note, 0),
        )
        return told.verdict.findings[0].next_step

    assert "--deep" in hint("only a part was looked at: 9000 objects in 50 ms")
    assert "--memray" in hint(f"{UNNAMED} leads to most of it")


def test_imports_of_the_program_count_and_those_of_perftui_do_not() -> None:
    told = Told()
    told.ran((told.leaf("main"), "sleep"))
    (first, *_) = told.and_(*imported("pandas", 1.0, 8.0)).verdict.findings
    assert (first.kind, first.seconds) == ("imports", 8.0)
    assert first.text == "imports 8.00 of 20.0 s: pandas 8.00 s"
    ours = Told()
    ours.ran((ours.leaf("main"), "sleep")).and_(*imported("perftui.agent", 1.0, 8.0))
    assert ours.verdict.findings == ()


def test_imports_that_waited_for_a_core_are_not_the_programs_fault() -> None:
    told = Told()
    tree = told.log.tree
    frames = [
        tree.frame_id("<module>", "/app/t.py", 3),
        tree.frame_id("_find_and_load", "<frozen importlib._bootstrap>", 1, "import"),
    ]
    told.ran((tree.intern(frames), RUN_QUEUE), *[(told.leaf("main"), "sleep")] * 4)
    assert not any(
        each.kind == "imports" for each in told.and_(*imported("pandas", 0.1, 3.9)).verdict.findings
    )


def test_many_small_imports_are_one_finding() -> None:
    told = Told()
    told.ran((told.leaf("main"), "sleep"))
    for n in range(30):
        told.and_(*imported(f"part{n:02}", 0.1 + n * 0.3, 0.25, n + 1))
    (first, *_) = told.verdict.findings
    assert first.text.startswith("imports 7.50 of 20.0 s: part00 250 ms, part01 250 ms, ")


def test_nothing_at_all_is_a_verdict_too() -> None:
    assert verdict(Told().store).findings == ()
    short = Told()
    short.and_(Metric(0, PID, 0.0, 1), Exit(1, PID, None, 9))
    (first,) = verdict(short.store).findings
    assert first.text == "ended by signal 9"


def test_threads_at_a_lock_and_nobody_who_waits_for_work() -> None:
    told = Told()
    locked, idle = (
        told.leaf("work", "take"),
        told.log.tree.intern(
            [
                told.log.tree.frame_id("main", "/app/main.py", 1),
                told.log.tree.frame_id("Thread.join", "/usr/lib/python3.12/threading.py", 1147),
            ]
        ),
    )
    told.ran((idle, "lock")).ran((locked, "lock"), tid=11).ran((locked, "lock"), tid=12)
    told.ran((told.leaf("work", "hold"), "sleep"), tid=13)
    (first, *rest) = told.verdict.findings
    assert rest == []
    assert first.text == "waits 100 % of the time of 2 threads for a lock"
    assert first.code == "take take.py:7"


def native(told: Told) -> int:
    return told.log.tree.intern(
        [told.log.tree.frame_id("native threads (python)", "", 0, "native")]
    )


def test_a_futex_beside_native_threads_may_be_no_lock() -> None:
    told = Told()
    table = told.leaf("main", "table")
    told.ran((table, "lock"), (told.leaf("main", "work"), ""))
    told.ran((native(told), ""), *[(told.leaf("main"), "sleep")] * 9, tid=77)
    waits = next(each for each in told.verdict.findings if each.kind == "lock_wait")
    assert waits.text.endswith("for a lock or for native threads")
    assert waits.may_be_wrong


def test_cpu_of_threads_that_have_no_stacks_counts_too() -> None:
    """As an engine's pool: the kernel tells what each thread used, and no sampler where."""
    told = Told()
    told.ran((told.leaf("main", "group"), "lock"), (told.leaf("main", "add"), ""))
    for t in range(RUN_S + 1):
        told.and_(*(ThreadCpu(t * S, PID, tid, "python", t * 1.5, "R") for tid in (77, 78)))
    found = {each.kind: each for each in told.verdict.findings}
    assert found["cpu_native"].seconds == pytest.approx(60.0)
    assert found["cpu_native"].code == "group group.py:7"
    assert "86 % of all" in found["cpu_native"].text
    assert "cpu" not in found, "14 % are no story"


def test_native_threads_at_work_are_said_once() -> None:
    """The wait for them is no finding of its own; of C there is no frame of the library."""
    told = Told()
    told.ran((told.leaf("main", "table"), "lock")).ran((native(told), ""), tid=77)
    (first, *rest) = told.verdict.findings
    assert (first.kind, first.code, rest) == ("cpu_native", "table table.py:7", [])


def test_waiting_in_a_library_is_told_by_its_name() -> None:
    told = Told()
    asks = told.leaf("main", "aggregate", "~execute")
    (first, *_) = told.ran((asks, "lock"), (told.leaf("main"), "")).verdict.findings
    assert first.text == "waits 50 % of the time in duckdb"
    assert first.code == "aggregate aggregate.py:7"


def test_the_exception_that_ended_it_stands_first() -> None:
    told = Told()
    told.ran((told.leaf("main", "work"), ""))
    lines = ('  File "t.py", line 3', "MemoryError: all gone")
    # Behind a progress bar; and its last words are read when it has ended.
    begins = LogLine(19 * S, "stderr", "rows 29/30Traceback (most recent call last):")
    told.and_(begins, *(LogLine(RUN_S * S + 1, "stderr", line) for line in lines))
    told.and_(Exit(RUN_S * S, PID, 1, None))
    (first, second, *_) = verdict(told.store).findings
    assert first.text == "ended with exit code 1: MemoryError: all gone"
    assert second.kind == "cpu"


def test_an_exit_code_of_its_own_choice_says_less_than_what_it_did() -> None:
    told = Told()
    told.ran((told.leaf("main", "take"), "lock")).and_(Exit(RUN_S * S, PID, 3, None))
    first, second = verdict(told.store).findings
    assert (first.kind, second.kind) == ("stands_still", "failed")


def test_tasks_at_one_lock_while_nothing_runs() -> None:
    told = Told()
    told.ran((told.leaf("main"), "sleep"))
    where = json.dumps([["fetch", "/app/fetch.py", 10]])
    for n in (1, 2, 3):
        told.and_(TaskSeen(2 * S, PID, n, 3, f"fetch-{n}", "Lock.acquire", where))
    (first, *_) = told.verdict.findings
    assert first.text == "3 tasks wait in Lock.acquire while nothing runs"
    assert first.code == "fetch fetch.py:10"


def test_five_at_most_and_how_many_more() -> None:
    told = Told()
    told.ran((told.leaf("main", "take"), "lock"), rss=10e6)
    kinds = ("oom_risk", "streaming_violation", "mem_growth", "no_steady_state", "io_wait")
    told.and_(*(alert(kind, "warn", 6.0) for kind in kinds), *imported("pandas", 0.1, 9.0))
    found = told.verdict
    assert len(found.findings) == MOST
    assert found.more > 0
    impacts = [each.impact for each in found.findings]
    assert impacts == sorted(impacts, reverse=True)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_own(tmp_path_factory.mktemp("verdict") / "a.perftui", 32)


def test_every_finding_is_proved_by_its_sql(recorded: Path) -> None:
    reader = open_recording(recorded)
    found = verdict(reader).findings
    assert len({each.kind for each in found}) > 2
    for each in found:
        assert rows_of(reader, each.sql), each.sql


def rows_of(reader: RecordingReader, sql: str) -> list[tuple[Any, ...]]:
    with Query(reader) as query, query.run(sql) as result:
        return list(result.rows())


def test_the_figures_of_functions_are_those_of_their_sql(tmp_path: Path) -> None:
    told = Told()
    recording = Recording(
        tmp_path / "b.perftui", told.log.tree, told.store.target(), 0, clock=lambda: RUN_S * S
    )
    told.log.connect(recording)
    work, locked = told.leaf("main", "work", "~run"), told.leaf("main", "take")
    told.ran((work, "")).ran((work, ""), (locked, "lock"), tid=11)
    told.and_(Exit(RUN_S * S, PID, 0, None))
    recording.close()
    reader = open_recording(tmp_path / "b.perftui")
    found = {each.kind: each for each in verdict(reader).findings}
    assert {"cpu", "lock_wait"} <= found.keys()
    for kind, column in (("cpu", 2), ("lock_wait", 2)):
        (row,) = rows_of(reader, found[kind].sql)
        assert row[column] == pytest.approx(found[kind].seconds, rel=1e-3)
    assert [each.line for each in verdict(told.store).findings] == [
        each.line for each in verdict(reader).findings
    ]


def test_no_share_of_the_time_is_told_of_what_outlives_the_program() -> None:
    """A helper that goes on is seen for longer than the program took: "CPU 455 %" of two cores."""
    ended, helper = Exit(S // 10, PID, 0, None), PID + 1
    for lives_on in (False, True):
        told = Told()
        told.ran((told.leaf("main", "work"), ""))
        told.and_(ProcessStart(S // 20, helper, PID, ("python", "helper.py")))
        if not lives_on:
            told.and_(Exit(S // 15, helper, 0, None))
        found = verdict(told.and_(ended).store)
        assert ("with who lives on" in found.plain) is lives_on
        assert (" %," in found.plain) is not lives_on
        (cpu,) = [each for each in found.findings if each.kind == "cpu"]
        assert ("cores on average" in cpu.evidence) is not lives_on


def test_explain_says_the_same_as_the_summary(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(recorded), "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    summary = summarize(open_recording(recorded))
    assert explained["findings"] == summary["findings"]
    assert main(["explain", str(recorded)]) == 0
    text = capsys.readouterr().out
    assert all(found["sql"] in text for found in summary["findings"])
    assert main(["explain", str(recorded.parent / "nothing.perftui")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_generator_expression_is_part_of_its_function() -> None:
    told = Told()
    tree = told.log.tree
    frames = [
        tree.frame_id("total", "/app/t.py", 3),
        tree.frame_id("total.<locals>.<genexpr>", "/app/t.py", 4),
    ]
    (first, *_) = told.ran((tree.intern(frames), "")).verdict.findings
    assert first.code.startswith("total t.py:")


@pytest.mark.parametrize(
    ("package", "function", "step"),
    [
        ("pandas/core/frame.py", "DataFrame.iterrows", "columns"),
        ("json/__init__.py", "loads", "JSON"),
        ("multiprocessing/reduction.py", "_ForkingPickler.dumps", "send workers less"),
        ("logging/__init__.py", "Logger.info", "log less"),
    ],
)
def test_a_known_habit_gets_its_own_advice(package: str, function: str, step: str) -> None:
    told = Told()
    root = "/usr/lib/python3.12/" if package[0] != "p" else "/v/lib/python3.12/site-packages/"
    tree = told.log.tree
    deep = tree.intern(
        [
            tree.frame_id("weigh", "/app/weigh.py", 7),
            tree.frame_id(function, f"{root}{package}", 9),
        ]
    )
    (first, *_) = told.ran((deep, "")).verdict.findings
    assert step in first.next_step
    assert first.code == "weigh weigh.py:7"


def test_what_c_does_is_told_by_the_line_that_ran(tmp_path: Path) -> None:
    source = tmp_path / "convert.py"
    source.write_text("def convert(table):\n    return table.to_pylist()\n")
    told = Told()
    line = told.log.tree.intern([told.log.tree.frame_id("convert", str(source), 2)])
    (first, *_) = told.ran((line, "")).verdict.findings
    assert first.text.endswith("most of it in to_pylist")
    assert "columns" in first.next_step
    gone = Told()
    line = gone.log.tree.intern([gone.log.tree.frame_id("convert", str(tmp_path / "x.py"), 2)])
    (first, *_) = gone.ran((line, "")).verdict.findings
    assert "to_pylist" not in first.text


def test_what_a_library_does_in_python_is_told_by_its_frames_alone(tmp_path: Path) -> None:
    """A line that writes JSON and syncs the file spends its CPU in the system call."""
    source = tmp_path / "log.py"
    source.write_text("def log(file, row):\n    file.write(json.dumps(row)); os.fsync(file)\n")
    told = Told()
    tree = told.log.tree
    own = tree.frame_id("log", str(source), 2)
    line = tree.intern([own])
    deep = tree.intern([own, tree.frame_id("dumps", "/usr/lib/python3.12/json/__init__.py", 9)])
    (first, *_) = told.ran((line, ""), (line, ""), (line, ""), (deep, "")).verdict.findings
    assert first.text.endswith("most of it in fsync")
    assert "sync once" in first.next_step


def test_a_busy_machine_does_not_hide_what_a_program_waits_for() -> None:
    told = Told()
    leaf = told.leaf("main", "append")
    told.ran(*[(leaf, RUN_QUEUE)] * 8, *[(leaf, "disk")] * 2)
    found = {each.kind: each for each in told.verdict.findings}
    assert found["io_wait"].text == (
        "waits 100 % of the time for I/O, time without a free core left out"
    )
    assert found["io_wait"].impact > found["cpu_contention"].impact


def test_threads_that_wait_for_the_gil_are_said_before_the_cpu_that_they_use() -> None:
    told = Told()
    leaf = told.leaf("main", "score")
    for tid in (11, 12, 13):
        told.ran((leaf, ""), (leaf, "gil"), (leaf, "gil"), tid=tid)
    (first, second, *_) = told.verdict.findings
    assert (first.kind, second.kind) == ("waits_gil", "cpu")


def test_who_holds_the_gil_comes_before_those_that_have_little_to_do_with_it() -> None:
    """Consumers of a producer that uses a whole core: with a GIL of their own it is no faster."""
    told = Told()
    told.ran((told.leaf("main", "produce"), ""))
    leaf, idle = told.leaf("run", "consume"), told.leaf("run", "get")
    for tid in (11, 12, 13):
        told.ran((leaf, "gil"), (idle, "sleep"), tid=tid)
    (first, second, *_) = told.verdict.findings
    assert (first.kind, first.code) == ("cpu", "produce produce.py:7")
    assert (second.kind, second.code) == ("waits_gil", "consume consume.py:7")
    assert "others use the CPU" in second.evidence


@pytest.mark.parametrize(("used_s", "told_of"), [(0.4, False), (4.0, True)])
def test_what_stacks_leave_out_is_told_where_it_is_a_part_of_a_core(
    used_s: float, told_of: bool
) -> None:
    """Threads of requests that live for less than a millisecond each are seldom met."""
    told = Told()
    told.ran(*[(told.leaf("main", "wait"), "sleep")] * 20)
    used = round(used_s * S)
    window = StackWindow(0, RUN_S * S, PID, 20, 20, 0, 0, 0.1, "own sampler", 20, used, used // 2)
    told.and_(window, Metric(RUN_S * S, PID, used_s, 50_000_000, None, used_s, 0.0))
    assert ("unseen" in [each.kind for each in told.verdict.findings]) is told_of


def test_an_import_inside_a_request_is_said_however_short() -> None:
    told = Told()
    tree = told.log.tree
    inside = tree.intern(
        [
            tree.frame_id("export", "/app/service.py", 7),
            tree.frame_id("_find_and_load", "<frozen importlib._bootstrap>", 1),
        ]
    )
    serve = told.leaf("main", "serve")
    told.and_(ProcessStart(0, PID, 1, ("python", "t.py")))
    told.ran(*[(serve, "sleep")] * 12, (inside, ""), *[(serve, "sleep")] * 7)
    (first, *_) = told.and_(*imported("pyarrow", 12.1, 0.4)).verdict.findings
    assert (first.kind, first.code) == ("imports", "export service.py:7")
    assert "call export once" in first.next_step
    early = Told()
    early.and_(ProcessStart(0, PID, 1, ("python", "t.py")))
    early.ran((early.leaf("main", "serve"), "sleep")).and_(*imported("pyarrow", 0.1, 0.4))
    assert early.verdict.findings == ()


def test_processes_that_tell_of_no_imports_have_stacks() -> None:
    told = Told()
    tree = told.log.tree
    load = tree.intern(
        [
            tree.frame_id("work", "/app/work.py", 7),
            tree.frame_id("_find_and_load", "<frozen importlib._bootstrap>", 1),
            tree.frame_id("<module>", LIBRARY, 3),
        ]
    )
    told.and_(ProcessStart(0, PID, 1, ("python", "t.py")))
    (first, *_) = told.ran((load, ""), (told.leaf("work"), "sleep")).verdict.findings
    assert first.text == "imports 10.0 s in process 10, together: duckdb 10.0 s"


def test_what_python_m_runs_is_no_import() -> None:
    told = Told()
    tree = told.log.tree
    frames = [
        tree.frame_id("_run_code", "<frozen runpy>", 88),
        tree.frame_id("<module>", "/app/tool/__main__.py", 7),
    ]
    (first, *_) = told.ran((tree.intern(frames), "")).verdict.findings
    assert first.kind == "cpu"


def test_what_was_loaded_once_is_no_growth() -> None:
    told = Told()
    told.ran((told.leaf("main", "work"), ""))
    told.and_(
        Keeper(
            *(4 * S, PID, 1 * S, "__main__.TABLE", "list", "dict", 90, 90, 40_000_000, False),
            "load\t/app/load.py\t7",
        )
    )
    found = {each.kind: each for each in told.verdict.findings}
    assert found["keeps"].text.startswith("holds 40.0 MB: TABLE")
    assert found["keeps"].impact < found["cpu"].impact


def test_one_worker_of_many_that_has_the_work_is_named() -> None:
    told = Told()
    told.and_(ProcessStart(0, PID, 1, ("python", "t.py")))
    part = told.leaf("part")
    pids = range(20, 24)
    for pid in pids:
        argv = ("python", "-c", f"spawn_main(pipe_handle={pid})", "--multiprocessing-fork")
        told.and_(ProcessStart(0, pid, PID, argv))
    for t in range(RUN_S + 1):
        for pid in pids:
            share = 1.0 if pid == 23 else 0.05
            told.and_(Metric(t * S, pid, t * share, 10, cpu_user_s=t * share, cpu_system_s=0.0))
            facts = (round(share * S), 0, 0, 0, "R")
            told.and_(Stack(t * S, t * S + S, pid, pid, part, False, *facts))
    found = {each.kind: each for each in told.verdict.findings}
    assert found["straggler"].text.startswith("1 of 4 workers has 87 % of the work: 20.0 s of CPU")
    assert found["straggler"].code == "part part.py:7"


def test_growth_of_one_thing_is_one_finding() -> None:
    told = Told()
    told.ran((told.leaf("main", "read"), ""), rss=10e6)
    kept = ("__main__.rows", "list", "Table", 90, 90, 59_000_000, False)
    told.and_(
        alert("streaming_violation", "warn", 5.0),
        alert("mem_growth", "warn", 3.0),
        Keeper(12 * S, PID, 9 * S, *kept, "read\t/app/read.py\t7"),
    )
    kinds = [each.kind for each in told.verdict.findings]
    assert "streaming_violation" in kinds
    assert "mem_growth" not in kinds


def test_a_library_that_waits_for_its_own_thread_is_what_is_waited_for() -> None:
    told = Told()
    tree = told.log.tree
    root = "/usr/lib/python3.12/"
    frames = [
        tree.frame_id("ask", "/app/ask.py", 7),
        tree.frame_id("run", LIBRARY, 33),
        tree.frame_id("Future.result", f"{root}concurrent/futures/_base.py", 451),
        tree.frame_id("Condition.wait", f"{root}threading.py", 320),
    ]
    (first, *_) = told.ran((tree.intern(frames), "lock")).verdict.findings
    assert first.text == "waits 100 % of the time in duckdb"
    pool = Told()
    names = ("ask", "Future.result", "Condition.wait")
    files = ("/app/ask.py", f"{root}concurrent/futures/_base.py", f"{root}threading.py")
    waits = [pool.log.tree.frame_id(*at, 7) for at in zip(names, files, strict=True)]
    pool.ran((pool.leaf("pause"), "sleep"), tid=11)
    assert pool.ran((pool.log.tree.intern(waits), "lock")).verdict.findings == ()


def test_what_the_agent_keeps_and_what_is_too_small_keep_no_growth() -> None:
    told = Told()
    told.ran((told.leaf("main", "read"), ""), rss=20e6)
    told.and_(alert("mem_growth", "warn", 5.0))
    for what in ("perftui.probes.agent.api.x", "__main__.few"):
        told.and_(Keeper(12 * S, PID, 9 * S, what, "dict", "int", 9, 9, 4_000_000, False, ""))
    (first, *_) = told.verdict.findings
    assert first.text.startswith("grows by 299 MB")


def test_what_is_kept_is_told_with_the_time_in_which_it_was_looked_at() -> None:
    told = Told()
    told.ran((told.leaf("main", "read"), ""), rss=5e6)
    for t0, t1 in ((2, 5), (14, 19)):
        kept = ("__main__.CACHE", "dict", "bytes", 9, 9, 20_000_000, False, "")
        told.and_(Keeper(t1 * S, PID, t0 * S, *kept))
    found = {each.kind: each for each in told.verdict.findings}
    assert found["keeps"].text.startswith("keeps 40.0 MB more in 8.00 s: CACHE")


def test_what_grows_on_at_its_pace_after_the_last_look_is_no_load() -> None:
    told = Told()
    told.ran((told.leaf("main", "read"), ""), rss=5e6)
    told.and_(Keeper(14 * S, PID, 2 * S, "__main__.ROWS", "dict", "B", 9, 9, 60_000_000, False, ""))
    found = {each.kind: each for each in told.verdict.findings}
    # 30 MB came in the 6 s that were left: half of what was seen, and as fast as before.
    assert found["keeps"].text.startswith("keeps 60.0 MB more in 12.0 s: ROWS")


def test_a_straggler_is_named_before_its_cpu_also_where_it_waited_for_a_core() -> None:
    told = Told()
    told.and_(ProcessStart(0, PID, 1, ("python", "t.py")))
    part = told.leaf("part")
    for pid in range(20, 24):
        told.and_(ProcessStart(0, pid, PID, ("python", "-c", f"spawn_main(pipe_handle={pid})")))
    for t in range(RUN_S + 1):
        for pid in range(20, 24):
            share = 0.25 if pid == 23 else 0.01
            told.and_(Metric(t * S, pid, t * share, 10, cpu_user_s=t * share, cpu_system_s=0.0))
            facts = (round(share * S), round(0.7 * S), 0, 0, "R")
            told.and_(Stack(t * S, t * S + S, pid, pid, part, False, *facts))
    told.and_(alert("straggler", "warn", 3.0))
    found = told.verdict.findings
    assert [each.kind for each in found].count("straggler") == 1
    assert (found[0].kind, found[0].code) == ("straggler", "part part.py:7")


def test_memory_that_only_rises_is_told_without_an_alert_and_jumps_are_not() -> None:
    told = Told()
    told.ran((told.leaf("main", "rows"), "sleep"), rss=20e6)
    (first, *_) = told.verdict.findings
    assert first.text == "puts together 398 MB in 19.9 s before it ends"
    seen = "__main__.SEEN", "dict", "str", 90, 450, 20_000_000, False, "add\t/app/add.py\t7"
    (first, *_) = told.and_(Keeper(12 * S, PID, 9 * S, *seen)).verdict.findings
    assert first.text.endswith("before it ends, about 100 MB of it in SEEN")
    assert "SEEN (dict, +90 str) in 3.00 s of looks" in first.evidence
    jumped = Told()
    jumped.ran((jumped.leaf("main", "load"), "sleep"))
    jumped.and_(*(Metric(RUN_S * S - n, PID, 20.0, 450_000_000) for n in (9, 5, 1)))
    assert not any("puts together" in each.text for each in jumped.verdict.findings)
