"""Doctor's checks of the kernel and the terminal."""

from __future__ import annotations

import locale
import os
import sys
from pathlib import Path

from perftui.probes.doctor.checks import Check
from perftui.probes.machine.memory import machine_memory, memory_limit
from perftui.probes.text.units import format_bytes

_SMALLEST = (60, 15)
_ALL_TABS = (80, 24)


def check_machine() -> list[Check]:
    """Cores, memory and what /proc offers."""
    return [
        _cores(),
        _memory(),
        _proc_file(
            "smaps_rollup",
            Path("/proc/self/smaps_rollup"),
            "PSS, USS and swap stay unknown",
            "a kernel from 4.14 on has it",
        ),
        _proc_file(
            "schedstat",
            Path("/proc/self/schedstat"),
            "time in the run queue stays unknown: no cpu_contention alerts",
            "the kernel needs CONFIG_SCHED_INFO",
        ),
        _proc_file(
            "sched",
            Path("/proc/self/sched"),
            "on a full machine CPU of functions in bursts under 5 ms may be off by a factor",
            "the kernel needs CONFIG_SCHED_DEBUG",
        ),
        _proc_file(
            "pressure (PSI)",
            Path("/proc/pressure/memory"),
            "memory pressure of the machine stays unknown",
            "the kernel needs CONFIG_PSI, and psi=1 on its command line",
        ),
    ]


def _cores() -> Check:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    total = os.cpu_count()
    if usable is None or usable == total:
        return Check("cores", "ok", f"{total}")
    return Check("cores", "info", f"{usable} of {total} may be used here (affinity)")


def _memory() -> Check:
    machine = machine_memory()
    limit = memory_limit()
    if machine is None:
        return Check("memory", "info", "unknown: no /proc/meminfo")
    found = f"{format_bytes(machine.available_bytes)} of {format_bytes(machine.total_bytes)} free"
    if limit is None or limit.limit_bytes >= machine.total_bytes:
        return Check("memory", "ok", f"{found}, no cgroup limit")
    return Check(
        "memory",
        "info",
        f"{found}; cgroup {limit.group} allows {format_bytes(limit.limit_bytes)}, "
        f"{format_bytes(limit.used_bytes)} used",
        "this limit ends a program before the machine's does",
    )


def _proc_file(name: str, path: Path, loss: str, remedy: str) -> Check:
    try:
        readable = bool(path.read_bytes())
    except OSError as error:
        if not sys.platform.startswith("linux"):
            return Check(name, "info", f"{sys.platform} has no {path}", loss)
        return Check(name, "warn", f"{path}: {error.strerror}", loss, remedy)
    if readable:
        return Check(name, "ok", str(path))
    return Check(name, "warn", f"{path} is empty", loss, remedy)


def check_terminal() -> list[Check]:
    """What the screen will look like where this command was typed."""
    return [_size(), _encoding(), _colours(), *_multiplexer()]


def _size() -> Check:
    try:
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return Check("terminal", "info", "none here", "commands run without a screen (--headless)")
    found = f"{columns}x{lines}, TERM={os.environ.get('TERM', '(not set)')}"
    if columns < _SMALLEST[0] or lines < _SMALLEST[1]:
        return Check("terminal", "warn", found, "too small for the screen", "make it 80x24")
    if columns < _ALL_TABS[0] or lines < _ALL_TABS[1]:
        return Check("terminal", "info", found, "one timeline only; 80x24 shows more")
    return Check("terminal", "ok", found)


def _encoding() -> Check:
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") == "utf8":
        return Check("encoding", "ok", encoding)
    follows = "the screen is drawn in ASCII: coarser charts"
    return Check("encoding", "warn", encoding, follows, "export LANG=C.UTF-8")


def _colours() -> Check:
    if os.environ.get("NO_COLOR"):
        return Check("colours", "info", "NO_COLOR is set", "no colours; shapes and words remain")
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return Check("colours", "ok", "16 million")
    term = os.environ.get("TERM", "")
    if term in ("", "dumb"):
        return Check("colours", "info", f"TERM={term or '(not set)'}", "colours are not known")
    count = "256" if "256" in term else "16"
    follows = "colours are the nearest of these"
    remedy = "if the terminal can do more: export COLORTERM=truecolor"
    return Check("colours", "info", f"{count} (TERM={term})", follows, remedy)


def _multiplexer() -> list[Check]:
    checks = []
    if os.environ.get("TMUX"):
        follows = "escape is delayed and the mouse may be off"
        remedy = "in ~/.tmux.conf: set -sg escape-time 10; set -g mouse on"
        checks.append(Check("tmux", "info", "inside tmux", follows, remedy))
    elif os.environ.get("STY"):
        checks.append(Check("screen", "info", "inside GNU screen", "colours may be reduced"))
    if os.environ.get("SSH_CONNECTION"):
        checks.append(Check("ssh", "info", "over SSH", "the screen sends at most 20 kB/s"))
    return checks
