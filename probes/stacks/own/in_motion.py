"""Says of a process that its stacks hardly ever hold still while they are read.

A stack that moved is read anew until it holds still, which is where code stays for long: in calls
of C and between slow lines. Where quick calls of Python follow each other at most looks, the
callers get what is theirs: a loop that makes an object in each turn was told 84 % of its time as
its own, and has 12 % (`docs/sampler.md`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.stacks.own.records import Tally

LEAST_LOOKS = 300
"""At threads that ran: three seconds of a busy one."""
TELLING_SHARE = 0.2
"""Of them; below it what is told is off by little."""


class InMotion:
    """Adds up by process, and tells once for each."""

    def __init__(self) -> None:
        self._looks: dict[int, tuple[int, int]] = {}
        self._told: set[int] = set()

    def take(self, tally: Tally) -> str:
        """Take a second of one process; return what is to be told, mostly ""."""
        index = tally.process.index
        if index in self._told or not tally.awake:
            return ""
        looks, again = self._looks.get(index, (0, 0))
        looks, again = looks + tally.awake, again + tally.again
        self._looks[index] = looks, again
        if looks < LEAST_LOOKS or again < TELLING_SHARE * looks:
            return ""
        self._told.add(index)
        return (
            f"self times unsure: stacks moved at {again * 100 // looks} % of looks; --native is"
            f" exact (process {tally.process.pid}: quick calls follow each other, and too much is"
            " told as their callers' own time; --native stops the program for each look)"
        )

    def forget(self, index: int) -> None:
        """A process has gone."""
        self._looks.pop(index, None)
        self._told.discard(index)
