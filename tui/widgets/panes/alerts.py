"""The Alerts tab: what the detectors found and the spikes, and all about the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from perftui.probes.detect.spikes.spike import what_rose, where_it_was
from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.tui.picture.choosing import shown_end
from perftui.tui.text.alerts import newest_first
from perftui.tui.text.fit import clean
from perftui.tui.text.severity import SIGNS
from perftui.tui.widgets.charts.time_axis import moment_text
from perftui.tui.widgets.draw.bare import Pile
from perftui.tui.widgets.panes.alert_cards import TONES, alert_card, spike_card
from perftui.tui.widgets.panes.card import Card, CardLine
from perftui.tui.widgets.tables.table import Column, Row, Section, Table

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from textual import events
    from textual.app import ComposeResult

    from perftui.probes.detect.spikes.spike import Spike
    from perftui.probes.spine.records import Alert
    from perftui.tui.picture.view import View

_ALERT_COLUMNS = (
    Column("alert", 22),
    Column("severity", 9),
    Column("onset", 9, right=True, tone="dim"),
    Column("told after", 10, right=True, rank=3, tone="dim"),
    Column("lasts", 12, right=True, rank=1),
    Column("state", 9, rank=2, tone="dim"),
    Column("what", words=True),
)
_SPIKE_COLUMNS = (
    Column("spike", 9),
    Column("at", 9, right=True, tone="dim"),
    Column("what rose", words=True),
    Column("where", 52, rank=4, tone="dim", words=True),
)


class AlertsPane(Pile):
    """Lists and card; enter lays the span of the chosen one against the time before it."""

    DEFAULT_CSS = """
    AlertsPane {
        height: 1fr;
        width: 1fr;
    }
    """

    class Chosen(Message):
        """An alert was opened."""

        def __init__(self, alert: Alert) -> None:
            super().__init__()
            self.alert = alert

    class SpikeChosen(Message):
        """A spike was opened."""

        def __init__(self, spike: Spike) -> None:
            super().__init__()
            self.spike = spike

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.list = AlertList()
        self.card = Card()

    def compose(self) -> ComposeResult:
        """Yield the two parts."""
        yield self.list
        yield self.card

    def show(self, view: View) -> None:
        """Show another picture."""
        self.list.show(view)
        self.card.tell(self.list.said())
        self._share_height()
        self.list.reveal()

    def on_resize(self, event: events.Resize) -> None:
        """Share the height."""
        self._share_height()

    def _share_height(self) -> None:
        """Give the card what it needs, but not more than the list leaves or half of it all."""
        height, width = self.size.height, self.size.width
        spare = height - self.list.needed_rows()
        rows = min(self.card.rows_for(width), max(spare, height // 2))
        self.card.display = rows > 0
        if rows > 0:
            self.card.styles.height = rows

    def on_table_moved(self, message: Table.Moved) -> None:
        """Tell about the row that the cursor went to."""
        message.stop()
        self.list.cursor = message.key
        self.card.tell(self.list.said())
        self._share_height()


class AlertList(Table):
    """Alerts, the oldest first; below them spikes, the newest first."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view: View | None = None
        self._alerts: dict[Hashable, Alert] = {}
        self._spikes: dict[Hashable, Spike] = {}
        self._revealed: tuple[Hashable | None, int] | None = None
        """What was scrolled to, and in how many rows."""

    def show(self, view: View) -> None:
        """Show another picture."""
        self._view = view
        wanted = view.selection.filter.lower()
        alerts = [
            alert
            for alert in view.alerts
            if wanted in f"{alert.kind.replace('_', ' ')} {alert.message}".lower()
        ]
        spikes = [
            spike
            for spike in reversed(view.spikes)
            if wanted in f"spike {what_rose(spike)} {where_it_was(spike)}".lower()
        ]
        self._alerts = {(alert.kind, alert.t_onset_ns): alert for alert in alerts}
        self._spikes = {("spike", spike.t0_ns): spike for spike in spikes}
        keys, spike_keys = list(self._alerts), list(self._spikes)
        self.fill(
            [
                Section(_ALERT_COLUMNS, keys, lambda n: _alert_row(self._alerts[keys[n]], view), 2),
                Section(
                    _SPIKE_COLUMNS,
                    spike_keys,
                    lambda n: _spike_row(self._spikes[spike_keys[n]], view),
                ),
            ],
            head=_head(alerts, spikes),
            empty=_why_empty(view),
        )

    def on_resize(self, event: events.Resize) -> None:
        """Keep the row in view that the card tells about."""
        self._revealed = None
        self.reveal()

    def reveal(self) -> None:
        """Scroll to the row that the card tells about, once: what a person scrolls to stays."""
        key, at = self.described, (self.described, self.size.height)
        y = self._where.get(key) if key is not None else None
        if y is not None and at != self._revealed:
            self._revealed = at
            self.top = max(min(self.top, y), y - self.page() + 1, 0)
            self.redraw()

    def needed_rows(self) -> int:
        """Return the rows that head and all rows take."""
        return self.line_count() + self._fixed()

    @property
    def described(self) -> Hashable | None:
        """The row that the card tells about: the chosen one, else what counts most now."""
        if self.cursor is not None:
            return self.cursor
        told = [a for a in self._alerts.values() if a.severity != "info"]
        running = [a for a in told if a.t_clear_ns is None]
        if running or told:
            last = (running or told)[-1]
            return last.kind, last.t_onset_ns
        return next(iter(self._spikes), None)

    def said(self) -> Sequence[CardLine]:
        """Return what the card says: about the chosen row, else about what counts most now."""
        view = self._view
        if view is None:
            return ()
        key = self.described
        if key in self._alerts:
            return alert_card(self._alerts[key], view)
        return spike_card(self._spikes[key], view) if key in self._spikes else ()

    def activate(self, key: Hashable) -> None:
        """Tell what was opened."""
        if key in self._alerts:
            self.post_message(AlertsPane.Chosen(self._alerts[key]))
        elif key in self._spikes:
            self.post_message(AlertsPane.SpikeChosen(self._spikes[key]))


