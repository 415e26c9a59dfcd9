"""Top, Threads, Imports, Phases, Log and the filter bar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.screens.pane_stage import Stage, on_stage, text_of
from support.screens.pane_views import (
    MAIN,
    MS,
    READER,
    T0,
    S,
    bare_view,
    imports_of,
    make_view,
    phases_of,
)

from perftui.probes.answers.process_use import process_name
from perftui.probes.spine.reader import CallStats, Phase, Process, ProcessUse, Target, Task
from perftui.probes.spine.records import LogLine, Notice, Plan
from perftui.tui.picture.selection import Selection
from perftui.tui.widgets.bars.banner import alert_to_show, note_of
from perftui.tui.widgets.bars.filter_bar import FilterBar
from perftui.tui.widgets.flame.threads import ThreadChosen
from perftui.tui.widgets.panes.imports import ImportsPane
from perftui.tui.widgets.panes.log import LogPane
from perftui.tui.widgets.panes.phases import PhasesPane
from perftui.tui.widgets.panes.plans import PlansPane, folded
from perftui.tui.widgets.panes.processes import ProcessesPane
from perftui.tui.widgets.panes.tasks import TasksPane
from perftui.tui.widgets.panes.threads import ThreadsPane
from perftui.tui.widgets.panes.top import TopPane
from perftui.tui.widgets.tables.import_tree import fold_imports
from perftui.tui.widgets.tables.phase_tree import phase_lines

if TYPE_CHECKING:
    from textual.pilot import Pilot

ATTACHED = Target("pid 7", ("python",), 7, "3.12.1", False, False)
PANES: list[Any] = [TopPane, ThreadsPane, ImportsPane, PhasesPane, LogPane]


def rows_of(pane: Any, skip: int = 2) -> list[str]:
    return [line.strip("▌ ") for line in text_of(pane).splitlines()[skip:] if line.strip()]


def test_top_sorts_by_keys_and_titles() -> None:
    pane = TopPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        pane.focus()
        await pilot.pause()
        assert "1 idle left out" in text_of(pane)
        first = rows_of(pane)[0]
        assert first.startswith("42 %")
        assert "to_arrow_table" in first
        await pilot.press("2")
        assert "__main__" in rows_of(pane)[0]
        await pilot.press("3")
        names = [line.split()[-2] for line in rows_of(pane)]
        assert names == sorted(names, key=str.lower)
        await pilot.press("down", "1")
        chosen = pane.cursor
        assert isinstance(chosen, tuple)
        named = {"__main__": "<module>"}.get(names[0], names[0])
        assert chosen[0] == named, "the chosen function stays chosen when sorted anew"
        await pilot.press("enter")

    stage = on_stage(pane, play, (160, 30))
    chosen = stage.heard_of(TopPane.Chosen)[0]
    assert isinstance(chosen, TopPane.Chosen)
    assert chosen.function == "<module>"


def test_top_by_line_by_thread_and_filtered() -> None:
    pane = TopPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(Selection(by_line=True, thread=READER)))
        await pilot.pause()
        assert "lines" in text_of(pane)
        assert {line.split()[-1] for line in rows_of(pane)} == {"threading:359", "reader.py:17"}
        pane.show(make_view(Selection(filter="PyArrow")))
        await pilot.pause()
        assert len(rows_of(pane)) == 4
        pane.show(make_view(Selection(weight="grown")))
        await pilot.pause()
        assert "210 MB" in rows_of(pane)[0]

    on_stage(pane, play, (160, 30))


def test_top_marks_touched_memory_of_which_no_sample_tells_whose_it_is() -> None:
    pane = TopPane()
    view = make_view(Selection(weight="touched"))
    main, reader = view.stacks
    cells = dict(main.self_by_node)
    first, second = list(cells)[2:4]
    cells[first] = cells[first]._replace(touched_bytes=90_000_000, unsure_bytes=80_000_000)
    cells[second] = cells[second]._replace(touched_bytes=10_000_000)

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(replace(view, stacks=(main._replace(self_by_node=cells), reader)))
        await pilot.pause()
        assert "cannot tell" in text_of(pane)
        unsure, sure = rows_of(pane)[:2]
        assert unsure.startswith("~90 %")
        assert sure.startswith("10 %")

    on_stage(pane, play, (160, 30))


def test_threads_group_native_ones_and_open_on_enter() -> None:
    pane = ThreadsPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        pane.focus()
        await pilot.pause()
        rows = rows_of(pane)
        assert rows[0].startswith("▸ duckdb-scan ×9")
        assert "130 %" in rows[0]
        assert sum("ArrowIO" in row for row in rows) == 2, "two of a name stay two rows"
        main = next(row for row in rows if row.startswith("MainThread"))
        assert "waiting in duckdb" in main
        await pilot.press("down", "enter")
        assert sum("duckdb-scan" in row for row in rows_of(pane)) == 10
        await pilot.press("enter", "down", "enter")
        assert sum("duckdb-scan" in row for row in rows_of(pane)) == 1

    stage = on_stage(pane, play, (120, 30))
    chosen = stage.heard_of(ThreadChosen)[0]
    assert isinstance(chosen, ThreadChosen)
    assert (chosen.pid, chosen.tid) == MAIN


def test_imports_fold_small_subtrees_and_unfold_on_enter() -> None:
    pane = ImportsPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        pane.focus()
        await pilot.pause()
        text = text_of(pane)
        assert "930 ms of imports" in text
        assert "235 modules" in text
        rows = rows_of(pane)
        assert rows[0].startswith("▾ lancedb ")
        assert "930 ms …" in rows[0]
        assert rows[1].startswith("▾ lance_namespace_urllib3_client")
        assert rows[2].startswith("▸ …models  (214 modules)")
        assert any("aiohttp  ◀ now" in row for row in rows)
        assert any("12 smaller modules" in row for row in rows)
        await pilot.press("down", "down", "down", "enter")
        assert "▾ …models" in text_of(pane)
        assert "213 smaller modules" in text_of(pane)
        await pilot.press("down", "enter")
        assert "…model_0" in text_of(pane)

    on_stage(pane, play, (80, 24))


def test_import_lines_add_up() -> None:
    lines = fold_imports(imports_of(), set())
    assert sum(1 + line.hidden for line in lines if line.item is not None) + sum(
        line.hidden for line in lines if line.item is None
    ) == len(imports_of()), "every module is in one line"
    assert [line.name for line in lines if line.is_now] == ["aiohttp"]
    siblings = [line.total_ns for line in lines if line.depth == 1 and line.item is not None]
    assert siblings == sorted(siblings, reverse=True)
    wanted = fold_imports(imports_of(), set(), "decimal")
    assert [line.name for line in wanted] == ["lancedb", "pyarrow", "pyarrow.lib", "decimal"]


def test_a_chain_of_imports_as_long_as_the_stack_allows() -> None:
    chain = tuple(
        imports_of()[0]._replace(
            id=n, parent_id=n - 1 if n else None, module=f"m{n}", running=False, total_ns=10**9
        )
        for n in range(3000)
    )
    assert len(fold_imports(chain, set())) == 3000


def test_phases_add_up_with_the_rest_named() -> None:
    lines = phase_lines(phases_of(0), (T0, T0 + 18_400 * MS), set())
    top = [line for line in lines if line.depth == 0]
    assert [line.name for line in top] == ["import", "setup", "first", "read", "outside any phase"]
    assert sum(line.duration_ns for line in top) == 18_400 * MS
    inside = [line for line in lines if line.depth == 1]
    assert [line.name for line in inside] == ["batch ×22", "rest"]
    assert sum(line.duration_ns for line in inside) == 9_000 * MS
    opened = phase_lines(phases_of(0), (T0, T0 + 18_400 * MS), {inside[0].key})
    assert sum(1 for line in opened if line.name == "batch") == 22


def test_phases_of_two_threads_count_once() -> None:
    def phase(id: int, t0: int, t1: int | None) -> Phase:
        return Phase(1, id, None, f"p{id}", 0, t0, t1, None, None, None, None)

    lines = phase_lines((phase(1, 0, 60), phase(2, 20, 80), phase(3, 30, 40)), (0, 100), set())
    assert [(line.name, line.duration_ns) for line in lines][-1] == ("outside any phase", 20)
    clipped = phase_lines((phase(1, 0, None),), (50, 90), set())
    assert [(line.name, line.duration_ns, line.is_now) for line in clipped] == [("p1", 40, True)]


def test_phases_calls_and_counters_stand_below_each_other() -> None:
    pane = PhasesPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        pane.focus()
        await pilot.pause()
        text = text_of(pane)
        assert "read  ◀ now" in text
        assert "9.00 s …" in text
        assert "20.0 MB → 150 MB" in text
        query = next(line for line in text.splitlines() if line.strip().startswith("query"))
        assert query.split() == ["query", "214", "260", "ms", "3.00", "ms", "4.00", "ms", "86.7",
                                 ":", "1"]  # fmt: skip
        rows = next(line for line in text.splitlines() if line.strip().startswith("rows"))
        assert rows.split() == ["rows", "5.31", "M", "412", "k/s", "00:06.42"]
        while pane.cursor != ("group", 48213, 4, "batch"):
            await pilot.press("down")
        await pilot.press("enter")
        assert text_of(pane).count(" batch ") >= 5

    on_stage(pane, play, (160, 30))


def test_log_follows_marks_errors_and_stays_when_scrolled() -> None:
    pane = LogPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = make_view()
        pane.show(view)
        pane.focus()
        await pilot.pause()
        assert "batch 149" in text_of(pane).splitlines()[-1]
        assert "following" in text_of(pane)
        await pilot.press("ctrl+home")
        lines = text_of(pane).splitlines()
        assert lines[1].split(maxsplit=2) == ["00:00.6", "│", "opening 700 MB of Parquet"]
        assert lines[2].split()[1] == "!"
        assert "first row after 6.42 s" in lines[3], "colours of the program are not ours"
        await pilot.press("down", "down")
        top = text_of(pane).splitlines()[1]
        more = LogLine(T0 + 18 * S, "stdout", "one more")
        pane.show(replace(view, log_lines=(*view.log_lines[1:], more)))
        await pilot.pause()
        assert text_of(pane).splitlines()[1] == top, "old lines leave, what is seen stays"
        await pilot.press("right", "right")
        assert pane.column == 24
        await pilot.press("left", "left", "left")
        assert pane.column == 0
        await pilot.press("G")
        assert "one more" in text_of(pane).splitlines()[-1]
        pane.show(replace(view, selection=Selection(filter="read twice")))
        await pilot.pause()
        assert text_of(pane).startswith(" 1 line ")
        said = (Notice(T0 + 2 * S, "warn", "PSS is read twice"), Notice(T0, "info", "of old"))
        pane.show(
            replace(
                view,
                range=(T0 + S, T0 + 18 * S),
                selection=Selection(filter="twice"),
                status=view.status._replace(notices=said),
            )
        )
        await pilot.pause()
        shown = text_of(pane).splitlines()
        assert shown[0].startswith(" 1 line ")
        assert "1 of perftui" in shown[0], "it is none of the program's lines"
        assert "▲ PSS is read twice" in "\n".join(shown), "what the banner has no room for"

    on_stage(pane, play, (100, 20))


@pytest.mark.parametrize(
    ("pane_type", "changes", "words"),
    [
        (TopPane, {}, "no samples in this range yet"),
        (ThreadsPane, {}, "no threads were seen"),
        (ImportsPane, {"target": ATTACHED}, "the agent is not in this process (attached)"),
        (ImportsPane, {}, "nothing was imported yet"),
        (PhasesPane, {"target": ATTACHED}, "the agent is not in this process (attached)"),
        (PhasesPane, {}, "no phases, calls or counters"),
        (LogPane, {"target": ATTACHED}, "it goes where the process was started"),
        (LogPane, {}, "the program has written nothing yet"),
    ],
)
def test_nothing_is_said_in_words(pane_type: Any, changes: dict[str, Any], words: str) -> None:
    pane = pane_type()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(bare_view(**changes))
        await pilot.pause()
        assert words in text_of(pane)

    on_stage(pane, play)


@pytest.mark.parametrize("pane_type", PANES)
def test_a_filter_that_finds_nothing_says_so(pane_type: Any) -> None:
    pane = pane_type()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(Selection(filter="zzz nothing")))
        await pilot.pause()
        assert '"zzz nothing"' in text_of(pane)

    on_stage(pane, play)


@pytest.mark.parametrize("size", [(40, 3), (60, 10), (80, 24), (200, 50)])
@pytest.mark.parametrize("theme", ["perftui-dark", "perftui-light"])
@pytest.mark.parametrize("pane_type", PANES)
def test_every_line_fills_its_width(pane_type: Any, theme: str, size: tuple[int, int]) -> None:
    pane = pane_type()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        stage.theme = theme
        pane.show(make_view())
        pane.focus()
        await pilot.press("down")
        for y in range(size[1]):
            strip = pane.render_line(y)
            assert sum(segment.cell_length for segment in strip) == strip.cell_length == size[0]

    on_stage(pane, play, size)


def test_the_theme_can_change_while_a_pane_is_shown() -> None:
    pane = ThreadsPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        await pilot.pause()
        dark = pane.render_line(5)
        stage.theme = "perftui-light"
        await pilot.pause()
        await pilot.pause()
        light = pane.render_line(5)
        assert dark.text == light.text
        assert [s.style for s in dark] != [s.style for s in light]

    on_stage(pane, play)


def test_filter_bar_tells_as_one_types_and_clears_on_escape() -> None:
    bar = FilterBar()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        assert not bar.display
        bar.open()
        await pilot.press("f", "e")
        assert bar.text == "fe"
        await pilot.press("enter")
        assert not bar.display
        bar.open("fe")
        await pilot.press("t", "escape")
        await pilot.pause()
        assert not bar.display
        assert bar.text == ""

    stage = on_stage(bar, play)
    told: list[str] = []
    seen: set[int] = set()
    for message in stage.heard_of(FilterBar.Changed):
        assert isinstance(message, FilterBar.Changed)
        if id(message) not in seen:
            seen.add(id(message))
            told.append(message.text)
    assert told == ["f", "fe", "fet", ""]


TASKS = (
    Task(
        7,
        "writer",
        (
            ("writer", "/app/service.py", 16),
            ("read_socket", "/app/service.py", 6),
            ("sleep", "/usr/lib/python3.12/asyncio/tasks.py", 655),
        ),
        "sleep",
        T0,
    ),
    Task(7, "fetch-0", (("fetch", "/app/service.py", 10),), "Lock.acquire", T0),
    Task(7, "busy", (("work", "/app/service.py", 30),), None, T0),
)


def test_tasks_with_what_they_wait_for() -> None:
    pane = TasksPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(tasks=TASKS, has_tasks=True))
        await pilot.pause()
        pane.tasks.focus()
        rows = text_of(pane.tasks).splitlines()
        assert "writer > read_socket service.py:6" in rows[1] and "sleep" in rows[1]
        assert "fetch service.py:10" in rows[2] and "Lock.acquire" in rows[2]
        assert "runs, or may run" in rows[3]
        stack = text_of(pane.stack).splitlines()
        assert "read_socket  service.py:6" in stack[1]
        assert "awaits sleep" in stack[3]
        assert "listed at" in stack[3]
        await pilot.press("down")
        assert "awaits Lock.acquire" in text_of(pane.stack)
        pane.show(make_view(Selection(filter="writer"), tasks=TASKS, has_tasks=True))
        await pilot.pause()
        assert "fetch" not in text_of(pane.tasks)
        pane.show(make_view())
        await pilot.pause()
        assert "no tasks of asyncio were seen" in text_of(pane.tasks)

    on_stage(pane, play, (100, 20))


BOXES = "╭─ Parquet Scan ─╮\n" + "│ Projections: id │\n" * 40 + "╰─╯"
QUERY_PLANS = (
    Plan(T0 + 1 * S, 7, "query", BOXES, "in the scan", 2, 2, 6, 6),
    Plan(T0 + 2 * S, 7, "slow", "FilterExec: " + "a = 1 AND " * 30, "above the scan", 6, 2),
    Plan(T0 + 9 * S, 7, "late", "anything"),
)


def test_plans_beside_their_verdicts() -> None:
    pane = PlansPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(plans=QUERY_PLANS))
        await pilot.pause()
        pane.queries.focus()
        rows = text_of(pane.queries).splitlines()
        assert "✓ in the scan" in rows[1] and "2 / 2" in rows[1] and "3.00 ms" in rows[1]
        assert "✗ above the scan" in rows[2] and "6 / 2" in rows[2]
        text = text_of(pane.text)
        assert "✓ filter in the scan, reads just 2 columns" in text
        assert "╭─ Parquet Scan ─╮" in text and "more lines: page down" in text
        await pilot.press("pagedown", "pagedown")
        assert "╭─ Parquet Scan" not in text_of(pane.text)
        await pilot.press("down")
        assert "✗ filter above the scan" in text_of(pane.text)
        assert text_of(pane.text).count("AND") == 30, "long lines are folded, not cut"
        await pilot.press("down")
        assert "anything" in text_of(pane.text)
        pane.show(make_view(Selection(filter="slow"), plans=QUERY_PLANS))
        await pilot.pause()
        assert "late" not in text_of(pane.queries)
        pane.show(make_view(plans=QUERY_PLANS, range=(T0, T0 + 3 * S)))
        await pilot.pause()
        assert "late" not in text_of(pane.queries), "it is told after the range"

    on_stage(pane, play, (160, 12))
    on_stage(PlansPane(), _nothing_to_show, (80, 10))


async def _nothing_to_show(stage: Stage, pilot: Pilot[None]) -> None:
    pane = stage.pane
    assert isinstance(pane, PlansPane)
    pane.show(make_view())
    await pilot.pause()
    assert "perftui.plan(" in text_of(pane.queries)


def test_boxes_are_not_folded() -> None:
    assert folded("│ " + "x" * 50, 20) == ["│ " + "x" * 50]
    assert folded("  a b c d e f g h", 10) == ["  a b c d", "     e f g", "     h"]


SERVER = (
    Process(7, 1, ("/usr/bin/python3", "load.py"), "3.12.1", T0, None),
    Process(9, 8, ("postgres: checkpointer",), None, T0 + 2 * S, None),
    Process(8, 7, ("/usr/lib/postgresql/bin/postgres", "-D", "x"), None, T0 + 1 * S, None),
    Process(5, 7, ("initdb",), None, T0, T0 + 1 * S),
)
USES = (
    ProcessUse(7, 200e6, 210e6, 93.0, 11.2, 3),
    ProcessUse(9, 9e6, 12e6, 0.4, 0.03, 1),
    ProcessUse(8, 20e6, 60e6, 6.6, 2.0, 1),
    ProcessUse(5, None, 33e6, None, 0.5, 0),
)


def test_processes_have_short_names() -> None:
    assert process_name(("/usr/bin/python3", "-m", "a/b")) == "python3 -m a/b"
    assert process_name(("postgres: walwriter ",)) == "postgres: walwriter "
    assert process_name(("/x/redis-server unixsocket:/tmp/s",)) == "redis-server unixsocket:/tmp/s"
    assert process_name(()) == "?"


def test_processes_as_a_tree_with_what_each_costs() -> None:
    pane = ProcessesPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(processes=SERVER, process_use=USES))
        pane.focus()
        await pilot.pause()
        head, _, *rows = [line.strip("▌") for line in text_of(pane).splitlines() if line.strip()]
        assert "4 processes  3 alive · cpu 100 % · 13.7 s spent · RSS 229 MB" in head
        assert [row.split()[0] for row in rows] == ["python3", "postgres", "postgres:", "initdb"]
        indents = [len(row) - len(row.lstrip()) for row in rows]
        assert indents[0] < indents[1] == indents[3] < indents[2]
        assert "93 %" in rows[0] and "210 MB" in rows[0]
        assert "ended" in rows[3] and "1.00 s" in rows[3] and "…" not in rows[3].split("ended")[1]
        await pilot.press("down", "down", "enter")
        pane.show(make_view(Selection(process=8), processes=SERVER, process_use=USES))
        await pilot.pause()
        assert "◀ alone" in text_of(pane).splitlines()[3]
        pane.show(make_view(Selection(filter="PostGres"), processes=SERVER, process_use=USES))
        await pilot.pause()
        assert "2 processes" in text_of(pane)

    stage = on_stage(pane, play, (160, 12))
    (chosen, *_) = stage.heard_of(ProcessesPane.Chosen)
    assert isinstance(chosen, ProcessesPane.Chosen) and chosen.pid == 8


def test_what_giving_back_memory_brought_is_told_before_an_alert_that_runs() -> None:
    view = make_view()
    told = "process 7: released 343.9 MB of 476.3 MB: gc 0.1 MB, Arrow 223.1 MB, malloc 120.7 MB"
    t_ns = view.status.t_end_ns - S
    notices = (Notice(t_ns - S, "info", "another thing"), Notice(t_ns, "info", told))
    released = replace(view, status=view.status._replace(notices=notices))
    note = note_of(released)
    assert note is not None
    assert note.head == "released 343.9 MB of 476.3 MB"
    assert note.text == "gc 0.1 MB, Arrow 223.1 MB, malloc 120.7 MB"
    assert alert_to_show(released) is None
    later = released.status._replace(t_end_ns=t_ns + 60 * S)
    assert note_of(replace(released, status=later)) == note_of(view)


def late_import() -> tuple[Any, ...]:
    """What `convert` imported at its first call, in a thread whose phase has another beside it."""
    item = imports_of()[0]._replace(
        id=9000, parent_id=None, module="decimal", running=False, t0_ns=T0 + 500 * MS,
        self_ns=13 * MS, total_ns=13 * MS, tid=READER[1], function="convert",
        file="/work/demo/etl.py", line=19, lazy=True,
    )  # fmt: skip
    call = CallStats("convert", 214, 14 * MS, 29_000, 30_000, 472.0, 0, (item,))
    phases = tuple(
        Phase(48213, n, None, name, depth, T0 + n * MS, None, None, None, None, None, thread[1])
        for n, (name, depth, thread) in enumerate([("convert all", 0, READER), ("serve", 1, MAIN)])
    )
    return item, call, phases


@pytest.mark.parametrize(("width", "lines"), [(150, 1), (80, 2)])
def test_a_late_import_says_on_the_screen_who_where_and_when(width: int, lines: int) -> None:
    item, call, phases = late_import()
    pane = ImportsPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = make_view(imports=(item,), calls=(call,), axis_phases=phases)
        pane.show(replace(view, import_threads={READER: "converter"}))
        pane.focus()
        await pilot.pause()
        words = [line.strip() for line in text_of(pane).splitlines()]
        at = next(n for n, line in enumerate(words) if line.startswith("decimal"))
        told = words[at + 1 : at + 1 + lines]
        assert " · ".join(told) == (
            "lazy, by convert etl.py:19 · thread converter · phase convert all · "
            "convert: 13.0 ms of its first 14.0 ms"
        )
        await pilot.press("down", "down", "enter")  # nothing to open there, and nothing breaks
        assert "thread converter" in text_of(pane)

    on_stage(pane, play, (width, 20))


@pytest.mark.parametrize("width", [150, 80])
def test_a_call_says_below_what_its_first_one_imported(width: int) -> None:
    _item, call, _phases = late_import()
    pane = PhasesPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(calls=(call,)))
        await pilot.pause()
        lines = text_of(pane).splitlines()
        at = next(n for n, line in enumerate(lines) if line.strip().startswith("convert"))
        told = "first: of it 13.0 ms lazily imported decimal, etl.py:19"
        assert lines[at + 1].strip() == told

    on_stage(pane, play, (width, 30))
