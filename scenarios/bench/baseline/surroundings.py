"""Where a bench was measured, and what of that makes two of them no comparison."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from perftui.probes.compare.warnings import package_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perftui.scenarios.bench.bench import Bench

_GIT_S = 10.0
_SHOWN = 4
"""Packages of which a difference is told one by one."""


class MeasuredAt(NamedTuple):
    """What must be the same on both sides; None is unknown."""

    machine_id: str | None
    machine: str | None
    """For a person."""
    python: str | None
    packages: Mapping[str, str] | None
    """Distributions that the program imported, and their versions."""
    params: Mapping[str, str]
    calls: int | None
    """Of a function in each process."""
    stacks: bool


def surroundings_of(bench: Bench) -> MeasuredAt:
    """Return those of a bench that was run here."""
    place = (bench.new.done or bench.new.runs or bench.new.warm_ups)[0].place
    model = place.cpu_model or "unknown CPU"
    return MeasuredAt(
        machine_id(),
        f"{place.host}, {model}, {place.cores} cores",
        place.python,
        bench.new.packages(),
        dict(bench.plan.new.params),
        bench.calls if bench.plan.new.kept else None,
        bench.plan.options.stacks,
    )


def machine_id() -> str:
    """Return what tells this machine from others, without naming it."""
    from perftui.probes.recording.format.meta import host_name, machine

    about = machine()
    try:
        own = Path("/etc/machine-id").read_text().strip()
    except OSError:
        own = ""
    words = (own or host_name(), about["cpu_model"], about["cpu_count"], about["architecture"])
    return "sha256:" + hashlib.sha256("\0".join(map(str, words)).encode()).hexdigest()


def differences(base: MeasuredAt, new: MeasuredAt) -> list[str]:
    """Say what differs and may make the figures differ, the worst first; unknown is no
    difference."""
    told = []
    if base.machine_id and new.machine_id and base.machine_id != new.machine_id:
        told.append(f"another machine: {base.machine or 'unknown'} → {new.machine or 'unknown'}")
    if base.python and new.python and base.python != new.python:
        told.append(f"another Python: {base.python} → {new.python}")
    if base.packages is not None and new.packages is not None:
        changed = package_changes(base.packages, new.packages)
        if changed:
            more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
            told.append(f"other versions: {', '.join(changed[:_SHOWN])}{more}")
    if dict(base.params) != dict(new.params):
        names = [
            name
            for name in {**base.params, **new.params}
            if base.params.get(name) != new.params.get(name)
        ]
        changes = (f"{n} {base.params.get(n, '-')} → {new.params.get(n, '-')}" for n in names)
        told.append(f"other parameters: {', '.join(changes)}")
    if base.calls and new.calls and base.calls != new.calls:
        told.append(f"other calls in each process: {base.calls} → {new.calls}")
    if base.stacks != new.stacks:
        told.append("stacks were taken on one side alone")
    return told


class Commit(NamedTuple):
    """What the working directory is a checkout of."""

    commit: str | None
    dirty: bool | None


def commit_here() -> Commit:
    """Ask git; nothing known where it is not installed or this is no repository."""
    head = git("rev-parse", "HEAD")
    if head is None:
        return Commit(None, None)
    changed = git("status", "--porcelain", "--untracked-files=no")
    return Commit(head, None if changed is None else bool(changed))


def git(*words: str, folder: str | None = None) -> str | None:
    """Return what git says, None if it fails."""
    try:
        done = subprocess.run(
            ["git", *words],
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            cwd=folder,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def as_env(about: MeasuredAt) -> dict[str, Any]:
    """Return what an entry says of them."""
    from perftui.probes.recording.format.meta import machine

    known = machine()
    return {
        "machine_id": about.machine_id,
        "machine": about.machine,
        "cpu_model": known["cpu_model"],
        "cores": known["cpu_count"],
        "mem_bytes": known["ram_bytes"],
        "os": f"{known['platform']} {known['kernel']}",
        "python": about.python,
        "packages": None if about.packages is None else dict(about.packages),
    }
