"""Doctor's checks of what perftui runs in: system, container, filters, what of /proc is hidden."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from perftui.probes.doctor.checks import Check
from perftui.probes.machine.own_proc import proc_problem
from perftui.probes.machine.rights import container

_TRIED_MACHINES = ("x86_64",)


def check_surroundings() -> list[Check]:
    """System and C library, container, filters and modules of the kernel, hidden processes."""
    return [
        _system(),
        _container(),
        _filter(),
        _module(Path("/sys/fs/selinux"), Path("/proc/self/attr/current")),
        _hidden(Path("/proc/self/mountinfo")),
    ]


def _system() -> Check:
    library, release = platform.libc_ver()
    libc = f"{library} {release}" if library else "musl" if _is_musl() else "C library unknown"
    found = f"{platform.system()} {platform.release()}, {platform.machine()}, {libc}"
    if platform.system() != "Linux":
        return Check(
            "system",
            "warn",
            found,
            "made for Linux: here the own sampler, PSS, run queue and page faults are missing",
        )
    if library != "glibc":
        follows = "malloc does not tell what it holds: that part of RSS is `native, not told`"
        return Check("system", "info", found, follows)
    if platform.machine() not in _TRIED_MACHINES:
        return Check("system", "info", found, "tried on x86_64 alone: `perftui selftest` shows")
    return Check("system", "ok", found)


def _is_musl() -> bool:
    return any(Path("/lib").glob("ld-musl-*"))


def _container() -> Check:
    where = container()
    if not where:
        return Check("container", "ok", "none")
    follows = "processes outside of it are not seen; its limits of CPU and memory are those below"
    return Check("container", "info", where, follows)


def _module(selinux: Path, attribute: Path) -> Check:
    """A security module may deny what the user and the capabilities allow; see `sampling`."""
    name = "security module"
    try:
        if (selinux / "booleans" / "deny_ptrace").read_text().split()[:1] == ["1"]:
            follows = "no stacks of any process, not even of those that perftui starts"
            remedy = "sudo setsebool deny_ptrace 0"
            return Check(name, "fail", "SELinux with deny_ptrace", follows, remedy)
    except OSError:
        pass
    try:
        profile = attribute.read_text().strip("\0\n ")
    except (OSError, ValueError):
        profile = ""
    if not profile or profile.startswith(("unconfined", "kernel")):
        return Check(name, "ok", "none confines perftui")
    follows = "if `own sampler` or `sampling` fails, it may be this"
    remedy = "AppArmor: the profile must have `ptrace (read, readby)`; SELinux: see ausearch -m avc"
    return Check(name, "info", f"confined as {profile}", follows, remedy)


def _filter() -> Check:
    """A filter of system calls may forbid what sampling needs; `sampling` is the proof."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError as error:
        return Check("seccomp", "info", f"unknown: {error.strerror}")
    mode = next((line.split()[1] for line in lines if line.startswith("Seccomp:")), "0")
    if mode == "0":
        return Check("seccomp", "ok", "no filter of system calls")
    found = "system calls are filtered"
    remedy = "the profile must allow process_vm_readv and ptrace"
    follows = "if `own sampler` or `sampling` fails, it may be this"
    return Check("seccomp", "info", found, follows, remedy)


def _hidden(mounts: Path) -> Check:
    if problem := proc_problem():
        why, _, remedy = problem.partition(": ")
        return Check("/proc", "fail", why, "perftui cannot watch anything here", remedy)
    try:
        rows = [line.split() for line in mounts.read_text().splitlines()]
    except OSError as error:
        return Check("/proc", "info", f"unknown: {error.strerror}")
    options = [row[5] + "," + row[-1] for row in rows if len(row) > 6 and row[4] == "/proc"]
    hidden = [
        word
        for word in ",".join(options).split(",")
        if word.startswith("hidepid=") and word not in ("hidepid=0", "hidepid=off")
    ]
    if not hidden or os.geteuid() == 0:
        return Check("/proc", "ok", "processes of all users can be seen")
    follows = "processes of other users are not seen: not in lists, and not as children"
    return Check("/proc", "warn", f"mounted with {hidden[0]}", follows, "run perftui with sudo")
