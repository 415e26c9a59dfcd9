"""Who carries out what: the actions of the live screen, by the names that its keys know them by."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.tui.screens.live.acts.choices import Choices
    from perftui.tui.screens.live.acts.cursor import TimeCursor
    from perftui.tui.screens.live.acts.leaving import Leaving
    from perftui.tui.screens.live.acts.news import AlertNews
    from perftui.tui.screens.live.acts.over import OverIt
    from perftui.tui.screens.live.acts.panels import PanelActs
    from perftui.tui.screens.live.acts.player import Player
    from perftui.tui.screens.live.acts.ranges import Ranges
    from perftui.tui.screens.live.acts.requests import Requests
    from perftui.tui.screens.live.acts.spans import AlertSpans
    from perftui.tui.screens.live.acts.verdict import VerdictTold
    from perftui.tui.screens.live.deck import PaneDeck
    from perftui.tui.widgets.bars.banner import Tone


class HasActs(Protocol):
    """A screen that owns what carries its actions out."""

    player: Player
    cursor: TimeCursor
    ranges: Ranges
    choices: Choices
    panels: PanelActs
    spans: AlertSpans
    verdict: VerdictTold
    requests: Requests
    over: OverIt
    news: AlertNews
    deck: PaneDeck
    leaving: Leaving

    def open_tab(self, name: str) -> None:
        """Show the pane of a tab."""
        ...

    def say(self, text: str, tone: Tone = "calm") -> None:
        """Answer a key."""
        ...


def actions_of(screen: HasActs) -> dict[str, Callable[..., Any]]:
    """Return what each name stands for; some are coroutines."""
    return {
        "pause": screen.player.pause,
        "faster": screen.player.faster,
        "scrub": screen.cursor.scrub,
        "leap": screen.cursor.scrub,
        "sample": screen.cursor.sample,
        "first": screen.cursor.first,
        "live": screen.cursor.live,
        "event": screen.cursor.event,
        "alert": screen.cursor.alert,
        "phase": screen.cursor.phase,
        "range_start": screen.ranges.start_here,
        "range_end": screen.ranges.end_here,
        "zoom_to_range": screen.ranges.zoom_to_range,
        "weight": screen.choices.weight,
        "by_line": screen.choices.by_line,
        "thread": screen.choices.next_thread,
        "merge": screen.choices.merge,
        "unfold": screen.choices.unfold,
        "invert": screen.choices.invert,
        "reset": screen.choices.reset,
        "full": screen.panels.full,
        "next_charts": screen.panels.next_charts,
        "resize_charts": screen.panels.resize,
        "show_alert": screen.spans.show_here,
        "against": screen.spans.against,
        "verdict": screen.verdict.toggle,
        "mark": screen.requests.mark,
        "again": screen.requests.again,
        "restart": screen.requests.restart,
        "interrupt": screen.requests.interrupt,
        "release": screen.over.release,
        "trace": screen.over.trace,
        "filter": screen.over.filter,
        "go": screen.over.go,
        "diff": screen.over.diff,
        "save": screen.over.save,
        "help": screen.over.help,
        "jump": screen.over.jump,
        "list_tasks": screen.requests.list_tasks,
        "tell_alerts": screen.news.tell,
        "tab": screen.open_tab,
        "copy": partial(screen.deck.panes.copy, screen.say),
        "quit_or_ask": screen.leaving.leave_or_ask,
    }
