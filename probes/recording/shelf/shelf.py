"""The shelf: the folder where recordings are kept, and what is known of each without opening it.

Everything here reads only the `meta.json` of each recording, so that a list of hundreds costs
milliseconds. Nothing is deleted or renamed that is not a recording.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from perftui.probes.own.folders import expanded, recordings_folder
from perftui.probes.recording.format.limits import RecordingError
from perftui.probes.recording.format.liveness import state_of, surely_over
from perftui.probes.recording.format.meta import META, parse_meta, target_of
from perftui.probes.recording.read.container import open_container
from perftui.probes.text.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perftui.probes.recording.read.source import ManySource

ENDING = ".perftui"
PACKED_ENDING = ".perftui.zip"
DEFAULT_LIMIT_BYTES = 5_000_000_000
LAST = "last"
_NAME_LENGTH = 60
_UNSAFE = re.compile(r"[^\w.+=-]+")

State = Literal["closed", "recording", "interrupted", "damaged"]


class AmbiguousName(RecordingError):
    """More than one recording's name begins so."""


class Entry(NamedTuple):
    """One recording on the shelf. Unknown is None."""

    name: str
    path: Path
    state: State
    wall_ns: int
    """When it began, since 1970, UTC."""
    title: str
    argv: tuple[str, ...]
    duration_s: float | None
    peak_rss_bytes: int | None
    alerts: int | None
    exit_code: int | None
    signal: int | None
    file_bytes: int
    problem: str | None
    """Why it cannot be read."""


class Deleted(NamedTuple):
    """A recording that had to make room."""

    name: str
    file_bytes: int
    reason: str


def folder() -> Path:
    """Return where recordings are kept: $PERFTUI_RECORDINGS, else below the XDG data folder."""
    return recordings_folder()


def new_directory(title: str, where: Path | None = None, now: float | None = None) -> Path:
    """Return a fresh path NAME.perftui for a recording, which is not made yet.

    Args:
        title: What is recorded; the name begins with it.
        where: The folder, the shelf's own if not given. A path that ends in .perftui is taken
            as it is.
        now: The time for the name, in seconds since 1970.
    """
    if where is not None and where.name.endswith(ENDING):
        return where
    base = folder() if where is None else where
    first = Path(title.split(" ")[0]).name or title
    words = " ".join([first, *title.split(" ")[1:]])
    label = _UNSAFE.sub("-", words).strip("-.")[:_NAME_LENGTH].strip("-.") or "recording"
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    for number in range(1, 10_000):
        again = "" if number == 1 else f"-{number}"
        path = base / f"{label}-{stamp}{again}{ENDING}"
        if not path.exists():
            return path
    raise RecordingError(f"{base} holds too many recordings of the same second")


def entries(where: Path | None = None) -> list[Entry]:
    """List the recordings of a folder, newest first."""
    base = folder() if where is None else where
    found = []
    with suppress(OSError), os.scandir(base) as items:
        for item in items:
            if item.name.endswith((ENDING, PACKED_ENDING)) and not item.is_symlink():
                entry = look(Path(item.path))
                if entry is not None:
                    found.append(entry)
    return sorted(found, key=lambda entry: (-entry.wall_ns, entry.name))


def look(path: Path) -> Entry | None:
    """Return what is known of one recording; None if there is nothing like one."""
    try:
        container = open_container(path)
        meta = parse_meta(container.read(META), path.name)
    except FileNotFoundError:
        return None
    except (RecordingError, OSError) as error:
        if not path.exists():
            return None
        with suppress(OSError):
            wall_ns = path.stat().st_mtime_ns
            return _entry(path, "damaged", wall_ns, {}, _size_of(path), str(error))
        return None
    state = state_of(path, meta)
    began_ns = meta.get("created_wall_ns")
    known_ns = began_ns if type(began_ns) is int and 0 <= began_ns < 1 << 62 else 0
    summary = meta.get("summary")
    told = _whole(summary.get("file_bytes")) if isinstance(summary, dict) else None
    # What one that was never closed told last is old, or nothing yet.
    counted = told is not None and told >= 0 and state == "closed" and not path.is_file()
    counted = counted and not target_of(meta).memray  # its files are not among those
    size = told if counted and told is not None else _size_of(path)
    return _entry(path, state, known_ns, meta, size, None)


