"""Says of a process that too many of its stacks had gone on while they were read.

What is read again has gone on meanwhile, and is met where it stays for longer; of a generator that
has given back control it is not known any more whether it had called another. A hundred coroutines
that take turns in steps of some 10 µs are met so, or generators that hand on to each other within
half a µs: callers get what is theirs (`docs/sampler.md`).
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
            f"self times unsure: {again * 100 // looks} % of looks came too late; --native is"
            f" exact (process {tally.process.pid}: short steps of many coroutines or generators,"
            " which are told as their callers' own; --native stops the program for each look)"
        )

    def forget(self, index: int) -> None:
        """A process has gone."""
        self._looks.pop(index, None)
        self._told.discard(index)
