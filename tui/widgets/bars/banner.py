"""The one line that may be loud: an alert, how the target ended, a notice, an answer to a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.message import Message

from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.tui.text.alerts import newest_first
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of
from perftui.tui.widgets.charts.series import exit_words
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip

    from perftui.probes.spine.reader import RunCost
    from perftui.probes.spine.records import Alert
    from perftui.tui.picture.view import View
    from perftui.tui.terminal.theme import Paint

Tone = Literal["bad", "warn", "good", "calm"]


class Note(NamedTuple):
    """What the banner says."""

    tone: Tone
    sign: str
    head: str
    text: str
    more: str = ""
    """Secondary text, dim."""
    hint: str = ""
    """At the right: what a key does about it."""
    opens: bool = False
    """Enter shows the span that it is about; the hint says so."""
    code: str = ""
    """The program's own line that it is about."""


LEAST_TEXT = 28
"""Cells of what is said, before the code may take any."""
_CODE = re.compile(r"(?:code|measured at entry and exit): (.+?:\d+)(?: .*)?")
_FILLED = re.compile(r"held by [^;]*?◀ ([^;,]+)")
_RELEASED = re.compile(r"process \d+: (released [^:]+): (.*)")
"""How the agent tells what giving back memory has brought."""
_NEWS_NS = 30 * NS_PER_S
_RANK = {"info": 0, "warn": 1, "critical": 2}


def current_alert(view: View) -> Alert | None:
    """Return the alert to show: more than a mark, not cleared, the most severe, the latest.

    With a cursor it is that of the moment: detected by then, and not yet cleared.
    """
    cursor = view.selection.cursor_ns
    loud = [alert for alert in view.alerts if alert.severity != "info"]
    if cursor is None:
        running = [alert for alert in loud if alert.t_clear_ns is None]
    else:
        running = [
            alert
            for alert in loud
            if alert.t_onset_ns <= cursor
            and (alert.t_clear_ns is None or cursor < alert.t_clear_ns)
        ]
    return max(running, key=lambda a: (_RANK[a.severity], a.t_detect_ns), default=None)


def alert_to_show(view: View) -> Alert | None:
    """Return the alert that the banner names, None if it says something else."""
    if view.status.state in ("exited", "waiting") or _salvage(view) is not None:
        return None
    if _answer(view) is not None:
        return None
    return current_alert(view)


def _salvage(view: View) -> str | None:
    """Return what is lost of a recording, until a person begins to move through it."""
    played = view.playback
    moved = view.selection.cursor_ns is not None and view.selection.around_ns > 0
    return None if played is None or moved else played.salvage


def alert_note(alert: Alert, *, hint: str = "Enter show") -> Note:
    """Put an alert into words."""
    tone: Tone = "bad" if alert.severity == "critical" else "warn"
    return Note(
        tone,
        "▲",
        clean(alert.kind).replace("_", " "),
        newest_first(clean(alert.message)),
        clean(alert.evidence),
        hint,
        opens=True,
        code=clean(code_of(alert.evidence)),
    )


def code_of(evidence: str) -> str:
    """Return the program's own line that an alert's evidence names, "" if it names none.

    What fills a thing that was kept is known best; then what was measured; then what ran.
    """
    filled = _FILLED.search(evidence)
    if filled is not None:
        return filled[1]
    for clause in evidence.split(";"):
        found = _CODE.fullmatch(clause.strip())
        if found is not None:
            return found[1]
    return ""


def note_of(view: View) -> Note | None:
    """Return what the session itself has to say, the most important first."""
    if view.status.state == "exited":
        return _end_note(view)._replace(hint="q quit")
    if view.status.state == "waiting" and view.runs:
        return _run_note(view.runs)
    salvage = _salvage(view)
    if salvage is not None:
        head, _, rest = clean(salvage).partition(": ")
        return Note("warn", "▲", head if rest else "recording", rest or head)
    answer = _answer(view)
    if answer is not None:
        return answer
    alert = current_alert(view)
    if alert is not None:
        return alert_note(alert)
    notices = [n for n in view.status.notices if n.severity != "info"]
    if notices:
        last = notices[-1]
        tone: Tone = "bad" if last.severity == "critical" else "warn"
        more = f"and {len(notices) - 1} more in Log" if len(notices) > 1 else ""
        return Note(tone, "▲", "notice", clean(last.text), more)
    if view.status.state == "recording" and _at_end(view):
        return _end_note(view)
    return None


