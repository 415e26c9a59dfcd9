"""What is told of a process at one moment."""

from __future__ import annotations

from typing import Any, NamedTuple

SCHEMA = 1


class FrameNow(NamedTuple):
    """A frame: function, source file, line."""

    function: str
    file: str
    line: int


class ThreadNow(NamedTuple):
    """One thread."""

    pid: int
    tid: int
    name: str
    is_python: bool
    doing: str | None
    """"CPU" or what it waits for: "lock", "GIL", "I/O", "sleep", "run queue", "child process";
    None if that is not known."""
    cpu_percent: float
    """Of a core, over the time that was watched."""
    gil_held_percent: float | None
    stack: tuple[FrameNow, ...]
    """Innermost first; empty of native threads and where no stack could be read."""


class ProcessNow(NamedTuple):
    """One process of the tree. Bytes are None where the system does not tell them."""

    pid: int
    parent_pid: int
    title: str
    rss_bytes: float | None
    pss_bytes: float | None
    uss_bytes: float | None
    swap_bytes: float | None
    peak_rss_bytes: float | None
    cpu_percent: float | None


class TaskNow(NamedTuple):
    """One task of asyncio."""

    pid: int
    name: str
    stack: tuple[FrameNow, ...]
    """Of its coroutine, innermost first."""
    awaited_by: tuple[str, ...]
    """Names of the tasks that wait for it."""


class Moment(NamedTuple):
    """See the module."""

    at: str
    """Time of day, ISO 8601 with the offset."""
    title: str
    python: str | None
    stacks_by: str | None
    """The source of stacks; None: there are none."""
    watched_s: float
    """How long it was watched for the figures that need time."""
    processes: tuple[ProcessNow, ...]
    threads: tuple[ThreadNow, ...]
    tasks: tuple[TaskNow, ...] | None
    """None: not known; `notes` says why."""
    notes: tuple[str, ...]


def as_json(moment: Moment) -> dict[str, Any]:
    """Return the JSON of `perftui dump --json`: the fields as they are named here."""
    return {"schema": SCHEMA, **{key: _plain(value) for key, value in moment._asdict().items()}}


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {key: _plain(part) for key, part in value._asdict().items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value
