"""Where RSS rose, where samples alone cannot tell it: by what was measured at entry and exit.

A look from inside measures in each suspect's own code what RSS rose by and what was touched, all
of it, not by samples. Where that is mostly one function's, and was as much as half of what the
thread is given, the thread's row is that function's: another one cannot have more. Memory that a
function frees makes a hole that the next one fills, and rises where it was freed: so where most was
freed, or several functions rose, it has to be the one that fills what holds the memory, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.blame import keepers_of
from perftui.probes.profile.growth import (
    ALONE,
    CANNOT_TELL,
    FREED,
    HUGE,
    IMPORTS,
    SURE,
    Grown,
    grown_by_function,
    whole_thread,
    without_imports,
)
from perftui.probes.spine.calltree import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.profile.blame import CallTreeOf
    from perftui.probes.spine.calltree import CallTree
    from perftui.probes.spine.reader import Blame, ThreadTree

MEASURED = "measured at entry and exit"
BY_MEASURE = "page faults of the thread, and entry and exit"
_OPEN = (CANNOT_TELL, ALONE)
_MOST = 0.7
"""Of what rose, and of what was touched, in one function: then the others do not matter."""
_HALF = 0.5
_LEAST_PART = 0.02
_LEAST_BYTES = 1_000_000
"""Of what RSS rose by in the looks: where less was measured, it tells nothing."""
_KEPT = 0.4
"""Of what the thread is given: so much is held by what a function fills in which RSS rose, too."""

SEVERAL = "several threads took memory"
"""How the looks' note of that begins."""

_PART = "only a part was looked at"
"""How the note of a census begins that did not get through."""

_OF_LIBRARIES = "of the libraries, not of the program's own names"
"""That it says where all of the program's own names were met."""

_Code = tuple[str, str]


class _Measured(NamedTuple):
    """What the looks of one process found in the function in which RSS rose most."""

    code: _Code
    rss_bytes: int
    """Of what rose in all of the looks: of calls that come often a part is measured."""
    rss_share: float
    touched_share: float
    several: bool
    """Threads that took memory meanwhile: RSS is that of all, what was touched is the thread's."""
    fills: _Code | None
    """What fills that which holds more than all else; None if nothing does, or it is not known."""
    counted: bool
    """The censuses were whole: if nothing holds more, that is known."""
    kept_bytes: int
    """So much that holds in all, if it holds most of what RSS rose by; else 0."""


def where_it_rose(
    tree: CallTree, threads: Sequence[ThreadTree], blame: Blame, call_tree: CallTreeOf
) -> list[Grown]:
    """Return functions by the growth of RSS that is given to them, the most first.

    Args:
        tree: The session's.
        threads: Stacks of a range.
        blame: What was found out from inside in that range.
        call_tree: As of `Reader`.
    """
    rows = grown_by_function(tree, threads)
    if not (blame.rises or blame.keepers):
        return rows
    threads = without_imports(tree, threads)
    fills = {pid: _fills(tree, blame, pid, call_tree) for pid in {row.pid for row in rows}}
    rows = [_doubted(tree, threads, row, fills[row.pid]) for row in rows]
    by_thread: dict[tuple[int, int], list[Grown]] = {}
    for row in rows:
        by_thread.setdefault((row.pid, row.tid), []).append(row)
    measured = {
        pid: _measured(tree, blame, pid, call_tree)
        for pid in {row.pid for row in rows if row.confidence in _OPEN}
    }
    settled: dict[tuple[int, int], Grown] = {}
    for thread in threads:
        mine = [
            row for row in by_thread.get((thread.pid, thread.tid), []) if row.confidence != IMPORTS
        ]
        found = measured.get(thread.pid)
        if found and mine and all(row.confidence in _OPEN for row in mine):
            told = _settled(tree, threads, thread, mine[0], found)
            if told is not None:
                settled[thread.pid, thread.tid] = told
    if settled:
        rows = [
            row for row in rows if row.confidence == IMPORTS or (row.pid, row.tid) not in settled
        ]
        rows += settled.values()
        rows.sort(key=lambda each: -each.row.self_.grown_bytes)
    return rows


def _fills(tree: CallTree, blame: Blame, pid: int, call_tree: CallTreeOf) -> _Code | None:
    """Return what fills that which holds most of what RSS rose by in the looks."""
    rose = sum(
        max(look.rose_bytes or 0, 0)
        for look in blame.looks
        if look.pid == pid and look.by == "census"
    )
    for kept in keepers_of(blame, tree, call_tree):
        if kept.pid == pid:
            most = kept.code is not None and kept.bytes >= _HALF * rose > 0
            return kept.code[:2] if kept.code is not None and most else None
    return None


def _doubted(
    tree: CallTree, threads: Sequence[ThreadTree], row: Grown, fills: _Code | None
) -> Grown:
    """Return a row that readings met, as one that cannot be told if it is another function of the
    same thread that keeps: what was met may be a hole that this one makes, and the other fills."""
    code = row.row.function, row.row.file
    if row.confidence != SURE or fills in (None, code):
        return row
    thread = next(each for each in threads if (each.pid, each.tid) == (row.pid, row.tid))
    assert fills is not None
    if not _is_of(tree, threads, thread, fills) or _called(tree, thread, code, fills):
        return row
    return row._replace(confidence=CANNOT_TELL, within=(code[0], fills[0]))


