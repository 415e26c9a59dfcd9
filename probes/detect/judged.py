"""Which kinds of alerts had no chance to be found: no alert is no good verdict then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.detect.registry import DETECTORS
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEEDS_CALLS = ("cold_start", "no_steady_state")
_NEEDS_ROWS = ("streaming_violation", "throughput_decay")
_NEEDS_PHASE = ("io_wait",)


class Seen(NamedTuple):
    """What the detectors were fed with."""

    duration_s: float
    calls: bool
    """`perftui.call` was used."""
    counts: bool
    """`perftui.count` or `perftui.watch` was used."""
    phases: bool
    limit: bool
    """A memory limit is known."""
    patient: bool = True
    """As of the engine."""
    agent: bool = True
    """The program was launched, and the agent in it looks at its event loops."""


def unjudged(kinds: Iterable[str], seen: Seen) -> dict[str, str]:
    """Return why not, for each of `kinds` that nothing could have raised."""
    reasons = {}
    for kind in kinds:
        needs_s = DETECTORS[kind].needs_s
        if not seen.patient:
            needs_s = DETECTORS[kind].needs_impatient_s or needs_s
        if kind in _NEEDS_CALLS and not seen.calls:
            reasons[kind] = "no call was timed with perftui.call"
        elif kind in _NEEDS_ROWS and not seen.counts:
            reasons[kind] = "nothing was counted with perftui.count or perftui.watch"
        elif kind in _NEEDS_PHASE and not seen.phases:
            reasons[kind] = "no perftui.phase was entered"
        elif kind == "loop_blocked" and not seen.agent:
            reasons[kind] = "nobody looked at event loops from inside of a launched program"
        elif kind == "oom_risk" and not seen.limit:
            reasons[kind] = "no memory limit is known"
        elif seen.duration_s < needs_s:
            took, takes = format_seconds(seen.duration_s), format_seconds(needs_s)
            reasons[kind] = f"too short ({took}; it takes {takes})"
    return reasons
