"""The keys of the lab's screen: one table for bindings, help and footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.widgets.bars.footer import KeyHint
from perftui.tui.widgets.bars.key import Key, bindings_of

if TYPE_CHECKING:
    from perftui.tui.screens.dialogs.help import More

KEYS = (
    Key("up,k", "↑", "step(-1)", "", "the run before", "Runs", True),
    Key("down,j", "↑↓", "step(1)", "choose run", "the next run", "Runs", True),
    Key("home", "Home", "step(-1000000)", "", "the first run", "Runs", True),
    Key("end", "End", "newest", "", "the newest run, whichever that is", "Runs", True),
    Key("enter", "Enter", "open_run", "open run", "its recording (with --keep)", "Runs"),
    Key("question_mark,f1", "?", "help", "help", "this help", "Screen"),
    Key("q,ctrl+c", "q", "leave", "quit", "quit; what runs is ended, what is known printed",
        "Screen", True),
)  # fmt: skip

MORE: tuple[More, ...] = (
    (
        "How it is read",
        (
            ("▂▄▆█", "runs: higher where several have the same value"),
            ("shaded", "where the middle lies with 95 %: it narrows"),
            ("│", "the median"),
            ("┊", "from here on it is judged to be worse"),
            ("‹ ›", "runs beyond the scale"),
            ("marked", "the chosen run, in every figure"),
        ),
    ),
)

LAB_BINDINGS = bindings_of(KEYS)


def hints_of(*, runs: bool, opens: bool, over: bool) -> list[KeyHint]:
    """Return what the footer names now; help and quit are last."""
    hints = []
    if runs:
        hints.append(KeyHint("↑↓", "choose run", "step(1)"))
    if opens:
        hints.append(KeyHint("Enter", "open run", "open_run"))
    hints.append(KeyHint("?", "help", "help"))
    hints.append(KeyHint("q", "quit" if over else "stop", "leave"))
    return hints
