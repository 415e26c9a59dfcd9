"""The tracks of the Threads tab: what they show, at two sizes, and what keys and mouse do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.screens.pane_stage import on_stage, text_of
from support.screens.pane_views import MAIN, T0, S, make_view

from perftui.probes.profile.thread_groups import ThreadGroup
from perftui.probes.profile.tracks import States, ThreadTrack, TrackHistory, Tracks
from perftui.tui.widgets.panes.tracks import TrackList, TracksPane

if TYPE_CHECKING:
    from support.screens.pane_stage import Stage
    from textual.pilot import Pilot

    from perftui.tui.picture.view import View

COLUMNS = 40
BUSY = States(cpu_ns=S)
HALF = States(cpu_ns=S // 2, idle_ns=S // 2)
LOCKED = States(lock_ns=2 * S, cpu_ns=S // 10)
IDLE = States(idle_ns=S)
SCAN = tuple((48213, 48230 + n) for n in range(9))


def tracks(unexplained_ns: int = 0, more: int = 0) -> Tracks:
    """Forty seconds, a cell a second."""
    rows = [
        ThreadTrack(ThreadGroup("duckdb-scan", "duckdb-scan", False, SCAN), (HALF,) * COLUMNS),
        ThreadTrack(
            ThreadGroup("MainThread", "MainThread", True, (MAIN,)),
            (BUSY,) * 10 + (LOCKED,) * 10 + (IDLE,) * 10 + (None,) * 10,
        ),
    ]
    for n in range(more):
        group = ThreadGroup(f"pool-{n}", f"pool-{n}", True, ((48213, 50_000 + n),) * 2)
        rows.append(ThreadTrack(group, (IDLE,) * COLUMNS))
    gaps = (0,) * 20 + (unexplained_ns,) * 20
    axis = (T0, T0 + COLUMNS * S)
    return Tracks(axis, S, tuple(rows), gaps, tuple(range(COLUMNS)), TrackHistory((), S, T0))


def view_of(**changes: Any) -> View:
    fields = {"tracks": tracks(), "range": (T0, T0 + 40 * S), **changes}
    return replace(make_view(), **fields)


def shown(view: View, size: tuple[int, int] = (120, 20)) -> str:
    told: list[str] = []

    async def look(stage: Stage, pilot: Pilot[None]) -> None:
        stage.pane.show(view)  # type: ignore[attr-defined]
        await pilot.pause()
        await pilot.pause()  # the table gives rows to the tracks
        told.append(text_of(stage.pane.tracks))  # type: ignore[attr-defined]

    on_stage(TracksPane(), look, size)
    return told[0]


@pytest.mark.parametrize(("size", "left"), [((120, 20), 11), ((80, 12), 9)])
def test_a_track_stands_below_its_name_on_the_axis_of_the_charts(
    size: tuple[int, int], left: int
) -> None:
    lines = shown(view_of(), size).split("\n")
    assert lines[0].startswith(" █ CPU  ▒ lock, GIL  ─ idle")
    assert lines[0].endswith("a cell 1 s")
    assert lines[1].startswith(" duckdb-scan ×9   CPU 50 %")
    assert lines[2] == " " * left + "▄" * 40
    assert lines[3].startswith(" MainThread   CPU 28 %  lock 49 %")
    assert "fetch_all query.py:41" in lines[3]
    assert lines[4] == " " * left + "█" * 10 + "▒" * 10 + "─" * 10


def test_cpu_that_no_stack_explains_is_a_row_of_its_own() -> None:
    lines = shown(view_of(tracks=tracks(S // 2)), (120, 20)).split("\n")
    assert lines[5].startswith(" CPU that no sampled stack explains   25 %")
    assert lines[6].strip() == "▄" * 20
    assert "explains" not in shown(view_of())


def test_figures_are_of_the_range() -> None:
    text = shown(view_of(range=(T0 + 10 * S, T0 + 20 * S)))
    assert "MainThread   CPU 10 %  lock 95 %" in text


def test_there_is_something_to_read_before_there_are_tracks() -> None:
    assert "reading…" in shown(view_of(tracks=None))
    pane = TracksPane()

    async def look(stage: Stage, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert (text_of(pane.tracks) + text_of(pane.table)).count("reading…") == 1, "told once"

    on_stage(pane, look, (120, 20))


def test_keys_go_through_tracks_and_on_into_the_threads() -> None:
    async def walk(stage: Stage, pilot: Pilot[None]) -> None:
        pane = stage.pane
        assert isinstance(pane, TracksPane)
        pane.tracks.focus()
        pane.show(view_of())
        await pilot.press("down", "down")
        assert pane.tracks.cursor == ("MainThread", True)
        await pilot.press("enter")
        await pilot.press("down")
        await pilot.pause()
        assert stage.focused is pane.table
        assert pane.table.cursor is not None
        await pilot.press("up")
        await pilot.pause()
        assert stage.focused is pane.tracks

    stage = on_stage(TracksPane(), walk)
    chosen = stage.heard_of(TrackList.Chosen)
    assert {(m.name, m.threads) for m in chosen} == {("MainThread", frozenset((MAIN,)))}  # type: ignore[attr-defined]


def test_a_click_on_a_track_opens_its_flame() -> None:
    async def click(stage: Stage, pilot: Pilot[None]) -> None:
        stage.pane.show(view_of())  # type: ignore[attr-defined]
        await pilot.pause()
        await pilot.click(TrackList, offset=(20, 4))
        await pilot.pause()

    stage = on_stage(TracksPane(), click)
    assert stage.heard_of(TrackList.Chosen)


def test_many_groups_scroll_and_leave_the_table_its_rows() -> None:
    async def walk(stage: Stage, pilot: Pilot[None]) -> None:
        pane = stage.pane
        assert isinstance(pane, TracksPane)
        pane.tracks.focus()
        pane.show(view_of(tracks=tracks(more=30)))
        await pilot.pause()
        assert pane.table.size.height >= 6
        assert text_of(pane.tracks).split("\n")[0].endswith("of 32")
        await pilot.press("pagedown", "pagedown", "pagedown")
        assert pane.tracks.cursor is not None
        assert pane.tracks.cursor[0] in text_of(pane.tracks)

    on_stage(TracksPane(), walk, (120, 17))
