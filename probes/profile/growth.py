"""Where RSS rose, by the samples: the functions of the thread that touched memory.

Page faults say which thread touched new memory, and a sample where that thread was. They do not
say what was kept: memory that is taken and given back is touched too. And where memory is taken
in moments that no sample meets, the functions of that thread cannot be told apart. Both is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.sums import function_sums
from perftui.probes.spine.calltree import ROOT, is_stdlib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.profile.sums import FunctionSum
    from perftui.probes.spine.calltree import CallTree, Frame
    from perftui.probes.spine.reader import ThreadTree

BY_FAULTS = "page faults of the thread"
BY_CPU = "share of CPU (estimate)"
SURE = "met touching it"
CANNOT_TELL = "cannot tell"
MOSTLY_FREED = 2.0
"""Touched by so many times more than RSS rose, most of it was given back: by whom, faults do not
say."""
_UNSURE_SHARE = 0.25
_MOST_NAMED = 4
_NAMED_SHARE = 0.02


class Grown(NamedTuple):
    """How much RSS rose while one function of one thread touched memory."""

    row: FunctionSum
    pid: int
    tid: int
    thread: str
    by: str
    confidence: str
    within: tuple[str, ...]
    """Functions that cannot be told apart from it; empty if it was met."""


def grown_by_function(tree: CallTree, threads: Sequence[ThreadTree]) -> list[Grown]:
    """Return functions by the growth of RSS that is given to them, the most first."""
    found: list[Grown] = []
    freed = _mostly_freed(threads)
    for thread in threads:
        cells = thread.self_by_node.values()
        touched = sum(cell.touched_bytes for cell in cells)
        unsure = sum(cell.unsure_bytes for cell in cells)
        own = own_functions(tree, thread)
        within: tuple[str, ...] = ()
        if touched and (unsure > _UNSURE_SHARE * touched or thread.pid in freed) and len(own) > 1:
            within = own
        for row in function_sums(tree, [thread]):
            if row.self_.grown_bytes <= 0:
                continue
            by = BY_FAULTS if touched else BY_CPU
            confidence = CANNOT_TELL if within or not touched else SURE
            found.append(Grown(row, thread.pid, thread.tid, thread.name, by, confidence, within))
    found.sort(key=lambda each: -each.row.self_.grown_bytes)
    return found


def _mostly_freed(threads: Sequence[ThreadTree]) -> set[int]:
    """Return the processes of which much more was touched than RSS rose."""
    touched: dict[int, int] = {}
    grown: dict[int, int] = {}
    for thread in threads:
        cells = thread.self_by_node.values()
        touched[thread.pid] = touched.get(thread.pid, 0) + sum(c.touched_bytes for c in cells)
        grown[thread.pid] = grown.get(thread.pid, 0) + max(thread.grown_bytes, 0)
    return {pid for pid, size in touched.items() if size > MOSTLY_FREED * grown[pid]}


def own_functions(tree: CallTree, thread: ThreadTree) -> tuple[str, ...]:
    """Return the program's own functions that a thread was in while it touched memory.

    Those that touch most are first. What one of them calls for moments may be in no sample.
    """
    sizes: dict[str, float] = {}
    whole = 0.0
    for node, cell in thread.self_by_node.items():
        size = cell.touched_bytes
        whole += size
        at, met = node, set[str]()
        while size and at != ROOT:
            frame = tree.frame(at)
            if is_own(frame) and frame.function not in met:
                met.add(frame.function)
                # The innermost one first, of those that always stand on the same stacks.
                sizes[frame.function] = sizes.get(frame.function, 0.0) + size * 0.9 ** len(met)
            at = tree.parent(at)
    named = [name for name, size in sizes.items() if size >= _NAMED_SHARE * whole]
    named.sort(key=lambda name: -sizes[name])
    return tuple(named[:_MOST_NAMED])


def is_own(frame: Frame) -> bool:
    """Tell whether a frame is the program's own: no library's, not the interpreter's."""
    file = frame.file
    return bool(
        frame.kind == "py"
        and file
        and not file.startswith("<")
        and not is_stdlib(file)
        and "/site-packages/" not in file
        and "/dist-packages/" not in file
    )
