"""Ends the wait of a main thread that sleeps in `epoll_wait`, and the program does not notice.

An event loop without events runs no Python, so that an agent that is to come would wait with it.
A thread that is being traced stops for a moment; the kernel then lets `epoll_wait` return EINTR,
as it does after a job was stopped and continued, without any signal. CPython asks after EINTR what
else there is to do, the waiting agent included, and waits on for what is left of the time (PEP
475). Other loops just wait on, and other waits (locks, sleeps, reads) are resumed by the kernel
itself: these are left alone.

ptrace(2), signal(7).
"""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_EVENT_STOP = 128
_WALL = 0x40000000
_EPOLL = {"x86_64": (232, 281, 441), "aarch64": (22, 441)}
"""Numbers of epoll_wait, epoll_pwait, epoll_pwait2."""


def waits_for_events(pid: int) -> bool:
    """Tell whether the main thread of a process sleeps in `epoll_wait`."""
    numbers = _EPOLL.get(platform.machine(), ())
    try:
        words = Path(f"/proc/{pid}/task/{pid}/syscall").read_text().split()
    except OSError:
        return False
    return bool(words) and words[0].isdigit() and int(words[0]) in numbers


def end_wait(pid: int) -> bool:
    """End that wait; return whether it was ended.

    Nothing happens where somebody else traces the process, or we may not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    ptrace = libc.ptrace
    ptrace.restype = ctypes.c_long
    ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    if ptrace(_SEIZE, pid, None, None):
        return False
    passed_on: int | None = None
    if not ptrace(_INTERRUPT, pid, None, None):
        try:
            _, status = os.waitpid(pid, _WALL)
        except ChildProcessError:
            return False
        if not os.WIFSTOPPED(status):
            return False  # it has ended
        if status >> 16 != _EVENT_STOP:  # a signal came at this very moment: it is the program's
            passed_on = os.WSTOPSIG(status)
    ptrace(_DETACH, pid, None, passed_on)
    return True
