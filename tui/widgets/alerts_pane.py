"""The Alerts tab: what the detectors found, when, and what they say about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from perftui.probes.units import NS_PER_S, format_seconds
from perftui.tui.choosing import shown_end
from perftui.tui.text import clean
from perftui.tui.widgets.table import Column, Row, Section, Table
from perftui.tui.widgets.time_axis import moment_text

if TYPE_CHECKING:
    from collections.abc import Hashable

    from perftui.probes.records import Alert
    from perftui.tui.view import View

_COLUMNS = (
    Column("alert", 22),
    Column("severity", 9),
    Column("onset", 9, right=True, tone="dim"),
    Column("told after", 10, right=True, rank=3, tone="dim"),
    Column("lasts", 16, right=True, rank=1),
    Column("what", words=True),
    Column("evidence", 44, rank=4, tone="dim", words=True),
)
_TONES = {"critical": "bad", "warn": "warm", "info": "dim"}
_SIGNS = {"critical": "▲", "warn": "▲", "info": "·"}


class AlertsPane(Table):
    """Alerts of the time axis, the oldest first; enter selects the span of one."""

    class Chosen(Message):
        """An alert was opened."""

        def __init__(self, alert: Alert) -> None:
            super().__init__()
            self.alert = alert

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self._alerts: dict[Hashable, Alert] = {}

    def show(self, view: View) -> None:
        """Show another picture."""
        self._view = view
        wanted = view.selection.filter.lower()
        alerts = [
            alert
            for alert in view.alerts
            if wanted in f"{alert.kind.replace('_', ' ')} {alert.message}".lower()
        ]
        self._alerts = {(alert.kind, alert.t_onset_ns): alert for alert in alerts}
        keys = list(self._alerts)
        running = sum(1 for alert in alerts if alert.t_clear_ns is None)
        word = "alert" if len(alerts) == 1 else "alerts"
        rest = f"{running} not cleared" if running else "all cleared"
        self.fill(
            [Section(_COLUMNS, keys, lambda n: _row(self._alerts[keys[n]], view), 2)],
            head=(f"{len(alerts)} {word}" if alerts else "", f"{rest} · enter selects the span"),
            empty=_why_empty(view),
        )

    def activate(self, key: Hashable) -> None:
        """Tell which alert was opened."""
        alert = self._alerts.get(key)
        if alert is not None:
            self.post_message(self.Chosen(alert))


def _row(alert: Alert, view: View) -> Row:
    end = shown_end(view) if alert.t_clear_ns is None else alert.t_clear_ns
    lasts = format_seconds(max(end - alert.t_onset_ns, 0) / NS_PER_S)
    chosen = view.selection.range
    apart = chosen is not None and (alert.t_onset_ns >= chosen[1] or end <= chosen[0])
    tone = _TONES.get(alert.severity, "text")
    return Row(
        (
            f"{_SIGNS.get(alert.severity, '·')} {clean(alert.kind).replace('_', ' ')}",
            alert.severity,
            moment_text(view.seconds(alert.t_onset_ns)),
            format_seconds(max(alert.t_detect_ns - alert.t_onset_ns, 0) / NS_PER_S),
            f"{lasts} …" if alert.t_clear_ns is None else lasts,
            alert.message,
            alert.evidence,
        ),
        ("dim",) * 7 if apart else (tone, tone, "", "", "strong" if not alert.t_clear_ns else ""),
    )


def _why_empty(view: View) -> tuple[str, ...]:
    if view.alerts:
        return (f'no alert matches "{clean(view.selection.filter)}"', "esc clears the filter")
    if view.status.state in ("starting", "live"):
        return ("no alert so far", "detectors watch memory growth, streaming, start-up and waiting")
    return ("no alerts: nothing in this session met what the detectors look for",)
