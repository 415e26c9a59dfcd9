"""The Flame tab: hover, zoom, keys, filter, threads, words, and staying put while live."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.screens.pane_stage import Stage, on_stage, text_of
from support.screens.pane_views import MAIN, MS, READER, bare_view, make_view, thread_tree, weights
from textual.containers import Container
from textual.widgets import Label

from perftui.tui.picture.selection import Selection
from perftui.tui.widgets.flame.layout import Box, find_box
from perftui.tui.widgets.flame.threads import (
    GroupChosen,
    ThreadChosen,
    as_one,
    chosen_of,
    pick_threads,
    thread_strip,
)
from perftui.tui.widgets.panes.flame import FlamePane
from perftui.tui.widgets.panes.top import TopPane

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from perftui.tui.picture.view import View
    from perftui.tui.widgets.flame.flame import Flame


async def settled(pane: FlamePane, pilot: Pilot[None]) -> None:
    """Wait until flame and detail have shared the rows."""
    for _ in range(2_000):
        await pilot.pause(0.01)
        last = text_of(pane.flame).splitlines()[-1:]
        if pane.detail.size.height and last and "other threads" in last[0]:
            return


WHOLE = Selection(unfold=True)


def box_named(flame: Flame, function: str, kind: str = "frame") -> tuple[int, Box]:
    assert flame._merged is not None
    for depth, row in enumerate(flame._rows):
        for box in row:
            if flame._merged.frame(box.node).function == function and box.kind == kind:
                return depth, box
    raise AssertionError(f"{function} is not drawn")


def test_frames_hang_below_their_callers_and_waiting_below_the_call() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(WHOLE))
        await settled(pane, pilot)
        lines = text_of(pane.flame).splitlines()
        assert lines[0].startswith("▏MainThread  5.06 s")
        assert "__main__  stream_vs_collect.py:88" in lines[1]
        assert "fetch_all  query.py:41" in lines[3]
        assert "to_arrow_table  duckdb" in lines[4]
        assert "waiting in native duckdb (9 threads)" in lines[5]
        assert "duckdb-scan ×9  cpu 130 %" in text_of(pane.flame)
        depth, _ = box_named(pane.flame, "to_arrow_table", "wait")
        assert depth == 5
        waits = [box for row in pane.flame._rows for box in row if box.kind == "wait"]
        assert len(waits) == 1, "short waits are not told from their neighbours' CPU"

    on_stage(pane, play)


def test_a_pane_whose_size_is_never_told_is_drawn_all_the_same() -> None:
    """Places are asked for between mounting and layout: Textual then sends no Resize."""
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        compositor = stage.screen._compositor
        await stage.mount(Container(id="deck"))
        await pilot.pause()
        stage.query_one("#deck").mount(pane)
        pane.show(make_view())
        for _ in range(50):
            await asyncio.sleep(0)
            compositor._full_map_invalidated = True  # as a widget that is new to it does
            assert compositor.full_map
        for _ in range(2_000):
            if "fetch_all" in text_of(pane.flame) and pane.detail.size.height == 1:
                break
            await pilot.pause(0.01)
        assert "fetch_all  query.py:41" in text_of(pane.flame)
        assert pane.detail.size.height == 1, "the pane has heard of its size, too"

    on_stage(Label("above"), play)


def test_hover_tells_about_the_frame_and_leaves_no_trace() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(WHOLE))
        await pilot.pause()
        await settled(pane, pilot)
        before = text_of(pane.flame)
        depth, box = box_named(pane.flame, "concat_tables")
        await pilot.hover(pane.flame, (box.x0 + 1, depth))
        for _ in range(2_000):
            await pilot.pause(0.01)
            if "concat_tables" in text_of(pane.detail):
                break
        line = text_of(pane.detail).splitlines()[0]
        assert line.strip().startswith("concat_tables")
        assert "total 890 ms" in line
        assert "self 410 ms" in line
        assert "grown 130 MB" in line
        assert text_of(pane.flame) == before
        await pilot.hover(pane.detail, (10, 0))
        for _ in range(2_000):
            await pilot.pause(0.01)
            if "hottest" in text_of(pane.detail):
                break
        assert "hottest of your code" in text_of(pane.detail)

    on_stage(pane, play)


def test_zoom_by_click_and_back_by_key_and_breadcrumb() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(WHOLE))
        await pilot.pause()
        depth, box = box_named(pane.flame, "Table.from_batches")
        await pilot.click(pane.flame, (box.x0 + 2, depth))
        await pilot.pause()
        lines = text_of(pane.flame).splitlines()
        assert "MainThread › __main__ › run_collect › fetch_all" in lines[0]
        assert lines[1].startswith("▏Table.from_batches")
        assert pane.flame._rows[0][0].x1 == pane.flame.size.width
        assert pane.flame.zoomed == "Table.from_batches"
        await pilot.press("escape")
        assert pane.flame.zoomed == "fetch_all"
        await pilot.click(pane.flame, (3, 0))
        await pilot.pause()
        assert pane.flame.zoomed == ""
        assert text_of(pane.flame).startswith("▏MainThread")

    on_stage(pane, play)


def test_arrow_keys_walk_and_enter_zooms() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(WHOLE))
        pane.flame.focus()
        await pilot.pause()
        await pilot.press("down", "down", "down", "down", "down", "left")
        detail = pane.flame.detail()
        assert detail is not None
        assert detail.function == "Table.from_batches"
        await pilot.press("right", "enter")
        assert pane.flame.zoomed == "to_arrow_table"
        await pilot.press("backspace", "up")
        assert pane.flame.zoomed == "fetch_all"

    on_stage(pane, play)


def test_zoom_and_focus_stay_on_their_frames_while_the_picture_changes() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = make_view()
        pane.show(view)
        pane.flame.focus()
        await pilot.press("down", "down", "down", "down", "enter", "down")
        chosen = pane.flame.detail()
        assert chosen is not None
        main = view.stacks[0]
        tree = view.tree
        leaf = next(iter(main.self_by_node))
        new = tree.node_id(leaf, tree.frame_id("added_later", "/work/demo/new.py", 3))
        grown = {**main.self_by_node, new: weights(4000, 4000)}
        later = replace(
            view, stacks=(thread_tree(MAIN, "MainThread", grown, "native duckdb"), view.stacks[1])
        )
        pane.show(later)
        await pilot.pause()
        after = pane.flame.detail()
        assert after is not None
        assert (after.function, after.file) == (chosen.function, chosen.file)
        assert pane.flame.zoomed == "fetch_all"
        await pilot.press("escape", "escape")
        box_named(pane.flame, "added_later")

    on_stage(pane, play)


def test_filter_dims_and_tells_the_share() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(Selection(filter="pyarrow", unfold=True)))
        await pilot.pause()
        assert 'filter "pyarrow" 25 %' in text_of(pane.flame)
        drawn = pane.flame._drawn
        assert drawn is not None
        assert drawn.matches is not None
        found = {drawn.sums.merged.frame(node).function for node in drawn.matches}
        assert found == {"Table.from_batches", "concat_tables", "realloc", "combine"}

    on_stage(pane, play)


def test_weights_change_the_widths() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(Selection(weight="grown")))
        await pilot.pause()
        assert "452 MB grown" in text_of(pane.flame)
        _, box = box_named(pane.flame, "to_arrow_table")
        assert box.value == 305_000_000
        assert not any(b.kind == "wait" for row in pane.flame._rows for b in row)

    on_stage(pane, play)


def test_by_line_splits_a_function() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = make_view()
        tree = view.tree
        two = [tree.intern([tree.frame_id("f", "/work/demo/f.py", line)]) for line in (3, 9)]
        stacks = (thread_tree(MAIN, "MainThread", {n: weights(50, 50) for n in two}),)
        pane.show(replace(view, stacks=stacks))
        await pilot.pause()
        assert len(pane.flame._rows[1]) == 1
        pane.show(replace(view, stacks=stacks, selection=Selection(by_line=True)))
        await pilot.pause()
        assert [(b.x0, b.x1) for b in pane.flame._rows[1]] == [(0, 60), (60, 120)]

    on_stage(pane, play)


def test_another_thread_is_chosen_by_selection_or_by_click() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = make_view()
        pane.show(view)
        await settled(pane, pilot)
        y = pane.flame.size.height - 1
        x = text_of(pane.flame).splitlines()[y].index("reader")
        await pilot.click(pane.flame, (x, y))
        await pilot.pause()
        pane.show(replace(view, selection=Selection(thread=READER)))
        await pilot.pause()
        assert text_of(pane.flame).startswith("▏reader  5.08 s")
        assert "waiting in lock" in text_of(pane.flame)

    stage = on_stage(pane, play)
    chosen = stage.heard_of(ThreadChosen)[0]
    assert isinstance(chosen, ThreadChosen)
    assert (chosen.pid, chosen.tid) == READER


def test_source_of_the_hottest_line_is_read_from_disk(tmp_path: Path) -> None:
    source = tmp_path / "query.py"
    source.write_text(
        "import duckdb\n\n\ndef fetch(con, sql):\n    cursor = con.execute(sql)\n"
        "    return cursor.to_arrow_table()\n"
    )
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = make_view()
        tree = view.tree
        hot = tree.intern([tree.frame_id("fetch", str(source), 6)])
        cool = tree.intern([tree.frame_id("fetch", str(source), 5)])
        selfs = {hot: weights(5100, 5000, 420), cool: weights(20, 20)}
        pane.show(replace(view, stacks=(thread_tree(MAIN, "MainThread", selfs),)))
        pane.flame.focus()
        await pilot.press("down", "down")
        await pilot.pause()
        for _ in range(2_000):
            await pilot.pause(0.01)
            if "◀ 5.10 s" in text_of(pane.detail):
                break
        shown = text_of(pane.detail)
        assert "    6     return cursor.to_arrow_table()  ◀ 5.10 s" in shown
        assert "    5     cursor = con.execute(sql)" in shown
        assert "◀ 20" not in shown

    on_stage(pane, play)


@pytest.mark.parametrize("kind", ["missing", "folder", "huge", "binary", "fifo"])
def test_sources_that_cannot_be_shown_are_left_out(tmp_path: Path, kind: str) -> None:
    import os

    from perftui.probes.text.source_lines import SourceLines

    path = tmp_path / "source.py"
    if kind == "folder":
        path.mkdir()
    elif kind == "huge":
        path.write_text("x = 1\n" * 300_000)
    elif kind == "binary":
        path.write_bytes(b"\0\1\2" * 50)
    elif kind == "fifo":
        os.mkfifo(path)  # opening it would block for ever
    assert SourceLines().get(str(path), 1, 3) == []
    assert SourceLines().get("bad\0name", 1, 3) == []


def test_source_is_read_again_when_the_file_changes(tmp_path: Path) -> None:
    from perftui.probes.text.source_lines import SourceLines

    path = tmp_path / "source.py"
    path.write_text("one\n")
    lines = SourceLines()
    assert lines.get(str(path), 1, 3) == [(1, "one")]
    path.write_text("two and more\n")
    assert lines.get(str(path), 0, 3) == [(1, "two and more")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "no samples in this range yet"),
        ({"selection": Selection(range=(0, 1))}, "no stacks in this range"),
    ],
)
def test_nothing_to_draw_is_said_in_words(changes: dict[str, object], words: str) -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(bare_view(**changes))  # type: ignore[arg-type]
        await pilot.pause()
        assert words in text_of(pane.flame)

    on_stage(pane, play)


def test_no_growth_is_said_in_words() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = make_view(Selection(weight="grown", thread=READER))
        pane.show(view)
        await pilot.pause()
        assert "memory did not grow" in text_of(pane.flame)

    on_stage(pane, play)


def test_deep_stacks_scroll_and_hostile_names_are_harmless() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = make_view()
        tree = view.tree
        frames = [tree.frame_id(f"level_{n}", "/work/deep.py", n) for n in range(60)]
        frames.append(tree.frame_id("\x1b[31mred\u202e", "/work/evil\n.py", 1))
        selfs = {tree.intern(frames): weights(100, 100)}
        pane.show(replace(view, stacks=(thread_tree(MAIN, "MainThread", selfs),)))
        pane.flame.focus()
        await pilot.pause()
        assert "levels deeper" in text_of(pane.flame)
        await pilot.press(*["down"] * 62)
        await pilot.pause()
        shown = text_of(pane.flame)
        assert "red·" in shown
        assert "\x1b" not in shown
        found = find_box(pane.flame._rows, *(pane.flame._focus or (0, "")))
        assert found is not None
        assert found[0] == 61

    on_stage(pane, play)


@pytest.mark.parametrize("size", [(60, 5), (20, 3), (80, 12), (200, 50)])
@pytest.mark.parametrize("theme", ["perftui-dark", "perftui-light"])
def test_every_line_fills_its_width(size: tuple[int, int], theme: str) -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        stage.theme = theme
        for selection in (Selection(), Selection(filter="duckdb"), Selection(weight="cpu")):
            pane.show(make_view(selection))
            await pilot.pause()
            for y in range(pane.flame.size.height):
                strip = pane.flame.render_line(y)
                assert strip.cell_length == pane.flame.size.width
                assert sum(segment.cell_length for segment in strip) == strip.cell_length

    on_stage(pane, play, size)


def test_a_group_of_threads_is_one_flame_until_a_thread_is_chosen() -> None:
    view = make_view(WHOLE)
    keys = [(stack.pid, stack.tid) for stack in view.stacks]
    group = ("some ×2", frozenset(keys[:2]))
    chosen = WHOLE.with_(thread=None, group=group)
    assert chosen.threads == group[1]
    threads = pick_threads(replace(view, selection=chosen), None)
    assert {(stack.pid, stack.tid) for stack in threads} == group[1]
    whole = as_one(view, threads)
    assert whole.cpu_ns == sum(stack.cpu_ns for stack in view.stacks[:2])
    alone = chosen.with_(thread=keys[0])
    assert alone.group is None
    assert alone.threads == {keys[0]}
    assert chosen.with_(weight="cpu").group == group
    assert chosen.with_(thread=None).threads is None


def _server(asleep_ms: float) -> View:
    """A main thread that hands out work and waits, and six threads that share it."""
    view = make_view(Selection())
    node = next(iter(view.stacks[0].self_by_node))
    slept = weights(10_000, 70)._replace(sleep_ns=round(asleep_ms * 1e6), queue_ns=800 * MS)
    main = thread_tree(MAIN, "MainThread", {node: slept}, "waiting (sleep, I/O or native code)")
    pool = [
        thread_tree((MAIN[0], 50_000 + n), f"worker-{n}", {node: weights(10_000, 400)})
        for n in range(6)
    ]
    threads = tuple(
        view.threads[0]._replace(tid=stack.tid, name=stack.name, cpu_percent=4.0)
        for stack in (main, *pool)
    )
    return replace(view, stacks=(main, *pool), threads=threads)


def test_a_main_thread_that_sleeps_makes_way_for_those_that_work() -> None:
    assert pick_threads(_server(asleep_ms=0), None)[0].name == "MainThread", "native work, perhaps"
    found = pick_threads(_server(asleep_ms=9_000), MAIN)
    assert {stack.name for stack in found} == {f"worker-{n}" for n in range(6)}


def test_threads_alike_are_one_cell_and_a_click_shows_them_as_one() -> None:
    view = _server(asleep_ms=0)
    cell, *more = thread_strip(view, {MAIN}, 80).cells
    assert not more
    assert cell.label == "worker ×6  cpu 24 %"
    asked = chosen_of(cell)
    assert isinstance(asked, GroupChosen)
    assert (asked.name, asked.threads) == ("worker ×6", frozenset(cell.threads))
    assert len(asked.threads) == 6
    top = TopPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        top.show(view)
        assert "MainThread, worker ×6" in text_of(top).splitlines()[0]

    on_stage(top, play)
