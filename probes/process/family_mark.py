"""A mark that a launched program hands on to whatever it starts, and that nothing looks at.

Who leaves the tree (`nohup worker &`, a double fork) has no parent of the family any more. A
subreaper would change what getppid() says to it, a variable would stand in its environment, and
a control group may be made by root alone. Resource limits are inherited by fork and exec, too,
and one of them has had no meaning since Linux 2.4.25: RLIMIT_LOCKS. Its soft limit carries a
number of ours; the kernel never compares it with anything, `ulimit -a` is all that shows it.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from perftui.probes.process.new_pids import NewPids

if TYPE_CHECKING:
    from collections.abc import Iterator

_RLIMIT_LOCKS = 10
"""asm-generic/resource.h, the same on all of Python's platforms; `resource` does not name it."""
_LEAST, _MOST = 1 << 40, 1 << 62
_LINE = b"\nMax file locks"

_wearing = Lock()


class FamilyMark:
    """The mark of one session; another session's is another."""

    def __init__(self) -> None:
        self._number = _LEAST + int.from_bytes(os.urandom(8), "big") % (_MOST - _LEAST)
        self._text = str(self._number).encode()
        self._worn = False
        self.new_pids = NewPids()
        """Since before the first that wears it was started."""

    @contextmanager
    def worn(self) -> Iterator[None]:
        """What this process starts meanwhile has the mark, where that can be."""
        with _wearing:
            before = self._put_on()
            try:
                yield
            finally:
                if before is not None:
                    import resource

                    resource.setrlimit(_RLIMIT_LOCKS, before)

    def _put_on(self) -> tuple[int, int] | None:
        if sys.platform != "linux":
            return None
        import resource

        try:
            before = resource.getrlimit(_RLIMIT_LOCKS)
            resource.setrlimit(_RLIMIT_LOCKS, (self._number, before[1]))
        except (OSError, ValueError):  # the hard limit is below, and stays as it is
            return None
        self._worn = True
        return before

    def is_on(self, pid: int) -> bool:
        """Tell whether a process has the mark; False for one that has gone."""
        if not self._worn:
            return False
        try:
            text = Path(f"/proc/{pid}/limits").read_bytes()
        except OSError:
            return False
        at = text.find(_LINE)
        return at >= 0 and text[at + len(_LINE) :].split(None, 1)[:1] == [self._text]
