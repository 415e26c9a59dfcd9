"""What formats of sums say of a stack: five values, by phase and by what the thread did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.export.material.pieces import pieces

if TYPE_CHECKING:
    from perftui.probes.export.material.phases import PhaseClock
    from perftui.probes.export.material.pieces import Doing
    from perftui.probes.export.material.timeline import ThreadTimeline

SAMPLE_TYPES = (
    ("cpu", "nanoseconds"),
    ("wall", "nanoseconds"),
    ("grown", "bytes"),
    ("waiting", "nanoseconds"),
    ("touched", "bytes"),
)


def sums_of(thread: ThreadTimeline, clock: PhaseClock) -> dict[tuple[int, str, Doing], list[int]]:
    """Return values by stack, innermost phase and what was done; phases cut what lies across."""
    sums: dict[tuple[int, str, Doing], list[int]] = {}
    for span in (*thread, *thread.beside):
        memory = span.grown_bytes, span.touched_bytes
        for number, piece in enumerate(pieces(span)):
            cpu = span.cpu_ns if piece.doing == "running" else 0
            grown, touched = (0, 0) if number else memory
            left = [cpu, piece.ns, grown, max(piece.ns - cpu, 0), touched]
            whole = span.t1_ns - span.t0_ns
            for part_ns, phase in clock.parts(thread.pid, span.t0_ns, span.t1_ns):
                values = sums.setdefault((span.stack, phase, piece.doing), [0] * len(left))
                for index, amount in enumerate(left):
                    # What is left over goes with the last part, so that nothing is lost.
                    share = amount if part_ns == whole else amount * part_ns // whole
                    values[index] += share
                    left[index] = amount - share
                whole -= part_ns
    return sums
