"""The range that the tabs are about, and how far the time axis is zoomed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S
from perftui.tui.picture import choosing
from perftui.tui.picture.view import TIMELINE_MIN_NS
from perftui.tui.screens.live.layout import zoomed_axis

if TYPE_CHECKING:
    from perftui.tui.screens.live.acts.player import Player
    from perftui.tui.screens.live.acts.session_thread import Say
    from perftui.tui.screens.live.acts.shown import Shown

LEAST_ZOOM_NS = NS_PER_S // 100


class Ranges:
    """Sets and clears the range; zooms to it, or around the mouse."""

    def __init__(self, shown: Shown, player: Player, say: Say) -> None:
        self._shown = shown
        self._player = player
        self._say = say

    def start_here(self) -> None:
        """Start the range at the cursor."""
        self._set_end(start=True)

    def end_here(self) -> None:
        """End the range at the cursor."""
        self._set_end(start=False)

    def _set_end(self, *, start: bool) -> None:
        view, axis = self._shown.chosen_view, self._shown.axis
        if view is not None and axis is not None:
            self._player.stop()
            self._shown.choose(choosing.with_range_end(view, axis, start=start))

    def select(self, t0_ns: int, t1_ns: int) -> None:
        """Make a range what the tabs are about."""
        self._player.stop()
        t1_ns = max(t1_ns, t0_ns + 1)
        self._shown.choose(self._shown.selection.with_(range=(t0_ns, t1_ns), cursor_ns=None))

    @property
    def all_clear(self) -> bool:
        """There is no range to clear, and no cursor but one that only marks the moment."""
        selection = self._shown.selection
        cleared = choosing.all_cleared(selection)
        marks = selection.around_ns == 0
        return selection == (cleared.with_(cursor_ns=selection.cursor_ns) if marks else cleared)

    def clear(self) -> None:
        """Clear range and cursor."""
        self._player.stop()
        self._shown.choose(choosing.all_cleared(self._shown.selection))

    def zoom_to_range(self) -> None:
        """Let the time axis show the range and nothing else."""
        selection = self._shown.selection
        if selection.range is None:
            self._say("no range to zoom to: drag over a timeline, or set one with [ and ]")
            return
        t0, t1 = selection.range
        self._shown.choose(selection.with_(axis=(t0, max(t1, t0 + LEAST_ZOOM_NS))))

    def zoom(self, t_ns: int, factor: float) -> None:
        """Zoom the time axis around a moment."""
        view, selection = self._shown.view, self._shown.selection
        if view is None:
            return
        start = view.status.t_start_ns
        least = 0 if self._shown.replayed else TIMELINE_MIN_NS
        whole = (start, max(choosing.shown_end(view), start + least))
        axis = zoomed_axis(selection.axis or view.axis, t_ns, factor, whole)
        self._shown.choose(selection.with_(axis=axis))
