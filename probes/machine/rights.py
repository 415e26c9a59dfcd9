"""May another process's stacks be read? Asked before trying, so that the answer has a reason.

Reading a process's memory takes the right that the kernel calls ptrace access. What denies it
differs by machine (user, Yama, a dumpable flag, a container's profile), and so does the remedy.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

_CAP_SYS_PTRACE = 19
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
_YAMA_REMEDY = (
    "start the program with `perftui run`, run perftui with sudo, "
    "or allow it until reboot: sudo sysctl kernel.yama.ptrace_scope=0"
)
_ALLOW = {
    "kubernetes": "add to the container's securityContext: capabilities: {add: [SYS_PTRACE]}; a "
    "sidecar needs shareProcessNamespace: true in the pod too",
    "docker": "start the container with: docker run --cap-add SYS_PTRACE ...",
    "podman": "start the container with: podman run --cap-add SYS_PTRACE ...",
}


class Right(NamedTuple):
    """Whether a process's stacks can be read, why, and what to do if not."""

    ok: bool
    reason: str
    """One line; also says what is not known."""
    remedy: str
    """One line, "" if nothing needs to be done."""


def yama_scope() -> int | None:
    """Return the kernel's ptrace restriction: 0 none .. 3 nobody, None without Yama."""
    try:
        return int(_YAMA.read_text("ascii"))
    except (OSError, ValueError):
        return None


def has_trace_capability() -> bool:
    """Tell whether this process holds CAP_SYS_PTRACE (in its own user namespace)."""
    held = _status("self").get("CapEff", "0")
    return bool(int(held, 16) >> _CAP_SYS_PTRACE & 1)


def container() -> str:
    """Return the kind of container that this process runs in, "" if none is recognised.

    A pod is one of docker's or podman's as well.
    """
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "kubernetes"
    if Path("/.dockerenv").exists():
        return "docker"
    if Path("/run/.containerenv").exists():
        return "podman"
    # systemd's convention, in lower case.
    return os.environ.get("container", "")  # noqa: SIM112


def trace_remedy(where: str) -> str:
    """Return how a kind of container (see `container`) is given CAP_SYS_PTRACE, "" for none."""
    if not where:
        return ""
    known = (words for name, words in _ALLOW.items() if name in where)
    return next(known, "give the container CAP_SYS_PTRACE")


def is_descendant(pid: int) -> bool:
    """Tell whether a process was started by this one, directly or through others."""
    here = os.getpid()
    for _ in range(1000):
        if pid == here:
            return True
        parent = _status(pid).get("PPid", "0")
        if parent == "0":
            return False
        pid = int(parent)
    return False


def other_pid_namespace(pid: int) -> bool:
    """Tell whether a process counts its pids and threads differently from this one."""
    try:
        theirs = Path(f"/proc/{pid}/ns/pid").readlink()
        return theirs != Path("/proc/self/ns/pid").readlink()
    except OSError:
        return False


def can_trace(pid: int) -> Right:
    """Say whether the stacks of process `pid` can be read from here."""
    if not sys.platform.startswith("linux"):
        return _can_trace_elsewhere(pid)
    status = _status(pid)
    if not status:
        return Right(False, f"there is no process {pid}", "look it up: perftui list processes")
    if status.get("State", "?")[0] in "ZX":
        return Right(False, f"process {pid} has ended", "")
    if status.get("Kthread", "0") == "1" or (pid != 1 and "VmSize" not in status):
        return Right(False, f"process {pid} is a kernel thread", "")
    capable = has_trace_capability()
    scope = yama_scope()
    if scope == 3:
        return Right(
            False,
            "kernel.yama.ptrace_scope is 3: nobody may read another process",
            "set it to 1 or less in /etc/sysctl.d and reboot",
        )
    if not capable:
        denied = _denied_to_users(pid, status, scope)
        if denied is not None:
            return denied
    return _try_memory(pid, capable, scope)


def _denied_to_users(pid: int, status: dict[str, str], scope: int | None) -> Right | None:
    """Look for a reason that denies a process without CAP_SYS_PTRACE."""
    own = (os.geteuid(), os.getegid())
    theirs = {int(uid) for uid in status.get("Uid", "").split()[:3]}
    if theirs and theirs != {own[0]}:
        who = f"process {pid} belongs to user {min(theirs - {own[0]})}, perftui runs as {own[0]}"
        if own[0] == 0:
            remedy = trace_remedy(container()) or "give perftui CAP_SYS_PTRACE"
            return Right(False, f"{who} without CAP_SYS_PTRACE", remedy)
        return Right(False, who, "run perftui as that user or with sudo")
    if scope == 2:
        return Right(
            False,
            "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may read another process",
            "run perftui with sudo, or: sudo sysctl kernel.yama.ptrace_scope=0",
        )
    try:
        # Not of the directory: that one belongs to the user in any case.
        owner = Path(f"/proc/{pid}/maps").stat().st_uid
    except OSError:
        return Right(False, f"process {pid} has ended", "")
    if owner != own[0]:
        return Right(
            False,
            f"process {pid} is not dumpable (set-id, capabilities, or its own choice)",
            "run perftui with sudo",
        )
    if scope == 1 and not is_descendant(pid):
        # The program may still have named a tracer, so the kernel has the last word.
        if _memory_error(pid) is None:
            return Right(True, f"process {pid} lets perftui read it (PR_SET_PTRACER)", "")
        return Right(
            False,
            "kernel.yama.ptrace_scope is 1: only a program's own parents may read it",
            _YAMA_REMEDY,
        )
    return None


def _try_memory(pid: int, capable: bool, scope: int | None) -> Right:
    """Ask the kernel itself: opening the memory file makes the same check and touches nothing."""
    error = _memory_error(pid)
    if error is None:
        if capable:
            return Right(True, "perftui holds CAP_SYS_PTRACE", "")
        if scope == 1:
            return Right(
                True,
                f"process {pid} is perftui's own child; its sampler counts if the program "
                "names perftui as tracer, as `perftui run` arranges",
                "",
            )
        return Right(True, f"process {pid} runs as the same user", "")
    if isinstance(error, (FileNotFoundError, ProcessLookupError)):
        return Right(False, f"process {pid} has ended", "")
    where = container()
    if where:
        return Right(
            False,
            f"this {where} container may not read the memory of process {pid} ({error.strerror})",
            trace_remedy(where),
        )
    return Right(
        False,
        f"the kernel does not let perftui read the memory of process {pid} ({error.strerror})",
        "run perftui with sudo; a user namespace or security module (SELinux, AppArmor) "
        "may stand between",
    )


def _memory_error(pid: int) -> OSError | None:
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error
    return None


def _can_trace_elsewhere(pid: int) -> Right:
    """Outside Linux only the essentials are known."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return Right(False, f"there is no process {pid}", "look it up: perftui list processes")
    except PermissionError:
        return Right(False, f"process {pid} belongs to another user", "run perftui with sudo")
    if sys.platform == "darwin" and os.geteuid() != 0:
        return Right(
            False,
            "macOS lets only root read another process (not verified by perftui)",
            "run perftui with sudo",
        )
    return Right(True, f"not known on {sys.platform}; py-spy will tell", "")


def _status(pid: int | str) -> dict[str, str]:
    """Return /proc/PID/status as a mapping, empty if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
    except OSError:
        return {}
    return {
        key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())
    }
