"""Ids and totals of a process that became another program."""

from __future__ import annotations

from perftui.probes.agent_link.images import IDS_PER_IMAGE, ExecImages
from perftui.probes.spine.records import (
    Count,
    ImportBegin,
    ImportEnd,
    Mark,
    PhaseBegin,
    PhaseEnd,
    Record,
)


def said(t: int, pid: int = 7) -> list[Record]:
    """What one program says, the same each time."""
    return [
        PhaseBegin(t, pid, pid, 1, "outer", None, 0.0, None),
        PhaseBegin(t + 1, pid, pid, 2, "inner", 1, 0.0, None),
        ImportBegin(t + 2, pid, pid, 1, "a", None, None),
        ImportBegin(t + 3, pid, pid, 2, "b", 1, None),
        ImportEnd(t + 4, pid, 2, 1, 1, None, ok=True),
        Count(t + 5, pid, "rows", 10.0),
        Count(t + 6, pid, "rows", 30.0),
        PhaseEnd(t + 7, pid, 2, 0.0, None),
        Mark(t + 8, pid, "m"),
    ]


def test_one_program_is_left_alone() -> None:
    images = ExecImages()
    assert images.hello(0, 7) == []
    assert images.settle(said(1)) == said(1)
    assert images.settle(said(1, pid=8)) == said(1, pid=8), "it never said hello: a forked child"


def test_the_next_program_has_its_own_ids_and_counts_on() -> None:
    images = ExecImages()
    images.hello(0, 7)
    images.settle(said(1))
    assert images.hello(50, 7) == [PhaseEnd(50, 7, 1, None, None)], "it was left open"
    outer, inner, first, second, ended, *counts, end, _ = images.settle(said(60))
    assert isinstance(outer, PhaseBegin) and isinstance(inner, PhaseBegin)
    assert (outer.id, outer.parent_id) == (IDS_PER_IMAGE + 1, None)
    assert (inner.id, inner.parent_id) == (IDS_PER_IMAGE + 2, IDS_PER_IMAGE + 1)
    assert isinstance(first, ImportBegin) and isinstance(second, ImportBegin)
    assert second.parent_id == first.id == IDS_PER_IMAGE + 1
    assert isinstance(ended, ImportEnd) and ended.id == second.id
    assert isinstance(end, PhaseEnd) and end.id == inner.id
    assert [count.total for count in counts if isinstance(count, Count)] == [40.0, 60.0]
    images.hello(99, 7)
    third = [r for r in images.settle(said(100)) if isinstance(r, Count)]
    assert [count.total for count in third] == [70.0, 90.0]
