"""Running Python processes, for a person to choose from."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import psutil

from perftui.probes.text.redact import redact_argv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PYTHON = re.compile(r"(?:python|pypy|graalpy)(\d+(?:\.\d+)?)?[a-z]*(?:\.exe)?", re.IGNORECASE)
_FREE_THREADED = re.compile(r"python3\.\d+td?")
_VERSION = re.compile(r"(?<![\w.])(?:python|pypy|cpython-)?(\d\.\d+(?:\.\d+)?)(?![\w.])")


_OURS = re.compile(r"[/\\]probes[/\\](own|recording|sampler|target)[/\\].*\.py$")
"""Of any perftui, an editable one as well, which lies where its clone does."""


class PythonProcess(NamedTuple):
    """A process that runs a Python interpreter."""

    pid: int
    python: str | None
    """Version as its path tells it, "3.11" or "3.11.7"; None if it does not."""
    user: str | None
    cpu_percent: float
    """Of one core, while it was looked at."""
    cpu_s: float
    """Since it began."""
    rss_bytes: int
    age_s: float
    argv: tuple[str, ...]
    """Without secrets."""


def python_processes(interval_s: float = 0.2) -> list[PythonProcess]:
    """Every Python process that may be looked at, busiest first; this one is left out.

    Args:
        interval_s: How long to watch the CPU use; 0 gives the average since each began.
    """
    found = [(process, version) for process, version in _candidates()]
    first = {process.pid: _cpu_s(process) for process, _ in found}
    started = time.monotonic()
    if interval_s and found:
        time.sleep(interval_s)
    watched_s = time.monotonic() - started
    described = []
    for process, version in found:
        # It may have ended meanwhile, or belong to somebody whose memory we may not see.
        with suppress(psutil.Error):
            described.append(_describe(process, version, first[process.pid], watched_s, interval_s))
    return sorted(described, key=lambda item: (-item.cpu_percent, -item.cpu_s, item.pid))


def python_version(pid: int) -> tuple[bool, str | None]:
    """Tell whether a process runs a Python interpreter, and which version if its path says so.

    Raises:
        psutil.Error: It cannot be looked at.
    """
    return _python_of(psutil.Process(pid))


def is_helper(argv: Sequence[str]) -> bool:
    """Tell whether a command line is of a process that perftui starts for itself (`own.python`):
    a sampler, a recorder. What it runs for a person is none."""
    return "-I" in argv[1:2] and any(_OURS.search(word) for word in argv[2:4])


def _candidates() -> Iterator[tuple[psutil.Process, str | None]]:
    own = os.getpid()
    for process in psutil.process_iter():
        if process.pid == own:
            continue
        with suppress(psutil.Error):
            is_python, version = _python_of(process)
            if (
                is_python
                and process.status() != psutil.STATUS_ZOMBIE
                and not is_helper(process.cmdline())
            ):
                yield process, version


def _python_of(process: psutil.Process) -> tuple[bool, str | None]:
    names = []
    with suppress(psutil.AccessDenied):
        # A virtual environment's python is a link: this is the file behind it.
        names.append(process.exe())
    with suppress(psutil.AccessDenied):
        names += process.cmdline()[:1]
    for name in names:
        match = _PYTHON.fullmatch(name.rpartition("/")[2])
        if match is not None:
            folder = _VERSION.search(name.rpartition("/")[0].replace("/", " "))
            in_name = match[1] if match[1] and "." in match[1] else None
            in_folder = folder[1] if folder is not None else None
            agree = in_folder is not None and (in_name is None or in_folder.startswith(in_name))
            return True, in_folder if agree else in_name
    return False, None


def _free_threaded(process: psutil.Process) -> str:
    """Return "t" if the name of its program says that it is a free-threaded build."""
    with suppress(psutil.Error):
        return "t" if _FREE_THREADED.fullmatch(process.exe().rpartition("/")[2]) else ""
    return ""


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _describe(
    process: psutil.Process,
    version: str | None,
    before_s: float,
    watched_s: float,
    watch: float,
) -> PythonProcess:
    with process.oneshot():
        times = process.cpu_times()
        cpu_s = float(times.user + times.system)
        age_s = max(time.time() - process.create_time(), 0.0)
        if watch:
            percent = 100 * max(cpu_s - before_s, 0.0) / max(watched_s, 1e-3)
        else:
            percent = 100 * cpu_s / max(age_s, 1e-3)
        try:
            user: str | None = process.username()
        except (psutil.Error, KeyError):
            user = None
        return PythonProcess(
            pid=process.pid,
            python=version and version + _free_threaded(process),
            user=user,
            cpu_percent=percent,
            cpu_s=cpu_s,
            rss_bytes=int(process.memory_info().rss),
            age_s=age_s,
            argv=redact_argv(process.cmdline()),
        )
