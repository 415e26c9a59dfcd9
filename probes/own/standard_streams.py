"""Standard input, output and error as they were handed to us: open, closed, or in ASCII.

A shell may start a program with any of them closed (`<&-`, `2>&-`). Then the next file that is
opened takes the free number, and whatever is printed goes into it. So a process of ours holds
the number first; what it starts still finds it closed, as it would without us.
"""

from __future__ import annotations

import io
import os
import sys

STDIN, STDOUT, STDERR = 0, 1, 2


def hold_standard_streams() -> frozenset[int]:
    """Fill the gaps among the descriptors 0, 1 and 2, and let no character be refused.

    To be called before anything else is opened. Afterwards `sys.stdin`, `sys.stdout` and
    `sys.stderr` are there; those that were closed read and write nothing.

    Returns:
        The descriptors that were closed.
    """
    closed = frozenset(fd for fd in (STDIN, STDOUT, STDERR) if not _is_open(fd))
    for fd in sorted(closed):
        # Not inheritable: the kernel closes it again in whatever we start.
        held = os.open(os.devnull, os.O_RDWR)
        if held != fd:
            os.dup2(held, fd, inheritable=False)
            os.close(held)
    if sys.stdin is None:
        sys.stdin = open(STDIN, closefd=False)  # noqa: SIM115 - a descriptor, for good
    if sys.stdout is None:
        sys.stdout = open(STDOUT, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(STDERR, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # The streams that a test or a notebook puts in their place are not ours to change.
        if type(stream) is io.TextIOWrapper:
            stream.reconfigure(errors="backslashreplace")
    if type(sys.stdin) is io.TextIOWrapper:
        sys.stdin.reconfigure(errors="replace")
    return closed


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
