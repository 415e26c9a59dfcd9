"""Giving memory back: asked first, because finalizers of the program run then."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from perftui.tui.screens.dialogs.question import Question

if TYPE_CHECKING:
    from textual.app import ComposeResult

_CHOICES = (
    ("y", "release", "gc.collect, Arrow release_unused, malloc_trim", "yes"),
    ("esc", "leave it as it is", "", "no"),
)


class ReleaseScreen(ModalScreen[str]):
    """Asks whether the program is to give back what it does not use."""

    CSS = """
    ReleaseScreen { align: center middle; background: $background 60%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer('yes')", "release", show=False),
        Binding("escape", "answer('no')", "leave it", show=False),
    ]

    def compose(self) -> ComposeResult:
        """One box."""
        yield Question("release", "the program", "gives back unused memory", _CHOICES, self.dismiss)

    def action_answer(self, answer: str) -> None:
        """Close with an answer."""
        self.dismiss(answer)
