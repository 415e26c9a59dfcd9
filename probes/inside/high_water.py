"""The kernel's high-water mark of RSS (VmHWM), block by block.

The mark never falls by itself: after one large test it would hide the peaks of all smaller ones.
Linux lets a process set its own mark back to its present RSS, which is done when a block begins
and when none is measured any more matters to nobody. Where that is not allowed, the mark tells
the peak of a block only if it has risen meanwhile.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_RESET_PEAK = "5"
"""See proc(5), /proc/PID/clear_refs."""


class HighWater:
    """The marks of all blocks that are being measured.

    Args:
        read: Returns the present mark in bytes, None where the system has none.
        reset: Sets it back to the present RSS; False if that is not possible.
    """

    def __init__(self, read: Callable[[], int | None], reset: Callable[[], bool]) -> None:
        self._read = read
        self._reset = reset
        self._lock = Lock()
        self._open: dict[object, _Mark] = {}

    def begin(self, block: object) -> None:
        """A block begins: what was before is not its own."""
        with self._lock:
            mark = self._read()
            self._tell(mark)
            if self._reset():
                mark = 0
            self._open[block] = _Mark(mark)

    def end(self, block: object) -> int | None:
        """Return the highest RSS since `block` began, None if the mark does not tell."""
        with self._lock:
            self._tell(self._read())
            return self._open.pop(block).highest

    def _tell(self, mark: int | None) -> None:
        for each in self._open.values():
            if mark is not None and each.before is not None and mark > each.before:
                each.highest = max(each.highest or 0, mark)


class _Mark:
    __slots__ = ("before", "highest")

    def __init__(self, before: int | None) -> None:
        self.before = before
        """The mark when the block began; it says nothing until it is above that."""
        self.highest: int | None = None


def reset_own_mark() -> bool:
    """Set this process's mark back to its present RSS (Linux 4.0 and later)."""
    try:
        with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123 - hot and tiny
            file.write(_RESET_PEAK)
    except OSError:
        return False
    return True
