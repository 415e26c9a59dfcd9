"""The heat map: levels, places, drawing, selecting."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.screens.pane_stage import Stage, on_stage, text_of
from support.screens.plot import T0, S
from support.screens.synthetic_session import SyntheticSession

from perftui.probes.spine.reader import Buckets
from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.picture.selection import Selection
from perftui.tui.picture.view import HEAT_PER_S, take_view
from perftui.tui.widgets.charts.heat_map import LEVELS, UNKNOWN, heat_map, level_of, rows_for
from perftui.tui.widgets.panes.heat import LEFT, HeatPane

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from perftui.tui.picture.view import View


def buckets(*seconds: tuple[float | None, ...], t0_ns: int = T0) -> Buckets:
    """Seconds given as HEAT_PER_S values each."""
    values = tuple(value for second in seconds for value in second)
    t1_ns = t0_ns + len(seconds) * S
    return Buckets(t0_ns, t1_ns, values, values, values)


IDLE = (0.0,) * HEAT_PER_S
BUSY = (100.0,) * HEAT_PER_S
HALF = (100.0,) * 10 + (0.0,) * 10


def test_levels_are_few_and_keep_what_is_small() -> None:
    assert level_of(None, 100) == UNKNOWN
    assert level_of(float("nan"), 100) == UNKNOWN
    assert level_of(0, 100) == 0
    assert level_of(0.6, 100) == 1
    assert level_of(100, 100) == level_of(900, 100) == LEVELS - 1
    assert {level_of(n / 10, 100) for n in range(1001)} == set(range(LEVELS))
    assert LEVELS <= 16


@pytest.mark.parametrize(
    ("lines", "rows"), [(1, 2), (2, 4), (4, 4), (5, 10), (9, 10), (10, 20), (40, 20)]
)
def test_rows_fit_and_divide_a_second(lines: int, rows: int) -> None:
    assert rows_for(lines) == rows
    assert HEAT_PER_S % rows == 0


def test_a_column_is_a_second_and_rows_are_its_parts() -> None:
    made = heat_map(buckets(IDLE, BUSY, HALF), 10, 100)
    assert made.seconds == 3
    assert made.rows == 20
    assert set(made.levels[0]) == {0}
    assert set(made.levels[1]) == {LEVELS - 1}
    assert made.levels[2] == (LEVELS - 1,) * 10 + (0,) * 10
    assert made.moment(2, 10) == T0 + round(2.5 * S)
    assert made.place(T0 + round(2.5 * S)) == (2, 10)
    assert made.place(T0 - 1) is None
    assert made.place(T0 + 3 * S) is None


def test_a_stall_that_a_second_hides_is_seen() -> None:
    stalled = (*BUSY[:12], 0.0, 0.0, *BUSY[14:])
    made = heat_map(buckets(BUSY, stalled), 10, 100)
    assert made.levels[1][12] == made.levels[1][13] == 0
    assert made.levels[1][11] == LEVELS - 1


def test_a_missed_sample_is_held_and_a_hole_stays_one() -> None:
    second = (50.0, None, 50.0, *([None] * 6), *([50.0] * 11))
    made = heat_map(buckets(second), 10, 100)
    assert made.levels[0][1] == made.levels[0][0]
    assert made.levels[0][5] == UNKNOWN


def test_seconds_that_do_not_fit_leave_at_the_left() -> None:
    made = heat_map(buckets(*([IDLE] * 30), BUSY), 10, 20)
    assert made.seconds == 20
    assert made.t0_ns == T0 + 11 * S
    assert made.cells == 1
    assert set(made.levels[-1]) == {LEVELS - 1}


def view(selection: Selection | None = None) -> View:
    return take_view(SyntheticSession().reader, selection or Selection(), 100)


def test_the_picture_asks_for_whole_seconds_around_what_is_chosen() -> None:
    whole = view().heat
    assert whole is not None
    assert whole.t0_ns == T0
    assert len(whole.last) == 19 * HEAT_PER_S
    reader = SyntheticSession(now_s=3_000, tick_s=5.0).reader
    late = take_view(reader, Selection(), 100).heat
    assert late is not None
    assert (late.t0_ns, late.t1_ns) == (T0 + 2900 * S, T0 + 3000 * S)
    middle = take_view(reader, Selection(cursor_ns=T0 + 1000 * S), 100).heat
    assert middle is not None
    assert middle.t0_ns < T0 + 1000 * S < middle.t1_ns
    assert len(middle.last) == 100 * HEAT_PER_S


def test_it_is_drawn_with_labels_and_without_a_scale_of_its_own() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(view())
        text = text_of(pane)
        assert "across: seconds, a row is 50 ms of each" in text
        assert "0 ms" in text
        assert "500 ms" in text
        assert "9 s" in text

    on_stage(pane, play, (120, 14))


def test_only_the_newest_column_is_drawn_again() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        session = SyntheticSession(now_s=200.2, tick_s=0.1)
        pane.show(take_view(session.reader, Selection(), 100))
        await pilot.pause()
        before = [list(strip) for strip in pane._lines]
        pane.show(take_view(session.to(200.7).reader, Selection(), 100))
        await pilot.pause()
        for old, new in zip(before[1:-1], pane._lines[1:-1], strict=True):
            cells_old = [(s.style, c) for s in old for c in s.text][:-3]
            cells_new = [(s.style, c) for s in new for c in s.text][:-3]
            assert cells_old[: LEFT + 99] == cells_new[: LEFT + 99]

    on_stage(pane, play, (112, 14))


def test_keys_walk_and_select() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(view(Selection(cursor_ns=T0 + 10 * S)))
        pane.focus()
        await pilot.press("right", "down", "down")
        moved = stage.heard_of(HeatPane.MomentChosen)[-1]
        assert isinstance(moved, HeatPane.MomentChosen)
        assert moved.t_ns == T0 + round(11.1 * S)
        await pilot.press("enter", "right", "enter")
        chosen = stage.heard_of(HeatPane.RangeChosen)[-1]
        assert isinstance(chosen, HeatPane.RangeChosen)
        assert (chosen.t0_ns, chosen.t1_ns) == (T0 + round(11.1 * S), T0 + round(12.15 * S))

    on_stage(pane, play, (120, 14))


def test_a_drag_selects_and_a_click_chooses() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(view())

        def first(second: int) -> int:
            return pane._left + pane._seconds.index(second)

        await pilot.click(HeatPane, offset=(first(4) + 1, 3))
        clicked = stage.heard_of(HeatPane.MomentChosen)[-1]
        assert isinstance(clicked, HeatPane.MomentChosen)
        assert clicked.t_ns == T0 + round(4.2 * S)
        await pilot.mouse_down(HeatPane, offset=(first(4), 1))
        await pilot.hover(HeatPane, offset=(first(8), 5))
        await pilot.mouse_up(HeatPane, offset=(first(8), 5))
        chosen = stage.heard_of(HeatPane.RangeChosen)[-1]
        assert isinstance(chosen, HeatPane.RangeChosen)
        assert (chosen.t0_ns, chosen.t1_ns) == (T0 + 4 * S, T0 + round(8.45 * S))

    on_stage(pane, play, (120, 14))


def test_without_cpu_it_says_so() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        nothing = replace(view(), heat=buckets((None,) * HEAT_PER_S))
        pane.show(nothing)
        assert "no CPU was measured here yet" in text_of(pane)

    on_stage(pane, play, (80, 12))


def test_a_second_stands_below_itself_in_the_charts_while_each_has_a_cell() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        zoomed = view(Selection(axis=(T0 + 3 * S, T0 + 9 * S), cursor_ns=T0 + 18 * S))
        for shown in (view(), zoomed):
            pane.show(shown)
            axis = AxisMap(*shown.axis, pane._left, 100)
            assert shown.heat is not None
            assert pane._left == 11
            for column in range(11, 111):
                second = pane._seconds[column - 11]
                if second is not None:
                    begins = shown.heat.t0_ns + second * S
                    assert begins <= axis.time(column) < begins + S
            assert len({second for second in pane._seconds if second is not None}) >= 6
        long = take_view(SyntheticSession(now_s=300, tick_s=1.0).reader, Selection(), 100)
        pane.show(long)
        assert pane._left == LEFT, "a cell each is not to be had"

    on_stage(pane, play, (140, 14))
