"""Orders to the agents of a family: a file in memory that they look at (`agent/growth/board`)."""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES = 1 << 15
"""An agent reads no more than twice as much."""
KEPT = 8
"""Orders; an agent that carries one out looks again when it is done."""


class OrderBoard:
    """The host's end. The last orders stand there.

    Args:
        fd: An empty file for it; None: one in memory.
    """

    def __init__(self, fd: int | None = None) -> None:
        self.fd = os.memfd_create("perftui-orders", os.MFD_CLOEXEC) if fd is None else fd
        self._lock = Lock()
        self._number = 0
        self._orders: list[bytes] = []

    def ask_for_growth(
        self,
        pid: int,
        *,
        seconds: float,
        budget_s: float,
        most_objects: int,
        suspects: Iterable[tuple[str, str, int]],
    ) -> None:
        """Ask one process who makes its memory grow; it answers over the record pipe.

        Args:
            pid: The process.
            seconds: For how long it looks.
            budget_s: CPU time that each of its two censuses may take.
            most_objects: That each may look at.
            suspects: (file, function, line) of functions to measure.
        """
        lines = [f"growth\t{pid}\t{seconds:g}\t{budget_s:g}\t{most_objects}"]
        for file, function, line in suspects:
            text = f"{file}\t{function}\t{line}"
            if text.count("\t") == 2 and "\n" not in text:
                lines.append(text)
        self._write("\n".join(lines))

    def ask_for_release(self, pid: int) -> None:
        """Ask a process to give back memory that it does not use; a notice tells what came."""
        self._write(f"release\t{pid}")

    def ask_for_tasks(self, pid: int) -> None:
        """Ask a process for a list of its asyncio tasks, also if nothing has changed."""
        self._write(f"tasks\t{pid}")

    def ask_for_tracemalloc(self, pid: int, seconds: float) -> None:
        """Have one process trace its allocations for some seconds, and tell what is still there."""
        self._write(f"tracemalloc\t{pid}\t{seconds:g}")

    def _write(self, order: str) -> None:
        text = order.encode("utf-8", "surrogateescape")
        if len(text) > MOST_BYTES // 2:
            return
        with self._lock:
            if self.fd < 0:
                return
            self._number += 1
            number = b"%016d" % self._number
            self._orders.append(b"%d\t" % self._number + text + b"\n\n")
            del self._orders[:-KEPT]
            while sum(map(len, self._orders)) > MOST_BYTES:
                del self._orders[0]
            data = number + b"\n" + b"".join(self._orders) + b"\n" + number
            os.pwrite(self.fd, data, 0)
            os.ftruncate(self.fd, len(data))

    def close(self) -> None:
        """Give it up; the agents look at an order that does not change any more."""
        with self._lock:
            if self.fd >= 0:
                os.close(self.fd)
                self.fd = -1
