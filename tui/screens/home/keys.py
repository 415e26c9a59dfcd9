"""The keys of the home screen, for its help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.widgets.bars.key import Key

if TYPE_CHECKING:
    from perftui.tui.screens.dialogs.help import More

KEYS = (
    Key("enter", "Enter", "activate", "open", "run, attach to or open the row", "Lists"),
    Key("tab", "tab", "other(1)", "next", "next list; shift tab: list before", "Lists"),
    Key("slash", "/", "filter", "filter", "filter the list by words; esc forgets it", "Lists"),
    Key("r", "r", "script", "script", "run my script …, with completion", "Lists"),
    Key("space", "space", "mark", "mark", "mark a recording to compare", "Recordings"),
    Key("c", "c", "compare", "compare", "compare the two that are marked", "Recordings"),
    Key("R", "R", "rename", "rename", "rename a recording", "Recordings"),
    Key("D", "D", "delete", "delete", "delete a recording, after a question", "Recordings"),
    Key("question_mark", "? F1", "help", "help", "this help", "All"),
    Key("ctrl+p", "ctrl+p", "", "", "every command by name", "All"),
    Key("q", "q", "leave", "quit", "quit", "All"),
)

MORE: tuple[More, ...] = (
    (
        "Signs",
        (
            ("▁▂▅█|memory_text", "memory over the time of a recording, from 0"),
            ("▲ 2|warn", "alerts, marks not counted"),
            ("✓|link", "marked to be compared"),
            ("● now|good", "is being recorded; Enter follows it"),
            ("dim", "what cannot run here: something is not installed"),
        ),
    ),
)
