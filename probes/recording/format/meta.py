"""`meta.json`: what was recorded, where, by whom, and whether it was closed.

It is replaced as a whole, so a reader never sees half of it. It holds no environment values,
and of command lines only what `redact` leaves.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perftui.probes.recording.format.limits import META_BYTES, RecordingError
from perftui.probes.recording.format.redacted import RULES_FIELD, is_current
from perftui.probes.recording.format.tables import FORMAT, VERSION
from perftui.probes.spine.reader import Target
from perftui.probes.text.redact import RULES, redact_argv, redact_title

if TYPE_CHECKING:
    from collections.abc import Mapping

META = "meta.json"
_BLOCK_BYTES = 4096
_SPARE_BYTES = 1024
STATES = ("recording", "closed")


def write_meta(directory: Path, meta: Mapping[str, Any]) -> None:
    """Replace meta.json.

    Raises:
        OSError: it could not be written; the old one stays.
    """
    temporary = directory / (META + ".tmp")
    try:
        # Never through a link that somebody has put there.
        temporary.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(temporary, flags, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(_padded(meta))
        temporary.replace(directory / META)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def overwrite_meta(directory: Path, meta: Mapping[str, Any]) -> None:
    """Write meta.json over the one that is there, in one write: a full disk has room for that.

    Raises:
        OSError: it could not be written, or is larger than the old one by too much.
    """
    data = _padded(meta).rstrip()
    fd = os.open(directory / META, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        room = os.fstat(fd).st_size
        if len(data) >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), META)
        os.pwrite(fd, data.ljust(room - 1) + b"\n", 0)
    finally:
        os.close(fd)


def _padded(meta: Mapping[str, Any]) -> bytes:
    """Return meta.json with blanks behind: the last one, written in place, may say more."""
    data = json.dumps(meta, indent=1).encode("utf-8", "replace")
    size = (len(data) + _SPARE_BYTES) // _BLOCK_BYTES * _BLOCK_BYTES + _BLOCK_BYTES
    return data.ljust(size - 1) + b"\n"


def parse_meta(data: bytes, name: str) -> dict[str, Any]:
    """Return what a meta.json says.

    Raises:
        RecordingError: it is none of ours, or of a version that this perftui cannot read.
    """
    if len(data) > META_BYTES:
        raise RecordingError(f"{name} is not a recording: its meta.json is larger than 1 MiB")
    try:
        meta = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{name} is not a recording: its meta.json cannot be read") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise RecordingError(f"{name} is not a recording of perftui")
    version = meta.get("version")
    if not (
        isinstance(version, list)
        and len(version) == 2
        and all(type(part) is int and 0 <= part < 10_000 for part in version)
    ):
        raise RecordingError(f"{name}: meta.json names no format version")
    if version[0] != VERSION[0]:
        writer = _text(_mapping(meta.get("versions")).get("perftui")) or "another version"
        raise RecordingError(
            f"{name} has recording format {version[0]}.{version[1]}, this perftui reads "
            f"{VERSION[0]}.x; open it with the perftui that wrote it ({writer}) or newer"
        )
    if meta.get("state") not in STATES:
        raise RecordingError(f"{name}: meta.json names no state")
    for field in ("t_start_ns", "t_end_ns"):
        if not _is_time(meta.get(field)):
            raise RecordingError(f"{name}: meta.json has no {field}")
    return meta


def target_dict(target: Target) -> dict[str, Any]:
    """Return what is written of a target, without secrets."""
    return {
        "title": redact_title(target.title, target.argv),
        "argv": list(redact_argv(target.argv)),
        "pid": target.pid,
        "python": target.python,
        "launched": target.launched,
        "agent": target.agent,
        "memray": target.memray,
    }


def with_rules(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return meta.json of a copy: its target redacted by the rules of today, which it names."""
    target = {**_mapping(meta.get("target")), **target_dict(target_of(meta))}
    return {**meta, "target": target, RULES_FIELD: RULES}


