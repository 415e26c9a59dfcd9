"""The Flame tab: the icicle above, what is known about the frame looked at below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from perftui.tui.widgets.detail import Detail
from perftui.tui.widgets.flame import Flame

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from perftui.tui.view import View


class FlamePane(Vertical):
    """Icicle and detail line; the taller the pane, the more source is shown."""

    DEFAULT_CSS = """
    FlamePane {
        height: 1fr;
        width: 1fr;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.flame = Flame()
        self.detail = Detail()

    def compose(self) -> ComposeResult:
        """Yield the two parts."""
        yield self.flame
        yield self.detail

    def show(self, view: View) -> None:
        """Show another picture."""
        self.flame.show(view)

    def on_resize(self, event: events.Resize) -> None:
        """Share the height."""
        height = event.size.height
        self.detail.styles.height = 5 if height >= 16 else 3 if height >= 12 else 1
        self.detail.display = height >= 5

    def on_flame_looked(self, message: Flame.Looked) -> None:
        """Tell about the frame."""
        message.stop()
        self.detail.tell(message.frame, message.hint)
