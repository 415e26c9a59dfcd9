"""Folders of the cache, each with a lock beside it: FOLDER and FOLDER.lock.

Who uses a folder holds its lock shared, who makes or removes it exclusively. They are flock(2)
locks: the kernel releases them when their process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from perftui.scenarios.define.parameters import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOCK = ".lock"


def lock_of(folder: Path) -> Path:
    """Return the path of a folder's lock."""
    return folder.with_name(folder.name + LOCK)


def open_lock(path: Path) -> IO[bytes]:
    """Open a lock's file, which is made if it is not there.

    Raises:
        ScenarioError: It cannot be.
    """
    try:
        return path.open("ab")
    except OSError as error:
        raise ScenarioError(f"cannot write {path}: {error.strerror}") from None


_used: dict[Path, IO[bytes]] = {}
"""Shared locks of the folders that this process uses."""


def use(folder: Path, ready: Callable[[], bool], make: Callable[[], None]) -> None:
    """Use a folder until this process ends, made first unless it is ready. One cannot be removed
    meanwhile, and two processes do not make it at once; whatever cuts `make` off, nothing of the
    folder stays.

    Raises:
        ScenarioError: Its lock cannot be written.
    """
    if folder not in _used:
        _used[folder] = open_lock(lock_of(folder))
    lock = _used[folder]
    fcntl.flock(lock, fcntl.LOCK_SH)
    if ready():
        return
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        if not ready():  # else another process has made it meanwhile
            shutil.rmtree(folder, ignore_errors=True)
            make()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        fcntl.flock(lock, fcntl.LOCK_SH)


def make_folder(folder: Path) -> Path:
    """Make a folder of the cache unless it is there.

    Raises:
        ScenarioError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(
            f"cannot make the cache folder {folder}: {error.strerror}; set PERFTUI_CACHE"
        ) from None
    return folder


def remove_unused(
    root: Path, leftovers: Callable[[Path], list[Path]], wanted: Callable[[Path], bool]
) -> tuple[str, ...]:
    """Remove the folders below one that nobody uses; returns the names of those in use.

    The locks themselves stay: with one removed, two processes could hold "the" lock at once.

    Args:
        root: The folder of the folders.
        leftovers: What stands for a folder on disk: itself, and what a killed process has left.
        wanted: Whether a folder is to be removed.

    Raises:
        OSError: One cannot be removed.
    """
    kept: list[str] = []
    for lock_file in (entry for entry in entries(root) if entry.suffix == LOCK):
        folder = lock_file.with_suffix("")
        if not wanted(folder):
            continue
        with lock_file.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                kept.append(folder.name)
                continue
            for leftover in leftovers(folder):
                if leftover.is_dir():
                    shutil.rmtree(leftover)
    return tuple(kept)


def entries(folder: Path) -> list[Path]:
    """Return what is in a folder; nothing if it is not there."""
    return list(folder.iterdir()) if folder.is_dir() else []


def size_bytes(folder: Path) -> int:
    """Return what the files below a folder hold; a link counts as itself."""
    total = 0
    for root, _, files in os.walk(folder):
        for file in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(root, file)).st_size  # noqa: PTH118
    return total
