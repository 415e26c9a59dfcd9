"""The live screen under a pilot: sizes, keys, mouse, tabs, leaving, plain and odd sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from support.screens.live_stage import Stage, play
from support.screens.plot import CHILD, FIRST_CALL_NS, FIRST_ROW_S, T0, Plot, S
from support.screens.synthetic_session import PLAN, KeptSession, SyntheticSession

from perftui.probes.detect.spikes.finder import SpikeFinder
from perftui.probes.spine.records import Notice
from perftui.tui.screens.dialogs.help import HelpScreen
from perftui.tui.screens.dialogs.quit import QuitScreen
from perftui.tui.screens.dialogs.release import ReleaseScreen
from perftui.tui.screens.live.panes import PANES
from perftui.tui.screens.live.screen import LiveScreen
from perftui.tui.widgets.charts.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from perftui.probes.spine.reader import Reader
    from perftui.probes.store.store import Store

    Steps = Callable[["Stage"], Awaitable[None]]


# -- sizes -------------------------------------------------------------------------------------


def test_wide_screen_has_three_timelines_figures_and_tabs() -> None:
    async def steps(stage: Stage) -> None:
        lines = stage.lines()
        assert len(lines) == 45
        assert all(len(line) == 160 for line in lines)
        assert "perftui  stream-vs-collect mode=collect" in lines[0]
        assert "● LIVE 00:18.4" in lines[0]
        assert "py-spy 100 Hz 99 %" in lines[0]
        assert "self 3.8 % 51 MiB" in lines[0]
        text = stage.text
        for words in ("─ RSS ─ 1.21 GB", "─ CPU ─ ", "─ rows ─ 4.94 M", "peak", "first row"):
            assert words in text
        assert "▏import" in text
        assert "now" in text
        for tab in ("Flame", "Top", "Threads", "Imports", "Phases", "Log"):
            assert tab in text
        assert "q quit" in lines[-1]

    play(steps)


def test_80x24_keeps_the_rss_timeline_and_the_tabs() -> None:
    async def steps(stage: Stage) -> None:
        assert "─ RSS ─" in stage.text
        assert "─ CPU ─" not in stage.text
        assert "▏import" in stage.text
        assert "Flame" in stage.text
        assert "q quit" in stage.lines()[-1]

    play(steps, size=(80, 24))


def test_too_small_says_so_in_one_line_and_recovers() -> None:
    async def steps(stage: Stage) -> None:
        words = [line.strip() for line in stage.lines() if line.strip()]
        assert len(words) == 1
        assert "60×15" in words[0]
        assert "50×14" in words[0]
        await stage.pilot.resize_terminal(100, 30)
        await stage.pictures(2)
        assert "─ RSS ─" in stage.text
        assert "q quit" in stage.lines()[-1]
        await stage.pilot.resize_terminal(40, 10)
        await stage.pictures(1)
        assert "─ RSS ─" not in stage.text

    play(steps, size=(50, 14))


@pytest.mark.parametrize("size", [(60, 15), (79, 23), (120, 40), (200, 60), (300, 100)])
def test_every_size_fills_the_screen(size: tuple[int, int]) -> None:
    async def steps(stage: Stage) -> None:
        lines = stage.lines()
        assert len(lines) == size[1]
        assert "─ RSS ─" in stage.text
        assert "q quit" in lines[-1]
        assert lines[0].strip()

    play(steps, SyntheticSession(Plot(pools=True, alert=True)), size=size)


# -- time --------------------------------------------------------------------------------------


def test_pause_freezes_the_picture_and_end_goes_back_to_live() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("space")
        await stage.settled()
        paused = stage.lines()[:30]
        assert "‖ PAUSED 00:18.4" in paused[0]
        drawn = stage.live.pictures
        stage.session.to(25.0)
        await stage.pilot.pause(0.6)
        assert stage.live.pictures == drawn
        assert stage.lines()[:30] == paused
        await stage.press("end")
        await stage.settled()
        assert "● LIVE 00:25.0" in stage.lines()[0]

    play(steps)


def test_arrows_scrub_once_paused_and_the_tabs_follow() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("space", "left", "left", "left")
        await stage.settled()
        selection = stage.live.selection
        view = stage.live.view
        assert view is not None
        assert selection.cursor_ns is not None
        assert selection.cursor_ns < view.status.t_end_ns
        assert view.range[0] <= selection.cursor_ns <= view.range[1]
        assert view.range[1] - view.range[0] <= S
        assert "±0.5 s" in stage.text
        await stage.press("escape")
        assert stage.live.selection.cursor_ns is None

    play(steps)


def test_brackets_set_a_range_at_the_cursor() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("space", *["shift+left"] * 4, "left_square_bracket")
        await stage.press("shift+right", "shift+right", "right_square_bracket")
        await stage.settled()
        chosen = stage.live.selection.range
        assert chosen is not None
        assert stage.live.view is not None
        assert stage.live.view.range == chosen
        assert "[ " in stage.text
        assert "range " in stage.text

    play(steps)


def test_a_drag_selects_moments_that_a_resize_does_not_move() -> None:
    async def steps(stage: Stage) -> None:
        axis = stage.live.shown.axis
        assert axis is not None
        left, right = axis.column(T0 + 6 * S), axis.column(T0 + 12 * S)
        await stage.pilot.mouse_down("#rss", offset=(left, 4))
        await stage.pilot.hover("#rss", offset=(left + 9, 4))
        await stage.pilot.hover("#rss", offset=(right, 4))
        await stage.pilot.mouse_up("#rss", offset=(right, 4))
        await stage.pictures()
        chosen = stage.live.selection.range
        assert chosen is not None
        assert abs(chosen[0] - (T0 + 6 * S)) < S // 4
        assert abs(chosen[1] - (T0 + 12 * S)) < S // 4
        await stage.pilot.resize_terminal(120, 40)
        await stage.pictures()
        assert stage.live.selection.range == chosen
        await stage.press("escape")
        assert stage.live.selection.range is None

    play(steps)


def test_a_click_sets_the_cursor_and_the_wheel_zooms_around_the_mouse() -> None:
    async def steps(stage: Stage) -> None:
        axis = stage.live.shown.axis
        assert axis is not None
        column = axis.column(T0 + 8 * S)
        await stage.pilot.click("#cpu", offset=(column, 2))
        cursor = stage.live.selection.cursor_ns
        assert cursor is not None
        assert abs(cursor - (T0 + 8 * S)) < S // 4
        stage.live.query_one("#cpu", Timeline).post_message(Timeline.Zoomed(cursor, 0.5))
        await stage.until(lambda: stage.live.selection.axis is not None)
        zoomed = stage.live.selection.axis
        assert zoomed is not None
        assert zoomed[0] < cursor < zoomed[1]
        await stage.press("end")
        assert stage.live.selection.axis is None

    play(steps)


def test_semicolon_and_colon_jump_between_events_and_n_and_p_between_alerts() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("colon")
        assert stage.live.selection.cursor_ns == T0 + round(9.9 * S)
        await stage.until(lambda: "phase  read" in stage.text)
        await stage.press("colon")
        assert stage.live.selection.cursor_ns == T0 + round(FIRST_ROW_S * S) - FIRST_CALL_NS
        await stage.press("semicolon", "semicolon")
        await stage.until(lambda: "no later event" in stage.text)
        await stage.press("n")
        await stage.until(lambda: "no later alert" in stage.text)

    play(steps)


def test_enter_selects_the_span_of_the_alert() -> None:
    async def steps(stage: Stage) -> None:
        assert "▲ streaming violation" in stage.lines()[1]
        assert "▏onset 00:10.1" in stage.text
        await stage.press("enter")
        await stage.pictures()
        assert stage.live.selection.range is not None
        assert stage.live.selection.range[0] == T0 + round(10.1 * S)

    play(steps, SyntheticSession(Plot(alert=True)))


def test_g_and_braces_while_live_pause_and_go(tmp_path: Path) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("g", *"8", "enter")
        await stage.settled()
        assert stage.live.selection.cursor_ns == T0 + 8 * S
        assert "‖ PAUSED" in stage.lines()[0]
        await stage.press("right_curly_bracket")
        await stage.until(lambda: stage.live.selection.cursor_ns == T0 + round(9.9 * S))
        await stage.press("end")
        await stage.settled()
        assert "● LIVE" in stage.lines()[0]

    play(steps)


@pytest.mark.parametrize(
    ("key", "there", "gone"),
    [
        ("i", "package_0", "package_4"),
        ("P", "import", "setup"),
        ("o", "loading 700 MB", "first batch"),
    ],
)
def test_a_range_while_live_is_all_that_a_tab_shows(key: str, there: str, gone: str) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press(key)
        stage.live.ranges.select(T0 + S // 2, T0 + round(1.5 * S))
        await stage.settled()
        await stage.until(lambda: there in below_tabs(stage))
        assert gone not in below_tabs(stage)
        assert "‖ PAUSED" not in stage.lines()[0], "a range does not stop the timelines"
        await stage.press("end")
        await stage.settled()
        await stage.until(lambda: gone in below_tabs(stage))

    play(steps)


def below_tabs(stage: Stage) -> str:
    lines = stage.lines()
    row = next(
        (n for n, line in enumerate(lines) if " Top " in line and "Threads" in line), len(lines)
    )
    return "\n".join(lines[row + 1 : -1])


def test_what_is_not_shown_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader answers for what can be seen, and for nothing else.

    Spikes are looked for once a second whatever is shown: here elsewhere.
    """
    asked: list[str] = []
    elsewhere = SyntheticSession().end().reader
    monkeypatch.setattr("perftui.tui.session.spikes.SpikeFinder", lambda _: SpikeFinder(elsewhere))

    class Listening:
        def __init__(self, reader: Reader) -> None:
            self.reader = reader

        def __getattr__(self, name: str) -> object:
            if name in ("call_tree", "imports", "calls", "events", "log_lines", "threads"):
                asked.append(name)
            return getattr(self.reader, name)

    async def steps(stage: Stage) -> None:
        assert set(asked) == {"call_tree", "threads"}
        await stage.press("o")
        await stage.settled()
        await stage.pictures()
        asked.clear()
        await stage.pictures(2)
        assert set(asked) == {"log_lines"}
        await stage.press("i")
        await stage.pictures(2)
        assert "imports" in asked

    session = SyntheticSession()
    session.reader = cast("Store", Listening(session.reader))
    play(steps, session, size=(100, 28))


