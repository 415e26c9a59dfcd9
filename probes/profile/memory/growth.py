"""Where RSS rose, by the samples: the functions of the thread that touched memory.

Page faults say which thread touched new memory, and a sample where that thread was. They do not
say what was kept: memory that is taken and given back is touched too. And where memory is taken
in moments that no sample meets, the functions of that thread cannot be told apart. Both is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.memory.caught import function_around, most_caught
from perftui.probes.profile.sums import (
    Amount,
    FunctionSum,
    function_sums,
    is_machinery,
    payer_of,
)
from perftui.probes.spine.calltree import ROOT, is_stdlib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.spine.calltree import CallTree, Frame
    from perftui.probes.spine.reader import ThreadTree, Weights

BY_FAULTS = "page faults of the thread"
BY_CPU = "share of CPU (estimate)"
BY_NATIVE = "page faults of native threads"
NATIVE = "native threads"
"""What stands in the place of a function where threads without Python touch memory."""
SURE = "met touching it"
WAITED_FOR = "while these wait"
ALONE = "it, or what it calls"
"""No sample met it touching memory, but no other function of the program was seen in its thread."""
IMPORTS = "while it imports modules"
CANNOT_TELL = "cannot tell"
FREED = "most of what was touched was freed again"
HUGE = "huge pages: a fault is 4 KiB or 2 MiB"
MOSTLY_FREED = 2.0
"""Touched by so many times more than RSS rose, most of it was given back: by whom, faults do not
say."""
HUGE_PAGES = 1.5
"""RSS rose by so many times more than 4 KiB for each fault: some were huge pages of 2 MiB, and
whose they were is not known."""
UNSURE_SHARE = 0.25
"""Of what a function, or a thread, was given: beyond this it cannot be told."""
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
    why: str = ""
    """Why faults do not tell, if it is not that no sample met them."""


def grown_by_function(tree: CallTree, threads: Sequence[ThreadTree]) -> list[Grown]:
    """Return functions by the growth of RSS that is given to them, the most first."""
    found: list[Grown] = []
    split = [_without_imports(tree, thread) for thread in threads]
    threads = [rest for rest, _ in split]
    vague = _vague(threads)
    for thread, imports in split:
        for row in function_sums(tree, [imports]) if imports.self_by_node else ():
            if row.self_.grown_bytes > 0:
                named = thread.pid, thread.tid, thread.name
                found.append(Grown(row, *named, BY_FAULTS, IMPORTS, ()))
        cells = thread.self_by_node.values()
        touched = sum(cell.touched_bytes for cell in cells)
        unsure = sum(cell.unsure_bytes for cell in cells)
        own = own_functions(tree, thread)
        within: tuple[str, ...] = ()
        caught = _caught(tree, thread, threads, vague.get(thread.pid, ""))
        if caught is not None:
            of_thread = thread.pid, thread.tid, thread.name
            found.append(Grown(caught, *of_thread, BY_FAULTS, SURE, ()))
            continue
        doubtful = _doubtful(tree, thread)
        unmet = bool(touched) and unsure > UNSURE_SHARE * touched
        if unmet and not _first_is_sure(tree, thread, touched):
            within = own
        why = vague.get(thread.pid, "")
        rows: Sequence[FunctionSum] = function_sums(tree, [thread])
        if within:
            rows = _as_one(rows, within[0])
        for row in rows:
            if row.self_.grown_bytes <= 0:
                continue
            if row.function.startswith(NATIVE) and not row.file:
                native = _native(row, thread, tree, threads)
                found.append(native._replace(confidence=CANNOT_TELL, why=why) if why else native)
                continue
            by = BY_FAULTS if touched else BY_CPU
            among = within
            unsure_of = bool(why) or (row.function, row.file) in doubtful
            if unsure_of:
                among = within or own
            confidence = CANNOT_TELL if among or unsure_of or not touched else SURE
            if len(among) == 1 and not why:
                others = _at_work(tree, thread) - {among[0]}
                among += tuple(sorted(others))[: _MOST_NAMED - 1]
                confidence = CANNOT_TELL if others else ALONE
            of_thread = thread.pid, thread.tid, thread.name
            found.append(Grown(row, *of_thread, by, confidence, among, why))
    found.sort(key=lambda each: -each.row.self_.grown_bytes)
    return found


def without_imports(tree: CallTree, threads: Sequence[ThreadTree]) -> list[ThreadTree]:
    """Return what threads touched besides importing modules."""
    return [_without_imports(tree, thread)[0] for thread in threads]


def _without_imports(tree: CallTree, thread: ThreadTree) -> tuple[ThreadTree, ThreadTree]:
    """Split a thread into what it did besides importing modules, and that.

    A module's libraries are mapped, not made: one fault there may stand for sixteen pages.
    """
    importing: dict[int, bool] = {ROOT: False}
    cells = thread.self_by_node
    for node in cells:
        path = []
        at = node
        while at not in importing:
            path.append(at)
            at = tree.parent(at)
        for below in reversed(path):
            importing[below] = importing[at] or is_machinery(tree.frame(below))
            at = below
    imports = {node: cell for node, cell in cells.items() if importing[node] and cell.touched_bytes}
    if not imports:
        return thread, thread._replace(self_by_node={})
    rest = {node: cell for node, cell in cells.items() if node not in imports}
    return _part(thread, rest), _part(thread, imports)


def _part(thread: ThreadTree, cells: dict[int, Weights]) -> ThreadTree:
    grown = sum(cell.grown_bytes for cell in cells.values())
    return thread._replace(self_by_node=cells, grown_bytes=grown)


def _caught(
    tree: CallTree, thread: ThreadTree, threads: Sequence[ThreadTree], vague: str
) -> FunctionSum | None:
    """Return the thread's row, if most of what RSS rose by was touched by one function: the
    readings that caught it tell that others, and other threads, cannot have kept so much."""
    unsure = sum(cell.unsure_bytes for cell in thread.self_by_node.values())
    if not (vague or unsure) or vague == HUGE:
        return None  # each function has a row of its own; or a fault is no measure
    catcher = most_caught(tree, thread, is_own)
    if catcher is None:
        return None
    touched = sum(cell.touched_bytes for cell in thread.self_by_node.values())
    grown = sum(cell.grown_bytes for cell in thread.self_by_node.values())
    beside = sum(
        cell.touched_bytes
        for each in threads
        if each.pid == thread.pid and each.tid != thread.tid
        for cell in each.self_by_node.values()
    )
    if catcher.others * max(touched, grown) + beside * bool(vague) >= grown / 2:
        return None  # others may have kept as much, if what this one touched was freed
    return whole_thread(tree, thread, catcher.function, catcher.file)


def whole_thread(tree: CallTree, thread: ThreadTree, function: str, file: str) -> FunctionSum:
    """Return one row for a thread, in the name of one function of it."""
    rows = function_sums(tree, [thread])
    sums = Amount(*(sum(amounts) for amounts in zip(*(row.self_ for row in rows), strict=True)))
    for row in rows:
        if (row.function, row.file) == (function, file):
            return row._replace(self_=sums)
    return FunctionSum(function, file, 0, "", sums, sums)


def unsure_functions(tree: CallTree, threads: Sequence[ThreadTree]) -> set[tuple[str, str]]:
    """Return (function, file) of those of which it cannot be told if the memory that they are
    given was touched by them: no samples met them touching it, or their callers stand for them."""
    return {function for thread in threads for function in _doubtful(tree, thread)}


def _doubtful(tree: CallTree, thread: ThreadTree) -> set[tuple[str, str]]:
    """Return the functions that are given memory in which too little of it was met."""
    sums: dict[tuple[str, str], list[int]] = {}
    for node, cell in thread.self_by_node.items():
        frame = tree.frame(payer_of(tree, node))
        both = sums.setdefault((frame.function, frame.file), [0, 0])
        both[0] += cell.touched_bytes
        both[1] += cell.unsure_bytes
    return {
        function for function, (touched, unsure) in sums.items() if unsure > UNSURE_SHARE * touched
    }


def _first_is_sure(tree: CallTree, thread: ThreadTree, touched: int) -> bool:
    """Tell whether one function was met touching more than all others can have."""
    sure: dict[tuple[str, str], int] = {}
    for node, cell in thread.self_by_node.items():
        frame = tree.frame(payer_of(tree, node))
        key = frame.function, frame.file
        sure[key] = sure.get(key, 0) + cell.touched_bytes - cell.unsure_bytes
    return 2 * max(sure.values(), default=0) > touched


def _as_one(rows: Sequence[FunctionSum], function: str) -> list[FunctionSum]:
    """Return one row for a thread whose functions cannot be told apart: any split is chance."""
    sums = [sum(amounts) for amounts in zip(*(row.self_ for row in rows), strict=True)]
    # A generator may be used up where the function that it is code of is on no stack.
    named = max(
        (row for row in rows if function_around(row.function) == function and row.file),
        key=lambda row: (row.function == function, row.total.touched_bytes),
    )
    return [named._replace(function=function, self_=Amount(*sums))]


def _native(
    row: FunctionSum, thread: ThreadTree, tree: CallTree, threads: Sequence[ThreadTree]
) -> Grown:
    """Add who waits meanwhile: the program's own functions that stand in a library, off the CPU."""
    waits: dict[str, int] = {}
    for each in threads:
        if each.pid != thread.pid or each.tid == thread.tid:
            continue
        for node, cell in each.self_by_node.items():
            name = "" if is_own(tree.frame(node)) else _own_above(tree, node)
            if name:
                waits[name] = waits.get(name, 0) + max(cell.wall_ns - cell.cpu_ns, 0)
    first = sorted((name for name in waits if waits[name]), key=lambda name: -waits[name])
    within = tuple(first[:2])
    return Grown(row, thread.pid, thread.tid, thread.name, BY_NATIVE, WAITED_FOR, within)


