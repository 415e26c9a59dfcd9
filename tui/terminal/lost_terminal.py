"""What was a terminal and is gone: words for it go nowhere, and must not become an exit code.

Python flushes its streams at the very end, and returns 120 if that fails, whatever we returned.
"""

from __future__ import annotations

import os
import sys


def terminals() -> tuple[int, ...]:
    """Return which of standard output and standard error are terminals now."""
    return tuple(fd for fd in (1, 2) if os.isatty(fd))


def let_go(fds: tuple[int, ...]) -> bool:
    """Send what is written to those of `fds` that are terminals no more into the void.

    Returns:
        True if there was one.
    """
    gone = [fd for fd in fds if not os.isatty(fd)]
    for fd in gone:
        null_fd = os.open(os.devnull, os.O_WRONLY)
        if null_fd != fd:
            os.dup2(null_fd, fd)
            os.close(null_fd)
    if gone:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()  # what waits was meant for the terminal
    return bool(gone)