def test_left_and_right_scroll_the_log_until_the_picture_is_paused() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("o")
        await stage.until(lambda: "x" * 40 in below_tabs(stage))
        await stage.press("right")
        await stage.until(lambda: "from column 13" in below_tabs(stage))
        assert stage.live.selection.cursor_ns is None
        await stage.press("space", "left")
        assert stage.live.selection.cursor_ns is not None
        await stage.press("ctrl+left")
        await stage.until(lambda: "from column" not in below_tabs(stage))

    play(steps, SyntheticSession(Plot(log_texts=("x" * 400,))))


def test_enter_on_a_function_of_top_shows_it_in_the_flame() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("t")
        await stage.until(lambda: "to_arrow_table" in below_tabs(stage))
        await stage.press("down", "enter")
        await stage.until(lambda: stage.live.tab == "Flame")
        assert stage.live.selection.filter
        await stage.until(lambda: f'filter "{stage.live.selection.filter}"' in stage.text)

    play(steps)


# -- tabs --------------------------------------------------------------------------------------


def test_tabs_by_key_letter_and_mouse_each_show_a_pane() -> None:
    async def steps(stage: Stage) -> None:
        seen = {stage.live.tab}
        for _ in range(len(PANES) - 1):
            await stage.press("tab")
            await stage.pictures()
            seen.add(stage.live.tab)
            if stage.live.tab == "Log":
                assert "loading 700 MB" in stage.text
        assert seen == {kind.name for kind in PANES}
        await stage.press("tab")
        assert stage.live.tab == "Flame"
        await stage.press("shift+tab")
        assert stage.live.tab == PANES[-1].name
        await stage.press("i")
        await stage.pictures()
        assert "package_" in stage.text
        await stage.press("f")
        assert stage.live.tab == "Flame"
        row = next(n for n, line in enumerate(stage.lines()) if " Threads " in line)
        await stage.pilot.click(offset=(stage.lines()[row].index("Threads") + 2, row))
        await stage.pictures()
        assert stage.live.tab == "Threads"
        assert "duckdb-scan" in stage.text
        shown = [pane for pane in stage.live.query_one("#panes").children if pane.display]
        assert len(shown) == 1

    play(steps)


