"""A stay in one stack, cut into what the thread did there: it ran, or waited for something.

The order within a stay is not known (it is a sampling interval long): it runs first, then waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.recording.read.intervals import WAITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.export.material.timeline import StackSpan

Doing = Literal["running", "queue", "gil", "lock", "io", "sleep", "child", "other"]
"""`other`: it waited, for what is not known."""
WAITING: dict[Doing, str] = {
    "queue": "waiting for a CPU",
    "gil": "waiting for the GIL",
    "lock": "waiting for a lock",
    "io": "waiting for I/O",
    "sleep": "sleeping",
    "child": "waiting for a child process",
    "other": "waiting",
}
_KINDS: tuple[Doing, ...] = tuple(
    kind for name in WAITS for kind in WAITING if name == f"{kind}_ns"
)


class StayPiece(NamedTuple):
    """A part of a stay."""

    doing: Doing
    t0_ns: int
    t1_ns: int
    """Its part of the stay by the clock."""
    ns: int
    """What it counts."""


def pieces(span: StackSpan) -> Iterator[StayPiece]:
    """Yield what a thread did in a stay, nothing twice; the sum is its wall time.

    A stay of which the kinds are not known is one piece, "running".
    """
    amounts: list[tuple[Doing, int]] = []
    if span.waits_ns:
        amounts = [("running", span.cpu_ns), *zip(_KINDS, span.waits_ns, strict=True)]
        left = span.wall_ns
        for index, (doing, ns) in enumerate(amounts):  # each was rounded for itself
            amounts[index] = doing, min(ns, left)
            left -= amounts[index][1]
        amounts = [(doing, ns) for doing, ns in (*amounts, ("other", left)) if ns > 0]
    if not amounts:
        yield StayPiece("running", span.t0_ns, span.t1_ns, span.wall_ns)
        return
    begin, done = span.t0_ns, 0
    for doing, ns in amounts:
        done += ns
        end = span.t0_ns + (span.t1_ns - span.t0_ns) * done // span.wall_ns
        yield StayPiece(doing, begin, end, ns)
        begin = end
