"""The Flame tab shows the program's own functions first, and what the keys make of them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.screens.pane_stage import Stage, on_stage, text_of
from support.screens.pane_views import MAIN, READER, SITE, make_view, thread_tree, weights

from perftui.tui.picture.selection import Selection
from perftui.tui.widgets.panes.flame import FlamePane
from perftui.tui.widgets.panes.top import TopPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from perftui.probes.spine.calltree import CallTree
    from perftui.tui.picture.view import View


async def until(pilot: Pilot[None], seen: Callable[[], bool]) -> None:
    """Wait for what follows a picture: the parts of the tab share its rows in their own time."""
    end = time.monotonic() + 20
    while not seen() and time.monotonic() < end:
        await pilot.pause(0.01)
    assert seen()


def told(pane: FlamePane, words: str) -> Callable[[], bool]:
    return lambda: pane.detail.display and words in text_of(pane.detail)


def flamed(pane: FlamePane, words: str) -> Callable[[], bool]:
    return lambda: words in text_of(pane.flame)


def shown(pane: FlamePane, play: Callable[[Stage, Pilot[None]], object]) -> None:
    async def run(stage: Stage, pilot: Pilot[None]) -> None:
        await play(stage, pilot)  # type: ignore[misc]

    on_stage(pane, run)


def test_libraries_are_folded_and_the_waiting_in_them_is_told() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        await pilot.pause()
        lines = text_of(pane.flame).splitlines()
        assert "fetch_all  query.py:41" in lines[3]
        assert "▸ 4 pyarrow frames" in lines[4]
        assert "▸ 4 duckdb frames  to_arrow_table" in lines[4]
        assert "waiting in native duckdb (9 threads)" in lines[5]
        pane.show(make_view(Selection(unfold=True)))
        await pilot.pause()
        assert "▸" not in text_of(pane.flame)
        assert "convert  duckdb.arrow:77" in text_of(pane.flame)

    shown(pane, play)


def test_enter_opens_one_fold_and_leaves_the_others() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        pane.flame.focus()
        await pilot.pause()
        await pilot.press("down", "down", "down", "down", "down")
        await until(pilot, told(pane, "▸ 4 duckdb frames"))
        await until(pilot, told(pane, "enter opens"))
        await pilot.press("enter")
        await until(pilot, flamed(pane, "convert  duckdb.arrow:77"))
        assert "▸ 4 pyarrow frames" in text_of(pane.flame)
        assert pane.flame.zoomed == ""
        await pilot.press("enter")
        assert pane.flame.zoomed == "to_arrow_table", "what is open is zoomed, as any frame"

    shown(pane, play)


def test_upside_down_the_hottest_leaf_comes_first_with_its_callers_below() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view(Selection(inverted=True)))
        await pilot.pause()
        lines = text_of(pane.flame).splitlines()
        assert "upside down" in lines[0]
        assert lines[1].startswith("▏▸ 4 duckdb frames  to_arrow_table")
        assert lines[2].startswith("▏fetch_all")
        assert lines[4].startswith("▏__main__")
        pane.flame.focus()
        await pilot.press("down", "down", "enter")
        assert pane.flame.zoomed.startswith("▸ 4 duckdb")
        await pilot.press("escape")
        assert pane.flame.zoomed == ""
        pane.show(make_view(Selection(inverted=True, unfold=True)))
        await pilot.pause()
        assert "▸" not in text_of(pane.flame)

    shown(pane, play)


def with_threads(view: View, *trees: tuple[str, tuple[tuple[str, str, int], ...], float]) -> View:
    """Return a picture of threads (name, frames from the outermost on, ms of CPU)."""
    tree = view.tree
    stacks = []
    for number, (name, frames, cpu) in enumerate(trees):
        node = tree.intern([tree.frame_id(*each) for each in frames])
        who = (MAIN[0], MAIN[1] + number)
        stacks.append(thread_tree(who, name, {node: weights(1000, cpu)}))
    return replace(view, stacks=tuple(stacks))


START = (("_bootstrap", "/usr/lib/python3.12/threading.py", 1),
         ("run", "/usr/lib/python3.12/threading.py", 2))  # fmt: skip
SERVE = ("serve", "/work/app.py", 3)
LOOP = ("loop", "/work/app.py", 9)


def test_many_threads_alike_that_work_are_shown_as_one() -> None:
    pane = FlamePane()
    pool = [(f"Thread-{n} (serve)", (*START, SERVE), 300.0 + n) for n in range(5)]

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(with_threads(make_view(), ("MainThread", (LOOP,), 5), *pool))
        await pilot.pause()
        lines = text_of(pane.flame).splitlines()
        assert lines[0].startswith("▏serve ×5, merged  5.00 s")
        assert lines[1].startswith("▏serve  app.py:3"), "what starts a thread is passed over"
        idle = [
            (name, frames, 900.0 if n == 3 else 1.0) for n, (name, frames, _) in enumerate(pool)
        ]
        pane.show(with_threads(make_view(), ("MainThread", (LOOP,), 5), *idle))
        await pilot.pause()
        assert text_of(pane.flame).startswith("▏Thread-3 (serve)  1.00 s"), "one works: it alone"

    shown(pane, play)


def test_a_main_thread_that_waits_for_others_stands_back() -> None:
    pane = FlamePane()
    threads = (("MainThread", (LOOP,), 2.0), ("Thread-1 (serve)", (SERVE,), 100.0))

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = with_threads(make_view(), *threads)
        for waiting, first in (("waiting for a lock", "Thread-1"), ("waiting in duckdb", "Main")):
            main = view.stacks[0]._replace(waiting=waiting)
            pane.flame._chosen = None
            pane.show(replace(view, stacks=(main, *view.stacks[1:])))
            await pilot.pause()
            assert text_of(pane.flame).startswith(f"▏{first}")

    shown(pane, play)


def test_all_threads_can_be_shown_as_one_without_those_that_do_nothing() -> None:
    pane = FlamePane()
    threads = (("MainThread", (LOOP,), 500.0), ("a", (SERVE,), 700.0), ("b", (SERVE,), 0.0))

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(with_threads(make_view(Selection(merged=True)), *threads))
        await pilot.pause()
        text = text_of(pane.flame)
        assert text.startswith("▏2 threads, merged, 1 idle left out  2.00 s")
        assert "loop  app.py:9" in text
        assert "serve  app.py:3" in text
        pane.show(with_threads(make_view(Selection(merged=True, thread=READER)), *threads))
        await pilot.pause()
        assert "merged" not in text_of(pane.flame), "a chosen thread is shown alone"

    shown(pane, play)


def test_a_filter_selects_its_first_match_and_opens_the_fold_that_it_is_in() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        await pilot.pause()
        assert pane.flame.detail() is None
        pane.show(make_view(Selection(filter="realloc")))
        await until(pilot, flamed(pane, "▏realloc"))
        detail = pane.flame.detail()
        assert detail is not None
        assert detail.function == "realloc"
        pane.show(make_view(Selection(filter="pyarrow")))
        await until(pilot, flamed(pane, "▸ 4 pyarrow frames"))  # the fold itself was found

    shown(pane, play)


def test_a_match_that_is_too_narrow_or_in_another_thread_is_gone_to() -> None:
    pane = FlamePane()

    def view_of(selection: Selection) -> View:
        view = make_view(selection)
        tree: CallTree = view.tree

        def node(*frames: tuple[str, str, int]) -> int:
            return tree.intern([tree.frame_id(*each) for each in frames])

        deep = [(f"level_{n}", "/work/deep.py", n) for n in range(40)]
        main = {
            node(LOOP, *deep): weights(9000, 9000),
            node(LOOP, ("tiny", "/w/t.py", 1)): weights(3, 3),
            node(LOOP, *deep, ("last", "/w/t.py", 2)): weights(900, 900),
        }
        other = {node(SERVE, ("elsewhere", "/w/t.py", 3)): weights(100, 10)}
        return replace(view, stacks=(thread_tree(MAIN, "MainThread", main),
                                     thread_tree(READER, "reader", other)))  # fmt: skip

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        for name in ("tiny", "last", "elsewhere"):
            pane.show(view_of(Selection(filter=name)))
            await until(pilot, flamed(pane, f"▏{name}"))
            detail = pane.flame.detail()
            assert detail is not None, name
            assert detail.function == name

    shown(pane, play)


def test_code_of_modules_reads_as_an_import() -> None:
    pane = FlamePane()
    main = ("<module>", "/work/etl.py", 3)
    pandas = ("<module>", f"{SITE}/pandas/core/__init__.py", 1)
    mine = ("<module>", "/work/orders/__init__.py", 1)

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = with_threads(make_view(), ("MainThread", (main, mine, pandas), 900))
        pane.show(view)
        await pilot.pause()
        lines = text_of(pane.flame).splitlines()
        assert lines[1].startswith("▏__main__  etl.py:3")
        assert lines[2].startswith("▏import orders")
        assert lines[3].startswith("▏import pandas.core")
        assert "<module>" not in "".join(lines)

    shown(pane, play)


@pytest.mark.parametrize("size", [(60, 9), (160, 30)])
def test_without_a_choice_every_row_is_the_flames(size: tuple[int, int]) -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        frames = tuple((f"level_{n}", "/work/deep.py", n) for n in range(60))
        pane.show(with_threads(make_view(), ("MainThread", frames, 900)))
        pane.flame.focus()
        await pilot.pause()
        rows = [line for line in text_of(pane.flame).splitlines() if "level_" in line]
        assert len(rows) == size[1] - 3, "all but the thread, how deep it goes, other threads"
        await pilot.press("down")
        lines = 1 if size[1] < 12 else 5
        await until(pilot, lambda: pane.detail.display and pane.detail.size.height == lines)
        await pilot.press("escape")
        await until(pilot, lambda: pane.flame.size.height == size[1])
        await until(pilot, flamed(pane, "other threads"))
        before = text_of(pane.flame).splitlines()
        await pilot.hover(pane.flame, (5, 3))
        await until(pilot, flamed(pane, "total 1.00 s"))
        after = text_of(pane.flame).splitlines()
        assert not pane.detail.display, "what came and went with the mouse would move it"
        assert after[:-1] == before[:-1]
        assert "total 1.00 s" in after[-1]

    on_stage(pane, play, size)


def test_rows_that_the_flame_does_not_need_tell_of_the_hottest_function() -> None:
    pane = FlamePane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(make_view())
        await until(pilot, told(pane, "hottest of your code"))
        assert "fetch_all" in text_of(pane.detail).splitlines()[0], "most time is in duckdb, for it"
        await until(pilot, lambda: "other threads" in text_of(pane.flame).splitlines()[-1])
        pane.show(make_view(Selection(inverted=True)))
        await until(pilot, lambda: "hottest of your code" not in text_of(pane.detail))

    shown(pane, play)


def test_top_selects_the_first_match_and_names_modules_as_imports() -> None:
    pane = TopPane()
    pandas = ("<module>", f"{SITE}/pandas/core/__init__.py", 1)
    frames = (("<module>", "/work/etl.py", 3), ("load", "/work/etl.py", 9), pandas)

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        view = with_threads(make_view(), ("MainThread", frames, 900))
        pane.show(view)
        await pilot.pause()
        assert pane.cursor is None
        assert "import pandas.core" in text_of(pane)
        assert "__main__" in text_of(pane)
        pane.show(replace(view, selection=Selection(filter="load")))
        await pilot.pause()
        assert pane.cursor == ("load", "/work/etl.py", 0)

    on_stage(pane, play)