def test_a_tab_with_nothing_to_show_is_left_out() -> None:
    async def steps(stage: Stage) -> None:
        assert "Alerts" in stage.text
        assert "Plans" not in stage.text
        await stage.press("shift+tab")
        assert stage.live.tab == "Procs"
        await stage.press("x")
        await stage.pictures()
        assert "Plans" in stage.text, "its key opens it all the same"
        assert "perftui.plan(" in stage.text, "and it says how there would be something"
        await stage.press("tab")
        await stage.pictures()
        assert stage.live.tab == "Flame"
        assert "Plans" not in stage.text
        stage.session.log.append(PLAN)
        await stage.until(lambda: " Plans " in stage.text)

    play(steps, SyntheticSession(Plot(planned=False)))


def test_one_process_alone() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("T")
        await stage.until(lambda: "checkpointer" in stage.text)
        await stage.press("down", "down", "enter")
        await stage.settled()
        assert stage.live.selection.process == CHILD
        assert f"RSS of process {CHILD}" in stage.text
        await stage.press("t")
        await stage.settled()
        view = stage.live.view
        assert view is not None and view.stacks == () and view.tree_stacks
        await stage.press("T", "enter")
        await stage.settled()
        assert stage.live.selection.process is None, "once more shows all again"
        await stage.press("enter", "r")
        assert stage.live.selection.process is None

    play(steps, SyntheticSession(Plot(alert=True)))


