"""The keys of the race's screen: one table for bindings, help and footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.widgets.bars.footer import KeyHint
from perftui.tui.widgets.bars.key import Key, bindings_of

if TYPE_CHECKING:
    from perftui.tui.screens.dialogs.help import More

KEYS = (
    Key("r", "r", "again", "run again", "run both sides again", "Race"),
    Key("e", "e", "other_engine", "other engine", "the same with the next engine", "Race"),
    Key("tab,left,right", "tab", "other_side", "other side", "choose the other side", "Side", True),
    Key("enter", "Enter", "open_side", "open side", "the chosen side on its own screen", "Side"),
    Key("c", "c", "compare", "compare", "compare both recordings, frame by frame", "Result"),
    Key("s", "s", "save_report", "save report", "a Markdown file with the figures", "Result"),
    Key("question_mark,f1", "?", "help", "help", "this help", "Screen"),
    Key("q", "q", "leave", "quit", "quit; what still runs is ended", "Screen"),
)

MORE: tuple[More, ...] = (
    (
        "How it is measured",
        (
            ("order", "one after the other, each in its own process:"),
            ("", "together they would share cores and caches"),
            ("data", "made and read once before: neither side"),
            ("", "waits for the disk in the other's place"),
            ("base", "RSS when the work begins, imports done"),
            ("times", "of single runs: below 1.5x is called alike"),
            ("growth", "small runs in fresh processes, afterwards"),
        ),
    ),
)

RACE_BINDINGS = bindings_of(KEYS)


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
