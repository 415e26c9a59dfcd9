"""The keys of the race's screen: one table for bindings, help and footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

from perftui.tui.screens.live_keys import Key
from perftui.tui.widgets.footer import KeyHint

if TYPE_CHECKING:
    from textual.binding import BindingType

KEYS = (
    Key("r", "r", "again", "run again", "run both sides again", "Race"),
    Key("e", "e", "other_engine", "other engine", "the same with the next engine", "Race"),
    Key("tab,left,right", "tab", "other_side", "other side", "choose the other side", "Side", True),
    Key("enter", "Enter", "open_side", "open side", "the chosen side on its own screen", "Side"),
    Key("c", "c", "compare", "compare", "leave for a comparison of both recordings", "Result"),
    Key("s", "s", "save_report", "save report", "a Markdown file with the figures", "Result"),
    Key("question_mark,f1", "?", "help", "help", "this help", "Screen"),
    Key("q", "q", "leave", "quit", "quit; what still runs is ended", "Screen"),
)

RACE_BINDINGS: list[BindingType] = [
    Binding(key.keys, key.action, key.help, show=False, priority=key.priority) for key in KEYS
]


def hints_of(
    *, over: bool, opens: bool, compares: bool, engines: bool, reports: bool
) -> list[KeyHint]:
    """Return what the footer names now; help and quit are last.

    Args:
        over: The race has ended.
        opens: The chosen side has begun.
        compares: Both recordings are there, and the command.
        engines: There is another engine.
        reports: There is a verdict.
    """
    shown = {
        "again": over,
        "other_side": True,
        "open_side": opens,
        "compare": over and compares,
        "other_engine": over and engines,
        "save_report": reports,
        "help": True,
        "leave": True,
    }
    by_action = {key.action: key for key in KEYS}
    return [
        KeyHint(by_action[action].shown, by_action[action].label, action)
        for action, now in shown.items()
        if now
    ]
