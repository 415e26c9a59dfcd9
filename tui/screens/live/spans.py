"""Alerts and spikes on the live screen: their spans, laid against the time before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.tui.picture import choosing
from perftui.tui.picture.against import AT_START, NO_RANGE, time_before
from perftui.tui.screens.live.time import TimeActions
from perftui.tui.terminal.app import TerminalApp
from perftui.tui.widgets.bars.banner import Banner, alert_to_show

if TYPE_CHECKING:
    from perftui.probes.detect.spikes.spike import Spike
    from perftui.probes.spine.reader import Reader
    from perftui.probes.spine.records import Alert
    from perftui.tui.session.notify import How, Notifier
    from perftui.tui.widgets.panes.alerts import AlertsPane


class SpanActions(TimeActions):
    """One part of the live screen; `LiveScreen` has it all."""

    _shown_alerts: set[tuple[str, int]]
    """Alerts that a person has gone to: Enter is free again."""

    notifier: Notifier

    def open_tab(self, name: str) -> None:
        """Show the pane of a tab."""
        raise NotImplementedError

    def _alert_to_show(self) -> tuple[int, int] | None:
        """Return the span of the alert in the banner unless a person went to it already."""
        alert = None if self.view is None else alert_to_show(self._chosen_view(self.view))
        if self.view is None or alert is None:
            return None
        start = alert.t_onset_ns
        if (alert.kind, start) in self._shown_alerts:
            return None
        return start, max(alert.t_clear_ns or choosing.shown_end(self.view), start + 1)

    def _spike_here(self) -> Spike | None:
        """Return the spike that the cursor was put on."""
        at = self.selection.cursor_ns
        spikes = () if self.view is None else self.view.spikes
        return next((spike for spike in spikes if spike.t0_ns == at), None)

    def action_show_alert(self) -> None:
        """Show the span of the spike at the cursor, else of the alert in the banner."""
        spike = self._spike_here()
        if spike is not None:
            self.show_against(spike.kind, (spike.t0_ns, spike.t1_ns))
            return
        alert = None if self.view is None else alert_to_show(self._chosen_view(self.view))
        if self.view is not None and alert is not None:
            self._show_span_of(alert)

    def _show_span_of(self, alert: Alert) -> None:
        """Lay the span of an alert against the time before it."""
        if self.view is not None:
            self._shown_alerts.add((alert.kind, alert.t_onset_ns))
            end = alert.t_clear_ns or choosing.shown_end(self.view)
            self.show_against(alert.kind, (alert.t_onset_ns, end))

    def show_against(self, kind: str, span: tuple[int, int]) -> None:
        """Show the flame of a span against the time before it."""
        self.play.stop()
        self.choose(choosing.with_span(self.selection, kind, span))
        self.open_tab("Flame")
        self._say_if_at_start()

    def _say_if_at_start(self) -> None:
        """Say why the plain flame is shown where there is no time before."""
        chosen = self.selection.range
        if self.view is None or chosen is None or not self.selection.against:
            return
        if time_before(chosen, self.view.status.t_start_ns) is None:
            self.say(AT_START)

    def action_against(self) -> None:
        """Lay the range against the time before it, or show the plain flame again."""
        if self.view is None:
            return
        if not self.selection.against and not self._chosen_view(self.view).narrowed:
            self.say(NO_RANGE)
            return
        self.choose(self.selection.with_(against=not self.selection.against))
        self.open_tab("Flame")
        self._say_if_at_start()

    # -- telling a person who looks elsewhere ------------------------------------------------

    async def look_for_news(self) -> None:
        """Tell of new alerts of a live session, if that is wanted."""
        if self.view is not None and not self.replayed and self.notifier.how != "off":
            await self._take_news()

    async def _take_news(self) -> None:
        """Ask on the worker thread, write to the terminal between two pictures."""
        await self._asked_reader(lambda reader: self.notifier.take(_all_alerts(reader)))
        for sequence in self.notifier.sequences():
            if isinstance(self.app, TerminalApp):
                self.app.send(sequence)

    async def action_tell_alerts(self, how: How) -> None:
        """Change how new alerts are told; what there is already is not told again."""
        self.notifier.how = "off"
        await self._take_news()
        self.notifier.how = how
        said = {
            "off": "new alerts are told on this screen only",
            "bell": "new alerts of severity warn and critical ring the bell",
            "desktop": "new alerts of severity warn and critical become desktop notifications",
        }
        self.say(said[how])

    # -- messages --------------------------------------------------------------------------

    def on_banner_pressed(self, message: Banner.Pressed) -> None:
        """Answer a click as Enter."""
        self.action_show_alert()

    def on_alerts_pane_chosen(self, message: AlertsPane.Chosen) -> None:
        """Select the span of an alert of the list."""
        self._show_span_of(message.alert)

    def on_alerts_pane_spike_chosen(self, message: AlertsPane.SpikeChosen) -> None:
        """Show the span of a spike of the list."""
        spike = message.spike
        self.show_against(spike.kind, (spike.t0_ns, spike.t1_ns))


def _all_alerts(reader: Reader) -> tuple[Alert, ...]:
    status = reader.status()
    return reader.alerts(status.t_start_ns, status.t_end_ns + 1)
