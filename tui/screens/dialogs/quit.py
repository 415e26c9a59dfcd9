"""Leaving while a launched target runs: the one question that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean, shorten_middle
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

Answer = Literal["stop", "leave", "stay"]
WIDTH = 64
_CHOICES: tuple[tuple[str, str, str, Answer], ...] = (
    ("s", "stop it", "SIGTERM, and SIGKILL if it does not go", "stop"),
    ("l", "leave it running", "perftui ends, the target goes on", "leave"),
    ("esc", "stay", "", "stay"),
)


class _Question(Canvas):
    DEFAULT_CSS = """
    _Question { width: 64; height: 9; max-width: 100%; background: $panel; }
    """

    def __init__(self, who: str) -> None:
        super().__init__(id="question")
        self._who = who

    def on_mount(self) -> None:
        """Draw the question once."""
        paint = paint_of(self.app)
        inner = min(WIDTH, self.app.size.width) - 2

        def row(pieces: list[Piece]) -> list[Piece]:
            used = sum(len(text) for text, _ in pieces)
            edge: Piece = ("│", paint.faint)
            return [edge, *pieces, (" " * max(inner - used, 0), None), edge]

        head = " quit "
        who = shorten_middle(clean(self._who), inner - 18)
        lines: list[list[Piece]] = [
            [
                ("╭─", paint.faint),
                (head, paint.bright),
                ("─" * (inner - 1 - len(head)) + "╮", paint.faint),
            ],
            row([]),
            row([("  ", None), (who, paint.bright), (" is running", paint.text)]),
            row([]),
        ]
        for key, what, more, _ in _CHOICES:
            gap = " " * (6 - len(key))
            text = f"{what}  "
            room = max(inner - 2 - 6 - len(text), 0)
            lines.append(
                row(
                    [
                        ("  ", None),
                        (key + gap, paint.link),
                        (text, paint.text),
                        (more if len(more) <= room else "", paint.dim),
                    ]
                )
            )
        lines.append(row([]))
        lines.append([("╰" + "─" * inner + "╯", paint.faint)])
        self.put([strip_of(line) for line in lines])

    def on_click(self, event: events.Click) -> None:
        """Choose by mouse."""
        index = event.y - 4
        if 0 <= index < len(_CHOICES):
            self.screen.dismiss(_CHOICES[index][3])


class QuitScreen(ModalScreen[Answer]):
    """Asks what becomes of the target."""

    CSS = """
    QuitScreen { align: center middle; background: $background 60%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "answer('stop')", "stop the target", show=False),
        Binding("l", "answer('leave')", "leave it running", show=False),
        Binding("escape", "answer('stay')", "stay", show=False),
    ]

    def __init__(self, who: str) -> None:
        super().__init__()
        self._who = who

    def compose(self) -> ComposeResult:
        """One box."""
        yield _Question(self._who)

    def action_answer(self, answer: Answer) -> None:
        """Close with an answer."""
        self.dismiss(answer)
