"""The keys of the live screen: one table for bindings, help, footer and command palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType

from perftui.probes.colours.parts import GROUPS
from perftui.tui.picture.play_clock import speed_text
from perftui.tui.screens.live.panes import PANES
from perftui.tui.widgets.bars.footer import KeyHint
from perftui.tui.widgets.bars.key import Key, bindings_of
from perftui.tui.widgets.charts.track_line import LOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.tui.picture.view import Playback
    from perftui.tui.screens.dialogs.help import More


KEYS = (
    Key("space", "space", "pause", "pause", "freeze the picture; play a recording", "Time"),
    Key("left", "←", "scrub(-1)", "scrub", "cursor back one column (pauses)", "Time", True),
    Key("right", "→", "scrub(1)", "scrub", "cursor on one column", "Time", True),
    Key("shift+left", "shift ←", "leap(-10)", "", "cursor back ten columns", "Time", True),
    Key("shift+right", "shift →", "leap(10)", "", "cursor on ten columns", "Time", True),
    Key("comma", ",", "sample(-1)", "sample", "cursor back one sample, 1/20 s", "Time"),
    Key("full_stop", ".", "sample(1)", "sample", "cursor on one sample, 1/20 s", "Time"),
    Key("g", "g", "go", "go to", "go to a time: 12.5, -30s, 50%, 12:03:10", "Time"),
    Key("n", "n", "alert(1)", "alerts", "next alert or spike", "Time"),
    Key("p", "p", "alert(-1)", "alerts", "previous alert or spike", "Time"),
    Key("semicolon", ";", "event(1)", "events", "next event of any kind", "Time"),
    Key("colon", ":", "event(-1)", "events", "previous event of any kind", "Time"),
    Key("right_curly_bracket", "}", "phase(1)", "phases", "next phase", "Time"),
    Key("left_curly_bracket", "{", "phase(-1)", "phases", "previous phase", "Time"),
    Key("home", "home", "first", "start", "cursor to the start", "Time", True),
    Key("end", "end", "live", "live", "back to live; the whole recording", "Time", True),
    Key("left_square_bracket", "[", "range_start", "range", "range starts at the cursor", "Time"),
    Key("right_square_bracket", "]", "range_end", "range", "range ends at the cursor", "Time"),
    Key("enter", "Enter", "show_alert", "show", "select the span of the alert", "Time", True),
    Key("V", "V", "verdict", "verdict", "what happened: the verdict, so far or at the end", "Time"),
    Key("escape", "esc", "clear", "clear", "clear range and cursor", "Time"),
    Key("z", "z", "zoom_to_range", "zoom", "zoom the time axis to the range", "Time"),
    Key("tab", "tab", "next_tab(1)", "next", "next tab", "Tabs"),
    Key("shift+tab", "shift tab", "next_tab(-1)", "", "previous tab", "Tabs"),
    *(
        Key("", " ".join(k.key for k in row), "", "", ", ".join(k.name for k in row), "Tabs")
        for row in (PANES[:3], PANES[3:6], PANES[6:9], PANES[9:])
    ),
    Key(
        "w",
        "w",
        "weight",
        "weight",
        "weight: wall, CPU, waiting, touched, grown bytes",
        "Tabs",
    ),
    Key("D", "D", "against", "before", "flame of the range against the time before it", "Tabs"),
    Key("l", "l", "by_line", "lines", "functions or lines", "Tabs"),
    Key("less_than_sign", "<", "thread(-1)", "", "thread before", "Tabs"),
    Key("greater_than_sign", ">", "thread(1)", "", "next thread; after the last, all", "Tabs"),
    Key("asterisk", "*", "merge", "merge", "flame of all threads as one", "Tabs"),
    Key("u", "u", "unfold", "unfold", "flame: fold and unfold frames of libraries", "Tabs"),
    Key("I", "I", "invert", "invert", "flame upside down: what ran, its callers below", "Tabs"),
    Key("F", "F", "full", "full", "the open tab takes the whole height, and back", "Panels"),
    Key("H", "H", "next_charts", "", "hide charts: all, memory alone, CPU alone, none", "Panels"),
    Key("left_parenthesis", "(", "resize_charts(-1)", "", "charts a row smaller", "Panels"),
    Key("right_parenthesis", ")", "resize_charts(1)", "", "charts a row larger", "Panels"),
    Key("slash", "/", "filter", "filter", "filter by name", "Tabs"),
    Key("r", "r", "reset", "reset", "forget range, thread, filter and zoom", "Tabs"),
    Key("A", "A", "again", "again", "run the scenario again in its process: warm", "Session"),
    Key("R", "R", "restart", "restart", "run it in a new program: cold, same pid", "Session"),
    Key("m", "m", "mark", "mark", "put a mark into the session, now", "Session"),
    Key("X", "X", "trace", "trace", "trace allocations for some seconds; asks first", "Session"),
    Key("d", "d", "diff", "diff", "compare with a recording, the baseline", "Session"),
    Key("s", "s", "save", "save", "save range or screen for other tools", "Session"),
    Key("y", "y", "copy", "copy", "copy the open tab as text", "Session"),
    Key("plus,equals_sign", "+", "faster(1)", "", "more pictures; play faster", "Session"),
    Key("minus", "-", "faster(-1)", "", "fewer pictures; play slower", "Session"),
    Key("j", "j", "jump", "jump", "letters on all that can be clicked: type them", "Session"),
    Key("question_mark,f1", "?", "help", "help", "this help", "Session"),
    Key("q", "q", "quit_or_ask", "quit", "quit; asks while a launched target runs", "Session"),
)


WAITS = tuple(look for name, look in LOOKS.items() if name != "cpu")
LEGEND: tuple[More, ...] = (
    (
        "Colours",
        (
            *((f"■|{group.colour}", f"of RSS: {group.label}") for group in reversed(GROUPS)),
            ("■|slate", "of RSS: not told, nobody says whose it is"),
            ("■|memory", "RSS where nothing is known of its parts"),
            ("■|cpu", "CPU, the lowest of each column; lighter: up to its highest"),
            ("■|rows", "a counter, per second"),
            ("■|bad", "a critical alert; the tint is its span"),
            ("■|warn", "an alert; the tint is grey once it has cleared"),
            ("■|link", "the chosen range, and what a key chose"),
            ("▸ box|link", "flame: one colour a package, darker where more of it"),
            ("▀|cpu", "Heat: the brighter, the more CPU; its scale is above it"),
        ),
    ),
    (
        "Threads, by what they did most",
        (
            ("▂▅█|cpu", "CPU; the height is the share of a core"),
            *((f"{look.glyph}|{look.colour}", look.word) for look in WAITS),
            ("▂|warn", "CPU that no stack and no reading explains"),
        ),
    ),
    (
        "Signs",
        (
            ("▲", "alert, from its onset on; below the charts: the cursor"),
            ("·", "a mark only: told, no alarm"),
            ("▾", "a spike: memory jumped, or CPU burst"),
            ("│ ▏", "the cursor; where an alert began, a box begins"),
            ("[ ]", "the chosen range"),
            ("● ‖ ▶ ■", "live, paused or replay, playing, ended"),
            ("▸", "folded, or chosen; Enter opens it"),
            ("◀", "the line, or the phase, where the time went or goes"),
            ("×24", "so many threads of one name, as one"),
            ("± 2", "how far a share may be off: few samples"),
            ("▲ ▼ +1 MB/s", "memory rises, falls; in a table ▼ is what it is sorted by"),
            ("◆ ┃", "the cursor in Heat, in Threads"),
            ("!", "Log: a line of stderr that does not call itself INFO"),
            ("✓ ~ ✗", "Plans: done by the engine, in part, not at all"),
            ("‹ ›", "there are more tabs on this side"),
            ("…", "cut for want of room, or not ended yet"),
            ("?", "in the verdict: may be wrong, the line below says why"),
        ),
    ),
)

MORE: tuple[More, ...] = (
    (
        "Mouse",
        (
            ("drag", "on a timeline or heat map: select a range"),
            ("click", "on a timeline: set the cursor"),
            ("wheel", "on a timeline: zoom the time axis"),
            ("shift+drag", "select text, as the terminal does"),
        ),
    ),
    (
        "Good to know",
        (
            ("ctrl+c", "does not quit and does not reach the target;"),
            ("", "commands (ctrl+p) has “interrupt the target”"),
            ("? ?", "the screen explains itself"),
            ("ctrl+z", "back to the shell; fg comes back, the target goes on"),
            ("ctrl+p", "every command, tabs and themes by name"),
        ),
    ),
    (
        "In the open tab",
        (
            ("↑ ↓", "rows, frames, tracks, lines; page up, page down"),
            ("ctrl+home", "to the first row; ctrl+end to the last"),
            ("Enter", "a row opens, a frame zooms; in Heat a range begins, then ends"),
            ("backspace", "flame: zoom out, as esc does"),
            ("1-4", "Top: sort by that column"),
            ("ctrl+←→", "Flame, Log: sideways while ←→ scrub"),
            ("G", "Log: follow the end"),
        ),
    ),
)

MORE += LEGEND

LIVE_BINDINGS: list[BindingType] = [
    *bindings_of(KEYS),
    *(Binding(kind.key, f"tab('{kind.name}')", kind.name, show=False) for kind in PANES),
]


def hints_of(
    *,
    paused: bool,
    ended: bool,
    chosen: bool,
    playback: Playback | None = None,
    waiting: bool = False,
    leads_back: bool = False,
    flame: bool = False,
    folded: bool = True,
    focused: Sequence[KeyHint] = (),
) -> list[KeyHint]:
    """Return what the footer names now, the most useful first; help and quit are last.

    Args:
        paused: The person stopped the picture.
        ended: Nothing more will come.
        chosen: There is a range or a cursor to clear.
        playback: How a recording is shown, None for a live session.
        waiting: The target has kept its process and waits for orders.
        leads_back: Leaving leads to the screen below.
        flame: The keys of the flame do something.
        folded: It shows libraries folded.
        focused: What the part of the screen that has the keys does with them.
    """
    hints = []
    if waiting:
        hints += [KeyHint("A", "again", "again"), KeyHint("R", "restart", "restart")]
    if playback is not None:
        label = "stop" if playback.playing else "play"
        hints.append(KeyHint("space", f"{label} {speed_text(playback.speed)}", "pause"))
        hints.append(KeyHint("+ -", "speed", "faster(1)"))
    elif not ended:
        hints.append(KeyHint("space", "go on" if paused else "pause", "pause"))
    hints += focused
    if paused:
        hints.append(KeyHint("end", "live", "live"))
    hints.append(KeyHint("←→", "scrub", "scrub(-1)"))
    if playback is not None or paused:
        hints.append(KeyHint("g", "go to", "go"))
    hints.append(KeyHint("[ ]", "range", "range_start"))
    hints.append(KeyHint("F", "full", "full"))
    if chosen:
        hints.append(KeyHint("esc", "clear", "clear"))
    hints.append(KeyHint("tab", "next", "next_tab(1)"))
    if flame:
        hints.append(KeyHint("u", "unfold" if folded else "fold", "unfold"))
    hints += [
        KeyHint("w", "weight", "weight"),
        KeyHint("/", "filter", "filter"),
        KeyHint("d", "diff", "diff"),
        KeyHint("n p", "alerts", "alert(1)"),
    ]
    if flame:
        hints += [KeyHint("I", "invert", "invert"), KeyHint("*", "merge", "merge")]
    if playback is not None:
        hints.append(KeyHint("{ }", "phases", "phase(1)"))
    elif not ended:
        hints.append(KeyHint("m", "mark", "mark"))
    hints += [
        KeyHint("s", "save", "save"),
        KeyHint("y", "copy", "copy"),
        KeyHint("^p", "commands", "app.command_palette"),
        KeyHint("?", "help", "help"),
        KeyHint("q", "back" if leads_back else "quit", "quit_or_ask"),
    ]
    return hints
