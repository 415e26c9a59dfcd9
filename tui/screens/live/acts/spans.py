"""Alerts and spikes on the live screen: their spans, laid against the time before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.picture import choosing
from perftui.tui.picture.against import AT_START, NO_RANGE, time_before
from perftui.tui.widgets.bars.banner import alert_to_show

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.detect.spikes.spike import Spike
    from perftui.probes.spine.records import Alert
    from perftui.tui.screens.live.acts.player import Player
    from perftui.tui.screens.live.acts.session_thread import Say
    from perftui.tui.screens.live.acts.shown import Shown


class AlertSpans:
    """Goes to the spans of alerts and spikes.

    Args:
        shown: What is on the screen.
        player: Stands still once a span is shown.
        say: Answers a key.
        open_flame: Opens the tab that shows a span against the time before it.
    """

    def __init__(
        self, shown: Shown, player: Player, say: Say, open_flame: Callable[[], None]
    ) -> None:
        self._shown = shown
        self._player = player
        self._say = say
        self._open_flame = open_flame
        self._visited: set[tuple[str, int]] = set()
        """Alerts that a person has gone to, by kind and onset: Enter is free again."""

    @property
    def in_banner(self) -> Alert | None:
        """The alert in the banner, unless the person went to it already."""
        view = self._shown.chosen_view
        alert = None if view is None else alert_to_show(view)
        if alert is None or (alert.kind, alert.t_onset_ns) in self._visited:
            return None
        return alert

    @property
    def spike_here(self) -> Spike | None:
        """The spike that the cursor was put on."""
        at = self._shown.selection.cursor_ns
        spikes = () if self._shown.view is None else self._shown.view.spikes
        return next((spike for spike in spikes if spike.t0_ns == at), None)

    @property
    def any_here(self) -> bool:
        """Whether there is a span to go to."""
        return self.in_banner is not None or self.spike_here is not None

    def show_here(self) -> None:
        """Show the span of the spike at the cursor, else of the alert in the banner."""
        spike, view = self.spike_here, self._shown.chosen_view
        alert = None if view is None else alert_to_show(view)
        if spike is not None:
            self.show_spike(spike)
        elif alert is not None:
            self.show_alert(alert)

    def show_alert(self, alert: Alert) -> None:
        """Lay the span of an alert against the time before it."""
        if self._shown.view is not None:
            self._visited.add((alert.kind, alert.t_onset_ns))
            end = alert.t_clear_ns or choosing.shown_end(self._shown.view)
            self._show(alert.kind, (alert.t_onset_ns, end))

    def show_spike(self, spike: Spike) -> None:
        """Lay the span of a spike against the time before it."""
        self._show(spike.kind, (spike.t0_ns, spike.t1_ns))

    def _show(self, kind: str, span: tuple[int, int]) -> None:
        self._player.stop()
        self._shown.choose(choosing.with_span(self._shown.selection, kind, span))
        self._open_flame()
        self._say_if_at_start()

    def against(self) -> None:
        """Lay the range against the time before it, or show the plain flame again."""
        view, selection = self._shown.chosen_view, self._shown.selection
        if view is None:
            return
        if not selection.against and not view.narrowed:
            self._say(NO_RANGE)
            return
        self._shown.choose(selection.with_(against=not selection.against))
        self._open_flame()
        self._say_if_at_start()

    def _say_if_at_start(self) -> None:
        """Say why the plain flame is shown where there is no time before."""
        view, selection = self._shown.view, self._shown.selection
        if view is None or selection.range is None or not selection.against:
            return
        if time_before(selection.range, view.status.t_start_ns) is None:
            self._say(AT_START)
