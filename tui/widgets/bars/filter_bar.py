"""The one-line filter, opened with `/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from perftui.tui.widgets.bars.hinted_input import HintedInput

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget


class FilterBar(Horizontal):
    """Hidden until `open`. Posts `Changed` as one types; enter keeps the filter, esc clears it."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        display: none;
        background: $panel;
    }
    FilterBar > Static { width: auto; color: $accent; text-style: bold; }
    FilterBar > Static.filter--hint { color: $foreground 55%; text-style: none; }
    FilterBar > Input {
        width: 1fr;
        height: 1;
        border: none;
        padding: 0;
        background: $panel;
    }
    FilterBar > Input:focus { border: none; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "clear the filter", show=False),
    ]

    class Changed(Message):
        """The filter is another one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The bar was closed; the focus may go back to the tab."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._input = HintedInput("function, module or file")
        self._before: Widget | None = None
        self._told = ""

    def compose(self) -> ComposeResult:
        """Yield sign, input and hint."""
        yield Static(" / ")
        yield self._input
        yield Static(" enter keep · esc clear ", classes="filter--hint")

    @property
    def text(self) -> str:
        """The filter as it stands."""
        return self._input.value

    def open(self, text: str = "") -> None:
        """Show the bar with the filter that is on, and take the keys."""
        self._before = self.screen.focused
        self._told = text
        self._input.value = text
        self._input.cursor_position = len(text)
        self.display = True
        self.screen.set_focus(self._input)  # at once: the next key may wait already

    def close(self) -> None:
        """Hide the bar and give the keys back."""
        self.display = False
        if self._before is not None and self._before.is_attached:
            self.screen.set_focus(self._before)
        self.post_message(self.Closed())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell the filter as it grows."""
        event.stop()
        if event.value != self._told:
            self._told = event.value
            self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and close."""
        event.stop()
        self.close()

    def action_clear(self) -> None:
        """Take the filter away and close."""
        self._input.value = ""
        if self._told:
            self._told = ""
            self.post_message(self.Changed(""))
        self.close()
