"""Phases as lines of a tree whose shares add up: what no phase accounts for has its own line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from perftui.probes.spine.reader import Phase

GROUP_FROM = 6
"""So many phases of one name below one parent become one line."""
REST_SHARE = 0.005
"""Unaccounted time below this share of its parent is not worth a line."""

Ident = tuple[int, int]
"""(pid, phase id)."""


class PhaseLine(NamedTuple):
    """One line of the tree."""

    key: Hashable
    depth: int
    phase: Phase | None
    """None for a line that stands for several, or for time outside any phase."""
    name: str
    duration_ns: int
    """Inside the range."""
    cpu_s: float | None
    running: bool
    is_now: bool
    open: bool | None
    """Whether a line of several can be closed (True) or opened (False)."""


def phase_lines(
    phases: Sequence[Phase], span: tuple[int, int], opened: Collection[Hashable]
) -> list[PhaseLine]:
    """Lay phases out as lines, in order of time.

    Args:
        phases: As the reader gives them: those that overlap `span`, by start.
        span: The range; times are of the part inside it.
        opened: Keys of lines of several that a person opened.
    """
    known = {(p.pid, p.id) for p in phases}
    children: dict[Ident | None, list[Phase]] = {}
    for phase in phases:
        parent: Ident | None = None
        if phase.parent_id is not None and (phase.pid, phase.parent_id) in known:
            parent = (phase.pid, phase.parent_id)
        children.setdefault(parent, []).append(phase)
    lines: list[PhaseLine] = []
    pending: list[PhaseLine] = []

    def push(parent: Ident | None, depth: int, inside: tuple[int, int]) -> None:
        batch = _level(children.get(parent, []), children, span, depth, opened)
        rest = (inside[1] - inside[0]) - _covered(children.get(parent, []), inside)
        if batch and rest > REST_SHARE * max(inside[1] - inside[0], 1):
            name = "rest" if parent else "outside any phase"
            key = ("rest", parent)
            batch.append(PhaseLine(key, depth, None, name, rest, None, False, False, None))
        pending.extend(reversed(batch))

    push(None, 0, span)
    while pending:
        line = pending.pop()
        lines.append(line)
        if line.phase is not None and children.get((line.phase.pid, line.phase.id)):
            inside = _clip(line.phase, span)
            push((line.phase.pid, line.phase.id), line.depth + 1, inside)
    return lines


def _level(
    phases: Sequence[Phase],
    children: dict[Ident | None, list[Phase]],
    span: tuple[int, int],
    depth: int,
    opened: Collection[Hashable],
) -> list[PhaseLine]:
    """Return the lines of one parent's phases, many of a name as one."""
    by_name: dict[tuple[int, str], list[Phase]] = {}
    for phase in phases:
        by_name.setdefault((phase.pid, phase.name), []).append(phase)
    lines: list[PhaseLine] = []
    for phase in phases:
        group = by_name[(phase.pid, phase.name)]
        if len(group) < GROUP_FROM:
            lines.append(_one(phase, children, span, depth))
            continue
        if phase is not group[0]:
            continue
        key = ("group", phase.pid, phase.parent_id, phase.name)
        lines.append(
            PhaseLine(
                key,
                depth,
                None,
                f"{phase.name} ×{len(group):,}",
                sum(t1 - t0 for t0, t1 in (_clip(p, span) for p in group)),
                _sum_cpu(group),
                any(p.t1_ns is None for p in group),
                False,
                key in opened,
            )
        )
        if key in opened:
            lines += [_one(each, children, span, depth + 1) for each in group]
    return lines


def _one(
    phase: Phase, children: dict[Ident | None, list[Phase]], span: tuple[int, int], depth: int
) -> PhaseLine:
    t0, t1 = _clip(phase, span)
    running = phase.t1_ns is None
    inner = children.get((phase.pid, phase.id), ())
    is_now = running and not any(each.t1_ns is None for each in inner)
    key = (phase.pid, phase.id)
    return PhaseLine(key, depth, phase, phase.name, t1 - t0, phase.cpu_s, running, is_now, None)


def _clip(phase: Phase, span: tuple[int, int]) -> tuple[int, int]:
    t0 = max(phase.t0_ns, span[0])
    return t0, max(min(span[1] if phase.t1_ns is None else phase.t1_ns, span[1]), t0)


def _covered(phases: Sequence[Phase], span: tuple[int, int]) -> int:
    """Return how much of a span phases cover; those of several threads count once."""
    covered = 0
    until = span[0]
    for phase in phases:
        t0, t1 = _clip(phase, span)
        if t1 > until:
            covered += t1 - max(t0, until)
            until = t1
    return covered


def _sum_cpu(phases: Sequence[Phase]) -> float | None:
    known = [phase.cpu_s for phase in phases if phase.cpu_s is not None]
    return sum(known) if known else None
