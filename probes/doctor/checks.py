"""What works here, what does not, why, and what to do: the checks, as data.

Each check asks the thing itself (starts a process and samples it, opens the file) rather than
concluding from versions.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from perftui.probes.machine.releases import INSTEAD, has_release, no_release
from perftui.probes.machine.rights import (
    can_trace,
    container,
    has_trace_capability,
    trace_remedy,
    yama_scope,
)
from perftui.probes.own.python import own_code

if TYPE_CHECKING:
    from collections.abc import Iterator

Status = Literal["ok", "warn", "fail", "info"]

_OLDEST_PYTHON = (3, 11)
_NEEDED = ("textual", "psutil")
_LIBRARIES = ("pyarrow", "duckdb", "lancedb")
_EXTRAS = ("pandas", "polars", "datafusion", "deltalake", "opteryx", "psycopg", "redis", "memray")


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    status: Status
    found: str
    """What is there."""
    follows: str = ""
    """What that means for perftui; "" if nothing."""
    remedy: str = ""
    """What to do about it; "" if nothing."""


def check_installation() -> list[Check]:
    """Python, bytecode, py-spy and the right to sample, and libraries."""
    return [
        _python(),
        _bytecode(),
        *_sampler(),
        _yama(),
        _rights(),
        *_libraries(),
    ]


def _python() -> Check:
    found = f"{sys.implementation.name} {sys.version.split()[0]}, {sys.executable}"
    if sys.version_info < _OLDEST_PYTHON:
        return Check("python", "fail", found, "perftui needs 3.11 or later", "install it there")
    return Check("python", "ok", found)


def _bytecode() -> Check:
    """Without .pyc files every start compiles Textual again (0.2 s of CPU)."""
    spec = find_spec("textual")
    if spec is None or spec.submodule_search_locations is None:
        return Check("bytecode", "info", "unknown: Textual is not installed")
    source = Path(spec.submodule_search_locations[0]) / "app.py"
    folder = source.parent
    if Path(cache_from_source(str(source))).exists():
        return Check("bytecode", "ok", "Textual is compiled")
    follows = "each start of the screen compiles it again: about 0.2 s of CPU more"
    remedy = f"{sys.executable} -m compileall -q {folder}"
    if not os.access(folder, os.W_OK):
        why = "Textual is not compiled, and its folder is not writable"
        return Check("bytecode", "warn", why, follows, f"as its owner: {remedy}")
    if sys.dont_write_bytecode:
        why = "Textual is not compiled, and PYTHONDONTWRITEBYTECODE forbids it"
        return Check("bytecode", "warn", why, follows, remedy)
    return Check("bytecode", "ok", "not compiled yet; the first start of the screen does it")


def _sampler() -> list[Check]:
    from perftui.probes.stacks.recorder import SamplerMissing, find_sampler

    try:
        path = find_sampler()
    except SamplerMissing as error:
        return [Check("py-spy", "fail", "not found", "no stacks, no flame graph", str(error))]
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        remedy = f"{sys.executable} -m pip install --force-reinstall py-spy"
        found = f"{path} does not start: {error}"
        return [Check("py-spy", "fail", found, "no stacks, no flame graph", remedy)]
    name = said.stdout.strip() or "py-spy"
    return [_try_own(), Check("py-spy", "ok", f"{name}, {path}"), _try_sampling(path)]


def _try_own() -> Check:
    """Let the own sampler read a Python process of ours."""
    from perftui.probes.stacks.own.ask import ask
    from perftui.probes.stacks.sources import why_not_own

    why = why_not_own("auto", native=False)
    if why is not None:
        return Check("own sampler", "info", why, "py-spy takes the stacks of all processes")
    try:
        with _waiting_python() as pid:
            told = ask(pid)
    except OSError as error:
        return Check("own sampler", "warn", str(error), "py-spy takes the stacks")
    if told is not None and told.status == "sampled":
        return Check("own sampler", "ok", f"read a Python process of ours: {told.label}")
    found = "gave no answer in 3 s" if told is None else told.label
    return Check("own sampler", "warn", found, "py-spy takes the stacks where it can")


def _try_sampling(sampler: str) -> Check:
    """Sample a Python process of our own: the only proof that it works."""
    try:
        with _waiting_python() as pid:
            right = can_trace(pid)
            dump = subprocess.run(
                [sampler, "dump", "--nonblocking", "--pid", str(pid)],
                capture_output=True,
                text=True,
                timeout=20,
            )
    except subprocess.TimeoutExpired:
        return Check("sampling", "fail", "py-spy did not answer in 20 s", "no stacks")
    if dump.returncode == 0 and "<module>" in dump.stdout:
        return Check("sampling", "ok", "py-spy read the stack of a Python process of ours")
    lines = dump.stderr.strip().splitlines()
    if right.ok:
        # Under Yama the sampler is a sibling of such a child. `run` arranges what it needs.
        found = f"py-spy failed: {lines[0] if lines else 'no message'}"
        return Check("sampling", "fail", found, "no stacks, no flame graph", right.remedy)
    return Check("sampling", "fail", right.reason, "no stacks, no flame graph", right.remedy)


@contextmanager
def _waiting_python() -> Iterator[int]:
    """Start a Python process of ours that waits; gives its process id, and ends it."""
    waiting = "import sys; sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"
    child = subprocess.Popen(own_code(waiting), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if child.stdout is not None:
            child.stdout.read(1)
        yield child.pid
    finally:
        child.communicate()


def _yama() -> Check:
    scope = yama_scope()
    if scope is None:
        return Check("yama", "ok", "not in this kernel: processes of the same user can be read")
    if scope == 0:
        return Check("yama", "ok", "ptrace_scope 0: processes of the same user can be read")
    found = f"ptrace_scope {scope}"
    if has_trace_capability() and scope < 3:
        return Check("yama", "ok", f"{found}, but perftui holds CAP_SYS_PTRACE")
    if scope == 1:
        follows = "`perftui run` gives stacks; `perftui attach` gives metrics without stacks"
        remedy = "for attach: sudo sysctl kernel.yama.ptrace_scope=0 (until reboot), or use sudo"
        return Check("yama", "warn", found, follows, remedy)
    remedy = "run perftui with sudo" if scope == 2 else "set it to 1 in /etc/sysctl.d and reboot"
    return Check("yama", "fail", found, "no stacks, no flame graph", remedy)


def _rights() -> Check:
    who = f"uid {os.geteuid()}"
    if has_trace_capability():
        found = f"{who} with CAP_SYS_PTRACE: processes of all users can be read"
        return Check("rights", "ok", found)
    remedy = trace_remedy(container()) or "for those of others: sudo perftui attach PID"
    found = f"{who} without CAP_SYS_PTRACE: only processes of this user can be read"
    follows = "`attach` gives metrics without stacks for processes of other users"
    return Check("rights", "info" if os.geteuid() else "warn", found, follows, remedy)


def _libraries() -> list[Check]:
    checks = []
    for package in (*_NEEDED, *_LIBRARIES):
        installed = _version(package)
        if installed:
            checks.append(Check(package, "ok", installed))
        else:
            needed = package in _NEEDED
            checks.append(
                Check(
                    package,
                    "fail" if needed else "warn",
                    "not installed",
                    "perftui needs it" if needed else "the scenarios that use it cannot run",
                    f"{sys.executable} -m pip install {package}",
                )
            )
    have = [f"{package} {found}" for package in _EXTRAS if (found := _version(package))]
    lack = [p for p in _EXTRAS if not _version(p) and has_release(p)]
    follows = [f"not installed: {', '.join(lack)}; nothing needs them"] if lack else []
    none = [p for p in _EXTRAS if not _version(p) and not has_release(p)]
    follows += [no_release(package) for package in none]
    checks.append(
        Check(
            "extras",
            "info",
            ", ".join(have) or "none installed",
            "; ".join(follows),
            "; ".join(f"for {package}: {INSTEAD[package]}" for package in none),
        )
    )
    return checks


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