def test_weight_lines_threads_and_reset_change_the_selection() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("w")
        assert stage.live.selection.weight == "cpu"
        await stage.press("w", "w")
        assert stage.live.selection.weight == "touched"
        await stage.press("w", "l", "greater_than_sign")
        assert stage.live.selection.weight == "grown"
        assert stage.live.selection.by_line
        assert stage.live.selection.thread is not None
        await stage.pictures()
        assert "by line" in stage.text
        await stage.press("r")
        assert stage.live.selection.thread is None
        assert stage.live.selection.weight == "wall"

    play(steps)


def test_a_filter_is_typed_without_pressing_keys_of_the_screen() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("slash")
        await stage.press(*"qm fetch")
        assert stage.live.selection.filter == "qm fetch"
        assert not stage.session.asked
        assert stage.live.selection.paused_at_ns is None
        await stage.press("enter")
        await stage.pictures()
        assert "/qm fetch" in stage.text
        await stage.press("space")
        assert stage.live.selection.paused_at_ns is not None

    play(steps)


def test_refresh_rate_keeps_its_limits() -> None:
    async def steps(stage: Stage) -> None:
        stage.live.player.refresh_hz = 4
        await stage.press("plus")
        assert stage.live.player.refresh_hz == 5
        await stage.press(*["plus"] * 20)
        assert stage.live.player.refresh_hz == 10
        await stage.press(*["minus"] * 20)
        assert stage.live.player.refresh_hz == 1

    play(steps)


