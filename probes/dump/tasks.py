"""Tasks of asyncio of a process that runs, read from its memory by its own interpreter.

From Python 3.14 on the standard library can do that (`_remote_debugging`, which `python -m asyncio
ps` stands on); it must be of the target's own minor version. The target is not stopped and does
not take part.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from perftui.probes.dump.moment import FrameNow, TaskNow
from perftui.probes.own.python import code_elsewhere

SINCE = (3, 14)
_LIMIT_S = 3.0
_TOO_OLD = "they can be read from outside from Python 3.14 on"
_CODE = """
import json, sys
from _remote_debugging import RemoteUnwinder
found = {}
def places(frames):
    told = []
    for frame in frames:
        line = frame.location.lineno if hasattr(frame, "location") else frame.lineno
        told.append((frame.funcname, frame.filename, line or 0))
    return told
for awaited in RemoteUnwinder(int(sys.argv[1])).get_all_awaited_by():
    for task in awaited.awaited_by:
        stack = [p for chain in task.coroutine_stack for p in places(chain.call_stack)]
        by = [caller.task_name for caller in task.awaited_by]
        found[task.task_id] = (task.task_name, stack, by)
names = {ident: row[0] for ident, row in found.items()}
json.dump([(n, s, [names.get(b, str(b)) for b in by]) for n, s, by in found.values()], sys.stdout)
"""


class NoTasks(Exception):
    """They cannot be had; the text says why."""


def tasks_of(pid: int, python: str | None) -> tuple[TaskNow, ...]:
    """Return the tasks of a process.

    Args:
        pid: The process.
        python: Its version, "3.14.1"; None: not known.

    Raises:
        NoTasks: it cannot be asked.
    """
    if python is not None and _version(python) < SINCE:
        raise NoTasks(f"asyncio tasks are not told: {_TOO_OLD}, process {pid} is {python}")
    argv = code_elsewhere(f"/proc/{pid}/exe", _CODE, str(pid))
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_LIMIT_S, stdin=subprocess.DEVNULL,
            cwd=Path("/"), check=False,
        )  # fmt: skip
        rows: list[Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoTasks(f"asyncio tasks of process {pid} are not told: {error}") from error
    except ValueError as error:
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        why = _TOO_OLD if "_remote_debugging" in last else last
        raise NoTasks(f"asyncio tasks of process {pid} are not told: {why}") from error
    return tuple(
        TaskNow(pid, name, tuple(FrameNow(*place) for place in stack), tuple(by))
        for name, stack, by in rows
    )


def _version(text: str) -> tuple[int, int]:
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)