def _measured(tree: CallTree, blame: Blame, pid: int, call_tree: CallTreeOf) -> _Measured | None:
    rose: dict[_Code, int] = {}
    touched: dict[_Code, int] = {}
    for rise in blame.rises:
        if rise.pid == pid:
            code = rise.function, rise.file
            rose[code] = rose.get(code, 0) + rise.rss_bytes
            touched[code] = touched.get(code, 0) + rise.touched_bytes
    first = max(rose, key=lambda code: rose[code], default=("", ""))
    if not first[0] or rose[first] <= 0:
        return None
    whole = sum(max(rss_bytes, 0) for rss_bytes in rose.values())
    looked = sum(
        max(look.rose_bytes or 0, 0)
        for look in blame.looks
        if look.pid == pid and look.by == "census"
    )
    if whole < _LEAST_PART * looked or rose[first] < _LEAST_BYTES:
        return None
    kept_bytes, fills = 0, None
    for kept in [kept for kept in keepers_of(blame, tree, call_tree) if kept.pid == pid][:1]:
        if kept.code is None:
            continue
        fills = kept.code.function, kept.code.file
        if 2 * kept.bytes >= looked > 0:
            kept_bytes = kept.bytes * max(kept.total, kept.entries) // max(kept.entries, 1)
    return _Measured(
        first,
        max(rose[first], round(looked * rose[first] / whole)),
        rose[first] / whole,
        touched[first] / max(sum(touched.values()), 1),
        any(SEVERAL in look.note for look in blame.looks if look.pid == pid),
        fills,
        not any(_is_cut(look.note) for look in blame.looks if look.pid == pid),
        kept_bytes,
    )


def _is_cut(note: str) -> bool:
    return _PART in note and _OF_LIBRARIES not in note


def _settled(
    tree: CallTree,
    threads: Sequence[ThreadTree],
    thread: ThreadTree,
    row: Grown,
    measured: _Measured,
) -> Grown | None:
    """Return the row of a thread of which samples cannot tell, None if the looks cannot either."""
    if not _is_of(tree, threads, thread, measured.code):
        return None
    # With huge pages a fault is no measure: neither of this thread's part, nor at entry and exit.
    huge = row.why == HUGE
    if huge and measured.several:
        return None
    parts = [each for each in threads if each.pid == thread.pid] if huge else [thread]
    grown = sum(cell.grown_bytes for each in parts for cell in each.self_by_node.values())
    shares = [measured.touched_share] * (not huge) + [measured.rss_share] * (not measured.several)
    agreed = (
        measured.fills == measured.code and measured.kept_bytes > 0 and measured.rss_share >= _HALF
    )
    most = row.why != FREED and min(shares) >= _MOST and _may_fill(tree, thread, measured)
    # What was not looked at is told by what it fills: that holds much of what came in all.
    kept_bytes = measured.kept_bytes if agreed else 0
    whole = measured.rss_bytes >= _HALF * grown or kept_bytes >= _KEPT * grown
    if not (whole and (most or agreed)):
        return None
    told = whole_thread(tree, thread, *measured.code)
    return row._replace(row=told, by=BY_MEASURE, confidence=MEASURED, within=(), why="")


def _is_of(tree: CallTree, threads: Sequence[ThreadTree], thread: ThreadTree, code: _Code) -> bool:
    """Tell whether a function ran in this thread alone, or no other thread touched memory."""
    mine = [each for each in threads if each.pid == thread.pid]
    runs = [each.tid for each in mine if _runs(tree, each, code)]
    if runs:
        return runs == [thread.tid]
    touched = {each.tid: sum(c.touched_bytes for c in each.self_by_node.values()) for each in mine}
    return touched[thread.tid] > 0.9 * sum(touched.values())


def _may_fill(tree: CallTree, thread: ThreadTree, measured: _Measured) -> bool:
    """Tell whether what rose in a function may be what another one keeps: called by it, or by
    whom it was called. Else it rose in holes that were freed there, and filled elsewhere."""
    if measured.fills is None:
        return measured.counted
    if measured.fills == measured.code:
        return True
    return _called(tree, thread, measured.code, measured.fills)


def _called(tree: CallTree, thread: ThreadTree, one: _Code, other: _Code) -> bool:
    """Tell whether one of two functions was met below the other."""
    for node in thread.self_by_node:
        codes = {(each.function, each.file) for each in map(tree.frame, tree.path(node))}
        if one in codes and other in codes:
            return True
    return False


def _runs(tree: CallTree, thread: ThreadTree, code: _Code) -> bool:
    seen: set[int] = set()
    for node in thread.self_by_node:
        at = node
        while at != ROOT and at not in seen:
            seen.add(at)
            frame = tree.frame(at)
            if (frame.function, frame.file) == code:
                return True
            at = tree.parent(at)
    return False
