"""Files of memray's read by a process of the program's Python: rows on the session's clock."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.own.python import script_beside_packages
from perftui.probes.profile.memory.growth import is_own
from perftui.probes.spine.calltree import Frame, is_agent_file, module_of
from perftui.probes.spine.records import BY_MEMRAY, Allocated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.recording.format.captures import Capture

MOST_ROWS = 20_000
"""Of one file; steps of time are joined until there are no more."""
LEAST_ROWS = 500
MOST_FILES = 64
LIMIT_S = 300.0
_DIGEST = Path(__file__).absolute().parent / "reading" / "digest.py"
_CLOCK_READINGS = 5
NO_FRAME = "no Python frame"
DAMAGED = b"Memray ERROR"
"""memray writes it on stderr and goes on as if the file ended there."""
BEYOND = "cannot be read to its end (the process was killed after a fork, or the disk was full)"


class NotRead(Exception):
    """A file of memray's could not be read; the text says why."""


def clock_offset_ns() -> int:
    """Return what the session's clock is ahead of the wall clock by.

    Of some readings the one in which the least time passed: we may lose our CPU within one.
    """
    readings = []
    for _ in range(_CLOCK_READINGS):
        before_ns, wall_ns, after_ns = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        readings.append((after_ns - before_ns, (before_ns + after_ns) // 2 - wall_ns))
    return min(readings)[1]


def rows_each(captures: Sequence[Capture]) -> list[tuple[Capture, int]]:
    """Return the files to read, the largest first, and how many rows each may have."""
    first = sorted(captures, key=lambda capture: -capture.size)[:MOST_FILES]
    return [(each, max(2 * MOST_ROWS // (len(first) + 1), LEAST_ROWS)) for each in first]


def read_capture(
    file: Path,
    pid: int,
    python: str,
    offset_ns: int,
    *,
    most_rows: int = MOST_ROWS,
) -> tuple[list[Allocated], bool]:
    """Return what one file holds, the largest first, and whether a part of it cannot be read.

    Args:
        file: Of memray's.
        pid: The process it is of.
        python: An interpreter that has the memray that wrote it.
        offset_ns: The session's time minus the wall clock's.
        most_rows: See `MOST_ROWS`.

    Raises:
        NotRead: memray cannot read it.
    """
    try:
        process = subprocess.Popen(
            script_beside_packages(python, _DIGEST, str(file), str(most_rows)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise NotRead(f"{python} cannot be started: {error.strerror}") from None
    try:
        out, complaints = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise NotRead(f"it takes longer than {LIMIT_S:g} s to read") from None
    try:
        said = json.loads(out.decode("utf-8", "replace").strip().rpartition("\n")[2])
        if "problem" in said:
            raise NotRead(" ".join(str(said["problem"]).split()))
        return rows_of(said, pid, offset_ns), DAMAGED in complaints
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise NotRead(f"the process that reads it ended with {process.returncode}") from None


def rows_of(said: dict[str, Any], pid: int, offset_ns: int) -> list[Allocated]:
    """Turn what `digest.py` says into rows; what is our agent's own is left out.

    Raises:
        ValueError, KeyError, TypeError, IndexError: it does not say what it should.
    """
    frames = [
        Frame(str(function), str(file), int(line), module_of(str(file)))
        for function, file, line in said["frames"]
    ]
    stacks = [[frames[int(number)] for number in stack] for stack in said["stacks"]]
    rows = []
    for thread, stack_number, t0_ms, t1_ms, size, count, freed_ms in said["rows"]:
        stack = stacks[int(stack_number)]
        if stack and (is_agent_file(stack[0].file) or is_agent_file(stack[-1].file)):
            continue  # a thread of ours may ask a library
        inner = stack[0] if stack else Frame(NO_FRAME, "", 0, "")
        own = next((frame for frame in stack if is_own(frame)), None)
        rows.append(
            Allocated(
                _ns(t0_ms, offset_ns),
                pid,
                _ns(t1_ms, offset_ns),
                str(thread),
                inner.function,
                inner.file,
                inner.line,
                None if own is None else own.function,
                None if own is None else own.file,
                None if own is None else own.line,
                int(size),
                int(count),
                None if freed_ms is None else _ns(freed_ms, offset_ns),
                BY_MEMRAY,
                "\n".join(f"{each.function} {each.file}:{each.line}" for each in reversed(stack)),
            )
        )
    size, count = said["rest"]
    if count and rows:
        first, last = min(row.t_ns for row in rows), max(row.t1_ns for row in rows)
        rest = Allocated(
            first, pid, last, "", "<more places than are kept>", "", 0, None, None, None,
            int(size), int(count), None, BY_MEMRAY, "",
        )  # fmt: skip
        rows.append(rest)
    return rows


def _ns(ms: int, offset_ns: int) -> int:
    return int(ms) * 1_000_000 + offset_ns
