"""One line of progress on stderr, for a person who watches a headless run."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from perftui.probes.text.units import NS_PER_S, format_bytes, format_clock, format_count
from perftui.tui.session.notify import Notifier
from perftui.tui.text.words import columns, tell

if TYPE_CHECKING:
    from perftui.probes.session_parts.base import BaseSession
    from perftui.tui.session.notify import How

_EVERY_S = 0.5
_SPIKES_EVERY_S = 5.0
"""Spikes are looked for while the fine readings are there: they are kept for minutes."""


class Progress:
    """Rewrites one line on a terminal; elsewhere it stays quiet but for notices and phases."""

    def __init__(self, session: BaseSession, notify: How = "off") -> None:
        self._session = session
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._due = time.monotonic() + _EVERY_S
        self._spikes_due = self._due + _SPIKES_EVERY_S
        self._shown = False
        self._told = 0
        self._alerts: set[tuple[str, int, str]] = set()
        self._notifier = Notifier(notify)

    def step(self) -> None:
        """Say where the run stands, twice a second."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _EVERY_S
        self.tell_notices()
        if now >= self._spikes_due:
            self._spikes_due = now + _SPIKES_EVERY_S
            self._session.spikes.advance()
        if not self._terminal:
            return
        store = self._session.store
        status = store.status()
        parts = [format_clock((status.t_end_ns - status.t_start_ns) / NS_PER_S)]
        rss, cpu = store.last("rss_bytes"), store.last("cpu_percent")
        if rss is not None:
            parts.append(f"RSS {format_bytes(rss)}")
        if cpu is not None:
            parts.append(f"CPU {cpu:.0f} %")
        counters = store.counters(status.t_start_ns, status.t_end_ns)[:2]
        parts += [f"{counter.name} {format_count(counter.total)}" for counter in counters]
        phases = store.phases(0, status.t_end_ns)
        parts += [phase.name for phase in phases if phase.t1_ns is None][-1:]
        line = "perftui  " + "  ".join(parts)
        tell(f"\r\x1b[K{line[: columns() - 1]}", end="")
        self._shown = True

    def tell_notices(self) -> None:
        """Print the notices and alerts that have come since the last call."""
        alerts = self._session.store.alerts(0, 1 << 62)
        for alert in alerts:
            key = (alert.kind, alert.t_onset_ns, alert.severity)
            if alert.severity != "info" and key not in self._alerts:
                self._alerts.add(key)
                self.clear()
                kind = alert.kind.replace("_", " ")
                tell(f"perftui: {alert.severity}: {kind}: {alert.message}")
        self._notifier.take(alerts)
        for sequence in self._notifier.sequences():
            if self._terminal:
                tell(sequence, end="")
        notices = self._session.store.status().notices
        for notice in notices[self._told :]:
            self.clear()
            tell(f"perftui: {notice.text}")
        self._told = len(notices)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            tell("\r\x1b[K", end="")
            self._shown = False
