"""Leaving while a launched target runs: the one question that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from perftui.tui.screens.dialogs.question import Question

if TYPE_CHECKING:
    from textual.app import ComposeResult

Answer = Literal["stop", "leave", "stay"]
_CHOICES: tuple[tuple[str, str, str, Answer], ...] = (
    ("s", "stop it", "SIGTERM, and SIGKILL if it does not go", "stop"),
    ("l", "leave it running", "perftui ends, the target goes on", "leave"),
    ("esc", "stay", "", "stay"),
)


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
        yield Question("quit", self._who, "is running", _CHOICES, self.dismiss)

    def action_answer(self, answer: Answer) -> None:
        """Close with an answer."""
        self.dismiss(answer)
