"""The range against the time before it: which time, geometry, words, the pane and the keys."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from support.screens.live_stage import Stage as Live
from support.screens.live_stage import play
from support.screens.pane_stage import Stage, on_stage, text_of
from support.screens.pane_views import thread_tree, weights
from support.screens.plot import ONSET, ONSET_S, PID, T0, Plot, S
from support.screens.synthetic_session import SyntheticSession

from perftui.probes.profile.difference import ComparedStacks, Delta, Difference, difference
from perftui.probes.spine.calltree import ROOT, CallTree
from perftui.tui.picture.against import AT_START, NO_RANGE, take_against, time_before
from perftui.tui.picture.selection import Selection
from perftui.tui.picture.view import ALL_PARTS, take_view
from perftui.tui.widgets.flame.diff.layout import diff_icicle
from perftui.tui.widgets.flame.diff.words import diff_label, face_of, fresh_text, signed
from perftui.tui.widgets.flame.layout import find_box, lay_out
from perftui.tui.widgets.panes.flame import FlamePane

if TYPE_CHECKING:
    from support.screens.plot import Leaves
    from textual.pilot import Pilot

    from perftui.probes.spine.reader import Reader
    from perftui.tui.picture.view import View
    from perftui.tui.widgets.flame.diff.flame import DiffFlame

MAIN = ("<module>", "/app/load.py", 9)
IDLE = ("idle", "/app/load.py", 3)
FETCH = ("fetch", "/app/query.py", 41)
CONCAT = ("concat", "/v/lib/python3.12/site-packages/pyarrow/table.py", 7)


def two_times(t_s: float) -> Leaves:
    """Idle before the onset, fetching after it."""
    if t_s < ONSET_S:
        return (((MAIN, IDLE), 1.0),)
    return (((MAIN, FETCH), 0.25), ((MAIN, FETCH, CONCAT), 0.5), ((MAIN,), 0.25))


def line_by_line(t_s: float) -> Leaves:
    """One function from start to end."""
    return (((("<module>", "/a/leak.py", 12 if t_s < ONSET_S else 18),), 1.0),)


TWO_TIMES = Plot(leaves=two_times)


@cache
def twice() -> Reader:
    return SyntheticSession(TWO_TIMES).reader


def against_view(reader: Reader, selection: Selection, before: View | None = None) -> View:
    # As the flame asks: what the tracks ask for would take the place of what is kept.
    wants = ALL_PARTS - {"tracks"}
    return take_view(reader, selection.with_(against=True), 100, before=before, wants=wants)


SPAN = Selection(range=(ONSET, T0 + 18 * S))


# -- which time --------------------------------------------------------------------------------


def test_the_time_before_is_as_long_at_most_and_a_second_at_least() -> None:
    assert time_before((20 * S, 23 * S), 0) == (17 * S, 20 * S)
    assert time_before((20 * S, 20 * S + S // 10), 0) == (19 * S, 20 * S)
    assert time_before((5 * S, 60 * S), 2 * S) == (2 * S, 5 * S)
    assert time_before((5 * S, 60 * S), 4 * S + 1) is None


def test_what_cannot_be_compared_is_said_in_words() -> None:
    reader = twice()
    assert take_against(reader, Selection(), T0, (), None).why == NO_RANGE
    early = Selection(range=(T0, T0 + S))
    assert take_against(reader, early, T0, (), None).why == AT_START
    bare = SyntheticSession(Plot(measured=False)).reader
    assert "no stacks" in take_against(bare, SPAN, T0, (), None).why


def test_nothing_is_made_twice_while_nothing_changes() -> None:
    reader = twice()
    first = against_view(reader, SPAN)
    again = against_view(reader, SPAN, first)
    assert again.against is first.against
    assert again.same_stacks(first)
    other = against_view(reader, SPAN.with_(thread=(PID, PID)), first)
    assert other.against is not first.against


# -- geometry ----------------------------------------------------------------------------------


def made_of(*sides: dict[tuple[tuple[str, str, int], ...], float]) -> Difference:
    tree = CallTree()
    stacks = [
        (thread_tree((1, 1), "t", {
            tree.intern([tree.frame_id(*frame) for frame in path]): weights(ms, ms)
            for path, ms in side.items()
        }),)
        for side in sides
    ]  # fmt: skip
    return difference(ComparedStacks(tree, stacks[0], S), ComparedStacks(tree, stacks[1], S))


def test_widths_are_the_larger_share_and_children_fit_their_callers() -> None:
    found = made_of(
        {(MAIN, IDLE): 600, (MAIN, FETCH): 400},
        {(MAIN, FETCH, CONCAT): 90, (MAIN, FETCH): 10},
    )
    icicle = diff_icicle(found, "wall")
    assert icicle is not None
    by_name = {node.function: icicle.value[n] for n, node in enumerate(found.nodes) if n}
    assert by_name == pytest.approx({"<module>": 1.9, "idle": 0.6, "fetch": 1.3, "concat": 0.9})
    for node, children in icicle.children.items():
        assert sum(icicle.value[child] for child in children) <= icicle.value[node] + 1e-9
    rows = lay_out(icicle, ROOT, 100)
    assert [len(row) for row in rows] == [1, 1, 2, 1]
    assert diff_icicle(found, "grown") is None


def test_changes_read_without_colour() -> None:
    def face(base: float, new: float) -> tuple[int, str]:
        state = "new" if not base else "vanished" if not new else "both"
        return face_of(Delta(state, base, new, base, new))  # type: ignore[arg-type]  # of Literal

    assert face(0.1, 0.45) == (3, "+35 %")
    assert face(0.45, 0.38) == (-2, "-7.0 %")
    assert face(0.4, 0.401) == (0, "=")
    assert face(0, 0.6) == (3, "new 60 %")
    assert face(0.03, 0) == (-1, "gone 3.0 %")
    assert signed(-0.03) == "-3.0 %"


@pytest.mark.parametrize("width", range(30))
@pytest.mark.parametrize("mark", ["=", "+12 %", "new 48 %", "gone <0.1 %"])
def test_labels_fill_their_box_exactly_and_the_mark_stays_longest(mark: str, width: int) -> None:
    text = diff_label(mark, "fetch_all_of_it", "query.py:41", width)
    assert len(text) == width
    if width > len(mark):
        assert text.startswith(mark if width >= 3 else " ")
    elif width >= 5:
        assert text.strip() in mark


# -- the pane ----------------------------------------------------------------------------------


def diff_of(pane: FlamePane) -> DiffFlame:
    assert pane.diff is not None
    return pane.diff


def test_the_pane_shows_what_is_new_and_what_is_gone() -> None:
    pane = FlamePane()

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(against_view(twice(), SPAN))
        await pilot.pause()
        assert not pane.flame.display
        lines = text_of(diff_of(pane)).splitlines()
        assert lines[0].startswith(" 00:10.1 – 00:18.0 against the 7.90 s before")
        assert (
            "ran then and not before: fetch query.py:41 75 % · concat pyarrow.table:7 50 %"
            in (lines[1])
        )
        assert lines[2].startswith(" meanwhile: phase read · call query ×5")
        assert lines[3].startswith("▏7.90 s of threads' time · before 7.90 s")
        assert "= __main__" in lines[4]
        assert "new 75 % fetch  query.py:41" in lines[5]
        assert "gone 100 % idle  load.py:3" in lines[5]
        assert "new 50 % concat" in lines[6]
        assert "new: not before" in text_of(pane.detail)
        pane.show(take_view(twice(), SPAN, 100))
        await pilot.pause()
        assert pane.flame.display
        assert not diff_of(pane).display

    on_stage(pane, scene)


def test_the_detail_line_explains_the_frame() -> None:
    pane = FlamePane()

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(against_view(twice(), SPAN))
        await pilot.pause()
        diff = diff_of(pane)
        node = next(n for n, each in enumerate(diff._found.nodes) if each.function == "fetch")  # type: ignore[union-attr]  # it is shown
        found = find_box(diff._rows, node, "frame")
        assert found is not None
        await pilot.hover(diff, (found[1].x0 + 2, found[0] + 3))
        await pilot.pause()
        line = text_of(pane.detail).splitlines()[0]
        assert line.startswith(" fetch  /app/query.py:41")
        assert "time before → during 0 % → 75 %" in line
        assert "not before +75 %" in line
        assert "self 0 % → 25 %" in line
        assert "per second 0 s/s → 0.75 s/s" in line

    on_stage(pane, scene, size=(160, 30))


def test_keys_zoom_and_stay_on_the_frame_while_the_picture_changes() -> None:
    pane = FlamePane()

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        reader = twice()
        view = against_view(reader, SPAN)
        pane.show(view)
        await pilot.pause()
        diff = diff_of(pane)
        diff.focus()
        await pilot.press("down", "down", "down", "left", "enter")
        assert diff.zoomed == "fetch"
        assert "all › __main__ › 0 % → 75 %   esc up" in text_of(diff)
        longer = against_view(reader, SPAN.with_(range=(ONSET, T0 + 18 * S + S // 3)), view)
        pane.show(longer)
        assert diff.zoomed == "fetch"
        await pilot.press("escape")
        assert diff.zoomed == "__main__"

    on_stage(pane, scene)


def test_weight_filter_narrow_panes_and_odd_sizes_never_break_a_line() -> None:
    pane = FlamePane()

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        for weight in ("wall", "cpu", "grown"):
            for wanted in ("", "fetch"):
                pane.show(against_view(twice(), SPAN.with_(weight=weight, filter=wanted)))
                for size in ((160, 40), (80, 9), (40, 5), (11, 3)):
                    await pilot.resize_terminal(*size)
                    await pilot.pause()
                    diff = diff_of(pane)
                    for y in range(diff.size.height):
                        assert diff.render_line(y).cell_length == diff.size.width

    on_stage(pane, scene)


def test_lines_tell_what_began_where_one_function_runs_from_start_to_end() -> None:
    script = SyntheticSession(Plot(leaves=line_by_line)).reader
    stacks = script.call_tree(ONSET, T0 + 18 * S)
    found = take_against(script, SPAN, T0, stacks, None)
    title, names = fresh_text(found, "wall")
    assert (title, names) == ("lines that ran then and not before:", "<module> leak.py:18 100 %")


# -- the screen --------------------------------------------------------------------------------


def test_enter_on_the_banner_lays_the_span_against_the_time_before() -> None:
    async def steps(stage: Live) -> None:
        await stage.until(lambda: "streaming violation" in stage.text)
        await stage.press("t", "enter")
        await stage.until(lambda: "ran then and not before" in stage.text)
        assert stage.live.tab == "Flame"
        chosen = stage.live.selection
        assert chosen.range is not None and chosen.range[0] == ONSET
        assert chosen.against
        assert chosen.weight == "grown", "the alert is about memory"
        await stage.press("D")
        await stage.until(lambda: "ran then and not before" not in stage.text)
        assert stage.live.selection.range == chosen.range
        await stage.press("D")
        await stage.until(lambda: "ran then and not before" in stage.text)
        await stage.press("escape")
        await stage.until(lambda: "ran then and not before" not in stage.text)
        assert stage.live.selection.range is None
        assert not stage.live.selection.against

    play(steps, SyntheticSession(TWO_TIMES._replace(alert=True)))


def test_the_key_needs_a_range_and_says_so() -> None:
    async def steps(stage: Live) -> None:
        await stage.pictures()
        await stage.press("D")
        assert "no range: drag over a timeline" in stage.text
        assert not stage.live.selection.against
        stage.live.ranges.select(T0, T0 + 2 * S)
        await stage.press("D")
        await stage.until(lambda: AT_START in stage.text)
        assert "MainThread" in stage.text, "the plain flame is shown"

    play(steps, SyntheticSession(TWO_TIMES))


def test_a_new_alert_takes_neither_the_tab_nor_the_keys_nor_the_range() -> None:
    session = SyntheticSession(TWO_TIMES._replace(alert=True), now_s=11.0)

    async def steps(stage: Live) -> None:
        await stage.pictures()
        stage.live.ranges.select(T0 + S, T0 + 3 * S)
        await stage.press("t")
        await stage.pictures()
        focused, chosen = stage.app.focused, stage.live.selection
        session.to(14.0)
        await stage.until(lambda: "streaming violation" in stage.text)
        assert stage.live.tab == "Top"
        assert stage.app.focused is focused
        assert stage.live.selection == chosen

    play(steps, session)
