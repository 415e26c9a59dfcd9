"""Doctor's checks of one process: can it be watched, and how well?"""

from __future__ import annotations

import psutil

from perftui.probes.doctor.checks import Check
from perftui.probes.machine.rights import can_trace, other_pid_namespace
from perftui.probes.process.free_threaded import PY_SPY, free_threaded_build, what_follows
from perftui.probes.process.implementations import (
    other_implementation,
    what_follows_elsewhere,
)
from perftui.probes.process.running import python_version
from perftui.probes.sampler.cpython.layout import MINORS
from perftui.probes.stacks.own.ask import ask
from perftui.probes.stacks.sources import WHY_REFUSED, why_not_own
from perftui.probes.text.redact import redact_argv
from perftui.probes.text.units import format_bytes, format_seconds

_OLDEST_AGENT = (3, 9)


class NoSuchProcess(LookupError):
    """There is no process of that number."""


def check_process(pid: int) -> list[Check]:
    """Alive, whose, Python, may its stacks be read, and what would be seen.

    Raises:
        NoSuchProcess: There is none, or it has ended.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            raise NoSuchProcess(f"process {pid} has ended (its parent has not taken notice)")
        return _checks(process)
    except psutil.NoSuchProcess:
        raise NoSuchProcess(f"there is no process {pid}") from None


def _checks(process: psutil.Process) -> list[Check]:
    return [
        _alive(process),
        _python(process),
        _right(process),
        *_sampler(process),
        _namespace(process),
        _use(process),
    ]


def _alive(process: psutil.Process) -> Check:
    import time

    try:
        user = process.username()
    except (psutil.AccessDenied, KeyError):
        user = "an unknown user"
    try:
        command = " ".join(redact_argv(process.cmdline())) or process.name()
    except psutil.AccessDenied:
        command = process.name()
    age = format_seconds(max(round(time.time() - process.create_time()), 0))
    return Check("process", "ok", f"{process.pid}, of {user}, for {age}: {command}")


def _python(process: psutil.Process) -> Check:
    try:
        is_python, version = python_version(process.pid)
    except psutil.AccessDenied:
        return Check("interpreter", "warn", "its program cannot be read", "see the right below")
    if other := other_implementation(process.pid):
        follows = what_follows_elsewhere(other, inside=False).partition(": ")[2]
        return Check("interpreter", "warn", other, follows)
    if not is_python:
        follows = "CPU, memory and threads are shown; stacks only if Python is embedded in it"
        return Check("interpreter", "warn", f"{process.name()} is not a Python program", follows)
    build = free_threaded_build(process.pid)
    if build is not None:
        return Check("interpreter", "ok", f"free-threaded Python {build}")
    if version is None:
        return Check("interpreter", "ok", "Python; its path does not tell the version")
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_AGENT:
        follows = "stacks by py-spy; the agent of `perftui run` needs 3.9"
        return Check("interpreter", "info", f"Python {version}", follows)
    return Check("interpreter", "ok", f"Python {version}")


def _right(process: psutil.Process) -> Check:
    right = can_trace(process.pid)
    if right.ok:
        return Check("right to read it", "ok", right.reason, "", right.remedy)
    follows = "metrics without stacks"
    return Check("right to read it", "fail", right.reason, follows, right.remedy)


def _sampler(process: psutil.Process) -> list[Check]:
    """Say who would take the stacks, and why."""
    name = "stacks by"
    if not python_version(process.pid)[0] or not can_trace(process.pid).ok:
        return []
    if other_implementation(process.pid) is not None:
        return []
    why = why_not_own("auto", native=False)
    if why is not None:
        return [Check(name, "ok", f"py-spy: {why}")]
    try:
        told = ask(process.pid)
    except OSError as error:
        return [Check(name, "warn", f"py-spy: the own sampler does not start: {error}")]
    build = free_threaded_build(process.pid)
    if told is None and build is not None:
        return [Check(name, "info", f"the own sampler: no answer in 3 s (it sleeps?); {PY_SPY}")]
    if told is None:
        return [Check(name, "info", "py-spy: the own sampler gave no answer in 3 s")]
    if told.status == "sampled":
        return [Check(name, "ok", told.label)]
    if build is not None:
        reason = WHY_REFUSED.get(told.reason, told.label)
        found = what_follows(build, inside=False, why=f"{reason}, and {PY_SPY}")
        return [Check(name, "warn", *found.rsplit("; ", 1))]
    return [_by_other(told.reason, told.label, python_version(process.pid)[1])]


def _by_other(reason: str, label: str, version: str | None) -> Check:
    """Say why py-spy takes the stacks.

    Args:
        reason: The own sampler's; "" if it gave none.
        label: What it says of the process.
        version: Of its Python, if that is known.
    """
    name = "stacks by"
    follows = "no CPU by its own counters, waiting and touched memory per function"
    if reason == "unknown-version" and version is not None:
        minor = tuple(int(part) for part in version.split(".")[:2])
        known = f"the own sampler reads CPython 3.{min(MINORS)} to 3.{max(MINORS)}"
        if minor > (3, max(MINORS)):
            found = f"py-spy, if it knows Python {version}: {known}"
            remedy = "a newer perftui may: pip install --upgrade perftui py-spy"
            return Check(name, "warn", found, follows, remedy)
        return Check(name, "info", f"py-spy: {known}, this is {version}", follows)
    return Check(name, "info", f"py-spy: {WHY_REFUSED.get(reason, label)}", follows)


def _namespace(process: psutil.Process) -> Check:
    if other_pid_namespace(process.pid):
        follows = "its threads count themselves differently from what is shown here"
        return Check("pid namespace", "info", "another one: it runs in a container", follows)
    return Check("pid namespace", "ok", "the same as perftui's")


def _use(process: psutil.Process) -> Check:
    try:
        rss = format_bytes(process.memory_info().rss)
        cpu = process.cpu_times()
        threads = process.num_threads()
        children = len(process.children(recursive=True))
    except psutil.AccessDenied:
        return Check("use", "warn", "its figures cannot be read")
    spent = format_seconds(cpu.user + cpu.system)
    found = f"threads {threads}, child processes {children}, RSS {rss}, CPU {spent}"
    return Check("use", "ok", found)
