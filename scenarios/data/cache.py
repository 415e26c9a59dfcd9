"""Generated data that is kept between runs, and scratch folders that are not.

    CACHE/data/NAME/          a whole dataset; it appears by a rename, so it is never half there
    CACHE/data/NAME.lock      held shared by readers, exclusively by the one that generates
    CACHE/scratch/NAME-*/     a running scenario's working folder, with a lock beside it;
                              those of dead scenarios are removed by the next one

Locks are flock(2) locks: the kernel releases them when their process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import perftui
from perftui.probes.own.folders import cache_folder
from perftui.probes.text.units import format_bytes
from perftui.scenarios.data.locked import (
    LOCK,
    entries,
    lock_of,
    make_folder,
    open_lock,
    remove_unused,
    size_bytes,
)
from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PARTIAL = ".partial"
_REMOVAL_TRIES = 40
_REMOVAL_PAUSE_S = 0.05
_DISK_RESERVE_BYTES = 200_000_000
"""Space that a dataset must leave free."""

_held: list[IO[bytes]] = []
"""Locks of the datasets that this process reads; the kernel drops them when it ends."""


class CacheUse(NamedTuple):
    """What the cache holds."""

    folder: Path
    bytes: int
    datasets: tuple[str, ...]


def dataset(name: str, estimated_bytes: int, generate: Callable[[Path], None]) -> Path:
    """The folder of a dataset, generated first if it is not there yet.

    A second process that wants the same dataset meanwhile waits for the first. The dataset
    stays until this process has ended, even if somebody clears the cache.

    Args:
        name: Names the content: the same name must always mean the same data.
        estimated_bytes: What it will take on disk.
        generate: Fills an empty folder.

    Raises:
        ScenarioError: The disk is too small, or the cache cannot be written.
    """
    folder = make_folder(cache_folder() / "data")
    target = folder / name
    lock = open_lock(lock_of(target))
    fcntl.flock(lock, fcntl.LOCK_SH)
    while not target.is_dir():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _generate(target, estimated_bytes, generate)
        fcntl.flock(lock, fcntl.LOCK_SH)
    _held.append(lock)
    return target


def written_bytes(name: str) -> int:
    """How much of a dataset is there already, while somebody generates it too."""
    target = cache_folder() / "data" / name
    return size_bytes(target) + size_bytes(target.with_name(target.name + _PARTIAL))


def _generate(target: Path, estimated_bytes: int, generate: Callable[[Path], None]) -> None:
    partial = target.with_name(target.name + _PARTIAL)
    # Ours alone while the lock is held: what is there was left by a killed process.
    shutil.rmtree(partial, ignore_errors=True)
    check_disk(target.parent, estimated_bytes)
    partial.mkdir()
    try:
        generate(partial)
        for file in partial.rglob("*"):
            if file.is_file():
                _flush(file)
        partial.rename(target)
    except OSError as error:
        raise ScenarioError(
            f"cannot write the data to {partial}: {error.strerror or error}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_disk(folder: Path, need_bytes: int, elsewhere: str = "PERFTUI_CACHE") -> None:
    """See that there is room for data, before they are generated.

    Args:
        folder: Where they go.
        need_bytes: An estimate.
        elsewhere: The variable that names another folder.

    Raises:
        ScenarioError: There is not, or there would be next to nothing left.
    """
    free = shutil.disk_usage(folder).free
    if need_bytes + _DISK_RESERVE_BYTES <= free:
        return
    left = f", of which {format_bytes(_DISK_RESERVE_BYTES)} stay free" if need_bytes < free else ""
    own = "run `perftui list --clear-cache`, " if elsewhere == "PERFTUI_CACHE" else ""
    raise ScenarioError(
        f"the data need {format_bytes(need_bytes)} and {folder} has "
        f"{format_bytes(free)} free{left}: choose a smaller size, {own}or set {elsewhere} to a "
        "folder on a larger disk"
    )


def _flush(file: Path) -> None:
    """Bring a file to the disk: a rename that outlives a power loss must not name empty files."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


@contextmanager
def scratch(name: str, need_bytes: int = 0) -> Iterator[Path]:
    """A folder for the length of a `with`; a later run removes it if this process is killed.

    Raises:
        ScenarioError: The disk has not `need_bytes` for what is to be put there.
    """
    root = make_folder(cache_folder() / "scratch")
    _remove_abandoned(root)
    check_disk(root, need_bytes)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root))
    lock_file = lock_of(folder)
    lock = open_lock(lock_file)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        with perftui.phase("teardown"):
            if _remove(folder):
                lock_file.unlink(missing_ok=True)
        lock.close()


def _remove(folder: Path) -> bool:
    """Remove a folder, even if a library's own threads still write to it for a moment."""
    for _ in range(_REMOVAL_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return True
        time.sleep(_REMOVAL_PAUSE_S)
    return False


def _remove_abandoned(root: Path) -> None:
    for lock_file in root.glob(f"*{LOCK}"):
        # A lock that is held raises BlockingIOError: its scenario runs.
        with suppress(OSError), lock_file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _remove(lock_file.with_suffix("")):
                lock_file.unlink(missing_ok=True)


def cache_use() -> CacheUse:
    """Size and content of the cache. Never fails: a cache that is not there is empty."""
    folder = cache_folder()
    data = folder / "data"
    names = sorted(
        entry.name for entry in entries(data) if entry.is_dir() and entry.suffix != _PARTIAL
    )
    return CacheUse(folder, size_bytes(data) + size_bytes(folder / "scratch"), tuple(names))


def clear_cache() -> tuple[int, tuple[str, ...]]:
    """Remove all data that no running scenario uses.

    Returns:
        The bytes freed and the names of the datasets that are in use and were kept.

    Raises:
        OSError: The cache cannot be changed.
    """
    folder = cache_folder()
    before = cache_use().bytes
    kept = remove_unused(
        folder / "data",
        leftovers=lambda target: [target, target.with_name(target.name + _PARTIAL)],
        wanted=lambda target: True,
    )
    scratch_root = folder / "scratch"
    if scratch_root.is_dir():
        _remove_abandoned(scratch_root)
    return before - cache_use().bytes, kept
