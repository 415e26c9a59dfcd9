"""What the keys of the live screen do, without a screen: plain objects over one picture."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from support.screens.pane_views import MAIN, T0, S, make_view

from perftui.probes.spine.records import Alert
from perftui.tui.picture.selection import Selection
from perftui.tui.screens.live.acts.choices import Choices
from perftui.tui.screens.live.acts.cursor import TimeCursor
from perftui.tui.screens.live.acts.player import Player
from perftui.tui.screens.live.acts.ranges import Ranges
from perftui.tui.screens.live.acts.session_thread import SessionThread
from perftui.tui.screens.live.acts.shown import Shown
from perftui.tui.screens.live.acts.spans import AlertSpans
from perftui.tui.screens.live.layout import plan
from perftui.tui.text.passing import Passing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.tui.picture.view import View

END = T0 + round(18.4 * S)
ALERT = Alert("mem_growth", "warn", T0 + 9 * S, T0 + 12 * S, None, "RSS grows", "9 MB/s")


class Desk:
    """All that the screen would own, on a clock that tests set."""

    def __init__(self, view: View | None) -> None:
        self.said: list[str] = []
        self.changes = 0
        self.now_s = 100.0
        self.tabs: list[str] = []
        self.shown = Shown(self._changed)
        self.shown.view = view
        self.shown.layout = plan(160, 45, counter=True, banner=True, phases=True, chosen=False)
        session = cast("Any", None)  # only asked for the time of day and by `thread`
        self.thread = SessionThread(session, self.say)
        self.player = Player(self.shown, self.say, lambda: self.now_s)
        self.cursor = TimeCursor(session, self.shown, self.player, self.thread, self.say)
        self.ranges = Ranges(self.shown, self.player, self.say)
        self.choices = Choices(self.shown, self.player, self.say)
        self.spans = AlertSpans(
            self.shown, self.player, self.say, lambda: self.tabs.append("Flame")
        )

    def _changed(self) -> None:
        self.changes += 1

    def say(self, text: str, tone: str = "calm") -> None:
        self.said.append(text)

    @property
    def chosen(self) -> Selection:
        return self.shown.selection


def picture(state: str = "live", **changes: Any) -> View:
    view = make_view(**changes)
    return replace(view, status=view.status._replace(state=cast("Any", state)))


@pytest.fixture
def live() -> Iterator[Desk]:
    desk = Desk(picture())
    yield desk
    desk.thread.close()


@pytest.fixture
def replayed() -> Iterator[Desk]:
    desk = Desk(picture("recording"))
    yield desk
    desk.thread.close()


def test_before_the_first_picture_no_key_does_anything() -> None:
    desk = Desk(None)
    for act in (desk.player.pause, desk.player.advance, desk.cursor.first, desk.spans.show_here):
        act()
    desk.cursor.scrub(-1)
    desk.cursor.sample(1)
    desk.cursor.go_to("3")
    desk.ranges.start_here()
    desk.ranges.zoom(T0, 0.5)
    asyncio.run(desk.cursor.event(1))
    assert desk.chosen == Selection()
    assert (desk.changes, desk.tabs, desk.shown.still) == (0, [], False)


def test_pause_holds_a_live_picture_and_lets_it_go(live: Desk) -> None:
    live.player.pause()
    assert live.chosen.paused_at_ns == END
    assert live.shown.still
    live.player.pause()
    assert live.chosen == Selection()
    assert live.changes == 2


def test_a_session_that_has_ended_is_not_paused() -> None:
    desk = Desk(picture("exited"))
    desk.player.pause()
    assert desk.chosen == Selection()


def test_a_recording_is_played_at_its_speed_and_stops_at_its_end(replayed: Desk) -> None:
    replayed.player.faster(1)
    assert replayed.said == ["plays at 2x"]
    replayed.player.pause()
    assert replayed.chosen.cursor_ns == T0
    replayed.now_s += 3
    replayed.player.advance()
    assert replayed.chosen.cursor_ns == T0 + 6 * S
    replayed.now_s += 60
    replayed.player.advance()
    assert replayed.chosen.cursor_ns == END
    assert not replayed.player.playing


def test_playing_from_the_end_begins_anew(replayed: Desk) -> None:
    replayed.cursor.go(END)
    replayed.player.pause()
    assert replayed.player.playing
    assert replayed.chosen.cursor_ns == T0
    replayed.player.pause()
    assert not replayed.player.playing


def test_what_the_tabs_show_is_as_long_as_a_step_of_the_player(replayed: Desk) -> None:
    replayed.player.refresh_hz = 4
    for _ in range(4):
        replayed.player.faster(1)  # 16x
    replayed.player.pause()
    assert replayed.chosen.around_ns == 2 * S  # 16 s / 4 pictures, half of it on each side


def test_the_pace_of_a_live_picture_has_limits(live: Desk) -> None:
    for _ in range(20):
        live.player.faster(1)
    assert live.player.refresh_hz == 10
    for _ in range(20):
        live.player.faster(-1)
    assert live.player.refresh_hz == 1


def test_keys_that_come_faster_than_pictures_go_on_from_the_newest_choice(live: Desk) -> None:
    live.cursor.go(T0 + 5 * S)
    live.cursor.sample(1)
    live.cursor.sample(1)
    assert live.chosen.cursor_ns == T0 + 5 * S + S // 10
    live.cursor.sample(-1)
    live.ranges.start_here()
    assert live.chosen.range == (T0 + 5 * S + S // 20, END)


def test_a_moment_that_is_none_is_said(live: Desk) -> None:
    live.cursor.go_to("noon")
    assert "is not a moment" in live.said[0]
    live.cursor.go_to("50%")
    assert live.chosen.cursor_ns == (T0 + END) // 2


def test_a_range_is_selected_zoomed_to_and_cleared(live: Desk) -> None:
    live.ranges.zoom_to_range()
    assert "no range" in live.said[0]
    live.ranges.select(T0 + 3 * S, T0 + 3 * S)
    assert live.chosen.range == (T0 + 3 * S, T0 + 3 * S + 1), "never empty"
    live.ranges.select(T0 + 2 * S, T0 + 4 * S)
    live.ranges.zoom_to_range()
    assert live.chosen.axis == (T0 + 2 * S, T0 + 4 * S)
    live.ranges.clear()
    assert (live.chosen.range, live.chosen.axis) == (None, (T0 + 2 * S, T0 + 4 * S))
    live.cursor.live()
    assert live.chosen == Selection()


def test_a_process_is_shown_alone_and_then_all_again(live: Desk) -> None:
    live.choices.thread(MAIN)
    live.choices.process(7)
    assert (live.chosen.process, live.chosen.thread) == (7, None)
    live.choices.process(7)
    assert live.chosen.process is None
    assert [text.split()[0] for text in live.said] == ["process", "all"]


def test_reset_forgets_all_but_the_pause(live: Desk) -> None:
    live.player.pause()
    live.choices.filter("json")
    live.choices.by_line()
    live.choices.weight()
    live.choices.next_thread(1)
    live.choices.reset()
    assert live.chosen == Selection(paused_at_ns=END)


def test_enter_goes_to_the_alert_once_and_is_free_again() -> None:
    desk = Desk(picture(alerts=(ALERT,)))
    assert desk.spans.in_banner == ALERT
    desk.spans.show_here()
    assert desk.chosen.range == (ALERT.t_onset_ns, END)
    assert desk.chosen.against
    assert desk.chosen.weight == "grown"
    assert desk.tabs == ["Flame"]
    assert not desk.spans.any_here


def test_a_span_from_the_very_start_has_nothing_before_it() -> None:
    desk = Desk(picture(alerts=(ALERT._replace(t_onset_ns=T0),)))
    desk.spans.show_here()
    assert len(desk.said) == 1


def test_the_whole_session_has_no_time_before_it(live: Desk) -> None:
    live.spans.against()
    assert not live.chosen.against
    assert len(live.said) == 1


def test_what_fails_on_the_sessions_thread_is_said_and_not_raised(live: Desk) -> None:
    def refuse() -> None:
        raise OSError("it is gone")

    async def order() -> tuple[bool, bool]:
        failed = await live.thread.carry_out(refuse, "done")
        return failed, await live.thread.carry_out(lambda: None, "done")

    assert asyncio.run(order()) == (False, True)
    assert live.said == ["it is gone", "done"]


def test_an_answer_goes_after_its_time() -> None:
    now = [0.0]
    answer: Passing[str] = Passing(4.0, lambda: now[0])
    assert answer.now is None
    answer.put("one")
    now[0] = 3.9
    assert answer.now == "one"
    answer.put("two")
    now[0] = 7.8
    assert answer.now == "two"
    now[0] = 7.9
    assert answer.now is None
