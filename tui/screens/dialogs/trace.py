"""tracemalloc in the program: asked first, because it costs while it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from perftui.tui.screens.dialogs.question import Question

if TYPE_CHECKING:
    from textual.app import ComposeResult

_CHOICES = (
    ("y", "trace for 10 s", "up to 20 times slower", "10"),
    ("m", "trace for 60 s", "ends early if too much comes", "60"),
    ("esc", "leave it as it is", "", "no"),
)


class TraceScreen(ModalScreen[str]):
    """Asks whether the program is to trace its allocations, and for how long."""

    CSS = """
    TraceScreen { align: center middle; background: $background 60%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer('10')", "10 s", show=False),
        Binding("m", "answer('60')", "60 s", show=False),
        Binding("escape", "answer('no')", "leave it", show=False),
    ]

    def compose(self) -> ComposeResult:
        """One box."""
        yield Question("trace", "the program", "traces its allocations", _CHOICES, self.dismiss)

    def action_answer(self, answer: str) -> None:
        """Close with an answer."""
        self.dismiss(answer)
