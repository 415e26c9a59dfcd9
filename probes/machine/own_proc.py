"""Whether /proc is about this process: all that is known of others is read there, by number."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SELF = Path("/proc/self")


def proc_problem(link: Path = _SELF) -> str:
    """Say in one line why /proc cannot be relied on here, and what to do; "" if it can.

    A chroot or a container may have none. In a PID namespace that was entered without mounting it
    anew it is the one from outside, where our numbers are those of other people's processes.
    """
    if not sys.platform.startswith("linux"):
        return ""
    try:
        told = os.readlink(link)  # noqa: PTH115 - a number, no path
    except OSError as error:
        why = error.strerror or str(error)
        return f"there is no /proc here ({why}): mount -t proc proc /proc"
    if told == str(os.getpid()):
        return ""
    return (
        "the /proc here is of another PID namespace, where our process numbers mean others: "
        "mount -t proc proc /proc, or enter it with unshare --mount-proc"
    )
