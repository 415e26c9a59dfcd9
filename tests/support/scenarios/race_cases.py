"""Figures and growth of races that nobody ran."""

from __future__ import annotations

from typing import Any

from perftui.scenarios.race.figures import NOTHING, Figures

COLLECTED = NOTHING._replace(
    began_s=0.4,
    done=True,
    rows=6.25e6,
    base=110_000_000,
    first_row=0.48,
    peak=360e6,
    rate=1.52e6,
    total=4.1,
    kept=57.6,
    released=98e6,
)
STREAMED = COLLECTED._replace(
    first_row=0.03, peak=92e6, rate=1.6e6, total=3.9, kept=11.2, released=70e6
)
COLLECT_POINTS = (
    (1.0, 360.3e6),
    (0.125, 119.6e6),
    (0.25, 162e6),
    (0.25, 159.6e6),
    (0.125, 118.7e6),
)
STREAM_POINTS = ((1.0, 92.7e6), (0.125, 68.2e6), (0.25, 72.6e6), (0.25, 76.8e6), (0.125, 68.5e6))


def figures(**changes: Any) -> Figures:
    """What collecting took, with some figures changed."""
    return COLLECTED._replace(**changes)
