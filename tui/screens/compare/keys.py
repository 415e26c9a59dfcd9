"""The keys and tabs of the compare screen: one table for bindings, help, footer and palette."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.binding import Binding, BindingType

from perftui.tui.widgets.bars.footer import KeyHint
from perftui.tui.widgets.bars.key import Key, bindings_of

if TYPE_CHECKING:
    from perftui.tui.screens.dialogs.help import More


class CompareTab(NamedTuple):
    """One tab."""

    name: str
    key: str
    module: str
    """Below `tui.widgets`; imported when the tab is opened."""
    class_name: str


TABS = (
    CompareTab("Summary", "o", "compare.tables", "SummaryTable"),
    CompareTab("Flame", "f", "compare.flame", "CompareFlamePane"),
    CompareTab("Functions", "t", "compare.functions", "FunctionTable"),
    CompareTab("Phases", "P", "compare.tables", "PhaseTable"),
    CompareTab("Imports", "i", "compare.tables", "ImportTable"),
    CompareTab("Calls", "c", "compare.tables", "CallTable"),
)

COMPARE_KEYS = (
    Key("tab", "tab", "next_tab(1)", "next", "next tab", "Tabs", True),
    Key("shift+tab", "shift tab", "next_tab(-1)", "", "previous tab", "Tabs", True),
    *(
        Key("", " ".join(t.key for t in row), "", "", ", ".join(t.name for t in row), "Tabs")
        for row in (TABS[:3], TABS[3:])
    ),
    Key("w", "w", "weight", "weight", "weight: wall, cpu, grown bytes", "Tabs"),
    Key("less_than_sign", "<", "thread(-1)", "", "thread before", "Tabs"),
    Key("greater_than_sign", ">", "thread(1)", "", "next thread; after the last, all", "Tabs"),
    Key("slash", "/", "filter", "filter", "filter by name", "Tabs"),
    Key("a", "a", "align", "align", "with a phase: it alone, both at its start, all", "Time"),
    Key("right_curly_bracket", "}", "phase(1)", "phases", "only the next phase", "Time"),
    Key("left_curly_bracket", "{", "phase(-1)", "phases", "only the phase before", "Time"),
    Key("escape", "esc", "back", "back", "clear the filter, the phase; go back", "Session"),
    Key("r", "r", "reset", "reset", "forget phase, thread and filter", "Session"),
    Key("y", "y", "copy", "copy", "copy the open tab as text", "Session"),
    Key("question_mark,f1", "?", "help", "help", "this help", "Session"),
    Key("q", "q", "quit_or_ask", "quit", "leave the comparison", "Session"),
)

MORE: tuple[More, ...] = (
    (
        "Good to know",
        (
            ("area, line", "the base is the area, the new run the line"),
            ("Enter", "Phases: only this one · Functions: in the flame"),
            ("1-4", "in Functions: sort by that column"),
            ("arrows", "in the flame: look at frames; Enter zooms"),
        ),
    ),
)

BINDINGS: list[BindingType] = [
    *bindings_of(COMPARE_KEYS),
    *(Binding(tab.key, f"tab('{tab.name}')", tab.name, show=False) for tab in TABS),
]


def compare_hints(*, phase: bool, phases: bool, threads: bool, tab: str) -> list[KeyHint]:
    """Return what the footer names now, the most useful first; help and quit are last."""
    hints = [KeyHint("tab", "next", "next_tab(1)")]
    if tab == "Phases":
        hints.append(KeyHint("Enter", "only this", "open_row"))
    if phases:
        hints.append(KeyHint("{ }", "phases", "phase(1)"))
    if phase:
        hints += [KeyHint("a", "align", "align"), KeyHint("esc", "whole", "back")]
    if tab in ("Flame", "Functions"):
        hints.append(KeyHint("w", "weight", "weight"))
        if threads:
            hints.append(KeyHint("< >", "thread", "thread(1)"))
    return [
        *hints,
        KeyHint("/", "filter", "filter"),
        KeyHint("y", "copy", "copy"),
        KeyHint("^p", "commands", "app.command_palette"),
        KeyHint("?", "help", "help"),
        KeyHint("q", "quit", "quit_or_ask"),
    ]
