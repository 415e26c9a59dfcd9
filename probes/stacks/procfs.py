"""What /proc says about a process that may be sampled: is it alive, is it Python, its threads."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

_PYTHON = re.compile(r"(?:python|pypy)[\d.]*t?d?m?(?:\.exe)?")
_LIBPYTHON = re.compile(r"/libpython\d[\d.]*t?d?m?\.so")
LINUX = sys.platform.startswith("linux")
MOST_TIDS = 1 << 22
"""Threads of the kernel have smaller numbers (proc(5), pid_max); addresses have larger ones."""
_SELF, _TID = 16, 720
"""Where glibc's `struct pthread` of x86-64 has its own address and the kernel's number."""


def state_of(pid: int) -> str | None:
    """Return the state letter of a process (R, S, D, T, Z, ...), None if there is none.

    Where there is no /proc the letter is "?" for any process that can be signalled.
    """
    if LINUX:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        except OSError:
            return None
        # The name in parentheses may itself contain spaces and parentheses.
        return stat.rpartition(")")[2].split()[0]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "?"
    return "?"


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    return state_of(pid) not in (None, "Z", "X")


def image_of(pid: int) -> str:
    """Return the path of a process's executable, "" if it cannot be read.

    It changes with exec, so it tells that a process may have become Python.
    """
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return ""


def looks_python(pid: int) -> bool | None:
    """Tell whether a process runs Python, without touching it; None if that cannot be read."""
    image = image_of(pid)
    if not image:
        return None
    if _PYTHON.fullmatch(image.removesuffix(" (deleted)").rpartition("/")[2]):
        return True
    try:
        maps = Path(f"/proc/{pid}/maps").read_text("utf-8", "replace")
    except OSError:
        return None
    return _LIBPYTHON.search(maps) is not None


def thread_ids(pid: int) -> set[int]:
    """Return the OS threads of a process; empty if they cannot be listed."""
    try:
        # Ten times a second: plain names, no Path objects.
        return {int(name) for name in os.listdir(f"/proc/{pid}/task")}  # noqa: PTH208
    except OSError:
        return set()


def cpu_ns(pid: int) -> int | None:
    """Return the CPU time that a process has used so far, None if it is gone or not to be had."""
    if not LINUX:
        return None
    try:
        # The kernel's number for the CPU clock of another process: clock_getcpuclockid(3).
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return None


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process, whichever of its threads started them."""
    children: list[int] = []
    for tid in thread_ids(pid):
        try:
            text = Path(f"/proc/{pid}/task/{tid}/children").read_text("ascii")
        except OSError:
            continue
        children.extend(map(int, text.split()))
    return children


def number_of_thread(pid: int, address: int) -> int:
    """Return the kernel's number of a thread that is known by what `pthread_self` returns, or 0.

    Believed if the structure there names itself and the process has such a thread.
    """
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            raw = os.pread(memory.fileno(), _TID + 4, address)
    except (OSError, OverflowError):
        return 0
    if len(raw) < _TID + 4 or int.from_bytes(raw[_SELF : _SELF + 8], sys.byteorder) != address:
        return 0
    number = int.from_bytes(raw[_TID:], sys.byteorder)
    return number if number in thread_ids(pid) else 0