def entry_of(source: ManySource) -> Entry:
    """Return what is known of one recording among many, wherever it lies."""
    meta = source.meta
    state: Any = meta["state"] if meta["state"] == "closed" else source.state()
    began_ns = _whole(meta.get("created_wall_ns")) or 0
    told = meta.get("summary")
    size = _whole(told.get("file_bytes")) if isinstance(told, dict) else None
    return _entry(Path(source.where), state, began_ns, meta, size or 0, None)


def _entry(
    path: Path,
    state: State,
    wall_ns: int,
    meta: Mapping[str, Any],
    file_bytes: int,
    problem: str | None,
) -> Entry:
    summary = meta.get("summary")
    known: Mapping[str, Any] = summary if isinstance(summary, dict) else {}
    duration = known.get("duration_s")
    if state == "interrupted":
        duration = (meta["t_end_ns"] - meta["t_start_ns"]) / NS_PER_S
    target = target_of(meta)
    return Entry(
        name=_short(path),
        path=path,
        state=state,
        wall_ns=wall_ns,
        title=target.title,
        argv=target.argv,
        duration_s=float(duration) if isinstance(duration, int | float) else None,
        peak_rss_bytes=_whole(known.get("peak_rss_bytes")),
        alerts=_whole(known.get("alerts")),
        exit_code=_whole(known.get("exit_code")),
        signal=_whole(known.get("signal")),
        file_bytes=file_bytes,
        problem=problem,
    )


