"""Which phase a moment belongs to: the innermost one of its process."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perftui.probes.export.material.slice import Slice
    from perftui.probes.spine.reader import Phase, Reader


class PhaseClock:
    """Tells the innermost phase of every moment of a part of a recording."""

    def __init__(self, reader: Reader, part: Slice) -> None:
        by_pid: dict[int, list[Phase]] = {}
        for phase in reader.phases(part.t0_ns, part.t1_ns):
            by_pid.setdefault(phase.pid, []).append(phase)
        self._steps = {pid: _steps(phases, part) for pid, phases in by_pid.items()}

    def parts(self, pid: int, t0_ns: int, t1_ns: int) -> Iterator[tuple[int, str]]:
        """Yield (length in ns, phase or "") of the pieces of [t0, t1), in order."""
        edges, names = self._steps.get(pid, ((), ()))
        at = bisect_right(edges, t0_ns) - 1
        while t0_ns < t1_ns:
            end = edges[at + 1] if at + 1 < len(edges) else t1_ns
            until = min(end, t1_ns)
            yield until - t0_ns, names[at] if at >= 0 else ""
            t0_ns = until
            at += 1


def _steps(phases: list[Phase], part: Slice) -> tuple[list[int], list[str]]:
    """Return the moments at which the innermost phase changes, and what it changes to."""
    changes: list[tuple[int, bool, Phase]] = []
    for phase in phases:
        changes.append((phase.t0_ns, True, phase))
        changes.append((part.t1_ns if phase.t1_ns is None else phase.t1_ns, False, phase))
    changes.sort(key=lambda change: (change[0], change[1]))
    running: dict[int, Phase] = {}
    edges: list[int] = []
    names: list[str] = []
    for at_ns, begins, phase in changes:
        if begins:
            running[phase.id] = phase
        else:
            running.pop(phase.id, None)
        inner = max(running.values(), key=lambda p: (p.depth, p.t0_ns, p.id), default=None)
        name = inner.name if inner is not None else ""
        if edges and edges[-1] == at_ns:
            names[-1] = name
        elif not names or names[-1] != name:
            edges.append(at_ns)
            names.append(name)
    return edges, names