def test_copy_writes_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    async def steps(stage: Stage) -> None:
        await stage.press("h")
        await stage.pictures()
        await stage.press("y")
        assert "copied" in stage.lines()[1]

    play(steps)
    assert "duckdb-scan" in (tmp_path / "perftui" / "copied.txt").read_text()


def test_marks_are_numbered() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("m", "m")
        assert "mark 2 at 00:18.4" in stage.text

    assert play(steps).asked == ["mark mark 1", "mark mark 2"]


@pytest.mark.parametrize(("key", "asked"), [("y", ["release"]), ("escape", []), ("r", [])])
def test_memory_is_given_back_after_a_question(key: str, asked: list[str]) -> None:
    async def steps(stage: Stage) -> None:
        await stage.app.screen.run_action("release")
        await stage.pictures()
        assert isinstance(stage.app.screen, ReleaseScreen)
        assert "malloc_trim" in stage.text
        await stage.press(key)
        await stage.pictures()
        assert isinstance(stage.app.screen, ReleaseScreen) is (key == "r")

    assert play(steps).asked == asked


def test_tasks_are_asked_for_by_name() -> None:
    async def steps(stage: Stage) -> None:
        names = [command.title for command in stage.app.get_system_commands(stage.app.screen)]
        assert "List asyncio tasks" in names
        await stage.app.screen.run_action("list_tasks")
        await stage.pictures()
        assert "asked for the tasks of asyncio" in stage.text

    assert play(steps).asked == ["tasks"]


@pytest.mark.parametrize(
    ("key", "asked"), [("y", ["trace 10 s"]), ("m", ["trace 60 s"]), ("escape", [])]
)
def test_allocations_are_traced_after_a_question(key: str, asked: list[str]) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("M", "X")
        await stage.pictures()
        assert "up to 20 times slower" in stage.text
        await stage.press(key)
        await stage.pictures()
        assert "up to 20 times slower" not in stage.text

    assert play(steps).asked == asked


# -- leaving -----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
def test_leaving_asks_while_a_launched_target_runs(key: str) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press(key)
        assert isinstance(stage.app.screen, QuitScreen)
        assert "leave it running" in stage.text
        await stage.press("q", "space")
        assert isinstance(stage.app.screen, QuitScreen)
        await stage.press("escape")
        assert isinstance(stage.app.screen, LiveScreen)
        assert stage.app.is_running

    assert play(steps).asked == []


@pytest.mark.parametrize(("key", "asked"), [("s", "stop"), ("l", "leave")])
def test_the_answer_reaches_the_session(key: str, asked: str) -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("q", key)
        await stage.until(lambda: stage.app._exit)
        assert stage.app.return_value == 0

    assert play(steps).asked == [asked]


@pytest.mark.parametrize("launched", [True, False])
def test_q_leaves_at_once_when_nothing_is_lost(launched: bool) -> None:
    session = SyntheticSession(launched=launched)
    session.alive = not launched

    async def steps(stage: Stage) -> None:
        await stage.press("q")
        await stage.until(lambda: stage.app._exit)
        assert stage.app.return_value == 0

    assert play(steps, session).asked == []


@pytest.mark.timeout(300)  # seventy keys, of which each may have to wait for a CPU
def test_no_single_key_harms_the_target() -> None:
    keys = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"]
    keys += ["ctrl+c", "ctrl+q", "ctrl+d", "escape", "enter", "delete", "backspace", "space", "f1"]

    async def steps(stage: Stage) -> None:
        for key in keys:
            await stage.press(key)
            while len(stage.app.screen_stack) > 1:
                await stage.press("escape")
        assert stage.app.is_running
        assert not stage.app._exit

    asked = play(steps).asked
    assert [call for call in asked if not call.startswith("mark")] == []


