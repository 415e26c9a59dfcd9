"""Whose memory it is by the readings that caught a thread touching it, over a whole range.

A reading meets a fault in the microseconds that it takes, so each function is caught in proportion
to what it faults, whatever else the thread does between. Each second the faults are given out by
what is known by then; what a range tells as a whole, the later catches of it included, is more.

That `n` readings were all in one function says how much another one can have: not to have been
caught once, with a chance of 1 in 20, it has at most 1 - 0.05 ** (1 / n) of all that was touched.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.spine.calltree import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from perftui.probes.spine.calltree import CallTree, Frame
    from perftui.probes.spine.reader import ThreadTree

_CHANCE = 0.05
_ENOUGH = 5
"""Readings that are all in one function."""
_ENOUGH_MIXED = 8
_Z = 1.645
"""Of the one-sided interval of 95 %."""
_INNER = re.compile(r"(\.<locals>\.<\w+comp>|\.<locals>\.<genexpr>)+$")


class Catcher(NamedTuple):
    """The function that was caught touching most of a thread's memory."""

    function: str
    file: str
    others: float
    """How much of the memory others can have, 0..1."""


def function_around(name: str) -> str:
    """Return the function that a comprehension is code of: before 3.12 it is one of its own."""
    return _INNER.sub("", name)


def most_caught(
    tree: CallTree, thread: ThreadTree, is_own: Callable[[Frame], bool]
) -> Catcher | None:
    """Return the program's function that touched most, None if too few readings tell.

    Args:
        tree: The session's.
        thread: What was met of it in a range.
        is_own: Tells the program's own frames.
    """
    catches: dict[tuple[str, str], float] = {}
    sure: dict[tuple[str, str], float] = {}
    for node, cell in thread.self_by_node.items():
        if not cell.catches:
            continue
        key = _own_function(tree, node, is_own)
        catches[key] = catches.get(key, 0.0) + cell.catches
        sure[key] = sure.get(key, 0.0) + max(cell.touched_bytes - cell.unsure_bytes, 0)
    n = sum(catches.values())
    if n < _ENOUGH:
        return None
    first = max(catches, key=lambda key: catches[key])
    if not first[1]:
        return None
    if len(catches) == 1:
        return Catcher(*first, 1 - _CHANCE ** (1 / n))
    # Of one that touches little at a time, but often, more readings tell than are its due.
    share = min(catches[first] / n, sure[first] / max(sum(sure.values()), 1))
    if n < _ENOUGH_MIXED:
        return None
    return Catcher(*first, 1 - _lowest(share, n))


def _lowest(share: float, n: float) -> float:
    """Return the lower bound of Wilson's interval of a share that was found in n tries."""
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    return (share + _Z * _Z / (2 * n) - spread) / (1 + _Z * _Z / n)


def _own_function(tree: CallTree, node: int, is_own: Callable[[Frame], bool]) -> tuple[str, str]:
    """Return the innermost function of the program in a stack, ("", "") if there is none."""
    at = node
    while at != ROOT:
        frame = tree.frame(at)
        if is_own(frame):
            return function_around(frame.function), frame.file
        at = tree.parent(at)
    return "", ""
