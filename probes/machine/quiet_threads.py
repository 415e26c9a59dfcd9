"""Threads that take no signals.

A signal to a process goes to any thread that does not block it. Those that ask us to end belong
to the main thread, which may wait for them: threads inherit the mask of who starts them.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


@contextmanager
def quiet_threads() -> Iterator[None]:
    """Block these signals in threads that are started in the block; what comes is not lost."""
    numbers = {getattr(signal, name) for name in _NAMES if hasattr(signal, name)}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
