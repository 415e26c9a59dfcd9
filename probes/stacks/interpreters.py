"""How many interpreters a process has: py-spy reads one of them."""

from __future__ import annotations

import struct
import time

from perftui.probes.sampler.cpython.elf import find_runtime
from perftui.probes.sampler.cpython.interpreters import MOST_INTERPRETERS
from perftui.probes.sampler.cpython.layout import Layout, Refused, layout_of
from perftui.probes.sampler.memory import Memory
from perftui.probes.stacks.procfs import LINUX

_LOOK_EVERY_S = 2.0


class InterpreterCount:
    """Counts the interpreters of one process, not too often."""

    def __init__(self, pid: int) -> None:
        self._memory = Memory(pid)
        self._layout: Layout | None = None
        self._head = 0
        self._not_before_s = 0.0

    def look(self) -> int:
        """Return how many there are, 0 if that cannot be told or was asked a moment ago."""
        now_s = time.monotonic()
        if not LINUX or now_s < self._not_before_s:
            return 0
        self._not_before_s = now_s + _LOOK_EVERY_S
        try:
            if self._layout is None:
                found = find_runtime(self._memory)
                if found is None:
                    return 0
                self._layout = layout_of(self._memory, found.address, found.version)
                self._head = found.address + self._layout.interpreters
            return self._count(self._layout)
        except (OSError, Refused, struct.error):
            return 0

    def _count(self, layout: Layout) -> int:
        count, interpreter = 0, self._memory.word(self._head)
        while interpreter and count < MOST_INTERPRETERS:
            count += 1
            interpreter = self._memory.word(interpreter + layout.interpreter_next)
        return count
