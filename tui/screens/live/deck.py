"""The panes of the live screen, one to a tab: made when their tab is first opened.

What a person chooses in a pane bubbles up to the deck, which hands it to whoever carries it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.screens.live.panes import Pane
from perftui.tui.screens.tab_panes import TabPanes
from perftui.tui.widgets.draw.bare import Tray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.tui.picture.view import View
    from perftui.tui.screens.live.acts.choices import Choices
    from perftui.tui.screens.live.acts.cursor import TimeCursor
    from perftui.tui.screens.live.acts.ranges import Ranges
    from perftui.tui.screens.live.acts.spans import AlertSpans
    from perftui.tui.screens.live.panes import PaneKind
    from perftui.tui.widgets.flame.threads import GroupChosen, ThreadChosen
    from perftui.tui.widgets.panes.alerts import AlertsPane
    from perftui.tui.widgets.panes.heat import HeatPane
    from perftui.tui.widgets.panes.processes import ProcessesPane


class PaneDeck(Tray):
    """Holds the panes; only that of the open tab is seen.

    Args:
        kinds: The tabs that there can be; the first one is open.
        cursor: Hears of moments that are chosen in a pane,
        ranges: of ranges,
        choices: of threads and processes,
        spans: of alerts and spikes.
    """

    def __init__(
        self,
        kinds: Sequence[PaneKind],
        cursor: TimeCursor,
        ranges: Ranges,
        choices: Choices,
        spans: AlertSpans,
    ) -> None:
        super().__init__(id="panes")
        self._cursor = cursor
        self._ranges = ranges
        self._choices = choices
        self._spans = spans
        self.kinds = {kind.name: kind for kind in kinds}
        self.panes = TabPanes(self, kinds[0].name, lambda tab: self.kinds[tab].make())

    @property
    def kind(self) -> PaneKind:
        """What the open tab is."""
        return self.kinds[self.panes.tab]

    def tabs(self, view: View | None) -> tuple[str, ...]:
        """Return the names of the tabs that have something to show, and of the open one."""
        kinds = self.kinds.items()
        return tuple(
            name
            for name, kind in kinds
            if name == self.panes.tab or view is None or kind.has_any(view)
        )

    def show(self, view: View) -> None:
        """Show a picture in the open pane, unless it was taken for another tab."""
        pane = self.panes.attached
        if pane is None or not self.kind.needs <= view.has:
            return
        if isinstance(pane, Pane):
            pane.show(view)

    def seek(self, function: str, file: str) -> None:
        """Have the flame select where a function is called, with the next picture."""
        from perftui.tui.widgets.panes.flame import FlamePane

        pane = self.panes.open_one
        if isinstance(pane, FlamePane):
            pane.flame.seek(function, file)

    # -- messages --------------------------------------------------------------------------

    def on_heat_pane_range_chosen(self, message: HeatPane.RangeChosen) -> None:
        """Take over a range of the heat map."""
        self._ranges.select(message.t0_ns, message.t1_ns)

    def on_heat_pane_moment_chosen(self, message: HeatPane.MomentChosen) -> None:
        """Put the cursor where the heat map says."""
        self._cursor.go(message.t_ns)

    def on_flame_pane_thread_chosen(self, message: ThreadChosen) -> None:
        """Take over a thread of the flame."""
        self._choices.thread((message.pid, message.tid))

    def on_flame_pane_group_chosen(self, message: GroupChosen) -> None:
        """Take over several threads as one."""
        self._choices.group(message.name, message.threads)

    def on_processes_pane_chosen(self, message: ProcessesPane.Chosen) -> None:
        """Show one process alone, or the whole tree again."""
        self._choices.process(message.pid)

    def on_alerts_pane_chosen(self, message: AlertsPane.Chosen) -> None:
        """Show the span of an alert of the list."""
        self._spans.show_alert(message.alert)

    def on_alerts_pane_spike_chosen(self, message: AlertsPane.SpikeChosen) -> None:
        """Show the span of a spike of the list."""
        self._spans.show_spike(message.spike)
