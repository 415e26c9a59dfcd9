"""Who writes a recording holds it: one small file in its folder, locked and touched meanwhile.

The lock tells everyone who shares this kernel, whatever PID namespace or container they are in;
it goes with the last process that holds it, however that ends. Other machines that share the
folder may not see the lock: to them the file's age tells, as it is touched every few seconds.
The file holds some bytes besides, which a full disk gives back for the last words.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CLAIM = ".writing"
RESERVE_BYTES = 64 * 1024
"""More than the last `meta.json` needs, at the block sizes of common file systems."""
LEFT_BEHIND_S = 120.0
"""A claim without a lock and without a sign of life for so long is nobody's."""
_LOCK_LIMIT_S = 2.0
"""Who asks whether a recording is written holds the lock for an instant."""


class Taken(FileExistsError):
    """Another session writes there."""


class Claim:
    """The right to write a recording. Make one with `take`, or `adopt` one that was handed on.

    Args:
        path: The file.
        fd: Its open descriptor, ours from now on.
        locked: Whether the file system has locks.
    """

    def __init__(self, path: Path, fd: int, locked: bool) -> None:
        self._path = path
        # An object that is forgotten lets go of the lock, as one that is closed does.
        self._file = os.fdopen(fd, "r+b", buffering=0)
        self.locked = locked

    @classmethod
    def take(cls, directory: Path) -> Claim:
        """Make the folder if it is not there, and claim it.

        Raises:
            Taken: another session is being recorded there.
            FileExistsError: there is something in it already.
            OSError: it cannot be made or written.
        """
        # Names of recordings are command lines: who may not read them may not list them either.
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        path = directory / CLAIM
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        if any(entry.name != CLAIM for entry in directory.iterdir()):
            if is_locked(directory):
                raise _taken(directory)
            raise FileExistsError(errno.EEXIST, "there is something in it already", str(directory))
        try:
            # Of two that come at the same time one makes it, on network file systems too.
            fd = os.open(path, flags, 0o600)
            locked = _lock(fd)
        except FileExistsError:
            left = _left_behind(path)
            if left is None:
                raise _taken(directory) from None
            fd, locked = left, True
        claim = cls(path, fd, locked)
        with suppress(OSError):
            claim._file.write(b"\0" * RESERVE_BYTES)
        return claim

    @classmethod
    def adopt(cls, directory: Path, fd: int, *, locked: bool) -> Claim:
        """Go on with a claim whose descriptor another process has handed on."""
        return cls(directory / CLAIM, fd, locked)

    def fileno(self) -> int:
        """Return the descriptor: the lock holds while any copy of it is open."""
        return self._file.fileno()

    def beat(self) -> None:
        """Say that the writer is at work.

        Raises:
            OSError: the file cannot be touched.
        """
        os.utime(self._file.fileno())

    def give_space(self) -> None:
        """Give the reserved bytes back to a full disk."""
        with suppress(OSError, ValueError):
            os.ftruncate(self._file.fileno(), 0)

    def let_go(self) -> None:
        """Close our copy; a process that the claim was handed on to keeps it."""
        self._file.close()

    def end(self) -> None:
        """Nothing more is written: remove the file."""
        with suppress(OSError):
            self._path.unlink()
        self._file.close()


def _left_behind(path: Path) -> int | None:
    """Return the locked descriptor of a file whose maker was killed before it wrote anything."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        before = os.fstat(fd).st_mtime
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.utime(fd)  # the file system's own clock
        if os.fstat(fd).st_mtime - before > LEFT_BEHIND_S:
            return fd
        os.utime(fd, (before, before))
    except OSError:
        pass
    os.close(fd)
    return None


def _taken(directory: Path) -> Taken:
    return Taken(errno.EEXIST, f"another session is being recorded at {directory}")


def _lock(fd: int) -> bool:
    end_s = time.monotonic() + _LOCK_LIMIT_S
    while time.monotonic() < end_s:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            return False  # a file system without locks
        else:
            return True
    return False


def is_locked(directory: Path) -> bool | None:
    """Tell whether somebody on this kernel writes a recording; None if it cannot be told."""
    try:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        fd = os.open(directory / CLAIM, flags)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(fd)
    return False
