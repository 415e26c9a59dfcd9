"""A box with a question and the list of its answers: walked with the arrows, chosen with enter,
with a key of its own, or by a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.binding import Binding, BindingType

from perftui.tui.terminal.theme import paint_of
from perftui.tui.text.fit import clean, shorten_end, shorten_middle, width_of
from perftui.tui.widgets.draw.canvas import Canvas, Piece, strip_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.strip import Strip

    from perftui.tui.terminal.theme import Paint

WIDTH = 64
HINTS = ("↑↓ choose · enter answers · esc leaves", "↑↓ enter · esc")
_KEYS = 6
_AnswerT = TypeVar("_AnswerT", bound=str)
Choice = tuple[str, str, str, _AnswerT]
"""Key, what it does, more about it, the answer."""


class Question(Canvas):
    """One box. At first the last answer is chosen: by custom it changes nothing.

    Args:
        head: Its title.
        who: What it is about.
        verb: The rest of that sentence.
        choices: The answers.
        answered: Called with the one that was chosen.
    """

    DEFAULT_CSS = """
    Question { width: 64; height: auto; max-width: 100%; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("enter", "choose", "answer", show=False),
    ]
    can_focus = True

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
        self.at = len(choices) - 1
        """The answer that enter chooses."""
        self.styles.height = len(choices) + 6

    def on_mount(self) -> None:
        """Draw the question, and take the keys."""
        self._draw()
        self.focus()

    def _draw(self) -> None:
        width = min(WIDTH, self.app.size.width)
        said = (self._head, self._who, self._verb)
        self.put(question_lines(said, self._choices, self.at, width, paint_of(self.app)))

    def action_move(self, step: int) -> None:
        """Walk the answers."""
        self.at = (self.at + step) % len(self._choices)
        self._draw()

    def action_choose(self) -> None:
        """Answer with the one that is marked."""
        self._answered(self._choices[self.at][3])

    def _under(self, event: events.MouseEvent) -> int | None:
        index = int(event.y) - 4
        return index if 0 <= index < len(self._choices) else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Mark the answer under the mouse."""
        index = self._under(event)
        if index is not None and index != self.at:
            self.at = index
            self._draw()

    def on_click(self, event: events.Click) -> None:
        """Choose by mouse."""
        index = self._under(event)
        if index is not None:
            self._answered(self._choices[index][3])


def question_lines(
    said: tuple[str, str, str],
    choices: Sequence[Choice[Any]],
    at: int,
    width: int,
    paint: Paint,
) -> list[Strip]:
    """Return the lines of a box.

    Args:
        said: Head, who and verb of `Question`.
        choices: The answers.
        at: Which of them is marked.
        width: Cells, frame included.
        paint: Colours.
    """
    inner = width - 2

    def row(*pieces: Piece) -> list[Piece]:
        used = sum(width_of(text) for text, _ in pieces)
        edge: Piece = ("│", paint.faint)
        return [edge, *pieces, (" " * max(inner - used, 0), None), edge]

    head, who, verb = said
    who = shorten_middle(clean(who), inner - len(verb) - 7)
    lines: list[list[Piece]] = [
        [
            ("╭─", paint.faint),
            (f" {head} ", paint.bright),
            ("─" * (inner - 3 - len(head)) + "╮", paint.faint),
        ],
        row(),
        row(("  ", None), (who, paint.bright), (f" {verb}", paint.text)),
        row(),
    ]
    for index, (key, what, more, _) in enumerate(choices):
        on = index == at
        room = max(inner - 2 - _KEYS - width_of(what) - 2, 0)
        lines.append(
            row(
                ("▸ " if on else "  ", paint.link),
                (key.ljust(_KEYS), paint.link),
                (f"{what}  ", paint.bright if on else paint.text),
                (shorten_end(more, room) if room > 3 else "", paint.dim),
            )
        )
    lines.append(row())
    hint = next((hint for hint in HINTS if width_of(hint) + 6 <= inner), "")
    rest = "─" * (inner - 3 - width_of(hint))
    lines.append([(f"╰{rest} ", paint.faint), (hint, paint.dim), (" ─╯", paint.faint)])
    return [strip_of(line) for line in lines]
