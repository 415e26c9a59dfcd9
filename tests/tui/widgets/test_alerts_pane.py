"""The Alerts tab, spans and marks on the timelines, and reaching a spike by key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.screens.live_stage import Stage as Live
from support.screens.live_stage import play
from support.screens.pane_stage import Stage, on_stage, text_of
from support.screens.pane_views import make_view
from support.screens.plot import T0, Plot, S
from support.screens.synthetic_session import SyntheticSession

from perftui.probes.detect.spikes.spike import Spike, SpikeCode
from perftui.probes.spine.records import Alert
from perftui.tui.picture.axis_map import AxisMap
from perftui.tui.picture.selection import Selection
from perftui.tui.screens.live.words import loud_alerts, marks_of, overlays_of
from perftui.tui.terminal.theme import DARK_COLOURS, make_paint
from perftui.tui.widgets.bars.banner import alert_note, current_alert, note_line
from perftui.tui.widgets.charts.series import rss_chart
from perftui.tui.widgets.charts.timeline import chart_lines
from perftui.tui.widgets.panes.alert_cards import alert_card
from perftui.tui.widgets.panes.alerts import AlertsPane

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from perftui.tui.picture.view import View


def alert(kind: str = "mem_growth", **changes: Any) -> Alert:
    made = Alert(
        kind, "warn", T0 + 4 * S, T0 + 14 * S, None, "RSS +3.20 MB/s for 14 s (floor +44 MB)",
        "window 12.0 s; ruled out: a step, a cache that fills up; code: serve leak.py:18 (97%)",
    )  # fmt: skip
    return made._replace(**changes)


PAINT = make_paint({"foreground": "#cdd4dc", "panel": "#11161e", **DARK_COLOURS})
LOAD = SpikeCode("load", "/app/load.py", 9, "load", 0.61, 0.0, "new")
SPIKE = Spike(
    "rss", T0 + 6 * S, T0 + 7 * S, 40_000_000, 240_000_000, 5.0, 97.0, "read", "", "query", True,
    S, (LOAD,), "load load.py:9 (93%)",
)  # fmt: skip
CLEARED = alert("slow_import", t_onset_ns=T0 + S, t_detect_ns=T0 + 2 * S, t_clear_ns=T0 + 3 * S)
MARK = alert("cold_start", severity="info", t_onset_ns=T0 + 2 * S, t_detect_ns=T0 + 3 * S)


def the_view(**changes: Any) -> View:
    return make_view(**{"alerts": (CLEARED, MARK, alert()), "spikes": (SPIKE,), **changes})


# -- the tab -----------------------------------------------------------------------------------


def test_the_tab_lists_both_and_tells_all_about_what_counts_most_now() -> None:
    pane = AlertsPane()

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(the_view())
        await pilot.pause()
        text = text_of(pane.list)
        assert "2 alerts, 1 mark, 1 spike  2 not cleared" in text
        assert "▲ slow import" in text
        assert "cleared" in text
        assert "· cold start" in text, "what is only a mark has no sign of an alarm"
        assert "goes on" in text
        assert "▾ memory" in text
        assert "RSS +200 MB in 1.00 s (40.0 MB -> 240 MB), CPU 97 %" in text
        card = text_of(pane.card)
        assert "▲ mem growth  began 00:04.0, told 10.0 s later, not cleared" in card
        assert "RSS +3.20 MB/s for 14 s (floor +44 MB)" in card
        assert " ruled out a step, a cache that fills up" in card
        assert " code      serve leak.py:18 (97%)" in card

    on_stage(pane, scene, size=(150, 24))


def test_the_card_follows_the_cursor_and_enter_opens() -> None:
    pane = AlertsPane()

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(the_view())
        pane.list.focus()
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        assert "cleared at 00:03.0, lasted 2.00 s" in text_of(pane.card)
        await pilot.press("enter", "down", "down", "down")
        await pilot.pause()
        card = text_of(pane.card)
        assert " spike     ▾ 00:06.0 – 00:07.0" in card
        assert " where     phase read, first call of query" in card
        assert " code      ran then and not before: load load.py:9 61%" in card
        assert " memory    grew in load load.py:9 (93%)" in card
        await pilot.press("enter")
        await pilot.pause()
        chosen = stage.heard_of(AlertsPane.Chosen)
        assert {message.alert for message in chosen} == {CLEARED}  # type: ignore[attr-defined]
        spikes = stage.heard_of(AlertsPane.SpikeChosen)
        assert {message.spike for message in spikes} == {SPIKE}  # type: ignore[attr-defined]

    on_stage(pane, scene, size=(150, 24))


def test_newest_spikes_come_first_and_the_filter_finds_them() -> None:
    pane = AlertsPane()
    later = SPIKE._replace(t0_ns=T0 + 9 * S, t1_ns=T0 + 10 * S, kind="cpu", phase="write")

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(the_view(spikes=(SPIKE, later), alerts=()))
        await pilot.pause()
        lines = [line for line in text_of(pane.list).splitlines() if "▾" in line]
        assert "CPU 5 % -> 97 % for 1.00 s, RSS +200 MB" in lines[0]
        assert "00:06.0" in lines[1]
        pane.show(the_view(spikes=(SPIKE, later), selection=Selection(filter="phase WRITE")))
        await pilot.pause()
        assert "0 alerts" not in text_of(pane.list)
        assert "1 spike " in text_of(pane.list)
        pane.show(the_view(selection=Selection(filter="no such thing")))
        await pilot.pause()
        assert 'nothing here matches "no such thing"' in text_of(pane.list)

    on_stage(pane, scene, size=(150, 24))


def test_hostile_words_and_small_panes_break_no_line() -> None:
    pane = AlertsPane()
    evil = alert(message="\x1b]0;x\x07 RSS \u202e up", evidence="a; ; code: \x1b[2J" + "x" * 400)

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        for size in ((160, 30), (80, 9), (40, 4), (12, 2)):
            pane.show(the_view(alerts=(evil,), spikes=(SPIKE._replace(phase="\x1b[31m" * 9),)))
            await pilot.resize_terminal(*size)
            await pilot.pause()
            for part in (pane.list, pane.card):
                for y in range(part.size.height if part.display else 0):
                    strip = part.render_line(y)
                    assert strip.cell_length == part.size.width
                    assert "\x1b" not in strip.text

    on_stage(pane, scene)


def test_without_anything_it_says_what_would_be_here() -> None:
    pane = AlertsPane()

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(the_view(alerts=(), spikes=()))
        await pilot.pause()
        assert "no alert so far" in text_of(pane.list)
        assert not pane.card.display

    on_stage(pane, scene)


# -- the timelines -----------------------------------------------------------------------------

AXIS = AxisMap(T0, T0 + 20 * S, 0, 100)


def test_spans_run_from_the_onset_and_are_grey_once_cleared() -> None:
    view = the_view()
    plain, first = overlays_of(view, AXIS)
    tints = {(span.left, span.tint) for span in first.spans}
    assert tints == {(5, "cleared_bg"), (20, "warn_bg")}, "severity info tints nothing"
    assert first.spans[0].right == 16
    assert {span.label for span in plain.spans} == {""}
    assert {span.label for span in first.spans} == {"onset 00:01.0", "onset 00:04.0"}
    assert not plain.marks
    at_two = replace(view, selection=Selection(cursor_ns=T0 + 2 * S))
    _, then = overlays_of(at_two, AXIS)
    assert {span.tint for span in then.spans if span.left == 5} == {"warn_bg"}, "not cleared then"
    critical = the_view(alerts=(alert(severity="critical"),))
    assert overlays_of(critical, AXIS)[1].spans[0].tint == "bad_bg"


def test_onsets_that_lie_close_together_have_one_label() -> None:
    near = alert(t_onset_ns=T0 + 5 * S)
    first = overlays_of(the_view(alerts=(alert(), near)), AXIS)[1]
    assert [(span.left, span.label) for span in first.spans] == [(20, "onset 00:04.0"), (25, "")]


def test_no_sign_stands_in_the_middle_of_a_label() -> None:
    spikes = tuple(SPIKE._replace(t0_ns=T0 + seconds * S) for seconds in (2, 5, 9))
    first = overlays_of(the_view(alerts=(alert(),), spikes=spikes), AXIS)[1]
    assert [mark.column for mark in first.marks] == [10, 45], "that at 25 is below the label"


def test_what_is_only_a_mark_never_becomes_the_banner() -> None:
    assert current_alert(the_view(alerts=(MARK,))) is None
    assert current_alert(the_view(alerts=(MARK, alert()))) == alert()


def test_a_zoomed_axis_hides_no_alert_and_gets_no_tint_of_what_is_outside() -> None:
    from perftui.tui.picture.view import take_view

    reader = SyntheticSession(Plot(alert=True)).reader
    view = take_view(reader, Selection(axis=(T0, T0 + 5 * S)), 100)
    assert current_alert(view) is not None
    assert not overlays_of(view, AxisMap(*view.axis, 0, 100))[1].spans
    cleared_before = AxisMap(T0 + 10 * S, T0 + 20 * S, 0, 100)
    assert not overlays_of(the_view(alerts=(CLEARED,)), cleared_before)[1].spans


def test_marks_of_spikes_and_of_severity_info() -> None:
    marks = marks_of(the_view(), AXIS)
    assert [(mark.column, mark.sign) for mark in marks] == [(10, "·"), (30, "▾")]
    assert marks_of(the_view(), AxisMap(T0 + 8 * S, T0 + 9 * S, 0, 100)) == ()
    assert len(loud_alerts(the_view())) == 2


@pytest.mark.parametrize("full", [True, False])
def test_a_mark_is_drawn_over_whatever_is_there(full: bool) -> None:
    from perftui.tui.picture.view import take_view

    reader = SyntheticSession().reader
    view = replace(take_view(reader, Selection(), 100), spikes=(SPIKE,), alerts=())
    axis = AxisMap(*view.axis, 11, 100)
    chart = rss_chart(view, None)
    chart = replace(chart, top=chart.top / 50) if full else chart
    paint = make_paint({**DARK_COLOURS, "foreground": "#cdd4dc", "background": "#0d1117"})
    _, overlay = overlays_of(view, axis)
    lines = chart_lines(chart, axis, overlay, paint, (115, 8), figures=False)
    assert lines[1].text.count("▾") == 1
    assert lines[1].text.index("▾") == axis.column(SPIKE.t0_ns)
    assert all(line.cell_length == 115 for line in lines)


# -- the screen --------------------------------------------------------------------------------


def test_n_and_p_reach_a_spike_and_enter_shows_its_span() -> None:
    """RSS jumps while modules are imported; the rise is looked at when it has lasted 30 s."""

    async def steps(stage: Live) -> None:
        await stage.until(lambda: stage.live.view is not None and bool(stage.live.view.spikes))
        view = stage.live.view
        assert view is not None
        spike = view.spikes[-1]
        assert "▾" in stage.text
        for _ in range(12):
            await stage.press("p")
            if stage.live.selection.cursor_ns == spike.t0_ns:
                break
            await stage.settled()
        assert stage.live.selection.cursor_ns == spike.t0_ns
        assert "spike  RSS +" in stage.lines()[1]
        await stage.press("enter")
        await stage.until(lambda: "against the" in stage.text)
        assert stage.live.selection.range == (spike.t0_ns, spike.t1_ns)
        assert stage.live.selection.against

    play(steps, SyntheticSession(now_s=36.0, tick_s=0.1))


# -- what the banner says ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        ("window 8 s; code: enrich etl.py:21 (81%)", "enrich etl.py:21"),
        ("code: work a.py:1 (9%); held by CACHE dict of Row +9, 2 MB ◀ put b.py:7", "put b.py:7"),
        (
            "x; measured at entry and exit: Row.__init__ leak.py:4 +23.7 MB",
            "Row.__init__ leak.py:4",
        ),
        ("no plateau; ruled out: a step", ""),
    ],
)
def test_the_banner_shows_the_programs_own_line(evidence: str, code: str) -> None:
    told = alert(evidence=evidence)
    note = alert_note(told)
    assert note.code == code
    for width in (80, 160):
        line = note_line(note, width, PAINT).text
        assert len(line) == width
        assert code in line


def test_the_programs_own_code_stands_first_where_a_small_terminal_cuts_the_rest() -> None:
    evidence = (
        "window 8 s; ruled out: a step, a wave; touched by thread a, within a sample of: f, g; "
        "measured at entry and exit: f a.py:1 +9 MB; held by CACHE dict +9 ◀ put b.py:7; cleared: x"
    )
    lines = [(line.head, line.text) for line in alert_card(alert(evidence=evidence), make_view())]
    assert [head for head, _ in lines[2:]] == ["", "", "", "", "ruled out", "cleared"]
    assert [text.partition(" ")[0] for _, text in lines[2:6]] == (
        ["touched", "measured", "held", "window"]
    )


def test_what_was_learned_since_stands_where_it_is_not_cut_off() -> None:
    words = "RSS +3.20 MB/s for 14 s (floor +44 MB)"
    told = alert(message=f"{words}; +90.0 MB more since, 42.0 s so far")
    assert alert_note(told).text == f"+90.0 MB more since, 42.0 s so far; {words}"
    assert alert_note(alert(message=words)).text == words


def test_the_described_row_is_in_view_however_many_there_are() -> None:
    pane = AlertsPane()
    many = tuple(
        alert("cold_start", t_onset_ns=T0 + n * S // 4, t_clear_ns=T0 + 15 * S) for n in range(30)
    )

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        pane.show(the_view(alerts=(*many, alert())))
        await pilot.pause()
        await pilot.pause()
        assert "▲ mem growth" in text_of(pane.list)
        assert "▲ mem growth" in text_of(pane.card)

    on_stage(pane, scene, size=(120, 16))
