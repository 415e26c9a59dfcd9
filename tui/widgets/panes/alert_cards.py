"""Alerts and spikes in full sentences, for the card below their list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.detect.spikes.spike import what_grew, what_ran, what_rose, where_it_was
from perftui.probes.text.units import NS_PER_S, format_seconds
from perftui.tui.text.fit import clean
from perftui.tui.text.severity import SIGNS
from perftui.tui.widgets.charts.time_axis import moment_text
from perftui.tui.widgets.panes.card import CardLine

if TYPE_CHECKING:
    from perftui.probes.detect.spikes.spike import Spike
    from perftui.probes.spine.records import Alert
    from perftui.tui.picture.view import View

TONES = {"critical": "bad", "warn": "warm", "info": "dim"}
_HEADS = ("ruled out", "code", "cleared")
"""Beginnings of clauses of the evidence that get the place of a heading."""
_OF_CODE = ("code: ", "measured at entry and exit: ", "held by ", "touched by ")
"""Beginnings of those that name the program's own code: a small terminal shows the first lines."""


def alert_card(alert: Alert, view: View) -> list[CardLine]:
    """Say all that is known of an alert."""
    onset = moment_text(view.seconds(alert.t_onset_ns))
    told = format_seconds(max(alert.t_detect_ns - alert.t_onset_ns, 0) / NS_PER_S)
    state = "not cleared"
    if alert.t_clear_ns is not None:
        lasted = format_seconds((alert.t_clear_ns - alert.t_onset_ns) / NS_PER_S)
        state = f"cleared at {moment_text(view.seconds(alert.t_clear_ns))}, lasted {lasted}"
    head = f"{SIGNS.get(alert.severity, '·')} {clean(alert.kind).replace('_', ' ')}"
    mark = "a mark only: " if alert.severity == "info" else ""
    lines = [
        CardLine(
            alert.severity,
            f"{head}  {mark}began {onset}, told {told} later, {state}",
            TONES.get(alert.severity, "text"),
        ),
        CardLine("what", alert.message, "strong"),
    ]
    clauses = [part.strip() for part in alert.evidence.split(";")]
    for clause in sorted(clauses, key=lambda clause: not clause.startswith(_OF_CODE)):
        found = next((word for word in _HEADS if clause.startswith(f"{word}: ")), "")
        if clause:
            lines.append(CardLine(found, clause.removeprefix(f"{found}: ") if found else clause))
    return lines


def spike_card(spike: Spike, view: View) -> list[CardLine]:
    """Say all that is known of a spike."""
    at = moment_text(view.seconds(spike.t0_ns))
    until = moment_text(view.seconds(spike.t1_ns))
    lines = [
        CardLine("spike", f"▾ {at} – {until}", "warm"),
        CardLine("rose", what_rose(spike), "strong"),
        CardLine("where", where_it_was(spike)),
    ]
    ran, _, names = what_ran(spike).partition(": ")
    lines.append(CardLine("code", f"{ran}: {names}" if names else ran))
    grew = what_grew(spike)
    if grew:
        lines.append(CardLine("memory", grew.removeprefix("memory ")))
    return lines