def target_of(meta: Mapping[str, Any]) -> Target:
    """Return the target that a meta.json names; what is missing is unknown."""
    target = _mapping(meta.get("target"))
    said = target.get("argv")
    pid = target.get("pid")
    title = _text(target.get("title")) or ""
    argv = tuple(_text(word) or "" for word in said) if isinstance(said, list) else ()
    if not is_current(meta):
        title, argv = redact_title(title, argv), redact_argv(argv)
    return Target(
        title=title,
        argv=argv,
        pid=pid if type(pid) is int else -1,
        python=_text(target.get("python")),
        launched=target.get("launched") is True,
        agent=target.get("agent") is True,
        memray=target.get("memray") is True,
    )


def wall_ns(meta: Mapping[str, Any], t_ns: int) -> int | None:
    """Return the time of day of a moment, in nanoseconds since 1970; None if it is not known."""
    said = meta.get("clock")
    anchors = [
        (pair[0], pair[1])
        for pair in (said if isinstance(said, list) else [])
        if isinstance(pair, list) and len(pair) == 2 and all(type(part) is int for part in pair)
    ]
    before = [anchor for anchor in anchors if anchor[0] <= t_ns] or anchors[:1]
    return None if not before else before[-1][1] + t_ns - before[-1][0]


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    import platform

    ram = None
    with suppress(ValueError, OSError, AttributeError):
        ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "platform": sys.platform,
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu_model": _cpu_model(),
        "cpu_count": os.cpu_count(),
        "ram_bytes": ram,
    }


def versions() -> dict[str, str | None]:
    """Return the versions that bear on the figures."""
    import platform

    from perftui.probes.version import __version__

    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
    }
    found["perftui"] = __version__
    found["py-spy"] = _installed_version("py_spy")
    found["pyarrow"] = _installed_version("pyarrow")
    return found


def _installed_version(distribution: str) -> str | None:
    """Return the version of a distribution by the name of its folder.

    `importlib.metadata` would say the same, and load the mail parser first.
    """
    head, end = f"{distribution}-", ".dist-info"
    for place in sys.path:
        with suppress(OSError):
            for entry in os.scandir(place or os.curdir):
                if entry.name.startswith(head) and entry.name.endswith(end):
                    return entry.name[len(head) : -len(end)]
    return None


def host_name() -> str:
    """Return the name of this machine."""
    return os.uname().nodename  # `socket` would say the same


def boot_id() -> str | None:
    """Return what tells this run of the machine from others, None if the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def start_key(pid: int) -> str | None:
    """Return what tells a process from a later one of the same id, None if there is none."""
    return _start_key_linux(pid) if sys.platform == "linux" else _start_key_elsewhere(pid)


def _start_key_elsewhere(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None  # it has ended, only nobody has asked how
        return f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def _start_key_linux(pid: int) -> str | None:
    """Return what psutil would say, without loading it; see proc(5) for the fields."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        state, *fields = stat[stat.rindex(b")") + 2 :].split()
        if state in (b"Z", b"X"):
            return None  # it has ended, only nobody has asked how
        began_ticks = int(fields[18])
        with Path("/proc/stat").open("rb") as file:
            booted_s = next(int(line.split()[1]) for line in file if line.startswith(b"btime"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
    return f"{booted_s + began_ticks / os.sysconf('SC_CLK_TCK'):.2f}"


def recorder_alive(meta: Mapping[str, Any]) -> bool:
    """Tell whether the process that writes a recording still runs, on this machine."""
    recorder = _mapping(meta.get("recorder"))
    pid = recorder.get("pid")
    if meta.get("state") != "recording" or type(pid) is not int or not 0 < pid < 1 << 31:
        return False
    if recorder.get("boot_id") != boot_id():
        return False
    start = start_key(pid)
    # Where /proc was closed to the recorder it did not know its own: no process is none's.
    return start is not None and start == recorder.get("start")


def _cpu_model() -> str | None:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    import platform

    return platform.processor() or None


def _is_time(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 62


def _text(value: object) -> str | None:
    return value[:4096] if isinstance(value, str) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
