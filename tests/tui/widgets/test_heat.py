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
from perftui.tui.picture.view import HEAT_PER_S, heat_period_s, take_view
from perftui.tui.widgets.charts.axis_place import STRIP_LEFT, strip_columns
from perftui.tui.widgets.charts.heat_map import LEVELS, UNKNOWN, heat_map, level_of, rows_for
from perftui.tui.widgets.panes.heat import HeatPane

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from perftui.tui.picture.view import View


def buckets(*periods: tuple[float | None, ...], period_ns: int = S) -> Buckets:
    """Periods given as HEAT_PER_S values each."""
    values = tuple(value for period in periods for value in period)
    t0_ns, t1_ns = T0, T0 + len(periods) * period_ns
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
    made = heat_map(buckets(IDLE, BUSY, HALF), 10)
    assert made.periods == 3
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
    made = heat_map(buckets(BUSY, stalled), 10)
    assert made.levels[1][12] == made.levels[1][13] == 0
    assert made.levels[1][11] == LEVELS - 1


def test_a_missed_sample_is_held_and_a_hole_stays_one() -> None:
    second = (50.0, None, 50.0, *([None] * 6), *([50.0] * 11))
    made = heat_map(buckets(second), 10)
    assert made.levels[0][1] == made.levels[0][0]
    assert made.levels[0][5] == UNKNOWN


def test_of_long_periods_the_highest_reading_counts() -> None:
    burst = (*IDLE[:7], 100.0, *IDLE[8:])
    made = heat_map(buckets(IDLE, burst, period_ns=30 * S), 10)
    assert (made.periods, made.part_ns) == (2, round(1.5 * S))
    assert made.levels[1] == (0,) * 7 + (LEVELS - 1,) + (0,) * 12
    assert made.moment(1, 7) == T0 + round(40.5 * S)
    assert made.place(T0 + 41 * S) == (1, 7)
    few = heat_map(buckets(burst, period_ns=30 * S), 2)
    assert few.levels[0] == (0, LEVELS - 1, 0, 0), "a burst is not averaged away"


@pytest.mark.parametrize(
    ("span_s", "period_s"), [(18, 1), (100, 1), (101, 2), (300, 5), (3600, 60), (400_000, 7200)]
)
def test_a_column_stands_for_as_few_seconds_as_the_axis_has_cells_for(
    span_s: int, period_s: int
) -> None:
    assert heat_period_s(span_s * S, 100) == period_s


def view(selection: Selection | None = None) -> View:
    return take_view(SyntheticSession().reader, selection or Selection(), 100)


def test_the_picture_asks_for_what_the_axis_shows() -> None:
    whole = view().heat
    assert whole is not None
    assert whole.t0_ns == T0
    assert len(whole.last) == 19 * HEAT_PER_S
    reader = SyntheticSession(now_s=3_000, tick_s=5.0).reader
    for chosen in (Selection(), Selection(cursor_ns=T0 + 1000 * S)):
        long = take_view(reader, chosen, 100).heat
        assert long is not None
        assert (long.t0_ns, long.t1_ns) == (T0, T0 + 3000 * S)
        assert len(long.last) == 100 * HEAT_PER_S
    zoomed = take_view(reader, Selection(axis=(T0 + 61 * S, T0 + 67 * S)), 100).heat
    assert zoomed is not None
    assert (zoomed.t0_ns, zoomed.t1_ns) == (T0 + 61 * S, T0 + 67 * S)


def test_it_is_drawn_with_labels_and_a_scale() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(view())
        text = text_of(pane)
        assert "CPU within each second  a row is 50.0 ms of it" in text
        assert "500 ms" in text
        assert "00:10" in text

    on_stage(pane, play, (120, 14))


def test_only_the_newest_column_is_drawn_again() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        session = SyntheticSession(now_s=200.2, tick_s=0.1)
        chosen = Selection(axis=(T0 + 110 * S, T0 + 210 * S))
        pane.show(take_view(session.reader, chosen, 100))
        await pilot.pause()
        before = [list(strip) for strip in pane._lines]
        pane.show(take_view(session.to(200.7).reader, chosen, 100))
        await pilot.pause()
        end = pane._axis_map.column(T0 + 199 * S)
        for old, new in zip(before[1:-1], pane._lines[1:-1], strict=True):
            cells_old = [(s.style, c) for s in old for c in s.text]
            cells_new = [(s.style, c) for s in new for c in s.text]
            assert cells_old[:end] == cells_new[:end]

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
            return pane._axis_map.left + pane._periods.index(second)

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


@pytest.mark.parametrize("now_s", [18.4, 300.0, 3_000.0])
def test_a_moment_stands_below_itself_in_the_charts(now_s: float) -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        reader = SyntheticSession(now_s=now_s, tick_s=max(now_s / 600, 0.05)).reader
        zoom = Selection(axis=(T0 + 3 * S, T0 + 9 * S), cursor_ns=T0 + 18 * S)
        for chosen in (Selection(), *([zoom] if now_s < 100 else [])):
            shown = take_view(reader, chosen, 100)
            pane.show(shown)
            made = pane._map
            assert made is not None
            assert pane._axis_map == AxisMap(*shown.axis, 11, 100)
            for cell, period in enumerate(pane._periods):
                if period is not None:
                    begins = made.moment(period, 0)
                    assert begins <= pane._axis_map.time(11 + cell) < begins + made.period_ns
            assert len({period for period in pane._periods if period is not None}) >= 6

    on_stage(pane, play, (140, 14))


def test_below_strips_it_begins_where_they_do() -> None:
    pane = HeatPane()

    async def play(stage: Stage, pilot: Pilot[None]) -> None:
        columns = strip_columns(140)
        pane.show(take_view(SyntheticSession().reader, Selection(), columns))
        assert pane._axis_map[2:] == (STRIP_LEFT, columns)

    on_stage(pane, play, (140, 14))