def test_ctrl_c_says_what_it_does_not_do() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("ctrl+c")
        assert "ctrl+c does nothing here" in stage.lines()[1]

    assert play(steps).asked == []


def test_the_end_of_the_target_is_told_and_the_picture_stays() -> None:
    async def steps(stage: Stage) -> None:
        stage.session.end(3)
        await stage.pictures(2)
        lines = stage.lines()
        assert "■ EXITED" in lines[0]
        assert "exited with 3  after 18.4 s · CPU 29.9 s · peak 1.22 GB" in lines[1]
        assert "─ RSS ─" in stage.text
        await stage.press("q")
        await stage.until(lambda: stage.app._exit)

    play(steps)


def test_help_lists_the_keys_and_closes() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("question_mark")
        assert isinstance(stage.app.screen, HelpScreen)
        assert "freeze the picture" in stage.text
        await stage.press("q")
        assert isinstance(stage.app.screen, LiveScreen)
        assert not stage.app._exit

    play(steps)


def test_the_palette_offers_commands() -> None:
    async def steps(stage: Stage) -> None:
        titles = [command.title for command in stage.app.get_system_commands(stage.live)]
        assert "Tab: Imports" in titles
        assert "Interrupt the target" in titles
        assert "Theme: perftui-light" in titles
        assert len(titles) == len(set(titles))
        for command in stage.app.get_system_commands(stage.live):
            if command.title == "Interrupt the target":
                command.callback()
        await stage.until(lambda: bool(stage.session.asked))

    assert play(steps).asked == ["interrupt"]


# -- plain terminals and odd readers ---------------------------------------------------------


def test_light_theme_and_themes_of_others_can_be_worn() -> None:
    async def steps(stage: Stage) -> None:
        for theme in ("perftui-light", "nord", "textual-light", "perftui-dark"):
            stage.app.theme = theme
            await stage.pictures()
            assert "─ RSS ─" in stage.text
        dark = stage.app.export_screenshot()
        stage.app.theme = "perftui-light"
        await stage.pictures()
        assert "#e5a54b" in dark
        assert "#e5a54b" not in stage.app.export_screenshot()

    play(steps)


def test_no_color_lets_no_colour_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(stage: Stage) -> None:
        for _ in PANES:
            for strip in stage.app.screen._compositor.render_strips():
                for segment in strip:
                    style = segment.style
                    if style is not None:
                        assert style.color is None or style.color.is_default
                        assert style.bgcolor is None or style.bgcolor.is_default
            await stage.press("tab")
            await stage.pictures()
        assert f"[{stage.live.tab}]" in stage.text

    play(steps, SyntheticSession(Plot(pools=True, alert=True)))


def test_an_ascii_terminal_gets_ascii() -> None:
    async def steps(stage: Stage) -> None:
        for _ in PANES:
            assert stage.text.isascii()
            await stage.press("tab")
            await stage.pictures()
        assert "##########" in stage.text
        assert "- RSS - " in stage.text

    plot = Plot(pools=True, alert=True, title="naïve 日本語")
    play(steps, SyntheticSession(plot), ascii_only=True)


