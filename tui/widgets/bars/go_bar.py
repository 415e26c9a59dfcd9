"""The one-line question "which moment?", opened with `g`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from perftui.tui.picture.moments import FORMS
from perftui.tui.widgets.bars.hinted_input import HintedInput

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget


class GoBar(Horizontal):
    """Hidden until `open`. Posts `Asked` on enter; esc leaves."""

    DEFAULT_CSS = """
    GoBar { height: 1; display: none; background: $panel; }
    GoBar > Static { width: auto; color: $accent; text-style: bold; }
    GoBar > Static.go--hint { color: $foreground 55%; text-style: none; }
    GoBar > Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    GoBar > Input:focus { border: none; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "leave", show=False),
    ]

    class Asked(Message):
        """A moment was typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._input = HintedInput(FORMS)
        self._before: Widget | None = None

    def compose(self) -> ComposeResult:
        """Yield question, input and hint."""
        yield Static(" go to ")
        yield self._input
        yield Static(" enter go · esc leave ", classes="go--hint")

    def open(self) -> None:
        """Show the bar, empty, and take the keys."""
        if not self.display:
            self._before = self.screen.focused
        self._input.value = ""
        self.display = True
        self.screen.set_focus(self._input)  # at once: the next key may wait already

    def action_close(self) -> None:
        """Hide the bar and give the keys back."""
        self.display = False
        if self._before is not None and self._before.is_attached:
            self.screen.set_focus(self._before)
        else:
            self.screen.set_focus(None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep it to ourselves."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Tell what was typed, and close."""
        event.stop()
        self.action_close()
        if event.value.strip():
            self.post_message(self.Asked(event.value))
