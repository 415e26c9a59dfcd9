"""Gates on kinds of alerts: which one an alert fails, and which had no chance to be judged.

That no alert was raised is no good verdict where none could have been, or where a mark says that
it may yet be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from perftui.probes.detect.registry import DETECTORS
from perftui.probes.text.units import format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEEDS_CALLS = ("cold_start", "no_steady_state")
_NEEDS_ROWS = ("streaming_violation", "throughput_decay")
_NEEDS_PHASE = ("io_wait",)

_TOLD_AS = {"streaming_violation": "mem_growth"}
"""An alert that is told in the place of another: one cause, one alert, and both gates."""
_UNDECIDED = ("mem_growth", "cpu_contention")
"""Kinds whose marks are no verdict: a growth that slows without a ceiling, others at the cores."""


class Told(Protocol):
    """An alert or a mark, however it is kept."""

    @property
    def kind(self) -> str:
        """As in the registry."""
        ...

    @property
    def severity(self) -> str:
        """Such as info."""
        ...

    @property
    def message(self) -> str:
        """With its numbers."""
        ...


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
        elif kind == "oom_risk" and not seen.limit:
            reasons[kind] = "no memory limit is known"
        elif seen.duration_s < needs_s:
            took, takes = format_seconds(seen.duration_s), format_seconds(needs_s)
            reasons[kind] = f"too short ({took}; it takes {takes})"
    return reasons


def gates_of(kind: str, kinds: Iterable[str]) -> list[str]:
    """Return those of `kinds` that an alert of `kind` fails."""
    return [gate for gate in kinds if gate in (kind, _TOLD_AS.get(kind))]


def undecided(kinds: Iterable[str], told: Iterable[Told]) -> dict[str, str]:
    """Return why not, for each of `kinds` of which a mark leaves open what it is."""
    open_kinds = [kind for kind in kinds if kind in _UNDECIDED]
    return {
        mark.kind: mark.message
        for mark in told
        if mark.severity == "info" and mark.kind in open_kinds
    }
