"""How our children ended is ours to know, also where SIGCHLD was handed to us as ignored.

Then the kernel reaps every child by itself, and its exit status is lost (sigaction(2)). Some
supervisors start their programs like that. We take the default back for ourselves, and what is
launched finds it ignored, as it would without us.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_was_ignored = False


def keep_child_statuses() -> None:
    """Let the kernel keep the statuses of our children; on the main thread, before the first."""
    global _was_ignored
    if _is_ignored():
        with suppress(ValueError):  # not the main thread: it is not ours to say
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _was_ignored = True


def in_the_child(also: Callable[[], object] | None = None) -> Callable[[], object] | None:
    """Return what a launched program must do before its exec; None nearly always."""
    if not _was_ignored:
        return also

    def both() -> None:
        _ignore()
        if also is not None:
            also()

    return both


def _is_ignored() -> bool:
    return hasattr(signal, "SIGCHLD") and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN


def _ignore() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
