"""The Flame tab: the icicle, and below it what is known about the frame that was chosen.

With the range laid against the time before it, another icicle takes the first one's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.widgets.draw.bare import Pile
from perftui.tui.widgets.flame.detail import Detail
from perftui.tui.widgets.flame.flame import Flame

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from perftui.tui.picture.view import View
    from perftui.tui.widgets.flame.detail import FrameDetail
    from perftui.tui.widgets.flame.diff.flame import DiffFlame
    from perftui.tui.widgets.flame.icicle import IciclePane


LEAST_SPARE = 5
"""Rows that the flame does not need, from which they tell of the hottest function."""
MOST_SPARE = 9


class FlamePane(Pile):
    """Icicle, and of a frame that was chosen its detail: the taller, the more source is shown.

    Rows that nothing else needs tell of the program's own function that spent most.
    """

    DEFAULT_CSS = """
    FlamePane {
        height: 1fr;
        width: 1fr;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.flame = Flame()
        self.flame.tells_hover = True
        self.diff: DiffFlame | None = None
        """Made when it is asked for."""
        self.detail = Detail()
        self._why = ""
        """Why the range is not shown against the time before it, though it was asked for."""

    def compose(self) -> ComposeResult:
        """Yield the two parts."""
        yield self.flame
        yield self.detail

    def show(self, view: View) -> None:
        """Show another picture."""
        against = view.against
        self._why = "" if against is None else against.why
        if view.selection.against and against is not None and against.difference is not None:
            self._diff_flame().show(view)
            self._turn_to(self._diff_flame())
        else:
            # The detail is drawn in the same picture, not in one of its own that follows.
            looked: list[IciclePane.Looked] = []
            self.flame.listener = looked.append
            try:
                self.flame.show(view)
            finally:
                self.flame.listener = None
            self._turn_to(self.flame)
            if looked:
                self._tell_of(looked[-1])

    def _diff_flame(self) -> DiffFlame:
        if self.diff is None:
            from perftui.tui.widgets.flame.diff.flame import DiffFlame

            self.diff = DiffFlame()
            self.diff.display = False
            self.mount(self.diff, before=self.detail)
        return self.diff

    def _turn_to(self, wanted: IciclePane) -> None:
        """Show one of the two icicles; it takes over the keys if the other had them."""
        other = self.flame if wanted is self.diff else self.diff
        if wanted.display and (other is None or not other.display):
            return
        had_keys = other is not None and other.has_focus
        wanted.display = True
        if other is not None:
            other.display = False
        if had_keys:
            wanted.focus()
        self._share(self.size.height)
        wanted.call_after_refresh(wanted.redraw)

    @property
    def shown(self) -> IciclePane:
        """The icicle that is seen."""
        return self.diff if self.diff is not None and self.diff.display else self.flame

    def on_resize(self, event: events.Resize) -> None:
        """Share the height."""
        self._share(event.size.height)

    def _share(self, height: int) -> FrameDetail | None:
        """Give the detail its lines, while there is something that it is about.

        Returns:
            The hottest function, where rows are left that tell of it.
        """
        hottest = None
        chosen = self.shown.has_choice
        lines = 0
        if height >= 5 and (chosen or self._why or self.shown is self.diff):  # it has a legend
            lines = 1 if not chosen or height < 12 else 3 if height < 16 else 5
        elif self.flame.needed and height - self.flame.needed >= LEAST_SPARE:
            hottest = self.flame.hottest()
            if hottest is not None:
                rows = min(height - self.flame.needed, MOST_SPARE)
                lines = rows if self.detail.has_source(hottest) else 1
        if lines:
            self.detail.styles.height = lines
        self.detail.display = lines > 0
        self.flame.tells_hover = not lines
        return hottest

    def on_icicle_pane_looked(self, message: IciclePane.Looked) -> None:
        """Tell about the frame."""
        message.stop()
        self._tell_of(message)

    def _tell_of(self, message: IciclePane.Looked) -> None:
        if message.pane is self.shown:
            hint = f"{self._why} · {message.hint}" if self._why else message.hint
            hottest = self._share(self.size.height)
            frame = message.frame
            if frame is None and message.pane is self.flame and self.detail.display:
                frame = None if self._why else hottest or self.flame.hottest()
            self.detail.tell(frame, hint)
