"""Gates on kinds of alerts: which one an alert fails, and which had no chance to be judged.

That no alert was raised is no good verdict where none could have been, or where a mark says that
it may yet be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from perftui.probes.detect.evidence.growth import increments
from perftui.probes.detect.evidence.peers import LEAST_PEERS
from perftui.probes.detect.registry import DETECTORS
from perftui.probes.text.units import format_bytes, format_seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_NEEDS_CALLS = ("cold_start", "no_steady_state")
_NEEDS_ROWS = ("streaming_violation", "throughput_decay")
_NEEDS_PHASE = ("io_wait",)
_NEEDS_PEERS = ("straggler", "lone_growth", "memory_skew")

_TOLD_AS = {"streaming_violation": "mem_growth"}
"""An alert that is told in the place of another: one cause, one alert, and both gates."""
_UNDECIDED = ("mem_growth", "cpu_contention")
"""Kinds whose marks are no verdict: a growth that slows without a ceiling, others at the cores."""

END_S = 8.0
"""Growth of so many seconds may be the beginning of a leak, and is too young to be told."""
END_BLOCKS = 8
END_LEAST_BYTES, END_LEAST_PART = 4e6, 0.05
"""What rose by less up to the end, or by a smaller part, is as little as what goes unnoticed."""


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
    agent: bool = True
    """The program was launched, and the agent in it looks at its event loops."""
    alike: bool = True
    """There were processes enough to hold one against the others."""
    rose_bytes: float = 0.0
    """By how much memory rose over the last `END_S`, if it rose all along."""


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
        elif kind == "gc_pressure" and not seen.agent:
            reasons[kind] = "nobody timed collections from inside of a launched program"
        elif kind in _NEEDS_PEERS and not seen.alike:
            reasons[kind] = f"there were no {LEAST_PEERS} processes that are alike"
        elif kind == "oom_risk" and not seen.limit:
            reasons[kind] = "no memory limit is known"
        elif seen.duration_s < needs_s:
            took, takes = format_seconds(seen.duration_s), format_seconds(needs_s)
            reasons[kind] = f"too short ({took}; it takes {takes})"
        elif kind == "mem_growth" and seen.rose_bytes:
            grown, span = format_bytes(seen.rose_bytes), format_seconds(END_S)
            reasons[kind] = (
                f"RSS rose up to the end (+{grown} in the last {span}), too short a time"
            )
    return reasons


def rose_to_end(floors: Sequence[float | None] | None) -> float:
    """Return by how much the last `END_BLOCKS` floors rose, 0 if not nearly all of them did."""
    known = [floor for floor in floors or () if floor is not None]
    if len(known) < END_BLOCKS:
        return 0.0
    steps, grown = increments(known), known[-1] - known[0]
    if grown < max(END_LEAST_BYTES, END_LEAST_PART * known[0]):
        return 0.0
    up = sum(step > grown / len(steps) / 4 for step in steps)
    return grown if up >= len(steps) - 1 and steps[-1] > 0 else 0.0


def gates_of(kind: str, kinds: Iterable[str]) -> list[str]:
    """Return those of `kinds` that an alert of `kind` fails."""
    return [gate for gate in kinds if gate in (kind, _TOLD_AS.get(kind))]


def undecided(kinds: Collection[str], told: Iterable[Told]) -> dict[str, str]:
    """Return why not, for each of `kinds` that was not raised and of which it is left open."""
    reasons = {}
    for each in told:
        if each.severity == "info":
            if each.kind in _UNDECIDED and each.kind in kinds:
                reasons[each.kind] = each.message
        elif each.kind == "oom_risk" and "mem_growth" in kinds:
            reasons["mem_growth"] = "oom_risk was told in its place"
    return reasons
