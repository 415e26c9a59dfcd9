"""Several threads as one: those of a pool that all work, or all that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.profile.thread_groups import name_pattern
from perftui.probes.spine.reader import ThreadTree, Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ALIKE_SHARE = 0.1
"""Of threads alike, one works with the hottest when it has this share of its heat."""


def groups_alike(stacks: Iterable[ThreadTree]) -> list[tuple[ThreadTree, ...]]:
    """Put threads together whose process and name pattern are the same."""
    groups: dict[tuple[int, str], list[ThreadTree]] = {}
    for stack in stacks:
        groups.setdefault((stack.pid, name_pattern(stack.name)), []).append(stack)
    return [tuple(group) for group in groups.values()]


def working(
    group: Sequence[ThreadTree], heat: Callable[[ThreadTree], float]
) -> tuple[ThreadTree, ...]:
    """Return threads alike, the hottest first, if many of them work; else the hottest alone.

    Where one works and the others of its name wait, the one is the story.

    Args:
        group: At least one thread.
        heat: How much a thread has of what is looked for.
    """
    ranked = tuple(sorted(group, key=heat, reverse=True))
    least = ALIKE_SHARE * heat(ranked[0])
    many = len(ranked) > 1 and heat(ranked[1]) > 0 and heat(ranked[1]) >= least
    return ranked if many else ranked[:1]


def merged(stacks: Sequence[ThreadTree], name: str) -> ThreadTree:
    """Add threads up as if they were one; pid and tid are those of the first."""
    cells: dict[int, list[int]] = {}
    for stack in stacks:
        for node, weights in stack.self_by_node.items():
            cell = cells.get(node)
            if cell is None:
                cells[node] = list(weights)
            else:
                for index, value in enumerate(weights):
                    cell[index] += value
    first = stacks[0]
    reasons = {stack.waiting for stack in stacks}
    return ThreadTree(
        first.pid,
        first.tid,
        name,
        sum(stack.wall_ns for stack in stacks),
        sum(stack.cpu_ns for stack in stacks),
        sum(stack.grown_bytes for stack in stacks),
        {node: Weights(*cell) for node, cell in cells.items()},
        first.waiting if len(reasons) == 1 else "",
    )
