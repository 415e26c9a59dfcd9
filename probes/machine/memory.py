"""How much memory there is: the machine's, and what a control group allows (Linux)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_CGROUP = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60
"""Version 1 writes "no limit" as the largest multiple of the page size."""


class MachineMemory(NamedTuple):
    """What /proc/meminfo says."""

    total_bytes: int
    available_bytes: int


class MemoryLimit(NamedTuple):
    """The tightest limit of the control groups that a process is in."""

    limit_bytes: int
    used_bytes: int
    """Charged to that group: page cache included."""
    group: str


def machine_memory() -> MachineMemory | None:
    """Total and available memory of the machine, None where /proc does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return None
    values = {name: text for name, _, text in (line.partition(":") for line in lines)}
    try:
        total, available = (int(values[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    except (KeyError, ValueError):
        return None
    return MachineMemory(total * 1024, available * 1024)


def memory_limit(pid: int | str = "self") -> MemoryLimit | None:
    """The memory limit of a process's control groups (version 1 or 2), None if there is none."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    found: list[MemoryLimit] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            found += _limits(_CGROUP, path, "memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            files = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            found += _limits(_CGROUP / "memory", path, *files)
    return min(found, default=None)


def group_peak_file(pid: int) -> Path | None:
    """Return where the kernel keeps the peak of a process's control group, None if it does not.

    The machine's root group has none, nor have kernels before 5.19 with version 2.
    """
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        found = None
        if controllers == "":
            found = _CGROUP / path.lstrip("/") / "memory.peak"
        elif "memory" in controllers.split(","):
            found = _CGROUP / "memory" / path.lstrip("/") / "memory.max_usage_in_bytes"
        if found is not None and path != "/" and found.exists():
            return found
    return None


def group_peak_bytes(file: Path | None) -> int | None:
    """Return what stands in such a file, None if it cannot be read."""
    if file is None:
        return None
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None


def _limits(root: Path, path: str, limit_file: str, used_file: str) -> list[MemoryLimit]:
    """Limits of a group and of all that it is in. In a container the path may not be visible."""
    limits: list[MemoryLimit] = []
    group = root / path.lstrip("/")
    for folder in (group, *group.parents):
        if not folder.is_relative_to(root):
            break
        try:
            text = (folder / limit_file).read_text("ascii").strip()
            used = int((folder / used_file).read_text("ascii"))
        except (OSError, ValueError):
            continue
        if text.isdigit() and int(text) < _NO_LIMIT:
            limits.append(MemoryLimit(int(text), used, f"/{folder.relative_to(root)}"))
    return limits