def resolve(
    argument: str,
    where: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Return the recording that a person means: a path, a name on the shelf, "last", an address.

    Args:
        argument: What they typed.
        where: The shelf, the person's own if not given.
        say: Gets what they must be told of one that was fetched from elsewhere.

    Raises:
        RecordingError: there is none.
    """
    if "://" in argument:
        from perftui.probes.recording.remote.address import RemoteAddress, is_address, path_of

        if is_address(argument):
            here = path_of(argument)
            if here is None:
                from perftui.probes.recording.remote.fetch import local_copy

                return local_copy(RemoteAddress(argument), say)
            argument = os.path.abspath(here)  # noqa: PTH100 - a link on the way stays one
    base = folder() if where is None else where
    exact = _exactly(argument, base)
    if exact is not None:
        return exact
    if argument == LAST:
        known = entries(base)
        if not known:
            raise RecordingError(f"there is no recording yet in {base}")
        return known[0].path
    names = [entry.name for entry in entries(base)]
    alike = [name for name in names if name.startswith(argument)]
    if len(alike) == 1:
        return next(entry.path for entry in entries(base) if entry.name == alike[0])
    if alike:
        raise AmbiguousName(f"{argument!r} may be any of {', '.join(alike[:5])}")
    raise RecordingError(
        f"there is no recording {argument!r}, neither here nor in {base}; "
        "`perftui list recordings` shows them"
    )


def _exactly(argument: str, base: Path) -> Path | None:
    """Return the path or the whole name on a shelf that an argument is, None if it is neither."""
    path = expanded(argument)
    if path.exists() and ("/" in argument or path.name.endswith((ENDING, ".zip"))):
        return path
    if argument == LAST:
        return None
    if "/" not in argument:
        for name in (argument, argument + ENDING, argument + PACKED_ENDING):
            if (base / name).exists():
                return base / name
    return path if path.exists() else None


def name_of(path: Path, where: Path | None = None) -> str | None:
    """Return what a person calls a recording from where they stand: what `resolve` leads to it.

    The name on the shelf if that is enough, else a path; None if it is not there to be opened.
    """
    entry = look(path)
    if entry is None or entry.problem is not None:
        return None
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - a link on the way stays one
    names = [_short(path), path.name, str(absolute)]
    with suppress(OSError, ValueError):
        near = str(absolute.relative_to(Path.cwd()))
        names.insert(2, near if "/" in near else f"./{near}")
    for name in names:
        if not name.startswith("-") and _leads_to(name, path, where):
            return name
    return None


def _leads_to(name: str, path: Path, where: Path | None) -> bool:
    try:
        found = _exactly(name, folder() if where is None else where)
        return found is not None and found.samefile(path)
    except OSError:
        return False


def rename(path: Path, name: str) -> Path:
    """Give a recording another name in its folder; returns the new path.

    Raises:
        RecordingError: it is none, is being written, or the name cannot be had.
    """
    entry = _own(path)
    if entry.state == "recording":
        raise RecordingError(f"{entry.name} is still being recorded")
    clean = name.removesuffix(PACKED_ENDING).removesuffix(ENDING)
    if not clean or clean.startswith(".") or _UNSAFE.sub("-", clean) != clean:
        raise RecordingError(f"{name!r} is no name: letters, digits and . _ + = - are")
    target = path.with_name(clean + (PACKED_ENDING if path.is_file() else ENDING))
    if target.exists():
        raise RecordingError(f"there is a recording {clean!r} already")
    try:
        path.rename(target)
    except OSError as error:
        raise RecordingError(f"{entry.name} cannot be renamed: {error.strerror}") from error
    return target


def delete(path: Path) -> None:
    """Remove a recording.

    Raises:
        RecordingError: it is none, is being written, or cannot be removed.
    """
    entry = _own(path)
    if entry.state == "recording":
        raise RecordingError(f"{entry.name} is still being recorded")
    try:
        if path.is_dir():
            # First out of sight: a half deleted one must not look like a damaged one.
            hidden = path.with_name(f".{path.name}.deleted")
            path.rename(hidden)
            shutil.rmtree(hidden)
        else:
            path.unlink()
    except OSError as error:
        raise RecordingError(f"{entry.name} cannot be deleted: {error.strerror}") from error


def enforce(
    max_bytes: int | None = DEFAULT_LIMIT_BYTES,
    max_age_s: float | None = None,
    where: Path | None = None,
    now: float | None = None,
) -> list[Deleted]:
    """Delete the oldest closed recordings of a folder until it keeps to its limits.

    Recordings that are or may be written, or cannot be read, are left alone and count.

    Args:
        max_bytes: What the folder may hold.
        max_age_s: How old a recording may be.
        where: The folder, the shelf's own if not given.
        now: The time, in seconds since 1970.

    Returns:
        What was deleted, so that a person is told.
    """
    now_ns = round((time.time() if now is None else now) * NS_PER_S)
    known = entries(where)
    total = sum(entry.file_bytes for entry in known)
    deleted = []
    for entry in reversed(known):
        age_s = (now_ns - entry.wall_ns) / NS_PER_S
        if max_age_s is not None and age_s > max_age_s:
            reason = f"older than {max_age_s / 86400:g} days"
        elif max_bytes is not None and total > max_bytes:
            reason = f"the folder held more than {max_bytes / 1e9:g} GB"
        else:
            continue
        if not _may_go(entry):
            continue
        try:
            delete(entry.path)
        except RecordingError:
            continue  # the next one may do
        total -= entry.file_bytes
        deleted.append(Deleted(entry.name, entry.file_bytes, reason))
    return deleted


def _may_go(entry: Entry) -> bool:
    """Tell whether a recording is surely over: closed, or not written to for long."""
    if entry.state not in ("closed", "interrupted"):
        return False
    try:
        meta = parse_meta(open_container(entry.path).read(META), entry.name)
    except (RecordingError, OSError):
        return False
    return surely_over(entry.path, meta)


def _own(path: Path) -> Entry:
    if path.is_symlink():
        raise RecordingError(f"{path.name} is a link, not a recording")
    entry = look(path)
    if entry is None or entry.problem is not None:
        raise RecordingError(f"{path} is not a recording")
    return entry


def _short(path: Path) -> str:
    return path.name.removesuffix(".zip").removesuffix(ENDING)


def _size_of(path: Path) -> int:
    with suppress(OSError):
        if path.is_file():
            return path.stat().st_size
        with os.scandir(path) as items:
            return sum(item.stat(follow_symlinks=False).st_size for item in items)
    return 0


def _whole(value: object) -> int | None:
    return value if type(value) is int else None