def _own_above(tree: CallTree, node: int) -> str:
    at = node
    while at != ROOT:
        frame = tree.frame(at)
        if is_own(frame):
            return frame.function
        at = tree.parent(at)
    return ""


def _vague(threads: Sequence[ThreadTree]) -> dict[int, str]:
    """Return the processes of which faults do not tell who made RSS rise, and why."""
    touched: dict[int, int] = {}
    grown: dict[int, int] = {}
    for thread in threads:
        cells = thread.self_by_node.values()
        touched[thread.pid] = touched.get(thread.pid, 0) + sum(c.touched_bytes for c in cells)
        grown[thread.pid] = grown.get(thread.pid, 0) + max(thread.grown_bytes, 0)
    found = {}
    for pid, size in touched.items():
        if size > MOSTLY_FREED * grown[pid]:
            found[pid] = FREED
        elif 0 < size * HUGE_PAGES < grown[pid]:
            found[pid] = HUGE
    return found


def own_functions(tree: CallTree, thread: ThreadTree) -> tuple[str, ...]:
    """Return the program's own functions that a thread was in while it touched memory.

    Those are first that readings caught touching most, then those that are given most. What one of
    them calls for moments may be in no sample.
    """
    sizes: dict[str, float] = {}
    caught: dict[str, float] = {}
    innermost: set[str] = set()
    whole = whole_caught = 0.0
    beside = at_work_below(tree, thread)
    for node, cell in thread.self_by_node.items():
        size = float(cell.touched_bytes)
        sure = max(size - cell.unsure_bytes, 0)
        whole += size
        whole_caught += sure
        size += beside.get(node, 0)
        at, met = node, set[str]()
        while size and at != ROOT:
            frame = tree.frame(at)
            name = function_around(frame.function)
            if is_own(frame) and name not in met:
                met.add(name)
                if len(met) == 1:
                    innermost.add(name)
                # The innermost one first, of those that always stand on the same stacks.
                sizes[name] = sizes.get(name, 0.0) + size * 0.9 ** len(met)
                caught[name] = caught.get(name, 0.0) + sure * 0.9 ** len(met)
            at = tree.parent(at)
    named = [
        name
        for name, size in sizes.items()
        if size >= _NAMED_SHARE * whole or caught[name] > _NAMED_SHARE * whole_caught
    ]
    # Who has only called the others comes last.
    named.sort(key=lambda name: (name not in innermost, -caught[name], -sizes[name]))
    return tuple(named[:_MOST_NAMED])


