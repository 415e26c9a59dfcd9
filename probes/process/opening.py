"""The choice of the system behind the face of a process.

Linux reads /proc and the kernel's per-process CPU clock itself (a tick costs some 30 µs);
elsewhere psutil answers, with fewer figures.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perftui.probes.process.face import ProcessReader


def open_process(pid: int) -> ProcessReader:
    """Open a process for reading.

    Raises:
        ProcessGone: there is no such process, or it is a zombie.
    """
    if sys.platform == "linux":
        from perftui.probes.process.linux import LinuxProcess

        return LinuxProcess(pid)
    else:  # noqa: RET505 - the other half of a choice that type checkers make too
        from perftui.probes.process.portable import PsutilProcess

        return PsutilProcess(pid)
