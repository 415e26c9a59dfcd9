"""Notices that the terminal is gone when nobody tells.

The kernel sends SIGHUP to the processes that belong to a terminal; one that only holds it open
(behind a wrapper, in a session of its own) hears nothing, and would draw into the void for ever.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOK_EVERY_S = 1.0
GRACE_S = 3.0
"""After SIGHUP the screen may close by itself; it cannot if it waits for the dead terminal."""


@contextmanager
def watch_terminal(on_gone: Callable[[], object] | None = None) -> Iterator[None]:
    """Leave when the terminal on standard input goes away, while the block runs.

    Args:
        on_gone: Called first, e.g. to tell a launched target.
    """
    try:
        fd = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
    except (ValueError, OSError):
        fd = -1
    left = Event()
    if fd >= 0 and os.isatty(fd) and hasattr(signal, "SIGHUP"):

        def look() -> None:
            while not left.wait(LOOK_EVERY_S):
                if not os.isatty(fd):
                    if on_gone is not None:
                        on_gone()
                    os.kill(os.getpid(), signal.SIGHUP)
                    if not left.wait(GRACE_S):
                        os._exit(128 + signal.SIGHUP)
                    return

        Thread(target=look, name="perftui-terminal", daemon=True).start()
    try:
        yield
    finally:
        left.set()