def _head(alerts: Sequence[Alert], spikes: Sequence[Spike]) -> tuple[str, str]:
    if not alerts and not spikes:
        return "", ""
    words = []
    loud = sum(alert.severity != "info" for alert in alerts)
    if alerts:
        words.append(f"{loud} {'alert' if loud == 1 else 'alerts'}")
    if len(alerts) > loud:
        marks = len(alerts) - loud
        words.append(f"{marks} {'mark' if marks == 1 else 'marks'}")
    if spikes:
        words.append(f"{len(spikes)} {'spike' if len(spikes) == 1 else 'spikes'}")
    running = sum(1 for alert in alerts if alert.t_clear_ns is None)
    rest = [f"{running} not cleared" if running else "all cleared"] if alerts else []
    rest.append("enter shows the span against the time before")
    return ", ".join(words), " · ".join(rest)


def _apart(span: tuple[int, int], view: View) -> bool:
    """Tell whether a span lies outside the chosen range."""
    chosen = view.selection.range
    return chosen is not None and (span[0] >= chosen[1] or span[1] <= chosen[0])


def _alert_row(alert: Alert, view: View) -> Row:
    end = shown_end(view) if alert.t_clear_ns is None else alert.t_clear_ns
    lasts = format_seconds(max(end - alert.t_onset_ns, 0) / NS_PER_S)
    running = alert.t_clear_ns is None
    tone = TONES.get(alert.severity, "text") if running else "dim"
    return Row(
        (
            f"{SIGNS.get(alert.severity, '·')} {clean(alert.kind).replace('_', ' ')}",
            alert.severity,
            moment_text(view.seconds(alert.t_onset_ns)),
            format_seconds(max(alert.t_detect_ns - alert.t_onset_ns, 0) / NS_PER_S),
            f"{lasts} …" if running else lasts,
            "goes on" if running else "cleared",
            newest_first(alert.message),
        ),
        ("dim",) * 7
        if _apart((alert.t_onset_ns, end), view)
        else (tone, tone, "", "", "strong" if running else "", tone if running else ""),
    )


def _spike_row(spike: Spike, view: View) -> Row:
    apart = _apart((spike.t0_ns, spike.t1_ns), view)
    return Row(
        (
            f"▾ {'memory' if spike.kind == 'rss' else 'CPU'}",
            moment_text(view.seconds(spike.t0_ns)),
            what_rose(spike),
            where_it_was(spike),
        ),
        ("dim",) * 4 if apart else ("warm" if spike.kind == "rss" else "cool",),
    )


def _why_empty(view: View) -> tuple[str, ...]:
    if view.alerts or view.spikes:
        return (f'nothing here matches "{clean(view.selection.filter)}"', "esc clears the filter")
    if view.status.state in ("starting", "live"):
        return ("no alert so far", "detectors watch memory growth, streaming, start-up and waiting")
    return ("no alerts: nothing in this session met what the detectors look for",)
