"""A box with a question and its answers, each with a key; a click chooses, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean, shorten_middle
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events

WIDTH = 64
_AnswerT = TypeVar("_AnswerT", bound=str)
Choice = tuple[str, str, str, _AnswerT]
"""Key, what it does, more about it, the answer."""


class Question(Canvas):
    """One box.

    Args:
        head: Its title.
        who: What it is about.
        verb: The rest of that sentence.
        choices: The answers.
        answered: Called with the one that was clicked.
    """

    DEFAULT_CSS = """
    Question { width: 64; height: auto; max-width: 100%; background: $panel; }
    """

    def __init__(
        self,
        head: str,
        who: str,
        verb: str,
        choices: Sequence[Choice[Any]],
        answered: Callable[[Any], object],
    ) -> None:
        super().__init__(id="question")
        self._head = head
        self._who = who
        self._verb = verb
        self._choices = choices
        self._answered = answered
        self.styles.height = len(choices) + 6

    def on_mount(self) -> None:
        """Draw the question once."""
        paint = paint_of(self.app)
        inner = min(WIDTH, self.app.size.width) - 2

        def row(pieces: list[Piece]) -> list[Piece]:
            used = sum(len(text) for text, _ in pieces)
            edge: Piece = ("│", paint.faint)
            return [edge, *pieces, (" " * max(inner - used, 0), None), edge]

        head = f" {self._head} "
        who = shorten_middle(clean(self._who), inner - len(self._verb) - 7)
        lines: list[list[Piece]] = [
            [
                ("╭─", paint.faint),
                (head, paint.bright),
                ("─" * (inner - 1 - len(head)) + "╮", paint.faint),
            ],
            row([]),
            row([("  ", None), (who, paint.bright), (f" {self._verb}", paint.text)]),
            row([]),
        ]
        for key, what, more, _ in self._choices:
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
        if 0 <= index < len(self._choices):
            self._answered(self._choices[index][3])
