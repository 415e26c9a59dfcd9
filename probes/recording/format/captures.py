"""Files of memray in a recording: one for each process, beside the tables.

    memray-PID-NS.bin           of a process that the agent is in, begun at NS of its clock
    memray-PID-NS.bin.CHILD     of one that it forked, and so on

They are written by the program itself, so that they are whole up to the moment in which it was
killed. What is in them is read with the memray that wrote them (`probes.allocations`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"memray-(\d{1,10})-\d{1,20}\.bin((?:\.\d{1,10}){0,8})", re.ASCII)


class Capture(NamedTuple):
    """One file."""

    name: str
    pid: int
    size: int
    """Bytes."""


def capture_pid(name: str) -> int | None:
    """Return the process that a file is of, None if it is no file of memray's."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return int(match[2].rpartition(".")[2] or match[1])


def captures_in(directory: Path) -> list[Capture]:
    """List those of a recording, by name.

    Raises:
        OSError: it cannot be read.
    """
    found = []
    for path in sorted(directory.iterdir()):
        pid = capture_pid(path.name)
        if pid is not None and path.is_file() and not path.is_symlink():
            found.append(Capture(path.name, pid, path.stat().st_size))
    return found
