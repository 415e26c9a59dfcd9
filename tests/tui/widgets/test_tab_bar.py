"""The row of tabs: names are never cut, the open one is seen, and what is hidden is told."""

from __future__ import annotations

import pytest
from support.screens.live_stage import Stage, play
from support.screens.plot import Plot
from support.screens.synthetic_session import SyntheticSession

from perftui.tui.screens.live.panes import PANES
from perftui.tui.widgets.bars.tab_bar import AFTER, BEFORE, TabRow, fit_tabs

NAMES = [kind.name for kind in PANES]
ALL = SyntheticSession(Plot(planned=True, has_child=True))


@pytest.mark.parametrize("room", range(12, 130, 3))
def test_the_open_tab_is_always_seen_and_no_row_is_too_long(room: int) -> None:
    widths = [len(name) for name in NAMES]
    for at in range(len(widths)):
        row = fit_tabs(widths, at, room)
        assert row.first <= at < row.end
        seen = widths[row.first : row.end]
        marks = 2 * (row.first > 0) + 2 * (row.end < len(widths))
        assert sum(seen) + len(seen) * row.beside + marks <= room


def test_tabs_stand_closer_before_any_is_left_out() -> None:
    assert [fit_tabs([5] * 10, 9, room).beside for room in (82, 81, 71, 70, 61)] == [3, 2, 2, 1, 1]
    assert fit_tabs([5] * 10, 9, 60) == TabRow(1, 10, 1)
    assert fit_tabs([5] * 10, 0, 82, said=10).beside == 1, "what they are about comes first"


@pytest.mark.parametrize(("width", "all_seen"), [(80, True), (60, False)])
def test_every_tab_can_be_reached_in_a_narrow_terminal(width: int, all_seen: bool) -> None:
    async def steps(stage: Stage) -> None:
        def row() -> str:
            return next(line for line in stage.lines() if "Heat" in line or "Memory" in line)

        await stage.pictures()
        names = [name for name in NAMES if name in stage.live.deck.tabs(stage.live.view)]
        assert len(names) >= 11
        words = row().replace(BEFORE, "").replace(AFTER, "").replace("─", "").split()
        assert set(words) <= {*names, "1"}, "a name is whole or not there"
        assert all(name in words for name in names) is all_seen
        assert (AFTER in row()) is not all_seen
        await stage.press("shift+tab")
        await stage.until(lambda: names[-1] in row())
        assert (BEFORE in row()) is not all_seen
        if not all_seen:
            x = row().index(BEFORE)
            await stage.pilot.click("#tabs", (x, 0))
            await stage.until(lambda: stage.live.tab != names[-1])

    play(steps, ALL, (width, 24))
