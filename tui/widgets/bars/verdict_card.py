"""What happened, as a card over the tabs: findings by impact; Enter goes to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of
from perftui.tui.text.severity import SIGNS
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

    from perftui.probes.verdict.finding import RankedFinding, SessionVerdict
    from perftui.tui.terminal.theme import Paint

HEAD = "what happened"
HINT = "↑↓ Enter goes there · esc away, V back"
SHORT_HINT = "Enter goes · esc"
NARROW = 100
"""With less, its tab is left out where the words need the room: Enter goes there all the same."""
LEAST_TEXT = 30
"""Cells of a finding's words, before its code may take any."""


class VerdictCard(Canvas, can_focus=True):
    """See the module. Holds no keys but up, down, Enter and escape."""

    DEFAULT_CSS = """
    VerdictCard { layer: card; dock: bottom; margin: 0 0 1 0; width: 100%; display: none;
        background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "finding before", show=False),
        Binding("down", "move(1)", "next finding", show=False),
        Binding("enter", "go", "go there", show=False),
        Binding("escape", "close", "close", show=False),
    ]

    class Chosen(Message):
        """Somebody wants to see a finding where it is."""

        def __init__(self, finding: RankedFinding) -> None:
            super().__init__()
            self.finding = finding

    class Closed(Message):
        """It was sent away."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.verdict: SessionVerdict | None = None
        self.at = 0
        """The finding that Enter goes to."""

    def show(self, verdict: SessionVerdict, width: int, paint: Paint) -> None:
        """Draw a verdict, with the finding that Enter goes to."""
        if verdict is not self.verdict:
            self.verdict, self.at = verdict, 0
        lines = card_lines(verdict, self.at, width, paint)
        self.styles.height = len(lines)
        self.put(lines)

    def action_move(self, step: int) -> None:
        """Choose another finding."""
        if self.verdict is not None:
            self.at = min(max(self.at + step, 0), len(self.verdict.findings) - 1)
            self.post_message(self.Moved())

    class Moved(Message):
        """Another finding is chosen: it has to be drawn."""

    def action_go(self) -> None:
        """Go to the chosen finding."""
        if self.verdict is not None and self.verdict.findings:
            self.post_message(self.Chosen(self.verdict.findings[self.at]))

    def action_close(self) -> None:
        """Send it away."""
        self.post_message(self.Closed())

    def on_click(self, event: events.Click) -> None:
        """Go to the finding that was clicked."""
        verdict = self.verdict
        if verdict is not None and 0 < event.y <= len(verdict.findings):
            self.at = event.y - 1
            self.action_go()
        event.stop()


def card_lines(verdict: SessionVerdict, at: int, width: int, paint: Paint) -> list[Strip]:
    """Return the lines of a card: its head, the findings, what to do next, its foot."""
    inner = max(width - 4, 1)
    t0, t1 = verdict.span_ns
    edge = paint.faint
    rows = [_edge("╭", "╮", HEAD, format_seconds((t1 - t0) / NS_PER_S), width, paint)]
    for n, found in enumerate(verdict.findings):
        rows.append([("│ ", edge), *_finding(found, inner, paint, chosen=n == at), (" │", edge)])
    chosen = verdict.findings[at]
    why = chosen.may_be_wrong or chosen.evidence
    under = [(f"unsure: {why}" if chosen.may_be_wrong else why, paint.dim)]
    if chosen.next_step:
        under.append((f"next: {chosen.next_step}", paint.link))
    for text, style in under:
        if text:
            said = shorten_end(clean(text), inner - 2)
            gap = " " * max(inner - 2 - width_of(said), 0)
            rows.append([("│   ", edge), (said + gap, style), (" │", edge)])
    more = f"{verdict.more} more: perftui explain" if verdict.more else ""
    hint = HINT if width >= 78 else SHORT_HINT
    rows.append(_edge("╰", "╯", more, hint, width, paint))
    return [strip_of(row).adjust_cell_length(width) for row in rows]


def _edge(left: str, right: str, head: str, tail: str, width: int, paint: Paint) -> list[Piece]:
    head, tail = (f" {text} " if text else "" for text in (head, tail))
    line = "─" * max(width - 4 - width_of(head) - width_of(tail), 0)
    return [
        (f"{left}─", paint.faint),
        (head, paint.bright),
        (line, paint.faint),
        (tail, paint.dim),
        (f"─{right}", paint.faint),
    ]


def _finding(found: RankedFinding, width: int, paint: Paint, *, chosen: bool) -> list[Piece]:
    """Return one finding in exactly `width` cells: sign, words, code, where it leads."""
    tone = {"critical": "bad", "warn": "warn"}.get(found.severity)
    sign = SIGNS.get(found.severity, "·")
    tab = f" → {found.tab}"
    code = f"  {clean(found.code)}" if found.code and found.code not in found.text else ""
    words = clean(found.text) + (" ?" if found.may_be_wrong else "")
    room = width - 4
    if width_of(words + code + tab) > room and code:
        code = f"  {code.rpartition(' ')[2]}"  # file and line lead there, the function is in view
    if width_of(words + code + tab) > room and room < NARROW:
        tab = ""
    room -= width_of(tab)
    code = shorten_middle(code, max(room - max(LEAST_TEXT, width_of(words)), room // 3))
    room -= width_of(code)
    words = shorten_end(words, max(room, 1))
    gap = " " * max(room - width_of(words), 0)
    return [
        ("▸ " if chosen else "  ", paint.link),
        (f"{sign} ", paint.dim if tone is None else paint.named(tone)),
        (words, paint.bright if chosen else paint.text),
        (gap, None),
        (code, paint.memory_text),
        (tab, paint.dim),
    ]