def _answer(view: View) -> Note | None:
    """Return what came of giving back memory, for as long as it is news."""
    at_ns = view.selection.cursor_ns
    at_ns = view.status.t_end_ns if at_ns is None else at_ns
    for notice in reversed(view.status.notices):
        if notice.severity == "info" and 0 <= at_ns - notice.t_ns < _NEWS_NS:
            answer = _RELEASED.fullmatch(clean(notice.text))
            if answer is not None:
                return Note("good", "■", answer[1], answer[2])
    return None


def _run_note(runs: Sequence[RunCost]) -> Note:
    """Say how the last run went, and set it against the first."""
    run, first = runs[-1].run, runs[0].run
    kind = "cold" if run.cold else "warm"
    took = format_seconds(run.worked_ns / NS_PER_S)
    text = f"worked {took}, waited for {format_seconds(run.waited_ns / NS_PER_S)}"
    if run.n > 1 and run.worked_ns:
        text += f"; the first run worked {first.worked_ns / run.worked_ns:.3g}x as long"
    how = "done" if run.ok else "failed"
    return Note(
        "good" if run.ok else "warn",
        "■",
        f"run {run.n} ({kind}) {how}",
        text,
        "the process waits",
        "A again · R restart · q quit",
    )


def _end_note(view: View) -> Note:
    """Say how the target ended."""
    how, figures = exit_words(view)
    return Note("good" if view.status.exit_code == 0 else "calm", "■", how, figures)


def _at_end(view: View) -> bool:
    """Tell whether a recording is shown as it was when its target had ended."""
    status, cursor = view.status, view.selection.cursor_ns
    ended = status.exit_code is not None or status.signal is not None
    return ended and (cursor is None or cursor >= status.t_end_ns)


class Banner(Canvas):
    """Shows one `Note`, or nothing and takes no row."""

    DEFAULT_CSS = """
    Banner { height: 1; width: 100%; display: none; }
    """

    class Pressed(Message):
        """The banner was clicked."""

    def show(self, note: Note | None, width: int, paint: Paint) -> None:
        """Draw a note."""
        if note is not None:
            self.put([note_line(note, width, paint)])

    def jump_spots(self) -> list[tuple[int, int]]:
        """Return its beginning, where something can be pressed."""
        return [(0, 0)]

    def on_click(self, event: events.Click) -> None:
        """Answer as Enter does."""
        self.post_message(self.Pressed())
        event.stop()


def note_line(note: Note, width: int, paint: Paint) -> Strip:
    """Build the line; the evidence goes first when it gets narrow, then the hint."""
    ground = paint.named(f"{note.tone}_bg")
    loud = paint.bright if note.tone == "calm" else paint.named(note.tone)
    head = f" {note.sign} {note.head}  " if note.head else f" {note.sign} "
    hint = f" {note.hint} " if note.hint else ""
    room = width - width_of(head)
    if room - width_of(hint) < min(width_of(note.text), 24):
        hint = ""
    room -= width_of(hint)
    code = f"  {note.code}" if note.code and note.code not in note.text else ""
    code = shorten_middle(code, max(room - LEAST_TEXT, 0))
    text = shorten_end(note.text, max(room - width_of(code), 0))
    room -= width_of(text + code)
    more = f"  {note.more}" if note.more and room > 16 else ""
    more = shorten_end(more, max(room - 1, 0))
    gap = " " * max(room - width_of(more), 0)
    pieces: list[Piece] = [
        (head, loud + ground),
        (text, paint.text + ground),
        (code, paint.memory_text + ground),
        (more, paint.dim + ground),
        (gap, ground),
        (hint, paint.bright + ground),
    ]
    return strip_of(pieces).adjust_cell_length(width, ground)
