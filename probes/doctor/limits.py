"""Doctor's checks of what this process is allowed: files, processes, folders to write into."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from pathlib import Path

from perftui.probes.doctor.checks import Check
from perftui.probes.own.folders import (
    cache_folder,
    config_folder,
    fallback_note,
    recordings_folder,
)
from perftui.probes.recording.write.writer import LOW_DISK_BYTES, free_bytes
from perftui.probes.text.units import format_bytes

_FILES = 1_024
"""The own sampler keeps up to three files open for each process and thread that it looks at."""
_PROCESSES = 64
"""perftui has at most four processes beside the program, with some thirty threads."""
_PIDS = Path("/sys/fs/cgroup")


def check_limits() -> list[Check]:
    """Open files, processes, and the folders that perftui writes into."""
    return [
        _open_files(),
        _processes(_PIDS),
        _folder("cache folder", cache_folder(), "the data of the scenarios cannot be kept"),
        _folder("config folder", config_folder(), "settings cannot be kept"),
        _folder("recordings", recordings_folder(), "a session is not recorded, unless by --record"),
        _temporary(),
        *_home(),
    ]


def _open_files() -> Check:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= _FILES:
        return Check("open files", "ok", f"{soft} allowed, up to {_told(hard)}")
    follows = "with many processes or threads fewer are sampled at a time, and later"
    return Check("open files", "warn", f"{hard} allowed", follows, f"ulimit -n {_FILES}")


def _told(limit: int) -> str:
    return "any number" if limit == resource.RLIM_INFINITY else str(limit)


def _processes(group: Path) -> Check:
    """Threads count as processes, for both limits."""
    name = "processes"
    try:
        most, used = ((group / f"pids.{word}").read_text().strip() for word in ("max", "current"))
        if most != "max" and int(most) - int(used) < _PROCESSES:
            follows = "perftui or the program may not be able to start threads and processes"
            remedy = "docker run --pids-limit N, or the pod's limit of processes"
            return Check(name, "warn", f"{used} of {most} in this group", follows, remedy)
    except (OSError, ValueError):
        pass  # version 1, or none mounted
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if os.geteuid() != 0 and 0 <= soft < _PROCESSES:
        follows = "perftui or the program may not be able to start threads and processes"
        return Check(name, "warn", f"{soft} allowed", follows, f"ulimit -u {_PROCESSES * 16}")
    return Check(name, "ok", f"{_told(soft)} allowed")


def _folder(name: str, folder: Path, loss: str) -> Check:
    """Whether a folder can be written; it is not made for the sake of the question."""
    variable = {
        "cache folder": "PERFTUI_CACHE",
        "config folder": "XDG_CONFIG_HOME",
        "recordings": "PERFTUI_RECORDINGS",
    }[name]
    remedy = f"set {variable} to a folder that can"
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        return Check(name, "fail", f"{folder} cannot be written", loss, remedy)
    if read_only(place):
        return Check(name, "fail", f"{folder} is mounted read-only", loss, remedy)
    free, _ = free_bytes(place)
    size = _size(folder)
    held = f"{folder}, {format_bytes(size)}" if folder.is_dir() else f"{folder}, not made yet"
    if name == "recordings" and free < LOW_DISK_BYTES:
        follows = "recording ends when the disk is full; the program goes on"
        remedy = f"make room, or set {variable} to a folder that has more"
        return Check(name, "warn", f"{held}, {format_bytes(free)} free", follows, remedy)
    return Check(name, "ok", held)


def read_only(place: Path) -> bool:
    """Tell whether a folder is on a file system that is mounted read-only, as root must ask too."""
    try:
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _temporary() -> Check:
    """Write a file: a full tmpfs says so only then."""
    name = "temporary folder"
    try:
        with tempfile.TemporaryFile(prefix="perftui-doctor-") as file:
            file.write(b"x" * 65_536)
    except OSError as error:
        found = tempfile.tempdir or "/tmp"
        why = "is full" if error.errno == errno.ENOSPC else f"cannot be written ({error.strerror})"
        follows = "no SQL over packed recordings, no data of scenarios, and no selftest"
        remedy = "set TMPDIR to a folder with some MB of room"
        return Check(name, "fail", f"{found} {why}", follows, remedy)
    return Check(name, "ok", tempfile.gettempdir())


def _home() -> list[Check]:
    note = fallback_note()
    if note is None:
        return []
    follows = "recordings and settings are lost with it"
    return [Check("home", "warn", note, follows, "set HOME, or PERFTUI_RECORDINGS")]


def _size(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for file in files:
            try:
                total += (Path(root) / file).lstat().st_size
            except OSError:
                continue  # gone meanwhile
    return total