def _at_work(tree: CallTree, thread: ThreadTree) -> set[str]:
    """Return the program's own functions that ran in a thread, in what libraries did for them or
    in their own lines."""
    found = set()
    for node, cell in thread.self_by_node.items():
        runs = cell.cpu_ns > 0 or cell.touched_bytes or cell.queue_ns or cell.gil_ns
        at = node if runs else ROOT
        while at != ROOT:
            frame = tree.frame(at)
            if is_own(frame):
                found.add(function_around(frame.function))
                break
            at = tree.parent(at)
    return found


def at_work_below(tree: CallTree, thread: ThreadTree) -> dict[int, float]:
    """Share out what is given to a function for want of better among all that ran in it.

    Returns:
        Bytes by node, beside those of the node itself.
    """
    given: dict[tuple[int, str, str], int] = {}
    for node, cell in thread.self_by_node.items():
        if cell.unsure_bytes and node != ROOT:
            frame = tree.frame(node)
            key = tree.parent(node), frame.function, frame.file
            given[key] = given.get(key, 0) + cell.unsure_bytes
    below: dict[tuple[int, str, str], dict[int, int]] = {}
    for node, cell in thread.self_by_node.items():
        at = node
        while given and cell.cpu_ns > 0 and at != ROOT:
            frame = tree.frame(at)
            key = tree.parent(at), frame.function, frame.file
            if key in given:
                below.setdefault(key, {})[node] = cell.cpu_ns
            at = key[0]
    found: dict[int, float] = {}
    for key, cells in below.items():
        cpu_ns = sum(cells.values())
        for node, part_ns in cells.items():
            found[node] = found.get(node, 0.0) + given[key] * part_ns / cpu_ns
    return found


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
