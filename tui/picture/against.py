"""What ran in the chosen range against what ran just before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.profile.difference import ComparedStacks, difference
from perftui.probes.profile.sums import busy
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.profile.difference import Difference
    from perftui.probes.spine.reader import Reader, ThreadTree
    from perftui.probes.spine.records import ThreadKey
    from perftui.tui.picture.selection import Selection

LEAST_BEFORE_NS = NS_PER_S
"""Less time than this before a range says nothing about how things were."""
AT_START = "at the start: nothing before it to compare with"
NO_RANGE = "no range: drag over a timeline, set one with [ and ], or Enter on an alert"


class MadeOf(NamedTuple):
    """What a difference follows from."""

    before: Sequence[ThreadTree]
    stacks: Sequence[ThreadTree]
    """Of the range."""
    span: tuple[int, int]
    threads: frozenset[ThreadKey] | None
    process: int | None
    by_line: bool

    def same(self, other: MadeOf | None) -> bool:
        """Tell whether another one would give the same: a reader gives the same stacks again."""
        return (
            other is not None
            and self.before is other.before
            and self.stacks is other.stacks
            and self[2:] == other[2:]
        )


class Against(NamedTuple):
    """A range laid against the time before it."""

    span: tuple[int, int]
    base: tuple[int, int] | None
    """The time before; None if there is too little of it."""
    difference: Difference | None
    by_line: Difference | None
    """The same with lines told apart, where no function ran only in the range."""
    why: str
    """Why there is no difference; "" if there is one."""
    made_of: MadeOf | None
    """While this is the same, it need not be made again."""


def time_before(span: tuple[int, int], start_ns: int) -> tuple[int, int] | None:
    """Return the time before a range, as long as the range at most, 1 s at least."""
    t0, t1 = span
    length = max(t1 - t0, LEAST_BEFORE_NS)
    begin = max(t0 - length, start_ns)
    return None if t0 - begin < LEAST_BEFORE_NS else (begin, t0)


def take_against(
    reader: Reader,
    selection: Selection,
    start_ns: int,
    stacks: Sequence[ThreadTree],
    last: Against | None,
) -> Against:
    """Lay the chosen range against the time before it.

    Args:
        reader: Where the stacks of the time before come from.
        selection: The range, and a thread if only one is wanted.
        start_ns: Start of the session.
        stacks: Those of the range.
        last: The answer of the picture before, given again while nothing has changed.
    """
    span = selection.range
    if span is None:
        return Against((start_ns, start_ns), None, None, None, NO_RANGE, None)
    base = time_before(span, start_ns)
    if base is None:
        return Against(span, None, None, None, AT_START, None)
    before = reader.call_tree(*base)
    chosen = selection.threads
    made_of = MadeOf(before, stacks, span, chosen, selection.process, selection.by_line)
    if last is not None and made_of.same(last.made_of):
        return last
    if not stacks and not before:
        return Against(span, base, None, None, "no stacks in this range, nor before it", None)
    tree = reader.tree
    old, new = _threads(before, stacks, selection)
    sides = (
        ComparedStacks(tree, old, base[1] - base[0]),
        ComparedStacks(tree, new, span[1] - span[0]),
    )
    found = difference(*sides, by_line=selection.by_line)
    lines = None
    if not selection.by_line and not found.only_now("wall"):
        lines = difference(*sides, by_line=True)
    return Against(span, base, found, lines, "", made_of)


def _threads(
    before: Sequence[ThreadTree], during: Sequence[ThreadTree], selection: Selection
) -> tuple[list[ThreadTree], list[ThreadTree]]:
    """Return the threads to compare: the chosen one, else those that were busy on either side."""
    if selection.threads is not None:
        keys = set(selection.threads)
    else:
        keys = {(s.pid, s.tid) for side in (before, during) for s in busy(side)}
    if selection.process is not None:
        keys = {key for key in keys if key[0] == selection.process}
    old, new = ([s for s in side if (s.pid, s.tid) in keys] for side in (before, during))
    return old, new