HOSTILE = Plot(
    title="\x1b]0;owned\x07\u202eevil\n",
    phase_names=("\x1b[31mred", "\u202erev", "日本語", "tab\tbed"),
    thread_names=("\x1b[2J", "日本語のスレッド", "a" * 400),
    log_texts=("\x1b[2J\x1b[H", "\u202e\u2066x"),
    notices=(Notice(T0, "warn", "\x1b[5mblink\x07"),),
)
NOTHING = Plot(measured=False, thread_names=(), phase_names=(), log_texts=())
ODD = {
    "nothing yet": lambda: SyntheticSession(NOTHING, 0.0),
    "no metric": lambda: SyntheticSession(Plot(measured=False), 9.0),
    "one sample": lambda: SyntheticSession(now_s=0.001),
    "ten hours": lambda: SyntheticSession(now_s=36_000.0, tick_s=60.0),
    "hostile": lambda: SyntheticSession(HOSTILE),
}


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, (80, 24)) for name in ODD),
        pytest.param("nothing yet", (160, 45), marks=pytest.mark.live, id="large, nothing"),
        pytest.param("hostile", (160, 45), marks=pytest.mark.live, id="large, hostile"),
    ],
)
def test_odd_sessions_are_shown_without_a_stumble(name: str, size: tuple[int, int]) -> None:
    async def steps(stage: Stage) -> None:
        for _ in PANES:
            assert not any(char in stage.text for char in "\x1b\x07\u202e\u2066")
            await stage.press("tab", "w", "l")
            await stage.pictures()
        await stage.press("space", "left", "left_square_bracket", "n", "p", "end", "r")
        await stage.pictures()
        assert "─ RSS ─" in stage.text

    play(steps, ODD[name](), size=size)


def test_a_reader_that_fails_costs_a_picture_and_not_the_screen() -> None:
    async def steps(stage: Stage) -> None:
        def fail(*_: object) -> None:
            raise ValueError("torn record")

        reader = stage.session.reader
        good = reader.call_tree
        reader.call_tree = fail  # type: ignore[assignment,method-assign]
        await stage.until(lambda: "no picture: ValueError: torn record" in stage.text)
        reader.call_tree = good  # type: ignore[method-assign]
        await stage.pictures(2)
        assert "─ RSS ─" in stage.text

    play(steps)


def test_a_failing_session_call_is_told_in_one_line() -> None:
    async def steps(stage: Stage) -> None:
        def fail(name: str) -> None:
            raise OSError("the agent has gone")

        stage.session.mark = fail  # type: ignore[method-assign]
        await stage.press("m")
        await stage.until(lambda: "the agent has gone" in stage.text)

    play(steps)


# -- a target that keeps its process -----------------------------------------------------------

KEPT = Plot(keeps_process=True)


def palette_of(stage: Stage) -> set[str]:
    return {command.title for command in stage.live.commands()}


def test_again_and_restart_are_keys_of_a_process_that_waits() -> None:
    async def steps(stage: Stage) -> None:
        assert "■ WAITING" in stage.lines()[0]
        assert "run 2 (warm) done" in stage.lines()[1]
        assert "the first run worked 2x as long" in stage.lines()[1]
        assert "A again" in stage.lines()[-1] and "R restart" in stage.lines()[-1]
        assert len([title for title in palette_of(stage) if "the scenario again" in title]) == 1
        await stage.press("P")
        await stage.until(lambda: "cold: a new program" in stage.text)
        assert "warm: the same process" in stage.text and "250 ms" in stage.text
        await stage.press("left", "A")
        await stage.until(lambda: "● LIVE" in stage.lines()[0])
        assert stage.session.asked == ["again"]
        assert stage.live.selection.cursor_ns is None, "what goes on is looked at"
        assert "A again" not in stage.lines()[-1]
        await stage.press("R")
        await stage.until(lambda: "still at work" in stage.text)
        assert stage.session.asked == ["again"]

    play(steps, KeptSession(KEPT).wait())


def test_leaving_a_process_that_waits_asks_nothing() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("q")
        await stage.until(lambda: stage.session.asked == ["end"])
        assert not isinstance(stage.app.screen, QuitScreen)

    play(steps, KeptSession(KEPT).wait())

    async def at_work(stage: Stage) -> None:
        await stage.press("q")
        await stage.until(lambda: isinstance(stage.app.screen, QuitScreen))

    play(at_work, KeptSession(KEPT))


def test_other_targets_have_no_such_keys() -> None:
    async def steps(stage: Stage) -> None:
        await stage.press("A")
        await stage.until(lambda: "are for scenarios" in stage.text)
        assert not [title for title in palette_of(stage) if "scenario" in title]
        assert "A again" not in stage.lines()[-1]

    assert play(steps).asked == []
